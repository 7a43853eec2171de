//! The corners of the runtime: who is woken, what is counted, and what is let go of when things end out of order.

use std::time::Duration;

use futures::future::join_all;
use streamx::{Channel, Limits, Placement, Server};
use streamx_tests::probe::{Handlers, Note, ProbeClient, ProbeServer};
use streamx_tests::raw::{self, Raw};
use streamx_tests::rig::{Rig, Setup, echo, eventually, settle, soon};
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::time::advance;

const KIB: usize = 1024;

#[tokio::test]
async fn a_stream_in_this_process_outlives_its_channel_as_over_a_network() {
    let client = ProbeClient::in_process(Handlers::default());
    let mut stream = client.echo().await.unwrap();
    drop(client);
    settle().await;
    echo(&mut stream, 1).await;
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_nobody_uses_is_not_made_again() {
    let rig = Rig::start().await;
    for _ in 0..60 {
        advance(Duration::from_secs(1)).await;
        settle().await;
    }
    assert_eq!((rig.client().connections, rig.client().connections_opened), (0, 1));
    echo(&mut rig.client.echo().await.unwrap(), 1).await;
}
