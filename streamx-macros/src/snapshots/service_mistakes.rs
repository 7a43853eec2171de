pub trait Broken {
    fn forgotten(
        &self,
        req: Request,
    ) -> impl ::core::future::Future<Output = Result<Response>> + ::core::marker::Send;
    fn two_arguments(
        &self,
        a: Request,
        b: Response,
    ) -> impl ::core::future::Future<Output = Result<()>> + ::core::marker::Send;
    fn fine(
        &self,
    ) -> impl ::core::future::Future<Output = Result<()>> + ::core::marker::Send;
}
/// Calls a [`Broken`] that is somewhere else.
#[allow(dead_code)]
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
pub struct BrokenClient {
    channel: ::streamx::Channel,
}
/// Makes a [`Broken`] something that a server can serve.
#[allow(dead_code)]
#[derive(::core::fmt::Debug)]
pub struct BrokenServer<__T> {
    service: ::std::sync::Arc<__T>,
}
#[allow(dead_code, deprecated)]
const _: () = {
    use ::streamx::private as __rt;
    static FINE: __rt::Unary<(), Result<()>> = __rt::Unary::new(
        __rt::names("Broken", "Fine", ""),
        (),
        __rt::result(),
    );
    static __SCHEMA: __rt::ServiceSchema = __rt::ServiceSchema::new(
        "Broken",
        ::core::option::Option::None,
        "",
        &[&FINE],
    );
    impl BrokenClient {
        /// A client whose calls go through this channel.
        pub fn new(channel: __rt::Channel) -> Self {
            Self { channel }
        }
        /// Connects to the server at this URL.
        pub async fn connect(url: impl __rt::AsRef<str>) -> __rt::Result<Self> {
            __rt::Channel::connect(url).await.map(Self::new)
        }
        /// A client of this implementation, without a network.
        pub fn in_process(service: impl Broken + __rt::Shared) -> Self {
            Self::new(__rt::Channel::in_process(BrokenServer::new(service)))
        }
        /// Calls [`Broken::forgotten`].
        #[allow(unused_variables)]
        pub fn forgotten(
            &self,
            req: Request,
        ) -> __rt::Call<__rt::Answer<Result<Response>>> {
            ::core::unreachable!()
        }
        /// Calls [`Broken::fine`].
        pub fn fine(&self) -> __rt::Call<__rt::Answer<Result<()>>> {
            FINE.call(&self.channel, ())
        }
    }
    impl<__T> BrokenServer<__T> {
        /// Serves this implementation.
        pub fn new(service: __T) -> Self
        where
            __T: Broken + __rt::Shared,
        {
            Self { service: service.into() }
        }
        /// The schema, as `schema::check` takes it.
        pub fn schema() -> &'static __rt::ServiceSchema {
            &__SCHEMA
        }
        /// The schema as a complete `.thrift` file.
        pub fn thrift_idl() -> ::std::string::String {
            __rt::thrift_idl(&__SCHEMA)
        }
        /// The schema as a complete `.proto` file.
        pub fn proto_idl() -> ::std::string::String {
            __rt::proto_idl(&__SCHEMA)
        }
        /// Serves this service alone at this address.
        pub async fn serve(self, address: impl __rt::AsRef<str>) -> __rt::Result<()>
        where
            __T: Broken + __rt::Shared,
        {
            __rt::Server::builder().add_service(self).serve(address).await
        }
    }
    impl<__T: Broken + __rt::Shared> ::core::convert::From<BrokenServer<__T>>
    for __rt::Service {
        fn from(server: BrokenServer<__T>) -> Self {
            let methods = [FINE.handler(&server.service, <__T as Broken>::fine)];
            Self::new(__SCHEMA, methods.into())
        }
    }
};
::core::compile_error! {
    "unknown option `nmae`: the options are `name`, `namespace`, `rename_all` and `crate`"
}
::core::compile_error! {
    "a service method is an `async fn`: write `async` before `fn`"
}
::core::compile_error! {
    "a `#[bidi]` method is written `(&self, stream: Bidi<Request, Response>) -> Result<()>`"
}
