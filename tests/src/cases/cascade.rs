//! What happens to a chain of three, this client, a server in the middle and the last one, when the first one gives up.

use streamx::client::Call;

use super::endings::{Act, act_of, count, noticed};
use super::timeout::SOON;
use super::{CALLER, Peer};
use crate::interop::{Command, InteropClient};

/// Opens a stream that the middle has made into one to the last server.
async fn relayed(call: Call<Act>) -> Act {
    let mut stream = act_of(call, Command { what: "relay".into(), ..Command::default() }).await;
    assert_eq!(stream.recv().await.unwrap().expect("a sign of life").text, "waiting");
    stream
}

pub async fn cascade_cancel(middle: &Peer, last: &Peer) {
    cascade(middle, last, 12007, async |client| {
        let mut stream = relayed(client.act()).await;
        stream.cancel("the user has closed the window");
        stream.recv().await.unwrap_err()
    })
    .await;
}

/// A Kitex server is told only when the time is over. One of streamx is told when the call begins, and so is every one over
/// gRPC: its own call ends at the same moment by itself, so that the last server may see only the name of the middle.
pub async fn cascade_deadline(middle: &Peer, last: &Peer) {
    let give_up =
        async |client: &InteropClient| relayed(client.act().timeout(SOON)).await.recv().await.unwrap_err();
    if middle.kitex && !middle.is_grpc() {
        return cascade(middle, last, 12015, give_up).await;
    }
    let to_last = last.client().await;
    let (before, _) = count(&to_last, 0, 0).await;
    let error = give_up(&middle.client().await).await;
    if middle.is_grpc() {
        // The middle may be first to end the call.
        assert!(error.is_timeout() || error.to_string().contains("context deadline exceeded"), "{error}");
        return noticed(&to_last, before, &[last.reason(12015)]).await;
    }
    assert_eq!(error.kitex_code(), Some(12015), "{error}");
    noticed(&to_last, before, &[last.reason(12015).as_str(), "stream timeout", "streamx-server]"]).await;
}

/// Both servers learn of it: the code and the text as they are, and the path with a name more at the last one. Over gRPC they
/// learn that the caller is gone.
async fn cascade(
    middle: &Peer,
    last: &Peer,
    code: i32,
    give_up: impl AsyncFn(&InteropClient) -> streamx::Error,
) {
    let (to_middle, to_last) = (middle.client().await, last.client().await);
    let ((of_middle, _), (of_last, _)) = (count(&to_middle, 0, 0).await, count(&to_last, 0, 0).await);
    let error = give_up(&to_middle).await;
    assert_eq!(error.kitex_code(), Some(code), "{error}");
    let text = error.to_string();
    let (_, text) = text.split_once(": ").expect("it names the method first");
    let text = text.strip_suffix(" [client side]").expect("it names the side last");
    if middle.is_grpc() {
        // The handler of the middle fails as its call to the last server does, whose name is in front.
        let at_middle = if middle.kitex { "" } else { "Interop.Act: the caller has given up the call" };
        noticed(&to_middle, of_middle, &[at_middle]).await;
        return noticed(&to_last, of_last, &[last.reason(code)]).await;
    }
    let path = [CALLER, &format!("{}-server", middle.kind())];
    let at_middle = [middle.reason(code), middle.path(&path[..1]), text.to_owned()];
    let at_last = [last.reason(code), last.path(&path), text.to_owned()];
    noticed(&to_middle, of_middle, &at_middle).await;
    noticed(&to_last, of_last, &at_last).await;
}
