//! What a client of streamx must see, whoever serves Interop. The Kitex client in `tests/kitex/cases` runs the same list.

use std::future::Future;
use std::path::Path;
use std::time::Duration;

use streamx::client::ChannelBuilder;
use streamx::{Channel, Error};

use crate::apache::{self, Transport};
use crate::interop::InteropClient;
use crate::kitex;
use crate::passed::Passed;
use crate::process::Server;

pub mod attended;
pub mod basic_programming;
pub mod beside;
pub mod cancel;
pub mod cascade;
pub mod endings;
pub mod normal;
pub mod streaming;
pub mod timeout;
pub mod unary;

/// The name of this side, which servers see in the path of a cancel.
const CALLER: &str = "streamx-client";

const TTHEADER: &str = "ttheader";
const GRPC_THRIFT: &str = "grpc+thrift";
/// With messages in protobuf.
const GRPC: &str = "grpc";

/// The server under test.
#[derive(Debug)]
pub struct Peer {
    server: Server,
    kitex: bool,
    /// What carries the calls of its clients; over TTHeader streams only, as unary calls have more ways there.
    scheme: &'static str,
    /// What carries its unary calls, if that is chosen: one way after the other, and the last with a TTHeader if any has one.
    unary: Option<&'static [&'static str]>,
    /// What the channels of its clients have around them.
    around: Option<Passed>,
}

impl Peer {
    /// The real Kitex, none on a machine without Go.
    pub async fn kitex() -> Option<Self> {
        Some(Self::new(kitex::build()?.server().await, true, TTHEADER))
    }

    /// The real Kitex in the middle of a chain; its clients call it as it calls the last server.
    pub async fn kitex_before(last: &Self) -> Option<Self> {
        let kitex = kitex::build()?;
        let server = match last.scheme {
            GRPC => kitex.server_in_protobuf_before(&last.server).await,
            _ => kitex.server_before(&last.server).await,
        };
        Some(Self::new(server, true, last.scheme))
    }

    /// The real Kitex with messages in protobuf, which it speaks over gRPC.
    pub async fn kitex_in_protobuf() -> Option<Self> {
        let server = kitex::build()?.server_in_protobuf().await;
        Some(Self::new(server, true, GRPC))
    }

    /// Apache Thrift for Python, none on a machine without it. It has no streams.
    pub async fn apache(transport: Transport) -> Option<Self> {
        let server = apache::install()?.server(transport).await;
        Some(Self::new(server, false, transport.name()))
    }

    /// A server of streamx, given its program.
    pub async fn streamx(program: &str) -> Self {
        Self::new(Server::start(Path::new(program)).await, false, TTHEADER)
    }

    /// The same, called through middlewares of every kind.
    pub fn through(self, passed: &Passed) -> Self {
        Self { around: Some(passed.clone()), ..self }
    }

    /// A server of streamx in the middle of a chain; its clients call it as it calls the last server.
    pub async fn streamx_before(last: &Self, program: &str) -> Self {
        let next = format!("{}://{}", last.scheme, last.addr());
        let server = Server::start_before(&next, Path::new(program)).await;
        Self::new(server, false, last.scheme)
    }

    fn new(server: Server, kitex: bool, scheme: &'static str) -> Self {
        Self { server, kitex, scheme, unary: None, around: None }
    }

    /// The same, with unary calls over each of these schemes, those without a TTHeader first.
    pub fn unary_over(self, schemes: &'static [&'static str]) -> Self {
        Self { unary: Some(schemes), ..self }
    }

    /// The same, called over gRPC with messages in Thrift.
    pub fn over_grpc_thrift(self) -> Self {
        Self { scheme: GRPC_THRIFT, ..self }
    }

    /// The same, called over gRPC with messages in protobuf.
    pub fn over_grpc(self) -> Self {
        Self { scheme: GRPC, ..self }
    }

    fn is_kitex_in_protobuf(&self) -> bool {
        self.kitex && self.scheme == GRPC
    }

    fn is_grpc(&self) -> bool {
        matches!(self.scheme, GRPC | GRPC_THRIFT)
    }

    /// `IP:PORT`.
    pub fn addr(&self) -> &str {
        self.server.addr()
    }

    /// What it is: `kitex` or `streamx`.
    pub fn kind(&self) -> &'static str {
        if self.kitex { "kitex" } else { "streamx" }
    }

    fn channel_builder(&self, scheme: &str) -> ChannelBuilder {
        Channel::builder(format!("{scheme}://{}", self.server.addr())).caller(CALLER)
    }

    /// A channel of its own to the server.
    async fn channel(&self, scheme: &str) -> Channel {
        let mut channel = self.channel_builder(scheme);
        if let Some(passed) = &self.around {
            channel = passed.around_channel(channel);
        }
        channel.connect().await.expect("the server listens")
    }

    /// A client with a connection of its own for its streams.
    async fn client(&self) -> InteropClient {
        InteropClient::new(self.channel(self.scheme).await)
    }

    /// What its handlers say of a caller who is gone, with one of Kitex's codes.
    ///
    /// gRPC has no place for the code, and Kitex says which frame has come.
    fn reason(&self, code: i32) -> String {
        if self.is_grpc() {
            return if self.kitex { "" } else { "code 0, side Client: the " }.to_owned();
        }
        if self.kitex { format!("code={code}") } else { format!("code {code}, side Client") }
    }

    /// How its handlers write the path of a cancel.
    ///
    /// gRPC has no place for it.
    fn path(&self, names: &[&str]) -> String {
        if self.is_grpc() {
            return String::new();
        }
        let path = names.join(" -> ");
        if self.kitex { format!("[canceled path: {path}]") } else { format!("[cancelled by {path}]") }
    }

    /// The ways to call a unary method: several beside TTHeader Streaming, otherwise there is one. Only the last one has a
    /// place for anything besides arguments and answers.
    fn unary_schemes(&self) -> &[&'static str] {
        match self.unary {
            Some(schemes) => schemes,
            None if self.scheme == TTHEADER => &["framed", "buffered", TTHEADER],
            None => std::slice::from_ref(&self.scheme),
        }
    }

    async fn unary_channels(&self) -> Vec<Channel> {
        let mut channels = Vec::new();
        for scheme in self.unary_schemes() {
            channels.push(self.channel(scheme).await);
        }
        channels
    }

    /// A client for each of them.
    async fn unary_clients(&self) -> Vec<InteropClient> {
        self.unary_channels().await.into_iter().map(InteropClient::new).collect()
    }
}

/// How long a case may take; what it waits for takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs a case, and panics when it does not end.
pub async fn within_patience(case: impl Future<Output = ()>) {
    tokio::time::timeout(PATIENCE, case).await.unwrap_or_else(|_| panic!("blocked for {PATIENCE:?}"));
}

/// Demands that the text of an error has every one of `words`.
#[track_caller]
fn says(error: &Error, words: &[&str]) {
    let text = error.to_string();
    for word in words {
        assert!(text.contains(word), "{text:?} does not say {word:?}");
    }
}

/// Demands the business error that the service makes.
#[track_caller]
fn is_no_balance(error: &Error) {
    let want = Error::biz(10001, "no balance").with_extra("k", "v");
    assert_eq!(error.as_biz(), want.as_biz(), "{error}");
    says(error, &["business error 10001: no balance"]);
}

/// Makes a test of every case: `every_case!(start, "current_thread")`, where `start` is an `async fn` that gives a
/// [`Peer`], or none where there cannot be one; with `; unary::ping unary::void` behind it, of these. Also makes `CASES`, their
/// names.
#[macro_export]
macro_rules! every_case {
    ($start:path, $flavor:literal) => {
        $crate::every_case! { $start, $flavor;
            unary::ping unary::ping_empty unary::ping_1000 unary::ping_1mib unary::ping_8mib unary::ping_concurrent
            unary::mirror unary::get unary::declared_exception unary::several_arguments unary::void unary::oneway
            unary::unary_error unary::unary_biz_error unary::unary_panic unary::unary_unknown_method unary::unary_unknown_service
            streaming::echo streaming::echo_empty streaming::echo_1000 streaming::echo_1mib streaming::echo_8mib
            streaming::upload streaming::upload_empty streaming::upload_1000 streaming::upload_1mib
            streaming::upload_8mib streaming::download streaming::download_empty streaming::download_1000
            streaming::download_1mib streaming::download_8mib streaming::mirror_all streaming::interleaved
            endings::client_finishes_first endings::server_finishes_first endings::server_answers_early
            endings::server_returns_unread endings::handler_error endings::handler_error_after endings::biz_error
            endings::biz_error_after endings::handler_panic
            endings::unknown_method endings::unknown_service endings::client_cancels endings::client_cancels_closed
            endings::upload_cancelled endings::download_cancelled endings::client_drops
            beside::unary_metainfo beside::metainfo beside::header_and_trailer beside::header_with_first_message
            beside::trailer_of_biz_error beside::no_header_no_trailer
            basic_programming::normal_method basic_programming::client_streaming_usage
            basic_programming::client_streaming_client_must_close_and_recv
            basic_programming::client_streaming_client_must_close_send_then_recv
            basic_programming::client_streaming_server_must_return_a_response
            basic_programming::server_streaming_usage
            basic_programming::server_streaming_client_must_check_for_the_end
            basic_programming::bidi_streaming_usage basic_programming::bidi_streaming_client_must_close_send
            basic_programming::bidi_streaming_client_must_check_for_the_end
            basic_programming::bidi_streaming_server_must_check_for_the_end
            normal::normal_bidi_streaming normal::normal_client_streaming normal::normal_server_streaming
            normal::normal_unary normal::unary_timeout normal::unary_timeout_is_told normal::whole_call_timeout
            cancel::cancel_client_streaming_without_sending cancel::cancel_client_streaming_amid_messages
            cancel::cancel_client_streaming_deferred cancel::cancel_server_streaming_slow_server
            cancel::cancel_server_streaming_amid_messages cancel::cancel_server_streaming_deferred
            cancel::cancel_bidi_streaming_both_halves
            timeout::timeout_client_streaming_recv timeout::timeout_client_streaming_recv_before_stream
            timeout::timeout_client_streaming_stream_before_recv
            timeout::timeout_server_streaming_recv timeout::timeout_server_streaming_recv_before_stream
            timeout::timeout_server_streaming_stream_before_recv
            timeout::timeout_bidi_streaming_recv timeout::timeout_bidi_streaming_recv_before_stream
            timeout::timeout_bidi_streaming_stream_before_recv timeout::timeout_bidi_streaming_kept_open
            attended::server_killed attended::reconnect
        }
    };
    ($start:path, $flavor:literal; $($module:ident :: $case:ident)*) => {
        $(
            #[tokio::test(flavor = $flavor)]
            async fn $case() {
                if let Some(peer) = $start().await {
                    $crate::cases::within_patience($crate::cases::$module::$case(peer)).await;
                }
            }
        )*
        #[allow(dead_code, reason = "used where the list is compared with that of the Kitex client")]
        const CASES: &[&str] = &[$(stringify!($case)),*];
    };
}
