/// Echo in every mode.
pub trait TestService {
    /// A normal method.
    fn ping_pong(
        &self,
        req: Request,
    ) -> impl ::core::future::Future<
        Output = Result<Response, NotFound>,
    > + ::core::marker::Send;
    /// Answers each message.
    fn echo(
        &self,
        stream: Bidi<Request, Response>,
    ) -> impl ::core::future::Future<Output = Result<()>> + ::core::marker::Send;
    /// Answers the last message.
    fn echo_client(
        &self,
        stream: Streaming<Request>,
    ) -> impl ::core::future::Future<Output = Result<Response>> + ::core::marker::Send;
    /// Answers three times.
    fn echo_server(
        &self,
        req: Request,
        stream: Sender<Response>,
    ) -> impl ::core::future::Future<Output = Result<()>> + ::core::marker::Send;
}
/// Calls a [`TestService`] that is somewhere else.
#[allow(dead_code)]
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
pub struct TestServiceClient {
    channel: ::streamx::Channel,
}
/// Makes a [`TestService`] something that a server can serve.
#[allow(dead_code)]
#[derive(::core::fmt::Debug)]
pub struct TestServiceServer<__T> {
    service: ::std::sync::Arc<__T>,
}
#[allow(dead_code, deprecated)]
const _: () = {
    use ::streamx::private as __rt;
    static PING_PONG: __rt::Unary<(__rt::Arg<Request>,), Result<Response, NotFound>> = __rt::Unary::new(
        __rt::names("echo.TestService", "PingPong", "A normal method."),
        (__rt::arg(1, "req"),),
        __rt::result(),
    );
    static ECHO: __rt::Bidi<Bidi<Request, Response>, Result<()>> = __rt::Bidi::new(
        __rt::names("echo.TestService", "Echo", "Answers each message."),
        __rt::bidi(),
        __rt::nothing(),
    );
    static ECHO_CLIENT: __rt::ClientStream<Streaming<Request>, Result<Response>> = __rt::ClientStream::new(
        __rt::names("echo.TestService", "EchoClient", "Answers the last message."),
        __rt::whole(),
        __rt::response(),
    );
    static ECHO_SERVER: __rt::ServerStream<Request, Sender<Response>, Result<()>> = __rt::ServerStream::new(
        __rt::names("echo.TestService", "EchoServer", "Answers three times."),
        __rt::whole(),
        __rt::whole(),
        __rt::nothing(),
    );
    static __SCHEMA: __rt::ServiceSchema = __rt::ServiceSchema::new(
        "TestService",
        ::core::option::Option::Some("echo"),
        "Echo in every mode.",
        &[&PING_PONG, &ECHO, &ECHO_CLIENT, &ECHO_SERVER],
    );
    impl TestServiceClient {
        /// A client whose calls go through this channel.
        pub fn new(channel: __rt::Channel) -> Self {
            Self { channel }
        }
        /// Connects to the server at this URL.
        pub async fn connect(url: impl __rt::AsRef<str>) -> __rt::Result<Self> {
            __rt::Channel::connect(url).await.map(Self::new)
        }
        /// A client of this implementation, without a network.
        pub fn in_process(service: impl TestService + __rt::Shared) -> Self {
            Self::new(__rt::Channel::in_process(TestServiceServer::new(service)))
        }
        /// A normal method.
        pub fn ping_pong(
            &self,
            req: Request,
        ) -> __rt::Call<__rt::Answer<Result<Response, NotFound>>> {
            PING_PONG.call(&self.channel, (req,))
        }
        /// Answers each message.
        pub fn echo(&self) -> __rt::Call<__rt::FarBidi<Bidi<Request, Response>>> {
            ECHO.call(&self.channel)
        }
        /// Answers the last message.
        pub fn echo_client(
            &self,
        ) -> __rt::Call<__rt::FarStreaming<Streaming<Request>, Result<Response>>> {
            ECHO_CLIENT.call(&self.channel)
        }
        /// Answers three times.
        pub fn echo_server(
            &self,
            req: Request,
        ) -> __rt::Call<__rt::FarSender<Sender<Response>>> {
            ECHO_SERVER.call(&self.channel, req)
        }
    }
    impl<__T> TestServiceServer<__T> {
        /// Serves this implementation.
        pub fn new(service: __T) -> Self
        where
            __T: TestService + __rt::Shared,
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
            __T: TestService + __rt::Shared,
        {
            __rt::Server::builder().add_service(self).serve(address).await
        }
    }
    impl<__T: TestService + __rt::Shared> ::core::convert::From<TestServiceServer<__T>>
    for __rt::Service {
        fn from(server: TestServiceServer<__T>) -> Self {
            let methods = [
                PING_PONG.handler(&server.service, <__T as TestService>::ping_pong),
                ECHO.handler(&server.service, <__T as TestService>::echo),
                ECHO_CLIENT.handler(&server.service, <__T as TestService>::echo_client),
                ECHO_SERVER.handler(&server.service, <__T as TestService>::echo_server),
            ];
            Self::new(__SCHEMA, methods.into())
        }
    }
};
