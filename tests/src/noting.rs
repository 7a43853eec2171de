//! Middlewares that note what passes, for the service [`Probe`](crate::probe::Probe).

use std::sync::{Arc, Mutex, PoisonError};

use streamx::Result;
use streamx::client::ChannelBuilder;
use streamx::middleware::{
    AnyMessage, Opening, RecvMiddleware, RecvNext, SendMiddleware, SendNext, StreamMiddleware, StreamNext,
    UnaryMiddleware, UnaryNext, async_trait,
};
use streamx::server::ServerBuilder;

use crate::probe::Note;
use crate::rig::{Rig, Setup};

/// What was noted on one side, in order.
#[derive(Clone, Debug, Default)]
pub struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    /// Adds a line.
    pub fn note(&self, text: impl Into<String>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(text.into());
    }

    /// How many lines begin like this.
    pub fn count(&self, start: &str) -> usize {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .filter(|line| line.starts_with(start))
            .count()
    }

    /// What there is so far.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Notes what passes, before and after it, under a name of its own.
#[derive(Clone, Debug)]
pub struct Noting(&'static str, Log);

impl Noting {
    /// Under that name, into that log.
    pub fn new(name: &'static str, log: &Log) -> Self {
        Self(name, log.clone())
    }

    fn note(&self, text: &str) {
        self.1.note(format!("{} {text}", self.0));
    }
}

#[async_trait]
impl StreamMiddleware for Noting {
    async fn around(&self, call: Opening, next: StreamNext<'_>) -> Result<()> {
        self.note(&format!("stream {}", call.method()));
        let result = next.run(call).await;
        self.note(if result.is_ok() { "stream ok" } else { "stream failed" });
        result
    }
}

#[async_trait]
impl SendMiddleware for Noting {
    async fn around(&self, _: &Opening, message: AnyMessage<'_>, next: SendNext<'_>) -> Result<()> {
        self.note(&format!("send {}", number(&message)));
        next.run(message).await?;
        self.note("sent");
        Ok(())
    }
}

#[async_trait]
impl RecvMiddleware for Noting {
    async fn around(&self, _: &Opening, next: RecvNext<'_>) -> Result<Option<AnyMessage<'static>>> {
        let message = next.run().await?;
        self.note(&match &message {
            Some(message) => format!("recv {}", number(message)),
            None => "recv end".to_owned(),
        });
        Ok(message)
    }
}

#[async_trait]
impl UnaryMiddleware for Noting {
    async fn around(
        &self,
        call: Opening,
        request: AnyMessage<'_>,
        next: UnaryNext<'_>,
    ) -> Result<AnyMessage<'static>> {
        self.note(&format!("unary {}", number(&request)));
        let response = next.run(call, request).await?;
        self.note(&format!("answer {}", number(&response)));
        Ok(response)
    }
}

/// The number of a message.
pub fn number(message: &AnyMessage<'_>) -> i64 {
    message.downcast_ref::<Note>().expect("every message of the service is one").number
}

/// A message with that number.
pub fn numbered(number: i64) -> AnyMessage<'static> {
    AnyMessage::new(Note::number(number))
}

/// Puts it around everything.
pub fn client_all(channel: ChannelBuilder, noting: &Noting) -> ChannelBuilder {
    let channel = channel.with_stream_middleware(noting.clone()).with_unary_middleware(noting.clone());
    channel.with_stream_send_middleware(noting.clone()).with_stream_recv_middleware(noting.clone())
}

/// Puts it around everything.
pub fn server_all(server: ServerBuilder, noting: &Noting) -> ServerBuilder {
    let server = server.with_stream_middleware(noting.clone()).with_unary_middleware(noting.clone());
    server.with_stream_send_middleware(noting.clone()).with_stream_recv_middleware(noting.clone())
}

/// A rig whose server has middlewares.
pub async fn around_server(server: impl FnOnce(ServerBuilder) -> ServerBuilder) -> Rig {
    Setup::default().start_around(server, |channel| channel).await
}

/// A rig whose client has middlewares.
pub async fn around_channel(channel: impl FnOnce(ChannelBuilder) -> ChannelBuilder) -> Rig {
    Setup::default().start_around(|server| server, channel).await
}

/// What both sides note of a call that is made, once nothing is left of it. Two of each middleware are on either side.
pub async fn noted(call: impl AsyncFn(&Rig)) -> (Vec<String>, Vec<String>) {
    let (client, server) = (Log::default(), Log::default());
    let (outer, inner) = (Noting::new("outer", &client), Noting::new("inner", &client));
    let (far_outer, far_inner) = (Noting::new("outer", &server), Noting::new("inner", &server));
    let both_server = |server| server_all(server_all(server, &far_outer), &far_inner);
    let both_channel = |channel| client_all(client_all(channel, &outer), &inner);
    let rig = Setup::default().start_around(both_server, both_channel).await;
    call(&rig).await;
    rig.at_rest().await;
    (client.take(), server.take())
}
