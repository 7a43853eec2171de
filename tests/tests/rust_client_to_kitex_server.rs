//! A client of streamx against the real Kitex.

use streamx_tests::cases::Peer;

streamx_tests::every_case!(Peer::kitex, "current_thread");

mod unary_calls_in_a_ttheader_without_the_inner_length {
    use super::*;

    async fn start() -> Option<Peer> {
        Some(Peer::kitex().await?.unary_over(&["ttheader+unframed"]))
    }

    streamx_tests::every_case! { start, "current_thread";
        unary::ping unary::ping_empty unary::ping_1000 unary::ping_1mib unary::ping_8mib unary::ping_concurrent
        unary::mirror unary::get unary::declared_exception unary::several_arguments unary::void unary::oneway
        unary::unary_error unary::unary_biz_error unary::unary_panic unary::unary_unknown_method
        unary::unary_unknown_service beside::unary_metainfo
        normal::normal_unary normal::unary_timeout normal::unary_timeout_is_told
    }
}
