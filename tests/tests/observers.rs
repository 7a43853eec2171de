//! Observers on both sides: what they are told of a call, in which order, and that its end is told once.

use std::future::poll_fn;

use futures::FutureExt;
use streamx::middleware::{Observer, Opening};
use streamx::{Channel, Context, Error, Message, Metadata, Result, Sender, Server, Side};
use streamx_tests::noting::{Log, around_channel, around_server};
use streamx_tests::probe::{End, Note};
use streamx_tests::rig::{Rig, Setup, eventually};

struct Telling(Log);

impl Observer for Telling {
    fn start(&self, call: &Opening) {
        self.0.note(format!("start {}", call.method()));
    }

    fn header(&self, _: &Opening, header: &Metadata) {
        self.0.note(format!("header {header:?}"));
    }

    fn send(&self, _: &Opening, sent: Result<usize, &Error>) {
        self.0.note(format!("send {}", sent.map_or_else(ToString::to_string, |size| size.to_string())));
    }

    fn recv(&self, _: &Opening, received: Result<Option<usize>, &Error>) {
        self.0.note(match received {
            Ok(Some(size)) => format!("recv {size}"),
            Ok(None) => "recv end".to_owned(),
            Err(error) => format!("recv failed: {}", error.code() as i32),
        });
    }

    fn finish(&self, call: &Opening, end: Result<(), &Error>) {
        self.0.note(match end {
            Ok(()) => "finish".to_owned(),
            Err(error) if call.side() == Side::Client => format!("finish failed: {error}"),
            Err(error) => format!("finish failed: {}", error.code() as i32),
        });
    }
}

/// What both sides are told of a call that is made, once nothing is left of it.
async fn told(call: impl AsyncFn(&Rig)) -> (Vec<String>, Vec<String>) {
    let (client, server) = (Log::default(), Log::default());
    let (near, far) = (Telling(client.clone()), Telling(server.clone()));
    let rig = Setup::default().start_around(|server| server.observer(far), |channel| channel.observer(near));
    let rig = rig.await;
    call(&rig).await;
    rig.at_rest().await;
    eventually(|| server.count("finish") > 0 && client.count("finish") > 0).await;
    (client.take(), server.take())
}

/// The size of a note with a number and an empty body: two fields and the end of the struct.
const NOTE: usize = 11 + 7 + 1;

#[tokio::test]
async fn a_stream_is_told_from_start_to_finish() {
    let (client, server) = told(async |rig| {
        let mut stream = rig.client.echo().await.unwrap();
        stream.send(Note::number(7)).await.unwrap();
        stream.recv().await.unwrap();
        stream.close_send().await.unwrap();
        assert_eq!(stream.recv().await.unwrap(), None);
    })
    .await;
    let (sent, received) = (format!("send {NOTE}"), format!("recv {NOTE}"));
    assert_eq!(client, ["start Echo", &sent, &received, "recv end", "finish"]);
    assert_eq!(server, ["start Echo", &received, &sent, "recv end", "finish"]);
}

#[tokio::test]
async fn a_unary_call_is_told_too() {
    let (client, server) = told(async |rig| {
        rig.client.ask(Note::number(7)).await.unwrap();
    })
    .await;
    let message = NOTE + 4;
    let (sent, received) = (format!("send {message}"), format!("recv {message}"));
    assert_eq!(client, ["start Ask", &sent, &received, "recv end", "finish"]);
    assert_eq!(server, ["start Ask", &received, &sent, "finish"]);
}

#[tokio::test]
async fn a_failure_of_a_handler_is_the_finish_of_both_sides() {
    let (client, server) = told(async |rig| {
        let mut stream = rig.client.end().await.unwrap();
        stream.send(Note::number(End::FAILED)).await.unwrap();
        stream.recv().await.unwrap_err();
    })
    .await;
    assert_eq!(client[2..], ["recv failed: 2", "finish failed: the disk is full"]);
    assert_eq!(server[2..], ["finish failed: 2"]);
}

#[tokio::test]
async fn a_panic_of_a_handler_is_its_finish() {
    let (_, server) = told(async |rig| {
        let mut stream = rig.client.end().await.unwrap();
        stream.send(Note::number(End::PANICKED)).await.unwrap();
        stream.recv().await.unwrap_err();
    })
    .await;
    assert_eq!(server.len(), 3);
    assert!(server[2].starts_with("finish failed"), "{server:?}");
}

#[tokio::test]
async fn a_client_that_drops_its_handle_finishes_both_sides() {
    let (client, server) = told(async |rig| {
        let stream = rig.client.ignore().await.unwrap();
        eventually(|| rig.handlers.begun() == 1).await;
        drop(stream);
    })
    .await;
    assert_eq!(client[0], "start Ignore");
    assert!(client[1].starts_with("finish failed: Probe.Ignore: the caller gave up the call"), "{client:?}");
    assert_eq!(server, ["start Ignore", "finish failed: 1"]);
}

#[tokio::test]
async fn the_outcome_of_a_call_is_told_although_nobody_has_read_it() {
    let (client, _) = told(async |rig| {
        let stream = rig.client.count(Note::number(3)).await.unwrap();
        eventually(|| rig.client().streams == 0).await;
        drop(stream);
    })
    .await;
    assert_eq!(client[2..], ["finish"], "the messages that were not taken are no events");
}

#[tokio::test]
async fn a_call_that_cannot_be_opened_starts_and_finishes() {
    let log = Log::default();
    let mut rig = around_channel(|channel| channel.observer(Telling(log.clone()))).await;
    rig.kill_server().await;
    eventually(|| rig.client().connections == 0).await;
    rig.client.echo().await.unwrap_err();
    let told = log.take();
    assert_eq!(told[0], "start Echo");
    assert!(told[1].starts_with("finish failed: cannot connect"), "{told:?}");
    assert_eq!(told.len(), 2);
}

#[tokio::test]
async fn a_call_that_is_dropped_while_it_is_opened_finishes() {
    let log = Log::default();
    let channel = Channel::builder("ttheader://127.0.0.1:1").observer(Telling(log.clone())).connect_lazy();
    let mut call = streamx_tests::probe::ProbeClient::new(channel.unwrap()).echo();
    assert!((&mut call).now_or_never().is_none());
    drop(call);
    assert_eq!(log.take(), ["start Echo", "finish failed: the call was dropped before its end"]);
}

#[tokio::test]
async fn each_attempt_of_a_middleware_is_a_call_of_its_own() {
    let log = Log::default();
    let rig = around_channel(|channel| {
        channel.observer(Telling(log.clone())).unary_middleware(|call, request, next| {
            Box::pin(async move {
                next.run(call.clone(), request.lend()).await?;
                next.run(call, request).await
            })
        })
    })
    .await;
    rig.client.ask(Note::default()).await.unwrap();
    assert_eq!((log.count("start"), log.count("finish")), (2, 2));
}

#[tokio::test]
async fn what_a_middleware_answers_itself_is_no_call() {
    let log = Log::default();
    let rig = around_server(|server| {
        server.observer(Telling(log.clone())).stream_middleware(|_, _| Box::pin(async { Ok(()) }))
    })
    .await;
    assert_eq!(rig.client.echo().await.unwrap().recv().await.unwrap(), None);
    rig.at_rest().await;
    assert_eq!(log.take(), ["start Echo", "finish"], "but a server has started to serve it");
}

#[derive(Message, Clone, Debug, Default, PartialEq)]
struct Text {
    #[field(1)]
    text: String,
}

#[streamx::service]
trait Desk {
    #[server_stream]
    async fn watch(&self, ctx: Context, text: Text, stream: Sender<Text>) -> Result<()>;
    #[oneway]
    async fn note(&self, text: Text);
}

struct Clerk;

impl Desk for Clerk {
    async fn watch(&self, ctx: Context, text: Text, mut stream: Sender<Text>) -> Result<()> {
        ctx.set_header("h1", "v1")?;
        stream.send(text).await
    }

    async fn note(&self, _: Text) {}
}

async fn desk(log: &Log) -> DeskClient {
    let server = Server::builder().add_service(DeskServer::new(Clerk)).bind("127.0.0.1:0").await.unwrap();
    let url = format!("ttheader://{}", server.local_addr());
    tokio::spawn(server.serve());
    let channel = Channel::builder(url).observer(Telling(log.clone())).connect().await.unwrap();
    DeskClient::new(channel)
}

#[tokio::test]
async fn a_oneway_call_is_over_when_it_is_sent() {
    let log = Log::default();
    desk(&log).await.note(Text::default()).await.unwrap();
    assert_eq!(log.take(), ["start Note", "send 12", "finish"]);
}

#[tokio::test]
async fn the_header_of_a_server_is_told_once_whoever_sees_it_first() {
    let log = Log::default();
    let client = desk(&log).await;

    let mut stream = client.watch(Text::default()).await.unwrap();
    stream.recv().await.unwrap();
    stream.header().await.unwrap();
    let header = r#"header {"h1": "v1"}"#;
    assert_eq!(log.take()[2..], [header, "recv 8"]);

    let mut stream = client.watch(Text::default()).await.unwrap();
    stream.header().await.unwrap();
    poll_fn(|cx| stream.poll_recv(cx)).await.unwrap();
    assert_eq!(log.take()[2..], [header, "recv 8"]);
}
