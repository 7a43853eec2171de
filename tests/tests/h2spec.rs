//! A server of streamx against h2spec, which knows what HTTP/2 demands of a server.

use streamx_tests::grpc::{Serving, go};

/// How many cases it has, in its own words.
const CASES: &str = "145 tests, ";

/// The cases that a gRPC server cannot answer, each with what it lacks. h2spec cannot send calls of gRPC. What is none is
/// turned away when its header has come, so that nobody holds a stream by it; the stream is over then (RFC 9113, 8.1), and
/// a server need not look at what is still on its way there (5.1). Each of these sends something wrong behind such a header,
/// and passes only when both arrive in one read.
const TURNED_AWAY_BEFORE: [(&str, &str); 8] = [
    ("closed: Sends a DATA frame after sending RST_STREAM frame", "the reset comes to a stream that is over"),
    (
        "closed: Sends a HEADERS frame after sending RST_STREAM frame",
        "the reset comes to a stream that is over",
    ),
    (
        "Sends a WINDOW_UPDATE frame with a flow control window increment of 0 on a stream",
        "nothing is left to send",
    ),
    (
        "Sends multiple WINDOW_UPDATE frames increasing the flow control window to above 2^31-1 on a stream",
        "nothing is left to send",
    ),
    ("Sends a HEADERS frame that contains a pseudo-header field as trailers", "nobody waits for trailers"),
    ("Sends a second HEADERS frame without the END_STREAM flag", "nobody waits for trailers"),
    (
        "Sends a HEADERS frame with the \"content-length\" header field which does not equal the DATA frame payload length",
        "nobody reads the body",
    ),
    (
        "Sends a HEADERS frame with the \"content-length\" header field which does not equal the sum of the multiple DATA \
         frames payload length",
        "nobody reads the body",
    ),
];

async fn finds_no_more(server: Serving, tls: &[&str]) {
    let Some(go) = go::build() else { return };
    let port = server.port().to_string();
    let options = ["--port", &port, "--path", "/grpc.testing.TestService/EmptyCall"];
    let options = [&options, tls].concat();
    let output = go.h2spec(&options).await;
    // `× 3: What the case does`
    let failures = output.lines().iter().filter_map(|line| line.split_once("× ")?.1.split_once(": "));
    for (_, failure) in failures {
        assert!(TURNED_AWAY_BEFORE.iter().any(|(case, _)| *case == failure), "{failure}\n{output}");
    }
    let ran = |line: &String| line.starts_with(CASES) && line.contains(" 0 skipped");
    assert!(output.lines().iter().any(ran), "{output}");
}

#[tokio::test]
async fn it_finds_nothing_that_a_grpc_server_could_do() {
    finds_no_more(Serving::start().await, &[]).await;
}

#[tokio::test]
async fn it_finds_no_more_over_tls() {
    finds_no_more(Serving::start_over_tls().await, &["--tls", "--insecure"]).await;
}
