//! Unary messages against the bytes of Kitex, and against everything else.

mod bounds;

use bytes::BytesMut;
use proptest::prelude::*;

use serde_json::Value;

use super::*;
use crate::wire::vectors::{self, BOUNDS, Recorded, dialogues, hex};
use crate::wire::{Bounds, Cut, Violation};

const FRAMED: Framing = Framing::Framed(Form::Strict);
const BUFFERED: Framing = Framing::Buffered(Form::Strict);

/// Every whole message of the input, and the violation it ends with if it does.
fn cut_all(input: &[u8]) -> (Vec<Unary>, Option<Violation>) {
    let (mut cutter, mut input) = (Cutter::default(), BytesMut::from(input));
    let mut messages = Vec::new();
    loop {
        match cutter.cut(&mut input, &BOUNDS) {
            Ok(Cut::Whole(message)) => messages.push(message),
            Ok(Cut::Need(bytes)) => {
                assert!(bytes > input.len(), "no progress: {bytes} bytes wanted of {}", input.len());
                return (messages, None);
            }
            Err(violation) => return (messages, Some(violation)),
        }
    }
}

fn message(input: &[u8]) -> Unary {
    let (mut messages, violation) = cut_all(input);
    assert!(violation.is_none() && messages.len() == 1, "{violation:?} after {messages:?}");
    messages.remove(0)
}

fn violation(input: &[u8]) -> String {
    let (messages, violation) = cut_all(input);
    assert!(messages.is_empty(), "{messages:?}");
    violation.unwrap().to_string()
}

/// The messages that the recorder could read.
fn recorded() -> Vec<(String, Recorded)> {
    let folders = [("unary", ""), ("probes", "probe-unary-")];
    let dialogues = folders.into_iter().flat_map(|(folder, prefix)| dialogues(folder, prefix));
    let messages = dialogues.flat_map(|dialogue| {
        let name = dialogue.name;
        dialogue.frames.into_iter().map(move |message| (name.clone(), message))
    });
    let odd = [
        "probe-unary-server-type-9",
        "probe-unary-server-method-empty",
        "probe-unary-server-framed-huge",
        // The recorder believed the outer length.
        "probe-unary-server-ttheader-length-differs",
    ];
    messages
        .filter(|(name, message)| message.fields["framed"].is_boolean() && !odd.contains(&name.as_str()))
        .collect()
}

fn kind(name: &str) -> EnvelopeKind {
    match name {
        "CALL" => EnvelopeKind::Call,
        "REPLY" => EnvelopeKind::Reply,
        "EXCEPTION" => EnvelopeKind::Exception,
        "ONEWAY" => EnvelopeKind::Oneway,
        other => panic!("message type {other}"),
    }
}

#[test]
fn recorded_messages_read_as_recorded() {
    let recorded = recorded();
    assert!(recorded.len() > 100, "{} messages", recorded.len());
    for (name, Recorded { bytes, fields }) in recorded {
        let seen = message(&bytes);
        let expected = &fields["message"];
        assert_eq!(seen.kind, kind(expected["type"].as_str().unwrap()), "{name}");
        assert_eq!(seen.method.as_str(), expected["method"].as_str().unwrap(), "{name}");
        assert_eq!(i64::from(seen.sequence), expected["seq"].as_i64().unwrap(), "{name}");
        assert_eq!(seen.body, hex(expected["body"].as_str().unwrap()), "{name}");
        let framing = match (fields.get("flags"), &fields["framed"]) {
            (Some(_), Value::Bool(true)) => Framing::TTHeaderFramed,
            (Some(_), _) => Framing::TTHeader,
            (None, Value::Bool(true)) => FRAMED,
            (None, _) => BUFFERED,
        };
        assert_eq!(seen.framing, framing, "{name}");
        let Some(header) = seen.header else { continue };
        assert_eq!(u64::from(header.flags), fields["flags"].as_u64().unwrap(), "{name}");
        assert_eq!(i64::from(header.sequence), fields["seq"].as_i64().unwrap(), "{name}");
        assert_eq!(u64::from(header.protocol), fields["protocol_id"].as_u64().unwrap(), "{name}");
        assert_eq!(header.ints, vectors::ints(&fields["int"]), "{name}");
        assert_eq!(header.strings, vectors::strings(&fields["str"]), "{name}");
        assert_eq!(header.acl.as_deref(), fields["acl"].as_str(), "{name}");
        assert_eq!(header.int(22), fields["int"]["22"].as_str(), "{name}");
        assert_eq!(header.string("isn"), fields["str"]["isn"].as_str(), "{name}");
    }
}

fn write(out: &mut BytesMut, unary: &Unary) {
    let header = unary.header.as_deref();
    let strings = header.and_then(|header| header.strings.as_deref()).unwrap_or_default();
    let strings: Vec<_> = strings.iter().map(|(key, value)| (&**key, &**value)).collect();
    let ints: Vec<_> =
        header.iter().flat_map(|header| &header.ints).map(|(key, value)| (*key, &**value)).collect();
    let flags = header.map_or(0, |header| header.flags);
    let method = unary.method.as_str();
    let mark = begin(out, unary.framing, flags, &strings, &ints, unary.kind, method, unary.sequence);
    out.extend_from_slice(&unary.body);
    end(out, mark);
}

#[test]
fn what_we_write_reads_as_what_kitex_wrote() {
    for (name, Recorded { bytes, .. }) in recorded() {
        let kitex = message(&bytes);
        let mut out = BytesMut::from(&b"before"[..]);
        write(&mut out, &kitex);
        let ours = message(&out[b"before".len()..]);
        assert_eq!((ours.framing, ours.kind), (kitex.framing, kitex.kind), "{name}");
        assert_eq!(
            (&ours.method, ours.sequence, &ours.body),
            (&kitex.method, kitex.sequence, &kitex.body),
            "{name}"
        );
        if let (Some(ours), Some(kitex)) = (ours.header, kitex.header) {
            assert_eq!(ours.flags, kitex.flags, "{name}");
            assert_eq!((ours.ints, ours.strings), (kitex.ints, kitex.strings), "{name}");
        }
    }
}

/// Spec "Unary" 1.16.
#[test]
fn the_worked_examples_byte_for_byte() {
    let body = hex("0c 0001 0b 0001 00000002 6869 00 00");
    let framed = hex("0000001e 80010001 00000004 4563686f 00000001 0c 0001 0b 0001 00000002 6869 00 00");
    let mut out = BytesMut::new();
    let mark = begin(&mut out, FRAMED, 0, &[], &[], EnvelopeKind::Call, "Echo", 1);
    out.extend_from_slice(&body);
    end(&mut out, mark);
    assert_eq!(out[..], framed[..]);

    let header = "00000084 1000 0000 00000001 0016 00 00 \
        01 0002 0003 69736e 000b 4563686f53657276696365 000d 5250435f5452414e5349545f6b 0001 76 \
        10 0006 0001 0006 6672616d6564 0003 0003 636c69 0006 0003 737663 0009 0004 4563686f 0014 0000 0016 0001 31 \
        000000";
    let strings = [("isn", "EchoService"), ("RPC_TRANSIT_k", "v")];
    let ints = [(1, "framed"), (3, "cli"), (6, "svc"), (9, "Echo"), (20, ""), (22, "1")];
    out.clear();
    let mark = begin(&mut out, Framing::TTHeaderFramed, 0, &strings, &ints, EnvelopeKind::Call, "Echo", 1);
    out.extend_from_slice(&body);
    end(&mut out, mark);
    assert_eq!(out[..], [hex(header), framed].concat()[..]);

    let failed = "0000002e 80010003 00000004 4563686f 00000001 \
        0b 0001 0000000f 62697a206572726f723a20626f6f6d 08 0002 00000006 00";
    out.clear();
    let mark = begin(&mut out, FRAMED, 0, &[], &[], EnvelopeKind::Exception, "Echo", 1);
    put_exception_body(&mut out, "biz error: boom", 6);
    end(&mut out, mark);
    assert_eq!(out[..], hex(failed)[..]);
    assert_eq!(read_exception_body(&message(&out).body).unwrap(), ("biz error: boom".to_owned(), 6));
}

/// What a message without an inner length looks like behind a TTHeader, spec "Unary" 1.16, and what Thrift wrote before
/// it had versions.
#[test]
fn every_framing_byte_for_byte() {
    let body = "0c 0001 0b 0001 00000002 6869 00 00";
    let strict = "80010001 00000004 4563686f 00000001";
    let old = "00000004 4563686f 01 00000001";
    for (framing, before) in [
        (FRAMED, format!("0000001e {strict}")),
        (BUFFERED, strict.to_owned()),
        (Framing::Framed(Form::Old), format!("0000001b {old}")),
        (Framing::Buffered(Form::Old), old.to_owned()),
        (Framing::TTHeader, format!("0000002c 1000 0000 00000001 0001 00000000 {strict}")),
        (Framing::TTHeaderFramed, format!("00000030 1000 0000 00000001 0001 00000000 0000001e {strict}")),
    ] {
        let mut out = BytesMut::from(&b"before"[..]);
        let mark = begin(&mut out, framing, 0, &[], &[], EnvelopeKind::Call, "Echo", 1);
        out.extend_from_slice(&hex(body));
        end(&mut out, mark);
        let written = out.split_off(b"before".len());
        assert_eq!(written, hex(&format!("{before} {body}")), "{framing:?}");
        let read = message(&written);
        assert_eq!((read.framing, read.kind, read.sequence), (framing, EnvelopeKind::Call, 1));
        assert_eq!((read.method.as_str(), &read.body[..]), ("Echo", &hex(body)[..]));
    }
}

const MESH: &str = r"MeshHeader is not served: the bytes are \xff\xaf\x00\x08\x00\x01\x00\x01";

/// The odd messages that were tried on Kitex, tried on us: the verdict is that of Kitex, but for the framings that
/// are not served.
#[test]
fn hand_made_clients_against_our_framing() {
    let table = [
        ("args-empty", 1, None),
        ("body-garbage", 1, None),
        ("call-oneway-method", 2, None),
        ("fin-after-call", 1, None),
        ("framed-huge", 0, Some("a message of 2147483647 bytes is above max_message_size of 16777216 bytes")),
        ("framing-mix", 4, None),
        ("garbage", 0, Some("neither TTHeader nor Thrift binary: the bytes are GET / HT")),
        ("idle", 2, None),
        (
            "kitex-protobuf",
            0,
            Some(r"Kitex-Protobuf is not served: the bytes are \x00\x00\x00\x1e\x90\x01\x00\x01"),
        ),
        ("meshheader", 0, Some(MESH)),
        ("method-empty", 0, Some("a Thrift call without a method name")),
        ("pipelined", 3, None),
        ("stream-flag-second", 1, Some("a TTHeader Streaming frame on a connection of unary calls")),
        ("ttheader-bad-section", 0, Some("a TTHeader frame with the unknown section 0x02")),
        ("ttheader-length-differs", 2, None),
        ("ttheader-mux-flag", 1, None),
        ("ttheader-no-isn", 1, None),
        ("ttheader-seq-differs", 1, None),
        ("ttheader-wrong-isn", 1, None),
        ("type-9", 0, Some("a Thrift message of the unknown type 9")),
        ("type-oneway", 1, None),
        ("type-reply", 1, None),
    ];
    let mut expected = table.into_iter();
    for probe in dialogues("probes", "probe-unary-server-") {
        let from_client = probe.frames.iter().filter(|message| message.is_from("client"));
        let bytes: Vec<u8> = from_client.flat_map(|message| message.bytes.clone()).collect();
        if bytes.is_empty() {
            continue;
        }
        let (messages, violation) = cut_all(&bytes);
        let (name, count, text) = expected.next().unwrap();
        assert_eq!(probe.name, format!("probe-unary-server-{name}"));
        assert_eq!(messages.len(), count, "{name}");
        assert_eq!(violation.map(|violation| violation.to_string()).as_deref(), text, "{name}");
    }
    assert_eq!(expected.next(), None);
}

#[test]
fn messages_do_not_depend_on_the_split() {
    let mut bytes = Vec::new();
    for (_, Recorded { bytes: message, .. }) in recorded().into_iter().step_by(7) {
        bytes.extend_from_slice(&message);
    }
    let whole = format!("{:?}", cut_all(&bytes).0);
    for split in 0..bytes.len() {
        let (mut cutter, mut input) = (Cutter::default(), BytesMut::from(&bytes[..split]));
        let mut messages = Vec::new();
        let mut rest = Some(&bytes[split..]);
        loop {
            match cutter.cut(&mut input, &BOUNDS).unwrap() {
                Cut::Whole(message) => messages.push(message),
                Cut::Need(_) => match rest.take() {
                    Some(rest) => input.extend_from_slice(rest),
                    None => break,
                },
            }
        }
        assert_eq!(format!("{messages:?}"), whole, "split at {split}");
    }
}

/// Cuts the input, reads every body as an exception, and takes every message for a reply.
fn digest(input: &[u8]) {
    for message in cut_all(input).0 {
        drop(read_exception_body(&message.body));
        let mut calls = Calls::new();
        calls.begin("Echo", |_| ());
        drop(calls.receive(&message));
    }
}

#[test]
fn every_prefix_and_every_changed_byte_of_every_vector() {
    let folders = [("unary", ""), ("probes", "probe-unary-")];
    let dialogues = folders.into_iter().flat_map(|(folder, prefix)| dialogues(folder, prefix));
    let messages: std::collections::BTreeSet<_> =
        dialogues.flat_map(|dialogue| dialogue.frames).map(|message| message.bytes).collect();
    assert!(messages.len() > 100, "{} messages", messages.len());
    for message in messages {
        for end in 0..message.len() {
            digest(&message[..end]);
        }
        let mut changed = message.clone();
        for place in 0..message.len() {
            for flip in
                [0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xff, message[place], !message[place]]
            {
                changed[place] = message[place] ^ flip;
                let memory = allocation_counter::measure(|| digest(&changed));
                let peak = usize::try_from(memory.bytes_max).unwrap();
                assert!(
                    peak <= 8 * changed.len() + 4096,
                    "{peak} bytes for {}: {changed:02x?}",
                    changed.len()
                );
            }
            changed[place] = message[place];
        }
    }
}

proptest! {
    #[test]
    fn bytes_at_random_are_an_error_or_a_value(length: u8, bytes: Vec<u8>) {
        digest(&bytes);
        digest(&[&[0, 0, 0, length, 0x80, 0x01, 0, 2][..], &bytes].concat());
        digest(&[b"\x80\x01\0\x02\0\0\0\x04Echo\0\0\0\x01", &bytes[..]].concat());
        digest(&[b"\0\0\0\x04Echo\x02\0\0\0\x01", &bytes[..]].concat());
    }
}
