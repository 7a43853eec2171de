//! Every recorded frame reads as what the recorder saw, and what we write reads the same.

use bytes::BytesMut;
use serde_json::Value;

use super::super::frame::{
    Cutter, DataHead, FIRST_PRIVATE_KEY, FrameKind, end, put_header, put_rst, put_trailer,
};
use super::super::header::ACL_KEY;
use super::*;
use crate::wire::vectors::{self, Recorded, dialogues, hex, text};

fn kind(name: &Value) -> FrameKind {
    match name.as_str().unwrap() {
        "meta" => FrameKind::Meta,
        "header" => FrameKind::Header,
        "data" => FrameKind::Data,
        "trailer" => FrameKind::Trailer,
        "rst" => FrameKind::Rst,
        other => panic!("frame type {other}"),
    }
}

/// The frames that the recorder could read, of the golden dialogues and of the probes.
fn recorded() -> Vec<(String, Recorded)> {
    let folders = [("ttheader-streaming", "tt-"), ("probes", "probe-server-"), ("probes", "probe-client-")];
    let dialogues = folders.into_iter().flat_map(|(folder, prefix)| dialogues(folder, prefix));
    let frames = dialogues.flat_map(|dialogue| {
        let frames = dialogue.frames.into_iter().enumerate();
        frames.map(move |(place, frame)| (format!("{} frame {place}", dialogue.name), frame))
    });
    frames
        .filter(|(_, frame)| frame.is_readable() && frame.fields["type"].is_string() && is_whole(frame))
        .collect()
}

/// Some probes announce more bytes than they send, and one has a protocol id that the recorder lets pass.
fn is_whole(frame: &Recorded) -> bool {
    if frame.fields["protocol_id"] == 2 {
        return false;
    }
    let length = frame.bytes.first_chunk().map(|length| u32::from_be_bytes(*length));
    length.is_some_and(|length| u64::from(length) + 4 == frame.bytes.len() as u64)
}

#[test]
fn a_frame_reads_the_same_whatever_came_before() {
    let mut cutter = Cutter::default();
    for (place, Recorded { bytes, .. }) in recorded() {
        for _ in 0..2 {
            let Ok(Cut::Whole(read)) = cutter.cut(&mut BytesMut::from(&bytes[..]), &BOUNDS) else {
                panic!("{place}");
            };
            assert_eq!(read, frame(&bytes), "{place}");
        }
    }
}

#[test]
fn recorded_frames_read_as_recorded() {
    let frames = recorded();
    assert!(frames.len() > 1000, "{} frames", frames.len());
    for (place, Recorded { bytes, fields }) in frames {
        let frame = frame(&bytes);
        assert_eq!(frame.id, i32::try_from(fields["seq"].as_i64().unwrap()).unwrap(), "{place}");
        assert_eq!(frame.kind, kind(&fields["type"]), "{place}");
        assert_eq!(frame.payload, hex(fields["payload"].as_str().unwrap()), "{place}");
        let Some(details) = frame.details else {
            assert!(matches!(frame.kind, FrameKind::Data | FrameKind::Meta), "{place}");
            continue;
        };
        assert_eq!(details.method, fields["int"]["9"].as_str().unwrap_or_default(), "{place}");
        let mut strings = vectors::strings(&fields["str"]);
        if fields["acl"].is_string() {
            strings.get_or_insert_default().push((ACL_KEY.into(), text(&fields["acl"])));
        }
        assert_eq!(details.strings, strings, "{place}");
        let mut private = vectors::ints(&fields["int"]);
        private.retain(|(key, _)| *key >= FIRST_PRIVATE_KEY);
        assert_eq!(details.private, private, "{place}");
    }
}

#[test]
fn exceptions_read_as_recorded() {
    let mut seen = 0;
    for (place, Recorded { bytes, fields }) in recorded() {
        let Some(exception) = fields.get("exception").filter(|exception| exception.is_object()) else {
            continue;
        };
        let Some(kind) = exception["type"].as_i64() else { continue };
        let frame = frame(&bytes);
        let details = frame.details.unwrap();
        let (text, code) = match frame.kind {
            FrameKind::Rst => match Outcome::of_rst(&details, &frame.payload) {
                Outcome::Reset { text, code, .. } => (text, code),
                other => panic!("{place}: {other:?}"),
            },
            _ => match Outcome::of_trailer(&details, &frame.payload, 0) {
                Outcome::Application { text, kind, .. } => (text, kind),
                other => panic!("{place}: {other:?}"),
            },
        };
        assert_eq!((text.as_str(), i64::from(code)), (exception["text"].as_str().unwrap(), kind), "{place}");
        seen += 1;
    }
    assert!(seen > 20, "{seen} exceptions");
}

/// Writes a frame that was read.
fn write(frame: &Frame) -> BytesMut {
    let mut out = BytesMut::from(&b"before"[..]);
    let details = frame.details.as_deref().cloned().unwrap_or_default();
    let strings = details.strings.as_deref();
    let borrowed: Option<Vec<_>> =
        strings.map(|strings| strings.iter().map(|(key, value)| (&**key, &**value)).collect());
    let borrowed = borrowed.as_deref();
    let ints: Vec<_> = details.private.iter().map(|(key, value)| (*key, &**value)).collect();
    match frame.kind {
        FrameKind::Meta => return BytesMut::new(),
        FrameKind::Header => {
            put_header(&mut out, frame.id, &details.method, borrowed.unwrap_or_default(), &ints)
        }
        FrameKind::Data => {
            let head = DataHead::new(frame.id, "Bidi");
            let mark = head.begin(&mut out);
            assert_eq!(out.len(), mark + head.len());
            out.extend_from_slice(&frame.payload);
            end(&mut out, mark);
        }
        FrameKind::Trailer => {
            let exception = match Outcome::of_trailer(&details, &frame.payload, 0) {
                Outcome::Application { text, kind, .. } => Some((text, kind)),
                _ => None,
            };
            let exception = exception.as_ref().map(|(text, kind)| (text.as_str(), *kind));
            put_trailer(&mut out, frame.id, &details.method, borrowed, &ints, exception);
        }
        FrameKind::Rst => {
            let Outcome::Reset { text, code, path } = Outcome::of_rst(&details, &frame.payload) else {
                panic!("not a reset");
            };
            put_rst(&mut out, frame.id, &details.method, &path.join(","), &text, code);
        }
    }
    out.split_off(b"before".len())
}

#[test]
fn what_we_write_reads_as_what_kitex_wrote() {
    let golden = dialogues("ttheader-streaming", "tt-").into_iter().flat_map(|dialogue| dialogue.frames);
    let mut seen = 0;
    for Recorded { bytes, .. } in
        golden.filter(|frame| frame.is_readable() && frame.fields["type"].is_string())
    {
        let kitex = frame(&bytes);
        let ours = write(&kitex);
        if kitex.kind == FrameKind::Meta {
            continue;
        }
        assert_eq!(frame(&ours), Frame { payload: kitex.payload.clone(), ..kitex.clone() });
        if kitex.kind != FrameKind::Data {
            assert_eq!(ours.len(), bytes.len(), "{kitex:?}");
        }
        seen += 1;
    }
    assert!(seen > 250, "{seen} frames");
}

/// The frames of spec section 12, whose order of keys is ours.
#[test]
fn the_worked_examples_byte_for_byte() {
    let tail = |digit: u8, padding: &str| format!("10 0002 001b 0001 3{digit} 0009 0004 4563686f {padding}");
    let mut out = BytesMut::new();
    let mut check = |put: &dyn Fn(&mut BytesMut), expected: String| {
        out.clear();
        put(&mut out);
        assert_eq!(out[..], hex(&expected)[..], "{expected}");
    };
    check(
        &|out| put_header(out, 1, "Echo", &[("isn", "TestService"), ("RPC_PERSIST_k1", "v1")], &[]),
        format!(
            "00000046 1000 0002 00000001 000f 10 00 01 0002 0003 69736e 000b 5465737453657276696365 \
             000e 5250435f504552534953545f6b31 0002 7631 {}",
            tail(2, "00")
        ),
    );
    check(
        &|out| put_header(out, 1, "Echo", &[], &[]),
        format!("0000001e 1000 0002 00000001 0005 10 00 {}", tail(2, "0000")),
    );
    check(
        &|out| put_header(out, 1, "Echo", &[("h1", "v1")], &[]),
        format!("0000002a 1000 0002 00000001 0008 10 00 01 0001 0002 6831 0002 7631 {}", tail(2, "000000")),
    );
    check(
        &|out| {
            let mark = DataHead::new(1, "Echo").begin(out);
            out.extend_from_slice(&hex("0b 0001 00000002 6869 00"));
            end(out, mark);
        },
        format!("00000028 1000 0002 00000001 0005 10 00 {} 0b 0001 00000002 6869 00", tail(3, "0000")),
    );
    check(
        &|out| put_trailer(out, 1, "Echo", None, &[], None),
        format!("0000001e 1000 0002 00000001 0005 10 00 {}", tail(4, "0000")),
    );
    check(
        &|out| put_trailer(out, 1, "Echo", Some(&[("t1", "v1")]), &[], None),
        format!("0000002a 1000 0002 00000001 0008 10 00 01 0001 0002 7431 0002 7631 {}", tail(4, "000000")),
    );
    check(
        &|out| put_trailer(out, 1, "Echo", Some(&[]), &[], None),
        format!("00000022 1000 0002 00000001 0006 10 00 01 0000 {}", tail(4, "000000")),
    );
    check(
        &|out| put_trailer(out, 1, "Echo", None, &[], Some(("biz error: test error", 6))),
        format!(
            "00000052 1000 0002 00000001 0005 10 00 {} 80010003 00000004 4563686f 00000001 \
             0b 0001 00000015 62697a206572726f723a2074657374206572726f72 08 0002 00000006 00",
            tail(4, "0000")
        ),
    );
    check(
        &|out| put_rst(out, -2, "Echo", "A,B", "rst", 13),
        format!(
            "00000050 1000 0002 fffffffe 0009 10 00 01 0001 0005 7474736370 0003 412c42 {} \
             80010003 00000004 4563686f fffffffe 0b 0001 00000003 727374 08 0002 0000000d 00",
            tail(5, "000000")
        ),
    );
}

#[test]
fn a_business_error_is_read_from_the_worked_example() {
    let bytes = hex(
        "00000062 1000 0002 00000001 0016 10 00 01 0003 000a 62697a2d737461747573 0005 3130303031 \
         000b 62697a2d6d657373616765 000a 6e6f2062616c616e6365 0009 62697a2d6578747261 0009 7b226b223a2276227d \
         10 0002 001b 0001 34 0009 0004 4563686f 00",
    );
    let line = describe(client().receive(frame(&bytes)));
    assert!(line.starts_with("1: ended, business 10001 \"no balance\" k=v biz-extra="), "{line}");
}

#[test]
fn a_reset_without_a_path_has_no_strings() {
    let mut out = BytesMut::new();
    put_rst(&mut out, 1, "Echo", "", "gone", 12007);
    assert_eq!(frame(&out).details.unwrap().strings, None);
    assert_eq!(describe(client().receive(frame(&out))), "1: ended, reset 12007 \"gone\" path [], answer");
}

#[test]
fn private_keys_and_the_timeout_travel() {
    let mut out = BytesMut::new();
    put_header(&mut out, 7, "Echo", &[], &[(0x8001, "1;w=262144"), (28, "1500"), (12, "1500")]);
    let details = frame(&out).details.unwrap();
    assert_eq!(details.private, [(28, "1500".into()), (0x8001, "1;w=262144".into())]);
    assert_eq!(details.method, "Echo");
}

#[test]
fn what_does_not_fit_is_left_out_and_the_frame_stays_whole() {
    let long = "v".repeat(65_520);
    let mut out = BytesMut::new();
    put_header(&mut out, 7, "Echo", &[("a", "1"), ("long", &long), ("b", "2")], &[]);
    let details = frame(&out).details.unwrap();
    assert_eq!(details.strings, Some(vec![("a".into(), "1".into()), ("b".into(), "2".into())]));
    assert_eq!(details.method, "Echo");

    out.clear();
    put_header(&mut out, 7, &"m".repeat(70_000), &[("a", "1")], &[]);
    let details = frame(&out).details.unwrap();
    assert_eq!((details.method.as_str(), details.strings.unwrap().len()), ("", 1));
}
