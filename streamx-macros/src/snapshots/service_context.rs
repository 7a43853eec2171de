trait Watched {
    fn read(
        &self,
        ctx: Context,
        path: String,
    ) -> impl ::core::future::Future<Output = Result<String>> + ::core::marker::Send;
    fn watch(
        &self,
        ctx: Caller,
        path: Path,
        changes: Sender<Change>,
    ) -> impl ::core::future::Future<Output = Result<()>> + ::core::marker::Send;
}
/// Calls a [`Watched`] that is somewhere else.
#[allow(dead_code)]
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
struct WatchedClient {
    channel: ::streamx::Channel,
}
/// Makes a [`Watched`] something that a server can serve.
#[allow(dead_code)]
#[derive(::core::fmt::Debug)]
struct WatchedServer<__T> {
    service: ::std::sync::Arc<__T>,
}
#[allow(dead_code, deprecated)]
const _: () = {
    use ::streamx::private as __rt;
    static READ: __rt::Unary<(__rt::Arg<String>,), Result<String>> = __rt::Unary::new(
        __rt::names("Watched", "Read", ""),
        (__rt::arg(1, "path"),),
        __rt::result(),
    );
    static WATCH: __rt::ServerStream<Path, Sender<Change>, Result<()>> = __rt::ServerStream::new(
        __rt::names("Watched", "Watch", ""),
        __rt::whole(),
        __rt::whole(),
        __rt::nothing(),
    );
    static __SCHEMA: __rt::ServiceSchema = __rt::ServiceSchema::new(
        "Watched",
        ::core::option::Option::None,
        "",
        &[&READ, &WATCH],
    );
    impl WatchedClient {
        /// A client whose calls go through this channel.
        fn new(channel: __rt::Channel) -> Self {
            Self { channel }
        }
        /// Connects to the server at this URL.
        async fn connect(url: impl __rt::AsRef<str>) -> __rt::Result<Self> {
            __rt::Channel::connect(url).await.map(Self::new)
        }
        /// A client of this implementation, without a network.
        fn in_process(service: impl Watched + __rt::Shared) -> Self {
            Self::new(__rt::Channel::in_process(WatchedServer::new(service)))
        }
        /// Calls [`Watched::read`].
        fn read(&self, path: String) -> __rt::Call<__rt::Answer<Result<String>>> {
            READ.call(&self.channel, (path,))
        }
        /// Calls [`Watched::watch`].
        fn watch(&self, path: Path) -> __rt::Call<__rt::FarSender<Sender<Change>>> {
            WATCH.call(&self.channel, path)
        }
    }
    impl<__T> WatchedServer<__T> {
        /// Serves this implementation.
        fn new(service: __T) -> Self
        where
            __T: Watched + __rt::Shared,
        {
            Self { service: service.into() }
        }
        /// The schema, as `schema::check` takes it.
        fn schema() -> &'static __rt::ServiceSchema {
            &__SCHEMA
        }
        /// The schema as a complete `.thrift` file.
        fn thrift_idl() -> ::std::string::String {
            __rt::thrift_idl(&__SCHEMA)
        }
        /// The schema as a complete `.proto` file.
        fn proto_idl() -> ::std::string::String {
            __rt::proto_idl(&__SCHEMA)
        }
        /// Serves this service alone at this address.
        async fn serve(self, address: impl __rt::AsRef<str>) -> __rt::Result<()>
        where
            __T: Watched + __rt::Shared,
        {
            __rt::Server::builder().add_service(self).serve(address).await
        }
    }
    impl<__T: Watched + __rt::Shared> ::core::convert::From<WatchedServer<__T>>
    for __rt::Service {
        fn from(server: WatchedServer<__T>) -> Self {
            let methods = [
                READ
                    .handler_with(
                        &server.service,
                        __rt::context::<Context>(),
                        <__T as Watched>::read,
                    ),
                WATCH
                    .handler_with(
                        &server.service,
                        __rt::context::<Caller>(),
                        <__T as Watched>::watch,
                    ),
            ];
            Self::new(__SCHEMA, methods.into())
        }
    }
};
