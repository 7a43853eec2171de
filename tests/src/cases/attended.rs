//! What happens when the process of the server dies.

use super::Peer;
use super::endings::waiting;
use super::streaming::{download_with, echo_with, upload_with};
use super::unary::{packet, ping_with};

/// Every mode fails, and none of them ends as if all were well.
pub async fn server_killed(mut peer: Peer) {
    let client = peer.client().await;
    let mut echo = client.echo().await.unwrap();
    let mut upload = client.upload().await.unwrap();
    let mut held = waiting(&client).await;
    echo.send(packet(0, 10)).await.unwrap();
    assert_eq!(echo.recv().await.unwrap(), Some(packet(0, 10)));
    upload.send(packet(0, 10)).await.unwrap();
    peer.server.kill().await;
    echo.recv().await.unwrap_err();
    held.recv().await.unwrap_err();
    held.recv().await.unwrap_err();
    upload.close_and_recv().await.unwrap_err();
    client.ping(packet(0, 10)).await.unwrap_err();
}

/// The very same client works again, also when it was used while the server was away.
pub async fn reconnect(mut peer: Peer) {
    let client = peer.client().await;
    let mut held = waiting(&client).await;
    ping_with(&client, 1, 10).await;
    peer.server.kill().await;
    held.recv().await.unwrap_err();
    client.ping(packet(0, 10)).await.unwrap_err();
    peer.server.restart().await;
    echo_with(&client, 3, 100).await;
    upload_with(&client, 3, 100).await;
    download_with(&client, 3, 100).await;
    ping_with(&client, 3, 100).await;
}
