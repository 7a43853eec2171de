//! The methods that register, which a channel, a call and a server all have.

/// The methods for a builder whose middlewares its function `middlewares` lends. The bounds of the closures are spelled
/// in the methods themselves, because the arguments of a closure are inferred from nothing else.
macro_rules! register {
    () => {
        /// Puts a closure around each stream; see [`StreamMiddleware`](crate::middleware::StreamMiddleware).
        pub fn stream_middleware<F>(self, middleware: F) -> Self
        where
            F: for<'a> Fn(
                    $crate::middleware::Opening,
                    $crate::middleware::StreamNext<'a>,
                ) -> $crate::middleware::BoxFuture<'a, $crate::Result<()>>
                + Send
                + Sync
                + 'static,
        {
            self.middlewares(|all| all.stream.push($crate::call::middleware::closure(middleware)))
        }

        /// Puts a value around each stream.
        pub fn with_stream_middleware(self, middleware: impl $crate::middleware::StreamMiddleware) -> Self {
            self.middlewares(|all| all.stream.push(::std::sync::Arc::new(middleware)))
        }

        /// Puts a closure around each message that is sent on a stream; see
        /// [`SendMiddleware`](crate::middleware::SendMiddleware).
        pub fn stream_send_middleware<F>(self, middleware: F) -> Self
        where
            F: for<'a> Fn(
                    &'a $crate::middleware::Opening,
                    $crate::middleware::AnyMessage<'a>,
                    $crate::middleware::SendNext<'a>,
                ) -> $crate::middleware::BoxFuture<'a, $crate::Result<()>>
                + Send
                + Sync
                + 'static,
        {
            self.middlewares(|all| all.send.push($crate::call::middleware::closure(middleware)))
        }

        /// Puts a value around each message that is sent on a stream.
        pub fn with_stream_send_middleware(
            self,
            middleware: impl $crate::middleware::SendMiddleware,
        ) -> Self {
            self.middlewares(|all| all.send.push(::std::sync::Arc::new(middleware)))
        }

        /// Puts a closure around each message that is received on a stream, and around its end; see
        /// [`RecvMiddleware`](crate::middleware::RecvMiddleware).
        pub fn stream_recv_middleware<F>(self, middleware: F) -> Self
        where
            F: for<'a> Fn(
                    &'a $crate::middleware::Opening,
                    $crate::middleware::RecvNext<'a>,
                ) -> $crate::middleware::BoxFuture<
                    'a,
                    $crate::Result<Option<$crate::middleware::AnyMessage<'static>>>,
                > + Send
                + Sync
                + 'static,
        {
            self.middlewares(|all| all.recv.push($crate::call::middleware::closure(middleware)))
        }

        /// Puts a value around each message that is received on a stream, and around its end.
        pub fn with_stream_recv_middleware(
            self,
            middleware: impl $crate::middleware::RecvMiddleware,
        ) -> Self {
            self.middlewares(|all| all.recv.push(::std::sync::Arc::new(middleware)))
        }

        /// Puts a closure around each unary call; see [`UnaryMiddleware`](crate::middleware::UnaryMiddleware).
        pub fn unary_middleware<F>(self, middleware: F) -> Self
        where
            F: for<'a> Fn(
                    $crate::middleware::Opening,
                    $crate::middleware::AnyMessage<'a>,
                    $crate::middleware::UnaryNext<'a>,
                ) -> $crate::middleware::BoxFuture<
                    'a,
                    $crate::Result<$crate::middleware::AnyMessage<'static>>,
                > + Send
                + Sync
                + 'static,
        {
            self.middlewares(|all| all.unary.push($crate::call::middleware::closure(middleware)))
        }

        /// Puts a value around each unary call.
        pub fn with_unary_middleware(self, middleware: impl $crate::middleware::UnaryMiddleware) -> Self {
            self.middlewares(|all| all.unary.push(::std::sync::Arc::new(middleware)))
        }

        /// Tells this observer of all that happens to calls.
        pub fn observer(self, observer: impl $crate::middleware::Observer) -> Self {
            self.middlewares(|all| all.observers.push(::std::sync::Arc::new(observer)))
        }
    };
}
pub(crate) use register;
