//! What handlers do whose callers are gone is no reason to refuse a new call.

use std::time::Duration;

use streamx::{Context, Limits, Result, Sender};
use streamx_tests::probe::Note;
use streamx_tests::rig::{Setup, echo, eventually};

const HOUR: Duration = Duration::from_secs(3600);

#[streamx::service]
trait Stay {
    /// Does not care that its caller is gone.
    #[server_stream]
    async fn stay(&self, ctx: Context, note: Note, stream: Sender<Note>) -> Result<()>;
}

struct Stubborn;

impl Stay for Stubborn {
    async fn stay(&self, _ctx: Context, note: Note, mut stream: Sender<Note>) -> Result<()> {
        stream.send(&note).await?;
        std::future::pending().await
    }
}

#[tokio::test]
async fn handlers_that_use_their_grace_keep_no_new_stream_from_beginning() {
    let limits = Limits::default().max_streams(4).cancel_grace(HOUR);
    let setup = Setup { server: limits.clone(), client: limits, ..Setup::default() };
    let rig = setup.start_with(StayServer::new(Stubborn)).await;
    let client = StayClient::new(rig.channel.clone());
    for round in 1..=12_i64 {
        let mut stream = client.stay(Note::number(round)).await.unwrap();
        assert_eq!(stream.recv().await.unwrap(), Some(Note::number(round)));
        stream.cancel("enough");
        // Those above `max_streams` get no grace, and are dropped at once.
        let left = round.min(4);
        eventually(|| rig.server().streams == 0 && rig.server().handlers.try_into() == Ok(left)).await;
    }
    let mut four = rig.echoes(4).await;
    echo(&mut four[0], 5).await;
    assert_eq!(rig.client().connections_opened, 1);
}

/// A stream that a limit has ended is over, but its handler is not dropped: it finds out when it reads.
#[tokio::test]
async fn handlers_that_do_not_end_are_bounded() {
    let server = Limits::default().max_streams(2).max_message_size(4096);
    let rig = Setup { server, ..Setup::default() }.start().await;
    for handlers in 1..=4 {
        let mut stream = rig.client.ignore().await.unwrap();
        stream.send(Note::of_size(1, 5000)).await.unwrap();
        eventually(|| rig.server().streams == 0 && rig.server().handlers == handlers).await;
    }
    let mut stream = rig.client.echo().await.unwrap();
    let error = stream.recv().await.unwrap_err();
    let text = "4 handlers of this connection go on although their streams are over (limit max_streams)";
    assert!(error.is_retryable() && error.to_string().contains(text), "{error}");
}
