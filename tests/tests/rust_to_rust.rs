//! A client of streamx against a server of streamx.

use std::collections::BTreeSet;

use streamx_tests::cases::Peer;
use streamx_tests::kitex;

async fn start() -> Option<Peer> {
    Some(Peer::streamx(env!("CARGO_BIN_EXE_interop-server")).await)
}

streamx_tests::every_case!(start, "multi_thread");

mod unary_calls_in_the_rarer_framings {
    use super::*;

    async fn start() -> Option<Peer> {
        let peer = super::start().await?;
        Some(peer.unary_over(&["framed+nonstrict", "buffered+nonstrict", "ttheader+unframed"]))
    }

    streamx_tests::every_case! { start, "multi_thread";
        unary::ping unary::ping_empty unary::ping_1000 unary::ping_1mib unary::ping_8mib unary::ping_concurrent
        unary::mirror unary::get unary::declared_exception unary::several_arguments unary::void unary::oneway
        unary::unary_error unary::unary_biz_error unary::unary_panic unary::unary_unknown_method
        unary::unary_unknown_service beside::unary_metainfo
        normal::normal_unary normal::unary_timeout normal::unary_timeout_is_told
    }
}

/// But for one: a Kitex client notices a cancel only after it has received all that is queued, which an endless stream
/// keeps from ending.
#[tokio::test]
async fn the_kitex_client_runs_the_same_list() {
    let Some(kitex) = kitex::build() else { return };
    let theirs: BTreeSet<_> = kitex.cases().await.iter().map(|name| name.replace('-', "_")).collect();
    let ours: BTreeSet<_> = CASES.iter().map(|&name| name.to_owned()).collect();
    assert_eq!(ours.difference(&theirs).collect::<Vec<_>>(), ["download_cancelled"]);
    assert!(theirs.is_subset(&ours), "{:?}", theirs.difference(&ours));
}
