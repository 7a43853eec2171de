//! Calling the functions of an implementation.

/// What the implementation of a service is besides: calls run at the same time, on any thread, as long as they take.
pub trait Shared: Send + Sync + 'static {}

impl<T: Send + Sync + 'static> Shared for T {}

/// A function of a service: takes `&T` and these arguments, and its future is `Send`.
///
/// `<T as TestService>::echo` is one by its path, for every lifetime of `&T`.
#[diagnostic::on_unimplemented(message = "`{Self}` is not a service method with these arguments")]
pub trait Runs<'a, T, Arguments> {
    /// What the future gives.
    type Out;
    /// The future.
    type Future: Future<Output = Self::Out> + Send + 'a;

    /// Calls it.
    fn run(&self, service: &'a T, arguments: Arguments) -> Self::Future;
}

/// The arguments of a function that takes the context of its call before them.
pub struct With<C, Arguments>(pub(super) C, pub(super) Arguments);

macro_rules! runs {
    ($($name:ident)*) => {
        impl<'a, T: 'a, F, R, $($name),*> Runs<'a, T, ($($name,)*)> for F
        where
            F: Fn(&'a T, $($name),*) -> R,
            R: Future + Send + 'a,
        {
            type Out = R::Output;
            type Future = R;

            #[allow(non_snake_case, reason = "the names of the types serve as names of the values")]
            fn run(&self, service: &'a T, ($($name,)*): ($($name,)*)) -> R {
                self(service, $($name),*)
            }
        }

        impl<'a, T: 'a, X, F, R, $($name),*> Runs<'a, T, With<X, ($($name,)*)>> for F
        where
            F: Fn(&'a T, X, $($name),*) -> R,
            R: Future + Send + 'a,
        {
            type Out = R::Output;
            type Future = R;

            #[allow(non_snake_case, reason = "as above")]
            fn run(&self, service: &'a T, With(context, ($($name,)*)): With<X, ($($name,)*)>) -> R {
                self(service, context, $($name),*)
            }
        }
    };
}

runs!();
runs!(A);
runs!(A B);
runs!(A B C);
runs!(A B C D);
runs!(A B C D E);
runs!(A B C D E G);
runs!(A B C D E G H);
runs!(A B C D E G H I);
runs!(A B C D E G H I J);
runs!(A B C D E G H I J K);
runs!(A B C D E G H I J K L);
runs!(A B C D E G H I J K L M);
