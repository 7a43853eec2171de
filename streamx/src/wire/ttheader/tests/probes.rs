//! The odd frames that were tried on Kitex, tried on us: our verdict is that of Kitex (`*_saw` of the recordings)
//! or a better one that the spec asks for.
//!
//! Better than Kitex: a LENGTH that ends inside the header area is a violation, where Kitex reads on with an empty
//! message; a second header at a server ends that stream, where Kitex starves it; a trailer with a REPLY at a server
//! fails that stream, where Kitex leaves the connection dead; a LENGTH above the limit is refused at once, where
//! Kitex waits for it; a second header at a client is always a violation.

use super::*;
use crate::wire::vectors::{Dialogue, dialogues};

/// What our server makes of each hand-made client. OPEN is stream 1 open and echoing, ECHOES a further message on
/// it, FRESH a new stream with a message.
const TO_SERVER: &[(&str, &str)] = &[
    ("data-after-trailer", "OPEN; 1: finished; ignored; ignored; FRESH"),
    ("data-empty", "OPEN; 1: message of 0; ECHOES; FRESH"),
    ("data-no-method", "OPEN; 1: message of 9; ECHOES; FRESH"),
    ("data-undecodable-continue", "opened 1 Vectors/Bidi; 1: message of 1; 1: message of 12; 1: finished"),
    ("data-undecodable", "OPEN; 1: message of 2; ECHOES; FRESH"),
    ("data-unknown-stream", "OPEN; ignored; ECHOES; FRESH"),
    ("drop", "opened 1 Vectors/Bidi; 1: message of 9"),
    ("duplicate-header", "OPEN; duplicate 1: 1 ends; ignored; FRESH"),
    ("flag-missing", "OPEN; violation 12004: unexpected header flags: 0x0000"),
    ("flags-extra", "OPEN; 1: message of 9; ECHOES; FRESH"),
    ("half-close-socket", "opened 1 Vectors/Bidi; 1: message of 9; 1: finished"),
    ("header-no-isn", "opened 1 /Bidi; 1: message of 9; 1: finished"),
    ("header-no-method", "opened 1 Vectors/; 1: message of 9; FRESH"),
    ("header-payload", "opened 1 Vectors/Bidi; 1: message of 9; 1: finished"),
    ("header-split", "opened 1 Vectors/Bidi; 1: message of 9; 1: finished"),
    ("header-unknown-keys", "opened 1 Vectors/Bidi"),
    ("header-words-0", "OPEN; violation 12004: a TTHeader frame without a header area"),
    ("id-0", "opened 0 Vectors/Bidi; 0: message of 9; 0: finished"),
    ("id-negative", "opened -5 Vectors/Bidi; -5: message of 9; -5: finished"),
    ("idle", "opened 1 Vectors/Bidi; 1: message of 9; ECHOES; FRESH"),
    (
        "ids-descending",
        "opened 100 Vectors/Bidi; opened 50 Vectors/Bidi; 50: message of 9; 100: message of 9; 50: finished; 100: finished",
    ),
    ("late-close", "opened 1 Vectors/Bidi; violation 12004: unexpected frame type: 6"),
    (
        "length-all-ones",
        "OPEN; violation 12004: a message of 4294967265 bytes is above max_message_size of 16777216 bytes",
    ),
    (
        "length-huge",
        "OPEN; violation 12004: a message of 2147483617 bytes is above max_message_size of 16777216 bytes",
    ),
    ("length-negative", "OPEN; violation 12004: a frame whose LENGTH 10 ends inside its header area"),
    ("length-short", "OPEN; 1: message of 8; violation 12004: not a TTHeader frame: 0000 in place of 1000"),
    ("length-zero", "OPEN; violation 12004: a frame whose LENGTH 0 ends inside its header area"),
    ("magic", "OPEN; violation 12004: not a TTHeader frame: 1001 in place of 1000"),
    ("meta-id-0", "OPEN; ignored; ignored; ECHOES; FRESH"),
    ("meta-known-stream", "OPEN; ignored; ECHOES; FRESH"),
    (
        "middleware-panic",
        r#"opened 1 Vectors/Bidi; 1: ended, reset 12015 "stream timeout, timeout in ctx: 499.779012ms" path ["A"]; ignored"#,
    ),
    ("protocol-id-02", "OPEN; violation 12004: a TTHeader frame with the unknown protocol id 0x02"),
    ("protocol-id-03", "OPEN; 1: message of 9; ECHOES; FRESH"),
    ("reuse-finished-id", "OPEN; 1: finished; opened 1 Vectors/Bidi; 1: message of 13; ECHOES; FRESH"),
    ("rst-code-1", r#"OPEN; 1: ended, reset 1 "context canceled" path []; ignored; FRESH"#),
    ("rst-empty", r#"OPEN; 1: ended, reset 13 "rst" path []; ignored; FRESH"#),
    ("rst-garbage", r#"OPEN; 1: ended, reset 13 "rst" path []; ignored; FRESH"#),
    ("rst-other-method-seq", r#"OPEN; 1: ended, reset 12007 "t" path []; ignored; FRESH"#),
    ("rst-path", r#"OPEN; 1: ended, reset 12007 "t" path ["X", "Y"]; ignored; FRESH"#),
    ("rst-unknown-stream", "OPEN; ignored; ECHOES; FRESH"),
    ("section-02", "OPEN; violation 12004: a TTHeader frame with the unknown section 0x02"),
    ("section-acl", "OPEN; 1: message of 9; ECHOES; FRESH"),
    ("section-empty", "OPEN; 1: message of 9; ECHOES; FRESH"),
    ("section-truncated", "OPEN; violation 12004: a TTHeader frame whose header area ends inside an entry"),
    ("server-stream-no-request", "opened 1 Vectors/Repeat; 1: finished"),
    (
        "server-stream-two-requests",
        "opened 1 Vectors/Repeat; 1: message of 16; 1: message of 16; 1: finished",
    ),
    ("seven-bytes", "opened 1 Vectors/Bidi; 1: message of 9"),
    ("silent-connection", "opened 1 Vectors/Bidi; 1: message of 9"),
    ("trailer-biz", r#"OPEN; 1: failed, business 5 "m"; ignored; FRESH"#),
    ("trailer-exception", r#"OPEN; 1: failed, exception 77 "client says no"; ignored; FRESH"#),
    (
        "trailer-garbage",
        "OPEN; 1: failed, broken 12001: a Thrift message that ends inside its envelope; ignored; FRESH",
    ),
    (
        "trailer-reply",
        "OPEN; 1: failed, broken 12001: thrift message type want Exception, but got Reply; ignored; FRESH",
    ),
    ("trailer-twice", "OPEN; 1: finished; ignored; ignored; FRESH"),
    ("trailer-unknown-stream", "OPEN; ignored; ECHOES; FRESH"),
    ("transform", "OPEN; 1: message of 9; ECHOES; FRESH"),
    ("type-0", "OPEN; violation 12004: unexpected frame type: 0"),
    ("type-03", "OPEN; violation 12004: unexpected frame type: 03"),
    ("type-6", "OPEN; violation 12004: unexpected frame type: 6"),
    ("type-missing", "OPEN; violation 12004: unexpected frame type: "),
    ("type-unknown-id", "OPEN; violation 12004: unexpected frame type: 6"),
    ("unary-method-args", "opened 1 Vectors/Echo; 1: message of 13; 1: finished"),
    ("unary-method", "opened 1 Vectors/Echo; 1: message of 9; 1: finished"),
    ("unary-on-stream-conn", "OPEN; violation 12004: unexpected header flags: 0x0000"),
    ("unknown-int-key", "OPEN; 1: message of 9; ECHOES; FRESH"),
    ("unknown-str-key", "OPEN; 1: message of 9; ECHOES; FRESH"),
    ("value-65535", "ignored"),
    ("value-too-long", "OPEN; opened 2 Vectors/Bidi; 2: message of 12"),
];

/// What our client makes of each hand-made server.
const TO_CLIENT: &[(&str, &str)] = &[
    ("close-mid-header", "1: header; 1: message of 9"),
    ("close-mid-payload", "1: header; 1: message of 9"),
    ("close", "1: header; 1: message of 9"),
    (
        "connection-reuse",
        r#"1: ended, exception 6 "no", answer; 2: header; 2: message of 9; 2: ended, ok, answer; 3: ended, reset 1 "no" path [], answer; 4: header; 4: message of 9; 4: ended, ok, answer"#,
    ),
    ("data-before-header", "1: message of 9; 1: header; 1: ended, ok, answer"),
    ("data-empty", "1: header; 1: message of 0; 1: message of 9; 1: ended, ok, answer"),
    ("data-undecodable-continue", "1: header; 1: message of 1; 1: message of 9; 1: ended, ok, answer"),
    ("data-undecodable", "1: header; 1: message of 1; 1: message of 9; 1: ended, ok, answer"),
    ("duplicate-header-consumed", "1: header; violation 12002: stream[1] already set header"),
    ("duplicate-header-map", "1: header h=1; 1: message of 9; violation 12002: stream[1] already set header"),
    ("duplicate-header", "1: header; 1: message of 9; violation 12002: stream[1] already set header"),
    ("flag-missing", "1: header; violation 12004: unexpected header flags: 0x0000"),
    ("header-keys", "1: header biz-status=5 h=v; 1: ended, ok, answer"),
    ("header-repeat-call", "1: header h=1; 1: message of 9; 1: ended, ok t=1, answer"),
    ("length-negative", "1: header; violation 12004: a frame whose LENGTH 10 ends inside its header area"),
    ("meta-handler-error", "ignored; 1: header; 1: message of 9; 1: ended, ok, answer"),
    ("meta-handler", "ignored; 1: header; 1: message of 9; 1: ended, ok, answer"),
    ("meta", "ignored; 1: header; ignored; 1: message of 9; ignored; ignored; 1: ended, ok, answer"),
    ("no-header", "1: message of 9; 1: ended, ok, answer"),
    ("no-method-key", "1: header; 1: message of 9; 1: ended, ok, answer"),
    ("normal", "1: header; 1: message of 9; 1: ended, ok, answer"),
    ("only-trailer", "1: ended, ok, answer"),
    ("rst-before-header", r#"1: ended, reset 12007 "t" path [], answer"#),
    ("rst-empty", r#"1: header; 1: ended, reset 13 "rst" path [], answer"#),
    ("rst-then-trailer", r#"1: header; 1: ended, reset 1234 "gone" path [], answer; ignored"#),
    ("rst", r#"1: header; 1: message of 9; 1: ended, reset 1234 "gone" path ["P", "Q"], answer"#),
    ("section-unknown", "1: header; violation 12004: a TTHeader frame with the unknown section 0x02"),
    ("sum-error-after", r#"1: header; 1: message of 9; 1: ended, exception 6 "boom""#),
    ("sum-two-responses", "1: header; 1: message of 9; 1: message of 9; 1: ended, ok"),
    ("tcp-reset", "1: header; 1: message of 9"),
    (
        "trailer-biz-after-data",
        r#"1: header; 1: message of 9; 1: message of 9; 1: ended, business 7 "m" biz-message=m biz-status=7, answer"#,
    ),
    (
        "trailer-biz-bad-extra",
        "1: header; 1: ended, broken 12003: malformed header info, extra: { biz-extra={ biz-status=7, answer",
    ),
    ("trailer-biz-text", "1: header; 1: message of 9; 1: ended, ok biz-status=abc, answer"),
    ("trailer-biz-zero", "1: header; 1: message of 9; 1: ended, ok biz-message=m biz-status=0, answer"),
    ("trailer-empty-map", "1: header; 1: message of 9; 1: ended, ok, answer"),
    (
        "trailer-exception-and-biz",
        r#"1: header; 1: ended, exception 6 "x" biz-message=m biz-status=7, answer"#,
    ),
    ("trailer-exception-no-header", r#"1: ended, exception 1 "unknown method", answer"#),
    ("trailer-exception", r#"1: header; 1: ended, exception 20 "unknown service X" t=v, answer"#),
    (
        "trailer-garbage",
        "1: header; 1: ended, broken 12004: a Thrift message that ends inside its envelope, answer",
    ),
    ("trailer-map-no-header", "1: ended, ok t=1, answer"),
    (
        "trailer-reply",
        "1: header; 1: ended, broken 12004: thrift message type want Exception, but got Reply, answer",
    ),
    ("trailer-then-data", "1: header; 1: ended, ok, answer; ignored"),
    ("trailer-twice", "1: header; 1: ended, ok, answer; ignored"),
    ("unknown-id", "1: header; ignored; ignored; 1: message of 9; 1: ended, ok, answer"),
    ("unknown-int-key", "1: header; 1: message of 9; 1: ended, ok, answer"),
    ("unknown-type", "1: header; 1: message of 9; violation 12004: unexpected frame type: 6"),
];

#[test]
fn hand_made_clients_against_our_server() {
    let script = |line: &str| {
        let line = line.replace("OPEN", "opened 1 Vectors/Bidi; 1: message of 11");
        let line = line.replace("ECHOES", "1: message of 13");
        line.replace("FRESH", "opened 77 Vectors/Bidi; 77: message of 13")
    };
    check("probe-server-", TO_SERVER, script, to_server);
}

#[test]
fn hand_made_servers_against_our_client() {
    check("probe-client-", TO_CLIENT, str::to_owned, to_client);
}

/// Every probe whose hand-made side sent a whole frame is in the table, and the other way round.
fn check(
    prefix: &str,
    table: &[(&str, &str)],
    script: impl Fn(&str) -> String,
    play: fn(&Dialogue) -> Vec<String>,
) {
    let mut expected = table.iter();
    for probe in dialogues("probes", prefix) {
        let seen = play(&probe);
        if seen.is_empty() {
            continue;
        }
        let &(name, lines) = expected.next().unwrap_or_else(|| panic!("{} is not in the table", probe.name));
        assert_eq!(probe.name, format!("{prefix}{name}"));
        assert_eq!(seen.join("; "), script(lines), "{name}");
    }
    assert_eq!(expected.next(), None);
}

/// Plays the hand-made client of a probe to a server whose handlers echo, and return once the client has finished.
fn to_server(probe: &Dialogue) -> Vec<String> {
    let bytes: Vec<u8> = probe
        .frames
        .iter()
        .filter(|frame| frame.is_from("client"))
        .flat_map(|frame| frame.bytes.clone())
        .collect();
    let (frames, violation) = cut_all(&bytes);
    let mut server = Connection::server();
    let mut seen = Vec::new();
    for frame in frames {
        let id = frame.id;
        let event = server.receive(frame);
        let (opened, over) = (
            matches!(event, Ok(Event::Opened(_))),
            matches!(event, Ok(Event::Finished { .. } | Event::Failed { .. })),
        );
        seen.push(describe(event));
        if opened {
            server.accept(id, id);
        }
        if over {
            server.end(id);
        }
    }
    seen.extend(violation.map(|violation| format!("violation {}: {violation}", violation.kitex_code())));
    seen
}

/// Plays the hand-made server of a probe to a client that opens and finishes streams as Kitex's did.
fn to_client(probe: &Dialogue) -> Vec<String> {
    let mut client = Connection::client();
    let mut seen = Vec::new();
    let mut server = BytesMut::new();
    for frame in &probe.frames {
        let id = frame.fields["seq"].as_i64().map_or(0, |id| i32::try_from(id).unwrap());
        if frame.is_from("client") {
            match frame.fields["type"].as_str() {
                Some("header") => assert_eq!(client.open(|id| id).0, id),
                Some("trailer") => drop(client.finish(id)),
                Some("rst") => drop(client.reset(id)),
                _ => {}
            }
            continue;
        }
        server.extend_from_slice(&frame.bytes);
        loop {
            match cut(&mut server, &BOUNDS) {
                Ok(Cut::Whole(frame)) => seen.push(describe(client.receive(frame))),
                Ok(Cut::Need(_)) => break,
                Err(violation) => {
                    seen.push(describe(Err(violation)));
                    return seen;
                }
            }
            if seen.last().is_some_and(|line| line.starts_with("violation")) {
                return seen;
            }
        }
    }
    seen
}
