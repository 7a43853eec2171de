//! Every rule of the life of a stream, as dialogues of a peer and us.
//!
//! A line is what the peer sends or what we do, and what the machine makes of it. Frames are written
//! `kind id`, then `key=value` for string keys, `flow:text` for what a streamx peer says, and one word for a payload:
//! `exception` (type 6, text `boom`), `reply`, `garbage`, `bytes`.

use bytes::BytesMut;

use super::super::header::{self, STREAMING};
use super::*;
use crate::wire::envelope::{EnvelopeKind, Form, put_envelope};
use crate::wire::exception::put_exception_body;
use crate::wire::private;

fn payload(word: &str) -> BytesMut {
    let mut payload = BytesMut::new();
    match word {
        "exception" => {
            put_envelope(&mut payload, Form::Strict, EnvelopeKind::Exception, "Other", 99);
            put_exception_body(&mut payload, "boom", 6);
        }
        "reply" => {
            put_envelope(&mut payload, Form::Strict, EnvelopeKind::Reply, "Echo", 1);
            put_exception_body(&mut payload, "boom", 6);
        }
        "garbage" => payload.extend_from_slice(b"\x80\x01"),
        "bytes" => payload.extend_from_slice(b"12345"),
        other => panic!("payload {other}"),
    }
    payload
}

fn peer_frame(line: &str) -> Frame {
    let mut words = line.split(' ');
    let digit = match words.next().unwrap() {
        "meta" => "1",
        "header" => "2",
        "data" => "3",
        "trailer" => "4",
        "rst" => "5",
        other => panic!("frame {other}"),
    };
    let id: i32 = words.next().unwrap().parse().unwrap();
    let (flows, words): (Vec<_>, Vec<_>) = words.partition(|word| word.starts_with("flow:"));
    let flows = flows.iter().map(|flow| (private::FLOW, &flow[5..]));
    let (strings, payloads): (Vec<_>, Vec<_>) = words.into_iter().partition(|word| word.contains('='));
    let strings =
        header::filled(&strings).map(|pairs| pairs.iter().map(|pair| pair.split_once('=').unwrap()));
    let mut out = BytesMut::new();
    let ints = [(27, digit), (9, "Echo")].into_iter().chain(flows);
    let mark = header::begin(&mut out, (STREAMING, id, 0x10), strings, ints);
    for word in payloads {
        out.extend_from_slice(&payload(word));
    }
    header::end(&mut out, mark);
    frame(&out)
}

fn we(connection: &mut Connection<i32>, line: &str) -> String {
    let (verb, id) = line.split_once(' ').unwrap_or((line, "0"));
    let id = id.parse().unwrap();
    match verb {
        "open" => format!("id {}", connection.open(|id| id).0),
        "accept" => {
            connection.accept(id, id);
            "lives".to_owned()
        }
        "send" => match connection.send(id) {
            Ok(permit) if permit.header_first => "header, data".to_owned(),
            Ok(_) => "data".to_owned(),
            Err(_) => "over".to_owned(),
        },
        "finish" => if connection.finish(id) { "trailer" } else { "nothing" }.to_owned(),
        "reset" => match connection.reset(id) {
            Some((_, true)) => "rst, trailer".to_owned(),
            Some((_, false)) => "rst".to_owned(),
            None => "nothing".to_owned(),
        },
        "end" => match connection.end(id) {
            Some((_, true)) => "header, trailer".to_owned(),
            Some((_, false)) => "trailer".to_owned(),
            None => "nothing".to_owned(),
        },
        "count" => connection.len().to_string(),
        other => panic!("verb {other}"),
    }
}

fn play(mut connection: Connection<i32>, script: &[(&str, &str)]) {
    for (place, (line, expected)) in script.iter().enumerate() {
        let seen = match line.split_once(": ").unwrap() {
            ("peer", line) => describe(connection.receive(peer_frame(line))),
            ("we", line) => we(&mut connection, line),
            (who, _) => panic!("speaker {who}"),
        };
        assert_eq!(&seen, expected, "line {place}: {line}, in {script:#?}");
    }
}

#[test]
fn flow_control_is_heard_in_meta_frames_of_live_streams() {
    let client = [
        ("we: open", "id 1"),
        ("peer: meta 1 flow:1;w=100", "1: Window(100)"),
        ("peer: header 1", "1: header"),
        ("we: finish 1", "trailer"),
        ("peer: meta 1 flow:c=7", "1: Credit(7)"),
        ("peer: meta 1 flow:2;x=7", "ignored"),
        ("peer: data 1 flow:c=7 bytes", "1: message of 5"),
        ("peer: meta 2 flow:c=7", "ignored"),
        ("peer: trailer 1", "1: ended, ok"),
        ("peer: meta 1 flow:c=7", "ignored"),
    ];
    play(Connection::client(), &client);
    let server = [
        ("peer: header 1 flow:1;w=100", "opened 1 /Echo"),
        ("we: accept 1", "lives"),
        ("peer: meta 1 flow:c=7", "1: Credit(7)"),
        ("peer: trailer 1", "1: finished"),
        ("peer: meta 1 flow:c=8", "1: Credit(8)"),
        ("we: end 1", "header, trailer"),
        ("peer: meta 1 flow:c=8", "ignored"),
    ];
    play(Connection::server(), &server);
}

#[test]
fn client_normal_ends() {
    let bidi = [
        ("we: open", "id 1"),
        ("we: send 1", "data"),
        ("peer: header 1 h=1", "1: header h=1"),
        ("peer: data 1 bytes", "1: message of 5"),
        ("we: send 1", "data"),
        ("we: finish 1", "trailer"),
        ("we: finish 1", "nothing"),
        ("we: send 1", "over"),
        ("peer: data 1", "1: message of 0"),
        ("peer: trailer 1 t=1", "1: ended, ok t=1"),
        ("we: count", "0"),
    ];
    play(Connection::client(), &bidi);
    let early = [
        ("we: open", "id 1"),
        ("peer: header 1", "1: header"),
        ("peer: trailer 1", "1: ended, ok, answer"),
        ("we: send 1", "over"),
        ("we: finish 1", "nothing"),
        ("we: reset 1", "nothing"),
    ];
    play(Connection::client(), &early);
}

#[test]
fn client_header_rules() {
    play(
        client(),
        &[
            ("peer: data 1 bytes", "1: message of 5"),
            ("peer: header 1 bytes h=1", "1: header h=1"),
            ("peer: header 1", "violation 12002: stream[1] already set header"),
        ],
    );
    play(client(), &[("peer: data 1 bytes", "1: message of 5"), ("peer: trailer 1", "1: ended, ok, answer")]);
    play(client(), &[("peer: trailer 1", "1: ended, ok, answer")]);
}

#[test]
fn client_trailers_that_are_errors() {
    for (trailer, ended) in [
        ("peer: trailer 1 exception", "1: ended, exception 6 \"boom\", answer"),
        ("peer: trailer 1 exception biz-status=7", "1: ended, exception 6 \"boom\" biz-status=7, answer"),
        (
            "peer: trailer 1 garbage",
            "1: ended, broken 12004: a Thrift message that ends inside its envelope, answer",
        ),
        (
            "peer: trailer 1 reply",
            "1: ended, broken 12004: thrift message type want Exception, but got Reply, answer",
        ),
        ("peer: trailer 1 biz-status=7", "1: ended, business 7 \"\" biz-status=7, answer"),
        ("peer: trailer 1 biz-status=-7", "1: ended, business -7 \"\" biz-status=-7, answer"),
        ("peer: trailer 1 biz-status=0", "1: ended, ok biz-status=0, answer"),
        ("peer: trailer 1 biz-status=abc", "1: ended, ok biz-status=abc, answer"),
        ("peer: trailer 1 biz-status=2147483648", "1: ended, ok biz-status=2147483648, answer"),
        (
            "peer: trailer 1 biz-status=7 biz-message=m biz-extra={\"k\":\"v\"}",
            "1: ended, business 7 \"m\" k=v biz-extra={\"k\":\"v\"} biz-message=m biz-status=7, answer",
        ),
        (
            "peer: trailer 1 biz-status=7 biz-extra={",
            "1: ended, broken 12003: malformed header info, extra: { biz-extra={ biz-status=7, answer",
        ),
    ] {
        play(client(), &[(trailer, ended), ("we: count", "0")]);
    }
}

#[test]
fn client_resets_by_the_peer() {
    play(
        client(),
        &[
            ("peer: rst 1 exception ttscp=P,Q", "1: ended, reset 6 \"boom\" path [\"P\", \"Q\"], answer"),
            ("peer: trailer 1", "ignored"),
        ],
    );
    play(
        client(),
        &[
            ("we: finish 1", "trailer"),
            ("peer: rst 1", "1: ended, reset 13 \"rst\" path []"),
            ("peer: rst 1", "ignored"),
        ],
    );
    play(client(), &[("peer: rst 1 garbage ttscp=", "1: ended, reset 13 \"rst\" path [], answer")]);
    play(
        client(),
        &[("peer: rst 1 reply ttscp=A,", "1: ended, reset 13 \"rst\" path [\"A\", \"\"], answer")],
    );
}

#[test]
fn client_gives_up() {
    play(
        client(),
        &[
            ("we: reset 1", "rst, trailer"),
            ("peer: header 1", "ignored"),
            ("peer: data 1 bytes", "ignored"),
            ("peer: trailer 1 exception", "ignored"),
            ("we: send 1", "over"),
            ("we: reset 1", "nothing"),
            ("we: count", "0"),
        ],
    );
    play(client(), &[("we: finish 1", "trailer"), ("we: reset 1", "rst")]);
}

#[test]
fn client_ignores_meta_frames_and_strangers() {
    play(
        client(),
        &[
            ("peer: meta 1 rip=1.2.3.4", "ignored"),
            ("peer: meta 0 bytes", "ignored"),
            ("peer: header 99", "ignored"),
            ("peer: data 99", "ignored"),
            ("peer: trailer 99", "ignored"),
            ("peer: rst 99", "ignored"),
            ("peer: header 1", "1: header"),
            ("we: count", "1"),
        ],
    );
}

#[test]
fn client_ids_wrap_and_leave_out_zero_and_live_ones() {
    play(
        Connection::client_after(i32::MAX - 1),
        &[
            ("we: open", "id 2147483647"),
            ("we: open", "id -2147483648"),
            ("peer: trailer -2147483648", "-2147483648: ended, ok, answer"),
        ],
    );
    let mut client = Connection::client_after(0);
    client.accept(1, 1);
    play(client, &[("we: open", "id 2")]);
    play(Connection::client_after(-2), &[("we: open", "id -1"), ("we: open", "id 1")]);
}

#[test]
fn server_normal_ends() {
    play(
        Connection::server(),
        &[
            ("peer: header 1 isn=TestService", "opened 1 TestService/Echo"),
            ("we: accept 1", "lives"),
            ("peer: data 1 bytes", "1: message of 5"),
            ("we: send 1", "header, data"),
            ("we: send 1", "data"),
            ("peer: trailer 1", "1: finished"),
            ("we: send 1", "data"),
            ("we: end 1", "trailer"),
            ("we: end 1", "nothing"),
            ("peer: trailer 1", "ignored"),
            ("we: count", "0"),
        ],
    );
    play(
        Connection::server(),
        &[
            ("peer: header 1 bytes", "opened 1 /Echo"),
            ("we: accept 1", "lives"),
            ("we: end 1", "header, trailer"),
            ("peer: data 1 bytes", "ignored"),
            ("peer: trailer 1", "ignored"),
        ],
    );
}

#[test]
fn server_a_refused_stream_leaves_nothing() {
    play(
        Connection::server(),
        &[
            ("peer: header 1", "opened 1 /Echo"),
            ("peer: data 1", "ignored"),
            ("peer: trailer 1", "ignored"),
            ("we: count", "0"),
        ],
    );
}

#[test]
fn server_after_the_clients_trailer() {
    play(
        server(),
        &[
            ("peer: trailer 1", "1: finished"),
            ("peer: trailer 1", "ignored"),
            ("peer: trailer 1 exception", "ignored"),
            ("peer: data 1 bytes", "ignored"),
            ("we: send 1", "header, data"),
            ("peer: rst 1 exception ttscp=A", "1: ended, reset 6 \"boom\" path [\"A\"]"),
            ("we: end 1", "nothing"),
        ],
    );
}

#[test]
fn server_trailers_that_are_errors() {
    for (trailer, failed) in [
        ("peer: trailer 1 exception", "1: failed, exception 6 \"boom\""),
        ("peer: trailer 1 exception biz-status=5", "1: failed, exception 6 \"boom\""),
        (
            "peer: trailer 1 garbage",
            "1: failed, broken 12001: a Thrift message that ends inside its envelope",
        ),
        (
            "peer: trailer 1 reply",
            "1: failed, broken 12001: thrift message type want Exception, but got Reply",
        ),
        ("peer: trailer 1 biz-status=5 biz-message=m", "1: failed, business 5 \"m\""),
        (
            "peer: trailer 1 biz-status=5 biz-extra=x",
            "1: failed, broken 12003: malformed header info, extra: x",
        ),
    ] {
        play(
            server(),
            &[
                (trailer, failed),
                ("peer: data 1 bytes", "ignored"),
                ("we: send 1", "header, data"),
                ("we: end 1", "trailer"),
            ],
        );
    }
}

#[test]
fn server_resets() {
    play(
        server(),
        &[
            ("peer: rst 1 exception", "1: ended, reset 6 \"boom\" path []"),
            ("peer: trailer 1", "ignored"),
            ("peer: data 1", "ignored"),
            ("we: send 1", "over"),
            ("we: end 1", "nothing"),
            ("peer: header 1", "opened 1 /Echo"),
        ],
    );
    play(server(), &[("peer: rst 1", "1: ended, reset 13 \"rst\" path []")]);
}

#[test]
fn server_a_second_header_ends_that_stream_only() {
    play(
        server(),
        &[
            ("peer: header 2", "opened 2 /Echo"),
            ("we: accept 2", "lives"),
            ("peer: header 1", "duplicate 1: 1 ends"),
            ("peer: data 1 bytes", "ignored"),
            ("we: end 1", "nothing"),
            ("peer: data 2 bytes", "2: message of 5"),
            ("peer: trailer 2", "2: finished"),
            ("peer: header 2", "duplicate 2: 2 ends"),
            ("we: count", "0"),
        ],
    );
}

#[test]
fn server_any_id_in_any_order() {
    for id in ["0", "-5", "-2147483648", "2147483647", "100", "50"] {
        play(
            server(),
            &[
                (&format!("peer: header {id}"), &format!("opened {id} /Echo")),
                (&format!("we: accept {id}"), "lives"),
                (&format!("peer: data {id} bytes"), &format!("{id}: message of 5")),
                (&format!("we: end {id}"), "header, trailer"),
                (&format!("peer: header {id}"), &format!("opened {id} /Echo")),
            ],
        );
    }
}

#[test]
fn server_ignores_meta_frames_and_strangers() {
    play(
        server(),
        &[
            ("peer: meta 1", "ignored"),
            ("peer: meta 0", "ignored"),
            ("peer: data 9", "ignored"),
            ("peer: trailer 9 garbage", "ignored"),
            ("peer: rst 9", "ignored"),
            ("we: count", "1"),
        ],
    );
}

#[test]
fn a_lost_connection_gives_back_every_stream() {
    let mut client = client();
    client.open(|id| id);
    let mut slots: Vec<_> = client.drain().collect();
    slots.sort_unstable();
    assert_eq!(slots, [1, 2]);
    assert_eq!(client.len(), 0);
}
