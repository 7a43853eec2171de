//! Bytes that mean harm, or nothing: an error or a value, in bounded memory, however they are split.

use std::collections::BTreeSet;

use bytes::Bytes;
use proptest::prelude::*;

use super::super::flow::Flow;
use super::super::frame::{Details, FrameKind};
use super::super::header::Strings;
use super::*;
use crate::wire::Bounds;
use crate::wire::vectors::dialogues;

/// Every different frame that was recorded, whatever is wrong with it.
fn recorded() -> BTreeSet<Vec<u8>> {
    let folders = [("ttheader-streaming", "tt-"), ("probes", "probe-server-"), ("probes", "probe-client-")];
    let dialogues = folders.into_iter().flat_map(|(folder, prefix)| dialogues(folder, prefix));
    let frames: BTreeSet<_> =
        dialogues.flat_map(|dialogue| dialogue.frames).map(|frame| frame.bytes).collect();
    assert!(frames.len() > 200, "{} frames", frames.len());
    frames
}

/// Cuts the input and shows every frame to a client and to a server that have its stream and to ones that do not.
fn digest(input: &[u8]) {
    let (frames, _) = cut_all(input);
    for frame in frames {
        for mut connection in [Connection::client(), Connection::server()] {
            drop(connection.receive(frame.clone()));
            connection.accept(frame.id, frame.id);
            drop(connection.receive(frame.clone()));
        }
    }
}

/// The most memory held at once while the input is digested, the input itself aside.
fn peak(input: &[u8]) -> usize {
    let allocations = allocation_counter::measure(|| digest(input));
    usize::try_from(allocations.bytes_max).unwrap()
}

#[test]
fn every_prefix_and_every_changed_byte_of_every_vector() {
    for frame in recorded() {
        for end in 0..frame.len() {
            digest(&frame[..end]);
        }
        let mut changed = frame.clone();
        // Behind the first 512 bytes there is only text.
        for place in 0..frame.len().min(512) {
            for flip in [0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xff, frame[place], !frame[place]] {
                changed[place] = frame[place] ^ flip;
                digest(&changed);
            }
            changed[place] = frame[place];
        }
    }
}

#[test]
fn memory_stays_in_proportion_to_the_vectors() {
    for frame in recorded() {
        let mut changed = frame.clone();
        for place in 0..frame.len().min(64) {
            changed[place] = !frame[place];
            let peak = peak(&changed);
            assert!(
                peak <= 8 * changed.len() + 4096,
                "{peak} bytes for {} bytes: {changed:02x?}",
                changed.len()
            );
            changed[place] = frame[place];
        }
    }
}

/// A value of every kind of field: ids of sections and protocols, counts, lengths, digits.
#[test]
fn every_value_of_every_byte_of_each_kind_of_frame() {
    for kind in ["header", "data", "trailer", "rst"] {
        let golden = dialogues("ttheader-streaming", "tt-c").into_iter().flat_map(|dialogue| dialogue.frames);
        let mut of_kind = golden.filter(|frame| frame.fields["type"] == kind);
        let frame = of_kind.next().unwrap().bytes;
        let mut changed = frame.clone();
        for place in 0..frame.len() {
            for value in 0..=u8::MAX {
                changed[place] = value;
                digest(&changed);
            }
            changed[place] = frame[place];
        }
    }
}

/// A header frame whose area holds these sections.
fn header_frame(sections: &[u8]) -> Vec<u8> {
    let words = (2 + sections.len()).div_ceil(4);
    let size = 14 + 4 * words;
    let mut frame = u32::try_from(size - 4).unwrap().to_be_bytes().to_vec();
    frame.extend_from_slice(b"\x10\0\0\x02\0\0\0\x01");
    frame.extend_from_slice(&u16::try_from(words).unwrap().to_be_bytes());
    frame.extend_from_slice(b"\x10\0");
    frame.extend_from_slice(sections);
    frame.resize(size, 0);
    frame
}

#[test]
fn memory_stays_in_proportion_to_headers_of_many_small_entries() {
    let kind = b"\x10\0\x01\0\x1b\0\x012";
    let count = 16_000u16;
    let section = |id: u8, entry: &dyn Fn(u16) -> Vec<u8>| {
        let mut section = kind.to_vec();
        section.push(id);
        section.extend_from_slice(&count.to_be_bytes());
        section.extend((0..count).flat_map(entry));
        header_frame(&section)
    };
    let equal = section(0x01, &|_| vec![0, 0, 0, 0]);
    let short_keys = section(0x01, &|number| [&[0, 2][..], &number.to_be_bytes(), &[0, 0]].concat());
    let ints = section(0x10, &|number| [&(0x8000 + number).to_be_bytes()[..], &[0, 0]].concat());
    let garbage = section(0x01, &|number| [&[0, 4, 0xff, 0xff][..], &number.to_be_bytes(), &[0, 0]].concat());
    for (name, frame) in [("equal", equal), ("short keys", short_keys), ("ints", ints), ("garbage", garbage)]
    {
        let cut = || assert!(cut_all(&frame).0.len() == 1, "{name}");
        let peak = usize::try_from(allocation_counter::measure(cut).bytes_max).unwrap() - frame.len();
        assert!(peak <= 8 * frame.len() + 4096, "{name}: {peak} bytes for {} bytes", frame.len());
    }
}

#[test]
fn later_entries_win() {
    let sections = b"\x10\0\x02\0\x1b\0\x013\0\x09\0\x01M\x01\0\x02\0\x01b\0\x011\0\x01a\0\x011\
        \0\x01\0\x02\0\x01b\0\x012\0\x01a\0\0\x10\0\x03\0\x1b\0\x012\x80\0\0\x01x\x80\0\0\x01y\x11\0\x01t";
    let sections = [&sections[..], b"\x01\0\x01\0\x01c\0\x01\xff"].concat();
    let details = frame(&header_frame(&sections)).details.unwrap();
    let strings = [("RPC_TRANSIT_gdpr-token", "t"), ("a", ""), ("b", "2"), ("c", "\u{fffd}")];
    let strings: Strings = strings.map(|(key, value)| (key.into(), value.into())).into();
    let private = vec![(0x8000, "y".into())];
    assert_eq!(*details, Details { method: "M".to_owned(), strings: Some(strings), private });
}

#[test]
fn a_section_without_entries_is_there() {
    let strings = |sections: &[u8]| {
        let sections = [b"\x10\0\x01\0\x1b\0\x012", sections].concat();
        frame(&header_frame(&sections)).details.unwrap().strings
    };
    assert_eq!(strings(b""), None);
    assert_eq!(strings(b"\x01\0\0"), Some(Strings::new()));
}

#[test]
fn a_message_above_the_limit_ends_its_stream_only() {
    let too_large =
        |id, kind| Frame { id, kind, details: None, flow: None, payload: Bytes::new(), excess: 11 };
    let mut server = Connection::server();
    server.accept(1, 1);
    server.accept(2, 2);
    assert_eq!(describe(server.receive(too_large(1, FrameKind::Data))), "1: 11 bytes are too many, more");
    assert_eq!(describe(server.receive(too_large(1, FrameKind::Data))), "ignored", "it is forgotten");
    assert_eq!(describe(server.receive(too_large(2, FrameKind::Meta))), "ignored");
    assert_eq!(server.len(), 1);

    let mut client = Connection::client();
    client.open(|id| id);
    client.finish(1);
    assert_eq!(describe(client.receive(too_large(1, FrameKind::Trailer))), "1: 11 bytes are too many");
    assert_eq!(client.len(), 0);
}

#[test]
fn lengths_are_believed_only_within_bounds() {
    let bounds = Bounds { max_header: 20, max_payload: 10 };
    let announced = |length: u32, words: u16, rest: &[u8]| {
        let head =
            [&length.to_be_bytes()[..], b"\x10\0\0\x02\0\0\0\x01", &words.to_be_bytes(), rest].concat();
        let mut input = BytesMut::from(&head[..]);
        let before = (input.len(), input.capacity());
        let result = match cut(&mut input, &bounds) {
            Ok(Cut::Whole(frame)) if frame.excess > 0 => return format!("{} too many", frame.excess),
            Ok(Cut::Whole(frame)) => return format!("whole, payload of {}", frame.payload.len()),
            Ok(Cut::Need(bytes)) => format!("need {bytes}"),
            Err(violation) => format!("{}: {violation}", violation.kitex_code()),
        };
        assert_eq!(before, (input.len(), input.capacity()));
        result
    };
    let data = b"\x10\0\x10\0\x01\0\x1b\0\x013\0\0";
    assert_eq!(announced(32, 3, data), "need 36");
    assert_eq!(announced(22, 3, data), "whole, payload of 0");
    assert_eq!(announced(32, 3, &[&data[..], b"0123456789"].concat()), "whole, payload of 10");
    assert_eq!(announced(33, 3, data), "11 too many", "known before the payload has arrived");
    assert_eq!(announced(33, 3, b""), "need 26");
    let all = "12004: a message of 4294967273 bytes is above max_message_size of 10 bytes";
    assert_eq!(announced(u32::MAX, 3, b""), all);
    assert_eq!(announced(21, 3, b""), "12004: a frame whose LENGTH 21 ends inside its header area");
    assert_eq!(announced(0, 1, b""), "12004: a frame whose LENGTH 0 ends inside its header area");
    assert_eq!(announced(30, 0, b""), "12004: a TTHeader frame without a header area");
    assert_eq!(
        announced(100, 6, b""),
        "12004: a header area of 24 bytes is above max_header_size of 20 bytes"
    );
    assert_eq!(cut(&mut BytesMut::new(), &bounds).map(need).unwrap(), 14);
}

fn need(cut: Cut<Frame>) -> usize {
    match cut {
        Cut::Need(bytes) => bytes,
        Cut::Whole(frame) => panic!("{frame:?}"),
    }
}

#[test]
fn frames_do_not_depend_on_the_split() {
    for dialogue in dialogues("ttheader-streaming", "tt-cas") {
        let bytes: Vec<u8> = dialogue.frames.iter().flat_map(|frame| frame.bytes.clone()).collect();
        let (whole, violation) = cut_all(&bytes);
        assert!(violation.is_none() && whole.len() == dialogue.frames.len());
        for split in 0..bytes.len() {
            let mut input = BytesMut::from(&bytes[..split]);
            let mut frames = Vec::new();
            let mut rest = Some(&bytes[split..]);
            loop {
                match cut(&mut input, &BOUNDS).unwrap() {
                    Cut::Whole(frame) => frames.push(frame),
                    Cut::Need(_) => match rest.take() {
                        Some(rest) => input.extend_from_slice(rest),
                        None => break,
                    },
                }
            }
            assert_eq!(frames, whole, "split at {split}");
        }
    }
}

#[test]
fn exactly_the_bytes_asked_for_complete_a_frame() {
    for dialogue in dialogues("ttheader-streaming", "tt-cancel") {
        for frame in dialogue.frames {
            let mut input = BytesMut::new();
            let mut asked = Vec::new();
            loop {
                match cut(&mut input, &BOUNDS).unwrap() {
                    Cut::Need(bytes) => input.extend_from_slice(&frame.bytes[input.len()..bytes]),
                    Cut::Whole(_) => break,
                }
                asked.push(input.len());
            }
            assert_eq!(asked, [14, frame.bytes.len()]);
        }
    }
}

/// What can happen to a machine.
#[derive(Clone, Debug)]
enum Step {
    Receive(Frame),
    Open,
    Send(i32),
    Finish(i32),
    Reset(i32),
    End(i32),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let id = || -2..6;
    let kind = prop_oneof![
        Just(FrameKind::Meta),
        Just(FrameKind::Header),
        Just(FrameKind::Data),
        Just(FrameKind::Trailer),
        Just(FrameKind::Rst),
    ];
    const EXCEPTION: &[u8] = b"\x80\x01\0\x03\0\0\0\x01M\0\0\0\x01\0";
    const REPLY: &[u8] = b"\x80\x01\0\x02\0\0\0\x01M\0\0\0\x01\0";
    let payload = prop_oneof![Just(&[][..]), Just(EXCEPTION), Just(REPLY), Just(&b"garbage"[..])];
    let details = prop_oneof![
        Just(None),
        Just(Some(Box::<Details>::default())),
        Just(Some(Box::new(Details {
            strings: Some(vec![("biz-status".into(), "5".into()), ("isn".into(), "S".into())]),
            ..Details::default()
        }))),
    ];
    let flow =
        prop_oneof![4 => Just(None), 1 => Just(Some(Flow::Window(1))), 1 => Just(Some(Flow::Credit(1)))];
    let frame = (id(), kind, details, flow, payload).prop_map(|(id, kind, details, flow, payload)| {
        Step::Receive(Frame { id, kind, details, flow, payload: Bytes::from_static(payload), excess: 0 })
    });
    let step = prop_oneof![
        6 => frame,
        1 => Just(Step::Open),
        1 => id().prop_map(Step::Send),
        1 => id().prop_map(Step::Finish),
        1 => id().prop_map(Step::Reset),
        1 => id().prop_map(Step::End),
    ];
    proptest::collection::vec(step, 0..60)
}

/// Does the steps, and returns how many streams began and how many were given back.
fn live(mut connection: Connection<i32>, is_client: bool, steps: Vec<Step>) -> (usize, usize) {
    let (mut began, mut over) = (0, 0);
    for step in steps {
        match step {
            Step::Receive(frame) => {
                let id = frame.id;
                match connection.receive(frame) {
                    Ok(Event::Opened(_)) => {
                        connection.accept(id, id);
                        began += 1;
                    }
                    Ok(Event::Duplicate { .. } | Event::Ended { .. }) => over += 1,
                    Ok(_) => {}
                    Err(_) => break,
                }
            }
            Step::Open if is_client => {
                connection.open(|id| id);
                began += 1;
            }
            Step::Open => {}
            Step::Send(id) => drop(connection.send(id)),
            Step::Finish(id) => drop(connection.finish(id)),
            Step::Reset(id) => over += usize::from(connection.reset(id).is_some()),
            Step::End(id) => over += usize::from(connection.end(id).is_some()),
        }
        assert_eq!(connection.len(), began - over);
    }
    over += connection.drain().count();
    assert_eq!(connection.len(), 0);
    (began, over)
}

proptest! {
    #[test]
    fn every_stream_is_given_back_once(steps in steps()) {
        let (began, over) = live(Connection::server(), false, steps.clone());
        prop_assert_eq!(began, over);
        let (began, over) = live(Connection::client(), true, steps);
        prop_assert_eq!(began, over);
    }

    #[test]
    fn bytes_at_random_are_an_error_or_a_value(bytes: Vec<u8>, sections: Vec<u8>) {
        digest(&bytes);
        digest(&header_frame(&sections));
    }
}
