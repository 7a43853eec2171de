//! `recv_timeout` of a server: what its handlers see, and what their callers see. The clock stands still or jumps, so
//! nothing waits for real.

use std::time::Duration;

use futures::StreamExt;
use streamx::middleware::{Observer, Opening};
use streamx::server::ServerBuilder;
use streamx::{
    Bidi, Channel, Code, Error, Message, Placement, Result, Sender, Server, Service, Side, Streaming,
};
use streamx_tests::passed::Passed;
use streamx_tests::rig::{eventually, jumping, soon};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

const SECOND: Duration = Duration::from_secs(1);
const TEXT: &str = "the caller sent no message within 1.5s (recv_timeout of the server) [server side]";

#[derive(Message, Clone, Debug, Default, PartialEq)]
struct Word {
    #[field(1)]
    text: String,
}

fn word(text: &str) -> Word {
    Word { text: text.to_owned() }
}

#[streamx::service]
trait Listener {
    /// Returns what `recv` fails with.
    #[bidi]
    async fn strict(&self, stream: Bidi<Word, Word>) -> Result<()>;

    /// Tells the test what each `recv` fails with, says so to the caller, and goes on receiving while that is of use.
    #[bidi]
    async fn patient(&self, stream: Bidi<Word, Word>) -> Result<()>;

    /// The same of a `futures::Stream`, and answers with how many items there were.
    #[client_stream]
    async fn items(&self, stream: Streaming<Word>) -> Result<Word>;

    #[server_stream]
    async fn repeat(&self, first: Word, stream: Sender<Word>) -> Result<()>;

    /// Answers late, without receiving anything.
    async fn slow(&self, first: Word) -> Result<Word>;
}

/// What a caller knows who opens `Repeat` and sends no request.
#[streamx::service(name = "Listener")]
trait Silent {
    #[bidi]
    async fn repeat(&self, stream: Bidi<Word, Word>) -> Result<()>;
}

struct Ears(UnboundedSender<Error>);

impl Listener for Ears {
    async fn strict(&self, mut stream: Bidi<Word, Word>) -> Result<()> {
        while let Some(word) = stream.recv().await? {
            stream.send(word).await?;
        }
        Ok(())
    }

    async fn patient(&self, mut stream: Bidi<Word, Word>) -> Result<()> {
        loop {
            match stream.recv().await {
                Ok(Some(word)) => stream.send(word).await?,
                Ok(None) => return Ok(()),
                Err(error) => {
                    stream.send(word("are you there?")).await?;
                    let again = error.is_retryable();
                    self.0.send(error).map_err(Error::other)?;
                    if !again {
                        self.0.send(stream.recv().await.unwrap_err()).map_err(Error::other)?;
                        return stream.send(word("goodbye")).await;
                    }
                }
            }
        }
    }

    async fn items(&self, mut stream: Streaming<Word>) -> Result<Word> {
        let mut items = 0;
        while let Some(item) = stream.next().await {
            items += 1;
            if let Err(error) = item {
                self.0.send(error).map_err(Error::other)?;
            }
        }
        Ok(word(&items.to_string()))
    }

    async fn repeat(&self, first: Word, mut stream: Sender<Word>) -> Result<()> {
        stream.send(first).await
    }

    async fn slow(&self, first: Word) -> Result<Word> {
        tokio::time::sleep(10 * SECOND).await;
        Ok(first)
    }
}

struct Place {
    client: ListenerClient,
    silent: SilentClient,
    seen: UnboundedReceiver<Error>,
    handlers: Box<dyn Fn() -> u64>,
}

/// A server that was told so, for each place where a handler can run.
async fn places(set: impl Fn(ServerBuilder) -> ServerBuilder) -> Vec<Place> {
    let mut places = Vec::new();
    for placement in [Placement::Connection, Placement::Task] {
        let (sender, seen) = mpsc::unbounded_channel();
        let service = Service::from(ListenerServer::new(Ears(sender))).placement(placement);
        let server = set(Server::builder()).add_service(service).bind("127.0.0.1:0").await.unwrap();
        let url = format!("ttheader://{}", server.local_addr());
        let counters = server.counters();
        tokio::spawn(server.serve());
        let channel = Channel::builder(url).connect().await.unwrap();
        places.push(Place {
            client: ListenerClient::new(channel.clone()),
            silent: SilentClient::new(channel),
            seen,
            handlers: Box::new(move || counters().handlers),
        });
    }
    places
}

async fn bounded() -> Vec<Place> {
    places(|server| server.recv_timeout(3 * SECOND / 2)).await
}

#[track_caller]
fn assert_passed(error: &Error) {
    assert!(error.is_timeout() && !error.is_cancelled(), "{error}");
    assert_eq!((error.code(), error.kitex_code()), (Code::DeadlineExceeded, Some(12014)), "{error}");
    assert_eq!(error.side(), Side::Server);
    assert!(error.to_string().ends_with(TEXT), "{error}");
}

#[tokio::test]
async fn a_handler_that_returns_the_error_of_its_recv_ends_the_call_with_it() {
    for place in bounded().await {
        let mut stream = place.client.strict().await.unwrap();
        stream.send(word("one")).await.unwrap();
        assert_eq!(soon(stream.recv()).await.unwrap(), Some(word("one")));
        let (ended, took) = jumping(stream.recv()).await;
        let error = ended.unwrap_err();
        assert_passed(&error);
        assert_eq!(error.to_string(), format!("Listener.Strict: {TEXT}"));
        assert!(!error.is_retryable(), "it has reached a handler");
        assert!(took >= SECOND && took < 2 * SECOND, "{took:?}");
        assert!(stream.send(word("two")).await.unwrap_err().is_closed());
        eventually(|| (place.handlers)() == 0).await;
    }
}

#[tokio::test]
async fn a_handler_whose_recv_has_waited_too_long_may_still_send_and_receives_nothing_more() {
    for mut place in bounded().await {
        let mut stream = place.client.patient().await.unwrap();
        stream.send(word("one")).await.unwrap();
        assert_eq!(soon(stream.recv()).await.unwrap(), Some(word("one")));
        assert_eq!(jumping(stream.recv()).await.0.unwrap(), Some(word("are you there?")));
        for _ in 0..2 {
            let error = soon(place.seen.recv()).await.unwrap();
            assert_passed(&error);
            assert!(!error.is_retryable());
        }
        assert_eq!(soon(stream.recv()).await.unwrap(), Some(word("goodbye")));
        assert_eq!(soon(stream.recv()).await.unwrap(), None, "the handler has returned well");
    }
}

#[tokio::test]
async fn with_keep_open_a_handler_receives_what_comes_after_the_timeout() {
    for mut place in places(|server| server.recv_timeout(3 * SECOND / 2).keep_open(true)).await {
        let mut stream = place.client.patient().await.unwrap();
        for round in ["one", "two"] {
            stream.send(word(round)).await.unwrap();
            assert_eq!(soon(stream.recv()).await.unwrap(), Some(word(round)));
            let (asked, took) = jumping(stream.recv()).await;
            assert_eq!(asked.unwrap(), Some(word("are you there?")));
            assert!(took >= SECOND && took < 2 * SECOND, "each waits anew: {took:?}");
            let error = soon(place.seen.recv()).await.unwrap();
            assert_passed(&error);
            assert!(error.is_retryable());
        }
        stream.close_send().await.unwrap();
        assert_eq!(soon(stream.recv()).await.unwrap(), None);
    }
}

#[tokio::test]
async fn as_items_a_timeout_is_the_last_one_unless_the_stream_is_kept_open() {
    for keep_open in [false, true] {
        for mut place in places(|server| server.recv_timeout(3 * SECOND / 2).keep_open(keep_open)).await {
            let mut stream = place.client.items().await.unwrap();
            stream.send(word("one")).await.unwrap();
            assert_passed(&jumping(place.seen.recv()).await.0.unwrap());
            if keep_open {
                stream.send(word("two")).await.unwrap();
            }
            let answer = soon(stream.close_and_recv()).await.unwrap();
            assert_eq!(answer.text, if keep_open { "3" } else { "2" });
        }
    }
}

#[tokio::test]
async fn the_request_of_a_server_stream_is_waited_for_so_long_and_a_unary_call_is_not_bounded() {
    for place in bounded().await {
        let mut stream = place.silent.repeat().await.unwrap();
        eventually(|| (place.handlers)() == 1).await;
        assert_passed(&jumping(stream.recv()).await.0.unwrap_err());
        assert_eq!(jumping(place.client.slow(word("late"))).await.0.unwrap(), word("late"));
    }
}

#[tokio::test]
async fn without_the_option_a_handler_waits_for_ever() {
    for place in places(|server| server.keep_open(true)).await {
        let mut stream = place.client.strict().await.unwrap();
        stream.send(word("one")).await.unwrap();
        assert_eq!(soon(stream.recv()).await.unwrap(), Some(word("one")));
        jumping(tokio::time::sleep(3600 * SECOND)).await;
        stream.send(word("two")).await.unwrap();
        assert_eq!(soon(stream.recv()).await.unwrap(), Some(word("two")));
    }
}

/// Notes what each `recv` of a handler gave.
struct Heard(UnboundedSender<String>);

impl Observer for Heard {
    fn recv(&self, _: &Opening, received: Result<Option<usize>, &Error>) {
        let text = match received {
            Ok(_) => "a message".to_owned(),
            Err(error) => error.to_string(),
        };
        // The receiver lives as long as the test.
        let _ = self.0.send(text);
    }
}

#[tokio::test]
async fn middlewares_and_observers_are_around_it() {
    let passed = Passed::default();
    let (heard, mut told) = mpsc::unbounded_channel();
    let all = |server: ServerBuilder| {
        passed.around_server(server.recv_timeout(3 * SECOND / 2)).observer(Heard(heard.clone()))
    };
    for place in places(all).await {
        let (sent, received) = (passed.sent(), passed.received());
        let mut stream = place.client.strict().await.unwrap();
        stream.send(word("one")).await.unwrap();
        assert_eq!(soon(stream.recv()).await.unwrap(), Some(word("one")));
        assert_passed(&jumping(stream.recv()).await.0.unwrap_err());
        assert_eq!((passed.sent() - sent, passed.received() - received), (1, 1));
        assert_eq!(told.recv().await.unwrap(), "a message");
        assert!(told.recv().await.unwrap().ends_with(TEXT));
    }
}
