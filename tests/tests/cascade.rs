//! A cancel goes through a chain of services: A calls B, and B's handler calls C.

use std::time::Duration;

use streamx::{Bidi, Channel, Context, Error, Message, Result, Sender, Server};
use streamx_tests::rig::eventually;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

#[derive(Message, Clone, Debug, Default, PartialEq)]
struct Step {
    #[field(1)]
    what: String,
}

fn step(what: &str) -> Step {
    Step { what: what.to_owned() }
}

#[streamx::service]
trait Last {
    /// Says hello, and tells the test why its caller went away.
    #[bidi]
    async fn wait(&self, ctx: Context, stream: Bidi<Step, Step>) -> Result<()>;

    /// Sends without end, and tells the test why it could not go on.
    #[bidi]
    async fn pour(&self, ctx: Context, stream: Bidi<Step, Step>) -> Result<()>;

    /// The same, to a caller that only receives.
    #[server_stream]
    async fn flow(&self, ctx: Context, from: Step, stream: Sender<Step>) -> Result<()>;

    async fn never(&self, ctx: Context) -> Result<()>;

    /// The same without a context: tells the test that it was dropped.
    async fn still(&self) -> Result<()>;

    async fn soon(&self) -> Result<()>;
}

struct Waiting(UnboundedSender<Error>);

impl Waiting {
    async fn send_all(&self, mut stream: Sender<Step>) -> Result<()> {
        loop {
            if let Err(reason) = stream.send(step("more")).await {
                return self.0.send(reason).map_err(Error::other);
            }
        }
    }

    async fn report(&self, ctx: &Context) -> Result<()> {
        let reason = ctx.cancelled().await;
        self.0.send(reason.clone()).map_err(Error::other)?;
        Err(reason)
    }
}

impl Last for Waiting {
    async fn wait(&self, ctx: Context, mut stream: Bidi<Step, Step>) -> Result<()> {
        stream.send(step("hello")).await?;
        self.report(&ctx).await
    }

    async fn pour(&self, _ctx: Context, stream: Bidi<Step, Step>) -> Result<()> {
        self.send_all(stream.split().0).await
    }

    async fn flow(&self, _ctx: Context, _from: Step, stream: Sender<Step>) -> Result<()> {
        self.send_all(stream).await
    }

    async fn never(&self, ctx: Context) -> Result<()> {
        self.report(&ctx).await
    }

    async fn still(&self) -> Result<()> {
        struct Dropped<'a>(&'a Waiting);
        impl Drop for Dropped<'_> {
            fn drop(&mut self) {
                let _the_test_may_be_over = self.0.0.send(Error::other("dropped"));
            }
        }
        let _dropped = Dropped(self);
        std::future::pending().await
    }

    async fn soon(&self) -> Result<()> {
        Ok(())
    }
}

#[streamx::service]
trait Middle {
    /// Is dropped at once when its caller is gone.
    #[bidi]
    async fn plain(&self, stream: Bidi<Step, Step>) -> Result<()>;

    /// Keeps the call to the last one in a task, and returns.
    #[bidi]
    async fn leaves(&self, stream: Bidi<Step, Step>) -> Result<()>;

    /// The same, but its call does not belong to it.
    #[bidi]
    async fn detaches(&self, stream: Bidi<Step, Step>) -> Result<()>;

    /// Is not dropped at once, and passes on what the last one sends without end.
    #[bidi]
    async fn pours(&self, ctx: Context, stream: Bidi<Step, Step>) -> Result<()>;

    /// The same, with a call that only receives.
    #[bidi]
    async fn flows(&self, ctx: Context, stream: Bidi<Step, Step>) -> Result<()>;

    /// Waits for a unary call: the one with a context, or the one without.
    #[bidi]
    async fn asks(&self, stream: Bidi<Step, Step>) -> Result<()>;

    /// Waits for the one with a context, and is a unary call itself.
    async fn passes(&self) -> Result<()>;

    /// Waits for one that ends.
    async fn quick(&self) -> Result<()>;
}

struct Relay(LastClient);

impl Middle for Relay {
    async fn plain(&self, mut stream: Bidi<Step, Step>) -> Result<()> {
        let mut next = self.0.wait().await?;
        while let Some(step) = next.recv().await? {
            stream.send(step).await?;
        }
        Ok(())
    }

    async fn pours(&self, _ctx: Context, mut stream: Bidi<Step, Step>) -> Result<()> {
        let mut next = self.0.pour().await?;
        while let Some(step) = next.recv().await? {
            stream.send(step).await?;
        }
        Ok(())
    }

    async fn flows(&self, _ctx: Context, mut stream: Bidi<Step, Step>) -> Result<()> {
        let mut next = self.0.flow(step("start")).await?;
        while let Some(step) = next.recv().await? {
            stream.send(step).await?;
        }
        Ok(())
    }

    async fn leaves(&self, _stream: Bidi<Step, Step>) -> Result<()> {
        let mut next = self.0.wait().await?;
        next.recv().await?;
        tokio::spawn(async move { while next.recv().await.is_ok_and(|step| step.is_some()) {} });
        Ok(())
    }

    async fn detaches(&self, _stream: Bidi<Step, Step>) -> Result<()> {
        let mut next = self.0.wait().detached().await?;
        next.recv().await?;
        tokio::spawn(async move {
            tokio::task::yield_now().await;
            next.cancel("done with it");
        });
        Ok(())
    }

    async fn asks(&self, mut stream: Bidi<Step, Step>) -> Result<()> {
        let which = stream.recv().await?;
        stream.send(step("asking")).await?;
        if which == Some(step("still")) { self.0.still().await } else { self.0.never().await }
    }

    async fn passes(&self) -> Result<()> {
        self.0.never().await
    }

    async fn quick(&self) -> Result<()> {
        self.0.soon().await
    }
}

struct Chain {
    first: MiddleClient,
    /// That of the middle one.
    last: Channel,
    reasons: UnboundedReceiver<Error>,
}

async fn channel(service: impl Into<streamx::Service>, caller: &str) -> Channel {
    let server = Server::builder().add_service(service).bind("127.0.0.1:0").await.unwrap();
    let url = format!("ttheader://{}", server.local_addr());
    tokio::spawn(server.serve());
    Channel::builder(url).caller(caller).connect().await.unwrap()
}

async fn chain() -> Chain {
    let (sender, reasons) = mpsc::unbounded_channel();
    let last = channel(LastServer::new(Waiting(sender)), "B").await;
    let relay = Relay(LastClient::new(last.clone()));
    let first = MiddleClient::new(channel(MiddleServer::new(relay), "A").await);
    Chain { first, last, reasons }
}

impl Chain {
    /// Why the last one lost its caller: code, path and text.
    async fn reason(&mut self) -> (Option<i32>, Vec<String>, String) {
        let reason = tokio::time::timeout(Duration::from_secs(10), self.reasons.recv()).await;
        let reason = reason.expect("the last one is told").unwrap();
        let path = reason.cancel_path().map(str::to_owned).collect();
        (reason.kitex_code(), path, reason.to_string())
    }
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

#[tokio::test]
async fn a_cancel_reaches_the_last_one_with_its_path_and_its_reason() {
    let mut chain = chain().await;
    let mut stream = chain.first.plain().await.unwrap();
    assert_eq!(stream.recv().await.unwrap(), Some(step("hello")));
    stream.cancel("the user has closed the window");
    let error = stream.recv().await.unwrap_err();
    assert!(error.is_cancelled() && error.to_string().contains("closed the window"), "{error}");
    let (code, path, text) = chain.reason().await;
    assert_eq!((code, path), (Some(12007), names(&["A", "B"])));
    assert!(text.contains("the user has closed the window [cancelled by A -> B]"), "{text}");
}

/// A handler on another thread may find out, and drop its call to the next one, while its connection task still tells
/// that call: the last one is told the same whoever is first.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_handler_that_finds_out_first_changes_nothing() {
    for round in 0..60 {
        let mut chain = chain().await;
        let call = if round % 2 == 0 { chain.first.pours() } else { chain.first.flows() };
        let mut stream = call.await.unwrap();
        assert_eq!(stream.recv().await.unwrap(), Some(step("more")));
        stream.cancel("enough");
        let (code, path, text) = chain.reason().await;
        assert_eq!((code, path), (Some(12007), names(&["A", "B"])), "{text}");
        assert!(text.contains("enough"), "{text}");
    }
}

#[tokio::test]
async fn a_dropped_handle_cancels_the_whole_chain() {
    let mut chain = chain().await;
    let mut stream = chain.first.plain().await.unwrap();
    stream.recv().await.unwrap();
    drop(stream);
    let (code, path, _) = chain.reason().await;
    assert_eq!((code, path), (Some(12007), names(&["A", "B"])));
}

#[tokio::test]
async fn what_a_handler_leaves_behind_ends_when_it_returns() {
    let mut chain = chain().await;
    let mut stream = chain.first.leaves().await.unwrap();
    assert_eq!(stream.recv().await.unwrap(), None);
    let (code, path, _) = chain.reason().await;
    assert_eq!((code, path), (Some(12012), names(&["B"])));
}

#[tokio::test]
async fn a_detached_call_ends_for_itself() {
    let mut chain = chain().await;
    let mut stream = chain.first.detaches().await.unwrap();
    assert_eq!(stream.recv().await.unwrap(), None);
    let (code, path, text) = chain.reason().await;
    assert_eq!((code, path), (Some(12007), names(&["B"])));
    assert!(text.contains("done with it"), "{text}");
}

#[tokio::test]
async fn a_lost_connection_is_a_cancel_for_the_next_one() {
    let Chain { first, last, reasons } = chain().await;
    let mut stream = first.plain().await.unwrap();
    stream.recv().await.unwrap();
    // The connection closes with the last handle and the client.
    drop((stream, first));
    let mut rest = Chain { first: MiddleClient::in_process(Relay(unused())), last, reasons };
    assert_eq!(rest.reason().await.1.last().map(String::as_str), Some("B"));
}

fn unused() -> LastClient {
    LastClient::in_process(Waiting(mpsc::unbounded_channel().0))
}

/// The first call on a connection is alone there, and its end is that of the connection.
#[tokio::test]
async fn a_unary_call_of_a_handler_is_given_up_with_it() {
    let mut chain = chain().await;
    let mut stream = chain.first.asks().await.unwrap();
    stream.send(step("never")).await.unwrap();
    stream.recv().await.unwrap();
    stream.cancel("enough");
    let (_, _, text) = chain.reason().await;
    assert!(text.contains("connection"), "the connection of the call was closed: {text}");
}

#[tokio::test]
async fn a_unary_call_of_a_handler_on_a_shared_connection_is_given_up_with_it() {
    let mut chain = chain().await;
    chain.first.quick().await.unwrap();
    for _ in 0..3 {
        let mut stream = chain.first.asks().await.unwrap();
        stream.send(step("never")).await.unwrap();
        stream.recv().await.unwrap();
        stream.cancel("enough");
        let (code, path, text) = chain.reason().await;
        assert_eq!((code, path), (Some(12007), names(&["A", "B"])));
        assert!(text.contains("enough [cancelled by A -> B]"), "{text}");

        let mut stream = chain.first.asks().await.unwrap();
        stream.send(step("still")).await.unwrap();
        stream.recv().await.unwrap();
        drop(stream);
        assert!(chain.reason().await.2.ends_with("dropped"));
    }
}

#[tokio::test]
async fn a_unary_call_passes_its_cancel_on() {
    let mut chain = chain().await;
    chain.first.quick().await.unwrap();
    for _ in 0..3 {
        let call = tokio::spawn(chain.first.passes());
        eventually(|| chain.last.counters().streams == 1).await;
        call.abort();
        let (code, path, text) = chain.reason().await;
        assert_eq!((code, path), (Some(12007), names(&["A", "B"])), "{text}");
    }
}

#[tokio::test]
async fn a_name_that_would_break_the_path_is_refused() {
    let error = Channel::builder("ttheader://127.0.0.1:1").caller("a,b").connect_lazy().unwrap_err();
    assert!(error.to_string().contains("`a,b` cannot be the name of a caller"), "{error}");
}
