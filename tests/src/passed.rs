//! Middlewares of every kind, and an observer, that let everything pass and count it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use streamx::client::ChannelBuilder;
use streamx::middleware::{
    AnyMessage, Observer, Opening, RecvMiddleware, RecvNext, SendMiddleware, SendNext, StreamMiddleware,
    StreamNext, UnaryMiddleware, UnaryNext, async_trait,
};
use streamx::server::ServerBuilder;
use streamx::{Error, Result};

/// What has passed so far. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct Passed(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    streams: AtomicUsize,
    sent: AtomicUsize,
    received: AtomicUsize,
    ends: AtomicUsize,
    unary: AtomicUsize,
    started: AtomicUsize,
    finished: AtomicUsize,
}

impl Passed {
    /// Puts it around all calls of a channel.
    #[must_use]
    pub fn around_channel(&self, channel: ChannelBuilder) -> ChannelBuilder {
        let channel = channel.with_stream_middleware(self.clone()).with_unary_middleware(self.clone());
        let channel = channel.with_stream_send_middleware(self.clone()).observer(self.clone());
        channel.with_stream_recv_middleware(self.clone())
    }

    /// Puts it around all calls of a server.
    #[must_use]
    pub fn around_server(&self, server: ServerBuilder) -> ServerBuilder {
        let server = server.with_stream_middleware(self.clone()).with_unary_middleware(self.clone());
        let server = server.with_stream_send_middleware(self.clone()).observer(self.clone());
        server.with_stream_recv_middleware(self.clone())
    }

    /// Streams that were opened or served.
    pub fn streams(&self) -> usize {
        self.0.streams.load(SeqCst)
    }

    /// Messages of streams that were sent.
    pub fn sent(&self) -> usize {
        self.0.sent.load(SeqCst)
    }

    /// Messages of streams that were received.
    pub fn received(&self) -> usize {
        self.0.received.load(SeqCst)
    }

    /// Ends of streams that were received.
    pub fn ends(&self) -> usize {
        self.0.ends.load(SeqCst)
    }

    /// Unary and oneway calls.
    pub fn unary(&self) -> usize {
        self.0.unary.load(SeqCst)
    }

    /// Calls whose start, and calls whose finish, an observer was told.
    pub fn observed(&self) -> (usize, usize) {
        (self.0.started.load(SeqCst), self.0.finished.load(SeqCst))
    }
}

#[async_trait]
impl StreamMiddleware for Passed {
    async fn around(&self, call: Opening, next: StreamNext<'_>) -> Result<()> {
        self.0.streams.fetch_add(1, SeqCst);
        next.run(call).await
    }
}

#[async_trait]
impl SendMiddleware for Passed {
    async fn around(&self, _: &Opening, message: AnyMessage<'_>, next: SendNext<'_>) -> Result<()> {
        next.run(message).await?;
        self.0.sent.fetch_add(1, SeqCst);
        Ok(())
    }
}

#[async_trait]
impl RecvMiddleware for Passed {
    async fn around(&self, _: &Opening, next: RecvNext<'_>) -> Result<Option<AnyMessage<'static>>> {
        let message = next.run().await?;
        let counted = if message.is_some() { &self.0.received } else { &self.0.ends };
        counted.fetch_add(1, SeqCst);
        Ok(message)
    }
}

#[async_trait]
impl UnaryMiddleware for Passed {
    async fn around(
        &self,
        call: Opening,
        request: AnyMessage<'_>,
        next: UnaryNext<'_>,
    ) -> Result<AnyMessage<'static>> {
        self.0.unary.fetch_add(1, SeqCst);
        next.run(call, request).await
    }
}

impl Observer for Passed {
    fn start(&self, _: &Opening) {
        self.0.started.fetch_add(1, SeqCst);
    }

    fn finish(&self, _: &Opening, _: Result<(), &Error>) {
        self.0.finished.fetch_add(1, SeqCst);
    }
}
