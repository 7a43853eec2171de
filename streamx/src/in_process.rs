//! A server and a channel to it in one process.

use std::sync::Arc;

use crate::client::{ChannelBuilder, Memory};
use crate::server::ServerBuilder;
use crate::transport::Socket;

impl ServerBuilder {
    /// A channel to this server in the same process, without a network and through the same code:
    /// [`Channel::in_process`](crate::Channel::in_process) with the options of both sides.
    ///
    /// ```
    /// # #[derive(streamx::Message, Clone, Debug, Default, PartialEq)]
    /// # struct Line { #[field(1)] text: String }
    /// # #[streamx::service]
    /// # trait Echo { async fn echo(&self, line: Line) -> streamx::Result<Line>; }
    /// # struct Parrot;
    /// # impl Echo for Parrot { async fn echo(&self, line: Line) -> streamx::Result<Line> { Ok(line) } }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> streamx::Result<()> {
    /// use std::time::Duration;
    /// use streamx::{Limits, Server};
    ///
    /// let channel = Server::builder()
    ///     .add_service(EchoServer::new(Parrot))
    ///     .limits(Limits::default().max_message_size(1 << 20))
    ///     .in_process()
    ///     .timeout(Duration::from_secs(1))
    ///     .connect_lazy()?;
    /// let line = Line { text: "hello".into() };
    /// assert_eq!(EchoClient::new(channel).echo(line.clone()).await?, line);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// The server lives as long as the channel and its calls. It is never shut down: `drain_timeout` means nothing to it,
    /// and a [`HealthReporter`](crate::health::HealthReporter) is not told. Both sides speak TTHeader, so `compression` means nothing
    /// to either. TLS there is none; a server or a channel that was given certificates is refused.
    ///
    /// What is wrong is an error of [`connect`](ChannelBuilder::connect) and [`connect_lazy`](ChannelBuilder::connect_lazy):
    /// `tls` on either side, two services of one full name, or two methods of one service of one wire name.
    #[must_use]
    pub fn in_process(self) -> ChannelBuilder {
        ChannelBuilder::over_memory(self.serving_in_process().map(|(router, limits)| Memory {
            router,
            limits,
            meter: Arc::default(),
            connect: Box::new(|| Ok(Socket::pair())),
        }))
    }
}
