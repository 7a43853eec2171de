//! Middlewares of this side when the other one is the real Kitex, in both directions: nothing changes for it.

use streamx::Server;
use streamx_tests::cases::{Peer, beside, endings, streaming, unary, within_patience};
use streamx_tests::interop::{Handlers, InteropServer};
use streamx_tests::kitex;
use streamx_tests::passed::Passed;
use streamx_tests::rig::eventually;

/// Runs cases of a client against the real Kitex, through middlewares.
macro_rules! cases {
    ($passed:expr, $($module:ident :: $case:ident)*) => {
        $(
            let Some(peer) = Peer::kitex().await else { return };
            within_patience($module::$case(peer.through($passed))).await;
        )*
    };
}

#[tokio::test]
async fn streams_to_a_kitex_server_pass_through_middlewares() {
    let passed = Passed::default();
    cases!(&passed, streaming::echo);
    assert_eq!((passed.streams(), passed.sent(), passed.received(), passed.ends()), (1, 3, 3, 1));
    cases!(&passed, streaming::upload);
    assert_eq!((passed.streams(), passed.sent(), passed.received(), passed.ends()), (2, 6, 4, 2));
    cases!(&passed, streaming::download);
    assert_eq!((passed.streams(), passed.sent(), passed.received(), passed.ends()), (3, 7, 7, 3));
    assert_eq!((passed.unary(), passed.observed()), (0, (3, 3)));
}

#[tokio::test]
async fn every_way_a_stream_to_a_kitex_server_ends_is_the_same_through_middlewares() {
    let passed = Passed::default();
    cases! { &passed,
        streaming::mirror_all streaming::interleaved streaming::echo_1mib
        endings::client_finishes_first endings::server_finishes_first endings::server_answers_early
        endings::server_returns_unread endings::handler_error endings::handler_error_after endings::biz_error
        endings::biz_error_after endings::unknown_method endings::client_cancels endings::upload_cancelled
        endings::download_cancelled endings::client_drops
        beside::metainfo beside::header_and_trailer beside::trailer_of_biz_error
    }
    let (started, finished) = passed.observed();
    assert_eq!(started, finished);
}

#[tokio::test]
async fn unary_calls_of_a_kitex_server_pass_through_middlewares() {
    let passed = Passed::default();
    cases! { &passed,
        unary::ping unary::mirror unary::get unary::declared_exception unary::several_arguments unary::void
        unary::oneway unary::unary_error unary::unary_biz_error unary::unary_unknown_method beside::unary_metainfo
    }
    assert!(passed.unary() > 10);
    let (started, finished) = passed.observed();
    assert_eq!((started, finished), (passed.unary(), passed.unary()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kitex_client_is_served_through_middlewares() {
    let Some(kitex) = kitex::build() else { return };
    let passed = Passed::default();
    let server = passed.around_server(Server::builder().add_service(InteropServer::new(Handlers::new())));
    let server = server.bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr().to_string();
    tokio::spawn(server.serve());
    for (group, unary) in
        [("streaming", "framed"), ("unary", "framed"), ("unary", "buffered"), ("unary", "ttheader-framed")]
    {
        let output = kitex.client(&address, group, &["-peer", "streamx", "-unary", unary]).await;
        assert!(output.ok(), "{output}");
    }
    assert!(passed.streams() > 20 && passed.sent() > 1000 && passed.received() > 1000 && passed.ends() > 5);
    assert!(passed.unary() > 1000);
    eventually(|| passed.observed().0 == passed.observed().1).await;
}
