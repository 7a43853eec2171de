//! What is not served, what is too large, and what breaks off: told early, and by name.

use super::*;

const ECHO: &str = "80010001 00000004 4563686f 00000001 00";
const HEADER: &str = "1000 0000 00000005 0001 00 00 0000";

#[test]
fn the_inner_length_wins_within_the_outer_one() {
    // Kitex answers a call whose outer LENGTH is 4 too large, and stays in step.
    let too_large = hex(&format!("00000027 {HEADER} 00000011 {ECHO} 00000011 {ECHO}"));
    let (messages, violation) = cut_all(&too_large);
    assert!(violation.is_none());
    let framings: Vec<_> = messages.iter().map(|message| message.framing).collect();
    assert_eq!(framings, [Framing::TTHeaderFramed, FRAMED]);
    let too_small = hex(&format!("00000020 {HEADER} 00000011 {ECHO}"));
    assert_eq!(
        self::violation(&too_small),
        "a framed message of 17 bytes inside a TTHeader payload of 18 bytes"
    );
}

#[test]
fn what_is_not_served_is_named() {
    let table = [
        (
            "0000001e 90010001 00000004".to_owned(),
            r"Kitex-Protobuf is not served: the bytes are \x00\x00\x00\x1e\x90\x01\x00\x01",
        ),
        ("ffaf0008 00010001".to_owned(), MESH),
        // Behind a TTHeader everything is strict.
        (
            format!("0000001e {HEADER} 0000000e 00000004 4563686f 01 00000001 00"),
            r"a TTHeader without a strict Thrift message behind it: the bytes are \x00\x00\x00\x0e\x00\x00\x00\x04",
        ),
        (
            format!("0000001a {HEADER} 00000004 4563686f 01 00000001 00"),
            r"a TTHeader without a strict Thrift message behind it: the bytes are \x00\x00\x00\x04Echo",
        ),
        (
            format!("00000015 {HEADER} 80010001 000000"),
            "a TTHeader payload of 7 bytes, too few for a message",
        ),
        (format!("00000016 {HEADER} 80010001 00000004"), ENDS),
        ("80010009 00000004".to_owned(), "a Thrift message of the unknown type 9"),
        ("80010001 00000000 00000001 00".to_owned(), "a Thrift call without a method name"),
        ("00000004 4563686f 09 00000001 00".to_owned(), "a Thrift message of the unknown type 9"),
        ("0000000e 00000004 4563686f 09 00000001 00".to_owned(), "a Thrift message of the unknown type 9"),
        (ECHO.replace("00000001 00", "00000001 01"), "a Thrift value of the unknown type 1"),
        (
            ECHO.replace("00000001 00", "00000001 0b0001 ffffffff"),
            "a Thrift value with the length or count -1",
        ),
        ("80010001 00000001 ff 00000001 00".to_owned(), "a Thrift message whose method name is not UTF-8"),
        (
            "0000001e 1000 0002 00000005".to_owned(),
            "a TTHeader Streaming frame on a connection of unary calls",
        ),
        ("474554202f204854".to_owned(), "neither TTHeader nor Thrift binary: the bytes are GET / HT"),
        (format!("00000011 80010009 {}", &ECHO[9..]), "a Thrift message of the unknown type 9"),
        ("0000000d 80010001 00000000 00000001 00".to_owned(), "a Thrift call without a method name"),
        (
            "0000000e 80010001 00000001 ff 00000001 00".to_owned(),
            "a Thrift message whose method name is not UTF-8",
        ),
        ("00000011 80010001 0000000e 4563686f 00000001 00".to_owned(), ENDS),
        ("00000011 80010001 ffffffff 4563686f 00000001 00".to_owned(), ENDS),
        ("00000004 80010001".to_owned(), ENDS),
    ];
    for (bytes, text) in table {
        assert_eq!(violation(&hex(&bytes)), text);
    }
}

const ENDS: &str = "a Thrift message that ends inside its envelope";

/// The verdict over a start of a message, with little room.
fn announced(bytes: &str) -> String {
    let bytes = hex(bytes);
    let mut input = BytesMut::from(&bytes[..]);
    let before = input.capacity();
    let bounds = Bounds { max_header: 4, max_payload: 10 };
    let result = match Cutter::default().cut(&mut input, &bounds) {
        Ok(Cut::Whole(message)) => return format!("whole, body of {}", message.body.len()),
        Ok(Cut::Need(bytes)) => format!("need {bytes}"),
        Err(violation) => violation.to_string(),
    };
    assert_eq!((input.len(), input.capacity()), (bytes.len(), before));
    result
}

#[test]
fn lengths_are_believed_only_within_bounds() {
    assert_eq!(announced(""), "need 8");
    assert_eq!(announced("0000001a 80010001"), "need 30");
    assert_eq!(announced("0000001b 80010001"), "a message of 27 bytes is above max_message_size of 10 bytes");
    assert_eq!(
        announced("7fffffff 80010001"),
        "a message of 2147483647 bytes is above max_message_size of 10 bytes"
    );
    assert_eq!(
        announced("0000001a 80010002 00000004 4563686f 00000001 00010203040506070809"),
        "whole, body of 10"
    );
    assert_eq!(
        announced("00000019 80010002 00000002 4563 00000001 0001020304050607080910"),
        "a message of 11 bytes is above max_message_size of 10 bytes"
    );
    assert_eq!(
        announced("00000012 80010002 00000005 4563686f6f 00000001 00"),
        "a method name of 5 bytes is above max_header_size of 4 bytes"
    );
    assert_eq!(announced(&format!("0000002c {HEADER}")), "need 26");
    assert_eq!(announced(&format!("0000002c {HEADER} 0000001a 80010001")), "need 48");
    assert_eq!(announced(&format!("ffffffff {HEADER} 0000001a 80010001")), "need 48");
    assert_eq!(announced(&format!("00000028 {HEADER} 80010001 00000004")), "need 44");
    let large = "a message of 27 bytes is above max_message_size of 10 bytes";
    assert_eq!(announced(&format!("ffffffff {HEADER} 0000001b 80010001")), large);
    assert_eq!(
        announced(&format!("ffffffff {HEADER} 80010001 00000004")),
        "a message of 4294967281 bytes is above max_message_size of 10 bytes"
    );
    let area = "a header area of 8 bytes is above max_header_size of 4 bytes";
    assert_eq!(announced("0000002c 1000 0000 00000005 0002"), area);
}

/// Nothing says how long a Buffered message is, so each part of it is held to its limit when it is announced.
#[test]
fn the_parts_of_a_buffered_message_are_believed_only_within_bounds() {
    for (head, old_head, rest, verdict) in [
        ("80010001 00000005", "00000005", "", "a method name of 5 bytes is above max_header_size of 4 bytes"),
        ("80010001 7fffffff", "00007fff", "", "a method name"),
        ("80010001 00000004", "00000004", "", "need"),
        ("80010001 00000004", "00000004", "00", "whole, body of 1"),
        // A string of three bytes, and the end.
        ("80010001 00000004", "00000004", "0b0001 00000002 6869 00", "whole, body of 10"),
        ("80010001 00000004", "00000004", "0b0001 00000003 686921", "need"),
        ("80010001 00000004", "00000004", "0b0001 00000003 686921 00", "a message of 11 bytes"),
        ("80010001 00000004", "00000004", "0b0001 00000004", "a message of 11 bytes"),
        ("80010001 00000004", "00000004", "0b0001 7fffffff", "a message of 2147483654 bytes"),
        ("80010001 00000004", "00000004", "0f0001 0a 7fffffff", "a message of 17179869184 bytes"),
    ] {
        let name = if verdict.starts_with("a method") { "5f" } else { "4563686f" };
        let strict = format!("{head} {name} {}", if name.len() == 8 { "00000001" } else { "" });
        let old = format!("{old_head} {name} {}", if name.len() == 8 { "01 00000001" } else { "5f5f5f" });
        for start in [strict, old] {
            let seen = announced(&format!("{start} {rest}"));
            assert!(seen.starts_with(verdict), "{start} {rest}: {seen}");
        }
    }
}
