//! What a handler knows of its call, and what travels beside the messages, both ways.

use std::sync::Arc;
use std::time::Duration;

use streamx::{Bidi, Context, Error, Limits, Message, Protocol, Result, Sender, Server, Streaming};
use streamx_tests::raw::{self, Raw};
use tokio::sync::{Notify, mpsc};

#[derive(Message, Clone, Debug, Default, PartialEq)]
struct Text {
    #[field(1)]
    text: String,
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self { text: text.to_owned() }
    }
}

#[streamx::service]
trait Facts {
    /// Everything a caller has sent besides, in one line.
    async fn told(&self, ctx: Context) -> Result<String>;

    #[server_stream]
    async fn watch(&self, ctx: Context, req: Text, stream: Sender<Text>) -> Result<()>;

    #[client_stream]
    async fn collect(&self, ctx: Context, stream: Streaming<Text>) -> Result<Text>;

    #[bidi]
    async fn wait(&self, ctx: Context, stream: Bidi<Text, Text>) -> Result<()>;

    /// Calls `told` of another server.
    async fn relay(&self, ctx: Context) -> Result<String>;
}

#[derive(Clone, Default)]
struct Service {
    next: Option<FactsClient>,
    reasons: Option<mpsc::UnboundedSender<Error>>,
    dropped: Arc<Notify>,
}

fn line(ctx: &Context) -> String {
    let pairs = |pairs: &mut dyn Iterator<Item = (&str, &str)>| {
        let mut pairs: Vec<_> = pairs.map(|(key, value)| format!("{key}={value}")).collect();
        pairs.sort();
        pairs.join(",")
    };
    format!(
        "{}.{} persistent [{}] transient [{}] metadata [{}]",
        ctx.service(),
        ctx.method(),
        pairs(&mut ctx.persistent_iter()),
        pairs(&mut ctx.transient_iter()),
        pairs(&mut ctx.metadata().iter().filter(|(key, _)| *key != "isn")),
    )
}

impl Facts for Service {
    async fn told(&self, ctx: Context) -> Result<String> {
        if ctx.protocol() == Protocol::TTHeader {
            ctx.set_header("served-by", "told")?;
        }
        Ok(line(&ctx))
    }

    async fn watch(&self, ctx: Context, req: Text, mut stream: Sender<Text>) -> Result<()> {
        ctx.set_header("h1", "v1")?;
        ctx.set_trailer("t1", "v1")?;
        stream.send(Text::from(line(&ctx).as_str())).await?;
        assert!(ctx.set_header("late", "1").unwrap_err().is_closed());
        if req.text == "fail" {
            return Err(Error::biz(10001, "insufficient user balance").with_extra("testKey", "testVal"));
        }
        Ok(())
    }

    async fn collect(&self, ctx: Context, mut stream: Streaming<Text>) -> Result<Text> {
        ctx.set_header("first", "yes")?;
        ctx.send_header().await?;
        assert!(ctx.send_header().await.unwrap_err().is_closed());
        let mut all = Vec::new();
        while let Some(text) = stream.recv().await? {
            ctx.set_trailer("last", &text.text)?;
            all.push(text.text);
        }
        Ok(Text { text: all.join(" ") })
    }

    async fn wait(&self, ctx: Context, mut stream: Bidi<Text, Text>) -> Result<()> {
        struct OnDrop(Arc<Notify>);
        impl Drop for OnDrop {
            fn drop(&mut self) {
                self.0.notify_one();
            }
        }
        let _dropped = OnDrop(Arc::clone(&self.dropped));
        let first = stream.recv().await?.unwrap_or_default();
        stream.send(first.clone()).await?;
        let reason = ctx.cancelled().await;
        assert!(stream.recv().await.unwrap_err().is_cancelled());
        assert!(stream.send(first.clone()).await.unwrap_err().is_cancelled());
        if let Some(reasons) = &self.reasons {
            reasons.send(reason.clone()).map_err(Error::other)?;
        }
        if first.text == "stay" {
            std::future::pending::<()>().await;
        }
        Err(reason)
    }

    async fn relay(&self, _ctx: Context) -> Result<String> {
        let next = self.next.as_ref().ok_or_else(|| Error::other("nobody is next"))?;
        let inherited = next.told().transient("own", "1").await?;
        let alone = next.told().detached().await?;
        Ok(format!("{inherited} | {alone}"))
    }
}

async fn serve(service: Service) -> String {
    let limits = Limits::default().cancel_grace(Duration::from_millis(20));
    let server = Server::builder()
        .add_service(FactsServer::new(service))
        .limits(limits)
        .bind("127.0.0.1:0")
        .await
        .unwrap();
    let address = server.local_addr().to_string();
    tokio::spawn(server.serve());
    address
}

async fn connect(scheme: &str, address: &str) -> FactsClient {
    FactsClient::connect(format!("{scheme}://{address}")).await.unwrap()
}

#[tokio::test]
async fn metainfo_and_metadata_reach_the_handler() {
    let address = serve(Service::default()).await;
    let told = "persistent [user=42] transient [k2=v2] metadata [trace=abc]";
    for client in [connect("ttheader", &address).await, FactsClient::in_process(Service::default())] {
        let call = client.told().persistent("user", "42").transient("k2", "v2").metadata("trace", "abc");
        assert_eq!(call.await.unwrap(), format!("Facts.Told {told}"));
        let call = client.watch(Text::default()).persistent("user", "42").transient("k2", "v2");
        let mut stream = call.metadata("trace", "abc").await.unwrap();
        assert_eq!(stream.recv().await.unwrap().unwrap().text, format!("Facts.Watch {told}"));
    }
}

#[tokio::test]
async fn a_framed_call_carries_nothing_besides() {
    let client = connect("framed", &serve(Service::default()).await).await;
    let told = client.told().persistent("user", "42").await.unwrap();
    assert_eq!(told, "Facts.Told persistent [] transient [] metadata []");
}

#[tokio::test]
async fn header_and_trailer_come_back_again_and_again() {
    let client = connect("ttheader", &serve(Service::default()).await).await;
    let mut stream = client.watch(Text::default()).await.unwrap();
    for _ in 0..2 {
        assert_eq!(stream.header().await.unwrap().get("h1"), Some("v1"));
    }
    while stream.recv().await.unwrap().is_some() {}
    for _ in 0..2 {
        assert_eq!(stream.trailer().await.unwrap().get("t1"), Some("v1"));
        assert_eq!(stream.header().await.unwrap().get("h1"), Some("v1"));
    }
}

#[tokio::test]
async fn a_trailer_comes_with_a_business_error_too() {
    let client = connect("ttheader", &serve(Service::default()).await).await;
    let mut stream = client.watch(Text::from("fail")).await.unwrap();
    assert!(stream.recv().await.unwrap().is_some(), "what was sent before comes first");
    let error = stream.recv().await.unwrap_err();
    let biz = error.as_biz().unwrap();
    assert_eq!((biz.code(), biz.message()), (10001, "insufficient user balance"));
    assert_eq!(biz.extra()["testKey"], "testVal");
    assert_eq!(stream.trailer().await.unwrap().get("t1"), Some("v1"));
}

#[tokio::test]
async fn every_trailer_has_a_map_for_without_one_kitex_tells_its_caller_of_an_error() {
    let address = serve(Service::default()).await;
    for method in ["Collect", "Nowhere"] {
        let mut peer = Raw::connect(&address).await;
        for kind in [raw::HEADER, raw::TRAILER] {
            peer.write(&raw::frame(1, kind, method, b"")).await;
        }
        let mut bytes = Vec::new();
        let trailer = loop {
            let more = peer.read().await;
            assert!(!more.is_empty(), "the server has closed the connection");
            bytes.extend(more);
            if let Some(trailer) =
                areas(&bytes).find(|area| area.windows(5).any(|entry| entry == b"\0\x1b\0\x014"))
            {
                break trailer;
            }
        };
        assert_eq!(trailer[2..5], [0x01, 0, 0], "a section of no strings: {trailer:?}");
    }
}

/// The header areas of all whole frames.
fn areas(mut bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, rest) = bytes.split_first_chunk::<4>()?;
        let (frame, rest) = rest.split_at_checked(u32::from_be_bytes(*length).try_into().ok()?)?;
        bytes = rest;
        let words = u16::from_be_bytes([frame[8], frame[9]]);
        frame.get(10..10 + usize::from(words) * 4)
    })
}

#[tokio::test]
async fn a_header_can_be_sent_before_any_message() {
    let client = connect("ttheader", &serve(Service::default()).await).await;
    let mut stream = client.collect().await.unwrap();
    assert_eq!(stream.header().await.unwrap().get("first"), Some("yes"));
    stream.send(Text::from("a")).await.unwrap();
    assert_eq!(stream.close_and_recv().await.unwrap().text, "a");
}

#[tokio::test]
async fn the_answer_of_a_client_stream_brings_its_trailer() {
    let client = connect("ttheader", &serve(Service::default()).await).await;
    let mut stream = client.collect().await.unwrap();
    stream.send(Text::from("a")).await.unwrap();
    let (_, _, trailer) = stream.close_and_recv_with_metadata().await.unwrap();
    assert_eq!(trailer.get("last"), Some("a"));
}

#[tokio::test]
async fn a_unary_answer_brings_its_header() {
    let client = connect("ttheader", &serve(Service::default()).await).await;
    let (_, header, _) = client.told().with_metadata().await.unwrap();
    assert_eq!(header.get("served-by"), Some("told"));
}

#[tokio::test]
async fn a_call_made_by_a_handler_inherits_what_is_persistent() {
    let next = connect("ttheader", &serve(Service::default()).await).await;
    let client = connect("ttheader", &serve(Service { next: Some(next), ..Service::default() }).await).await;
    let told = client.relay().persistent("user", "42").transient("k2", "v2").await.unwrap();
    let inherited = "Facts.Told persistent [user=42] transient [own=1] metadata []";
    let alone = "Facts.Told persistent [] transient [] metadata []";
    assert_eq!(told, format!("{inherited} | {alone}"));
}

#[tokio::test]
async fn a_handler_with_the_context_learns_that_its_caller_is_gone() {
    let (reasons, mut reason) = mpsc::unbounded_channel();
    let service = Service { reasons: Some(reasons), ..Service::default() };
    let dropped = Arc::clone(&service.dropped);
    let client = connect("ttheader", &serve(service).await).await;
    for text in ["leave", "stay"] {
        let mut stream = client.wait().await.unwrap();
        stream.send(Text::from(text)).await.unwrap();
        stream.recv().await.unwrap();
        drop(stream);
        let reason = reason.recv().await.unwrap();
        assert!(reason.is_cancelled());
        assert_eq!(reason.kitex_code(), Some(12007));
        // One returns the reason, the other one is dropped when its grace is over.
        dropped.notified().await;
    }
}

#[tokio::test]
async fn pairs_that_cannot_travel_are_refused_where_they_are_set() {
    let client = FactsClient::in_process(Service::default());
    let error = client.told().persistent("", "1").await.unwrap_err();
    assert!(error.to_string().contains("a key may not be empty"), "{error}");
    let error = client.told().metadata("biz-status", "1").await.unwrap_err();
    assert!(error.to_string().contains("the key belongs to the protocol"), "{error}");
    let error = client.told().metadata("RPC_PERSIST_user", "1").await.unwrap_err();
    assert!(error.to_string().contains("which are set without it"), "{error}");
    let error = client.told().transient("UPSTREAM_user", "1").await.unwrap_err();
    assert!(error.to_string().contains("and drop it"), "{error}");
}
