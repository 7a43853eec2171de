//! The context of a call on its way to the function that takes it, or does not.

use super::With;
use crate::call::Context;

/// The first argument of a method that takes the context of its call.
#[diagnostic::on_unimplemented(
    message = "the first argument is read as the context of the call, but `{Self}` is no `streamx::Context`",
    label = "write `ctx: streamx::Context`",
    note = "an argument that travels has a type of another name: `use … as …` or a `type` alias gives it one"
)]
pub trait IsContext {
    /// The context.
    fn of(context: Context) -> Self;
}

impl IsContext for Context {
    fn of(context: Context) -> Self {
        context
    }
}

/// How a function is given the context and the arguments of its call.
pub trait Passes<Values>: Copy + Send + Sync + 'static {
    /// Both, as [`Runs`](super::Runs) takes them.
    type Arguments;

    /// Whether the function takes the context.
    const CONTEXT: bool;

    /// Puts them together.
    fn pass(self, context: Context, values: Values) -> Self::Arguments;
}

/// The function takes no context.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Alone;

impl<Values> Passes<Values> for Alone {
    type Arguments = Values;

    const CONTEXT: bool = false;

    fn pass(self, _: Context, values: Values) -> Values {
        values
    }
}

/// The function takes the context first.
pub struct First<C>(fn(Context) -> C);

/// For a function whose first argument is this context.
pub const fn context<C: IsContext>() -> First<C> {
    First(C::of)
}

impl<C> Clone for First<C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C> Copy for First<C> {}

impl<C: 'static, Values> Passes<Values> for First<C> {
    type Arguments = With<C, Values>;

    const CONTEXT: bool = true;

    fn pass(self, context: Context, values: Values) -> With<C, Values> {
        With((self.0)(context), values)
    }
}
