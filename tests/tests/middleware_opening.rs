//! What middlewares make of the beginning of a call, what the handler knows of it, and what they see of a request and an
//! answer of any shape.

use std::time::{Duration, Instant};

use streamx::middleware::{AnyMessage, Opening};
use streamx::server::ServerBuilder;
use streamx::{Channel, Context, Error, Message, Result, Sender, Server, Side};
use streamx_tests::noting::{Log, around_channel};
use streamx_tests::probe::Note;

#[derive(Message, Clone, Debug, Default, PartialEq)]
struct Text {
    #[field(1)]
    text: String,
}

#[derive(Message, Clone, Debug, Default, PartialEq)]
#[message(exception)]
struct Unknown {
    #[field(1)]
    user: String,
}

#[streamx::service]
trait Desk {
    /// What the handler knows of its call.
    async fn known(&self, ctx: Context) -> Result<Text>;
    /// The same, said by a call of this handler.
    async fn relayed(&self) -> Result<Text>;
    #[server_stream]
    async fn watched(&self, ctx: Context, text: Text, stream: Sender<Text>) -> Result<()>;
    async fn add(&self, a: i64, b: Option<i64>) -> Result<i64>;
    async fn find(&self, user: String) -> Result<Text, Unknown>;
    #[oneway]
    async fn note(&self, text: Text);
}

struct Clerk {
    desk: Option<DeskClient>,
    log: Log,
}

fn known(ctx: &Context) -> Text {
    let (user, hop, zone) = (ctx.persistent("user"), ctx.transient("hop"), ctx.metadata().get("zone"));
    Text { text: format!("{user:?} {hop:?} {zone:?} {}", ctx.deadline().is_some()) }
}

impl Desk for Clerk {
    async fn known(&self, ctx: Context) -> Result<Text> {
        Ok(known(&ctx))
    }

    async fn relayed(&self) -> Result<Text> {
        self.desk.as_ref().ok_or_else(|| Error::other("nobody to ask"))?.known().await
    }

    async fn watched(&self, ctx: Context, _: Text, mut stream: Sender<Text>) -> Result<()> {
        stream.send(known(&ctx)).await
    }

    async fn add(&self, a: i64, b: Option<i64>) -> Result<i64> {
        Ok(a + b.unwrap_or(1))
    }

    async fn find(&self, user: String) -> Result<Text, Unknown> {
        Err(Unknown { user })
    }

    async fn note(&self, text: Text) {
        self.log.note(text.text);
    }
}

/// The URL of a desk that is served for as long as the runtime runs.
async fn desk(clerk: Clerk, server: impl FnOnce(ServerBuilder) -> ServerBuilder) -> String {
    let server = server(Server::builder().add_service(DeskServer::new(clerk)));
    let server = server.bind("127.0.0.1:0").await.unwrap();
    let url = format!("ttheader://{}", server.local_addr());
    tokio::spawn(server.serve());
    url
}

fn alone() -> Clerk {
    Clerk { desk: None, log: Log::default() }
}

fn change(call: &mut Opening) -> Result<()> {
    call.set_persistent("user", "42")?;
    call.set_transient("hop", "")?;
    call.set_metadata("zone", "b")?;
    call.set_deadline(Instant::now() + Duration::from_secs(100));
    assert!(call.set_transient("", "no key").is_err());
    Ok(())
}

#[tokio::test]
async fn what_a_client_changes_travels() {
    let url = desk(alone(), |server| server).await;
    let channel = Channel::builder(url)
        .stream_middleware(|mut call, next| {
            Box::pin(async move {
                assert_eq!((call.side(), call.service(), call.method()), (Side::Client, "Desk", "Watched"));
                assert_eq!((call.persistent("user"), call.transient("hop")), (Some("7"), Some("1")));
                change(&mut call)?;
                next.run(call).await
            })
        })
        .unary_middleware(|mut call, request, next| {
            Box::pin(async move {
                change(&mut call)?;
                next.run(call, request).await
            })
        });
    let client = DeskClient::new(channel.connect().await.unwrap());
    let want = Text { text: r#"Some("42") None Some("b") true"#.into() };
    let call = client.watched(Text::default()).persistent("user", "7").transient("hop", "1");
    assert_eq!(call.await.unwrap().recv().await.unwrap(), Some(want.clone()));
    let call = client.known().persistent("user", "7").transient("hop", "1");
    assert_eq!(call.await.unwrap(), want);
}

#[tokio::test]
async fn what_a_server_changes_is_what_its_handler_and_the_calls_of_that_know() {
    let far = desk(alone(), |server| server).await;
    let near = Clerk { desk: Some(DeskClient::connect(far).await.unwrap()), log: Log::default() };
    let url = desk(near, |server| {
        server
            .stream_middleware(|mut call, next| {
                Box::pin(async move {
                    assert_eq!((call.side(), call.persistent("user")), (Side::Server, Some("7")));
                    change(&mut call)?;
                    next.run(call).await
                })
            })
            .stream_send_middleware(|call, message, next| {
                Box::pin(async move {
                    let known = call.context().and_then(|context| context.persistent("user"));
                    assert_eq!((call.persistent("user"), known), (Some("42"), Some("42")));
                    next.run(message).await
                })
            })
            .unary_middleware(|mut call, request, next| {
                Box::pin(async move {
                    change(&mut call)?;
                    next.run(call, request).await
                })
            })
    })
    .await;
    let client = DeskClient::connect(url).await.unwrap();
    let want = Text { text: r#"Some("42") None Some("b") true"#.into() };
    let call = client.watched(Text::default()).persistent("user", "7").transient("hop", "1");
    assert_eq!(call.await.unwrap().recv().await.unwrap(), Some(want.clone()));
    assert_eq!(client.known().persistent("user", "7").transient("hop", "1").await.unwrap(), want);
    let relayed = client.relayed().persistent("user", "7").await.unwrap();
    assert_eq!(relayed.text, r#"Some("42") None None true"#, "what travels one hop has travelled");
}

#[tokio::test]
async fn requests_and_answers_have_the_types_of_the_method() {
    let clerk = alone();
    let log = clerk.log.clone();
    let seen = Log::default();
    let noted = seen.clone();
    let url = desk(clerk, |server| {
        server.unary_middleware(|call, request, next| {
            Box::pin(async move {
                let request = match request.downcast_ref::<(i64, Option<i64>)>() {
                    Some((a, _)) => AnyMessage::new((*a, Some(10_i64))),
                    None => request,
                };
                next.run(call, request).await
            })
        })
    })
    .await;
    let channel = Channel::builder(url).unary_middleware(move |call, request, next| {
        let log = noted.clone();
        Box::pin(async move {
            let request_type = request.type_name();
            let answer = next.run(call, request).await;
            let shown = match &answer {
                Ok(answer) => answer.type_name().to_owned(),
                Err(error) => format!("{:?}", error.exception::<Unknown>()),
            };
            log.note(format!("{request_type} -> {shown}"));
            answer
        })
    });
    let client = DeskClient::new(channel.connect().await.unwrap());
    assert_eq!(client.add(1, None).await.unwrap(), 11);
    let error = client.find("nobody".into()).await.unwrap_err();
    assert_eq!(error.exception::<Unknown>(), Some(&Unknown { user: "nobody".into() }));
    client.note(Text { text: "noted".into() }).await.unwrap();
    client.known().await.unwrap();
    assert_eq!(
        seen.take(),
        [
            "(i64, core::option::Option<i64>) -> i64",
            r#"alloc::string::String -> Some(Unknown { user: "nobody" })"#,
            "middleware_opening::Text -> ()",
            "() -> middleware_opening::Text",
        ]
    );
    streamx_tests::rig::eventually(|| log.take() == ["noted"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_a_middleware_brings_forward_ends_the_call() {
    let rig = around_channel(|channel| {
        channel
            .stream_middleware(|mut call, next| {
                Box::pin(async move {
                    let now = tokio::time::Instant::now().into_std();
                    call.set_deadline(now + Duration::from_millis(50));
                    call.set_deadline(now + Duration::from_secs(50));
                    next.run(call).await
                })
            })
            .unary_middleware(|_, _, _| Box::pin(std::future::pending()))
    })
    .await;
    let mut stream = rig.client.hold().await.unwrap();
    assert!(stream.recv().await.unwrap_err().is_timeout());
    let error = rig.client.ask(Note::default()).timeout(Duration::from_secs(1)).await.unwrap_err();
    assert!(error.is_timeout(), "a middleware that hangs is part of the call: {error}");
}
