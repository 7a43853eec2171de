#[cfg(feature = "files")]
#[deprecated]
trait Files {
    #[cfg(unix)]
    #[deprecated = "use `list`"]
    #[must_use]
    fn read(
        &self,
        r#type: i32,
        _path: String,
    ) -> impl ::core::future::Future<Output = Result<Vec<u8>>> + ::core::marker::Send;
    fn touch(&self) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send;
    fn exists(
        &self,
        path: String,
    ) -> impl ::core::future::Future<Output = Result<bool>> + ::core::marker::Send
    where
        Self: ::core::marker::Sync,
    {
        async move { Ok(!path.is_empty()) }
    }
}
#[cfg(feature = "files")]
/// Calls a [`Files`] that is somewhere else.
#[allow(dead_code)]
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
struct FilesClient {
    channel: my::streamx::Channel,
}
#[cfg(feature = "files")]
/// Makes a [`Files`] something that a server can serve.
#[allow(dead_code)]
#[derive(::core::fmt::Debug)]
struct FilesServer<__T> {
    service: ::std::sync::Arc<__T>,
}
#[cfg(feature = "files")]
#[allow(dead_code, deprecated)]
const _: () = {
    use my::streamx::private as __rt;
    #[cfg(unix)]
    static READ: __rt::Unary<(__rt::Arg<i32>, __rt::Arg<String>), Result<Vec<u8>>> = __rt::Unary::new(
        __rt::names("FileService", "readAll", ""),
        (__rt::arg(2, "type"), __rt::arg(3, "path")),
        __rt::result(),
    );
    static TOUCH: __rt::Oneway<()> = __rt::Oneway::new(
        __rt::names("FileService", "touch", ""),
        (),
    );
    static EXISTS: __rt::Unary<(__rt::Arg<String>,), Result<bool>> = __rt::Unary::new(
        __rt::names("FileService", "exists", ""),
        (__rt::arg(1, "path"),),
        __rt::result(),
    );
    static __SCHEMA: __rt::ServiceSchema = __rt::ServiceSchema::new(
        "FileService",
        ::core::option::Option::None,
        "",
        &[#[cfg(unix)] &READ, &TOUCH, &EXISTS],
    );
    impl FilesClient {
        /// A client whose calls go through this channel.
        fn new(channel: __rt::Channel) -> Self {
            Self { channel }
        }
        /// Connects to the server at this URL.
        async fn connect(url: impl __rt::AsRef<str>) -> __rt::Result<Self> {
            __rt::Channel::connect(url).await.map(Self::new)
        }
        /// A client of this implementation, without a network.
        fn in_process(service: impl Files + __rt::Shared) -> Self {
            Self::new(__rt::Channel::in_process(FilesServer::new(service)))
        }
        #[cfg(unix)]
        #[deprecated = "use `list`"]
        /// Calls [`Files::read`].
        fn read(
            &self,
            r#type: i32,
            _path: String,
        ) -> __rt::Call<__rt::Answer<Result<Vec<u8>>>> {
            READ.call(&self.channel, (r#type, _path))
        }
        /// Calls [`Files::touch`].
        fn touch(&self) -> __rt::Call<()> {
            TOUCH.call(&self.channel, ())
        }
        /// Calls [`Files::exists`].
        fn exists(&self, path: String) -> __rt::Call<__rt::Answer<Result<bool>>> {
            EXISTS.call(&self.channel, (path,))
        }
    }
    impl<__T> FilesServer<__T> {
        /// Serves this implementation.
        fn new(service: __T) -> Self
        where
            __T: Files + __rt::Shared,
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
            __T: Files + __rt::Shared,
        {
            __rt::Server::builder().add_service(self).serve(address).await
        }
    }
    impl<__T: Files + __rt::Shared> ::core::convert::From<FilesServer<__T>>
    for __rt::Service {
        fn from(server: FilesServer<__T>) -> Self {
            let methods = [
                #[cfg(unix)]
                READ.handler(&server.service, <__T as Files>::read),
                TOUCH.handler(&server.service, <__T as Files>::touch),
                EXISTS.handler(&server.service, <__T as Files>::exists),
            ];
            Self::new(__SCHEMA, methods.into())
        }
    }
};
