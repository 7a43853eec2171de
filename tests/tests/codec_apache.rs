//! Derived messages through the protocols of the Apache `thrift` crate, and against the code its compiler generates from
//! the schema we print (`src/generated`, Debian's thrift-compiler 0.17).

use std::fmt::Debug;

use bytes::{Bytes, BytesMut};
use streamx::codec::thrift::CompactWriter;
use streamx::codec::{Message, decode, encode};
use streamx_tests::{structs, vectors};
use thrift::protocol::{
    TBinaryInputProtocol, TBinaryOutputProtocol, TCompactInputProtocol, TCompactOutputProtocol, TSerializable,
};

#[allow(
    dead_code,
    unnameable_types,
    missing_debug_implementations,
    unreachable_pub,
    unused_qualifications,
    elided_lifetimes_in_paths,
    clippy::all,
    clippy::exhaustive_structs,
    clippy::exhaustive_enums,
    clippy::use_self,
    clippy::allow_attributes_without_reason,
    reason = "written by thrift-compiler"
)]
#[path = "../src/generated/structs.rs"]
mod generated;

/// A protocol of the Apache crate.
#[derive(Clone, Copy, Debug)]
enum Protocol {
    Binary,
    Compact,
}

impl Protocol {
    fn write(self, value: &impl TSerializable) -> thrift::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        match self {
            Self::Binary => value.write_to_out_protocol(&mut TBinaryOutputProtocol::new(&mut bytes, true)),
            Self::Compact => value.write_to_out_protocol(&mut TCompactOutputProtocol::new(&mut bytes)),
        }?;
        Ok(bytes)
    }

    fn read<T: TSerializable>(self, bytes: &[u8]) -> thrift::Result<T> {
        match self {
            Self::Binary => T::read_from_in_protocol(&mut TBinaryInputProtocol::new(bytes, true)),
            Self::Compact => T::read_from_in_protocol(&mut TCompactInputProtocol::new(bytes)),
        }
    }
}

/// Every vector of the type, there and back through the generated type and both protocols.
fn agree<Ours, Theirs>(name: &str)
where
    Ours: Message + TSerializable + PartialEq + Debug,
    Theirs: TSerializable + PartialEq + Debug,
{
    let (_, vector) = vectors::files("structs").into_iter().find(|(file, _)| file == name).unwrap();
    let cases = vector["cases"].as_array().unwrap();
    for case in cases.iter().filter(|case| case["name"] != "nan" && case["name"] != "not-utf8") {
        let ours: Ours = decode(Bytes::from(vectors::bytes(case["hex"].as_str().unwrap()))).unwrap();
        for protocol in [Protocol::Binary, Protocol::Compact] {
            let bytes = protocol.write(&ours).unwrap();
            assert_eq!(bytes, own(protocol, &ours), "{name} {}", case["name"]);
            let theirs: Theirs = protocol.read(&bytes).unwrap();
            let back = protocol.write(&theirs).unwrap();
            assert_eq!(protocol.read::<Ours>(&back).unwrap(), ours, "{name} {}", case["name"]);
            assert_eq!(protocol.read::<Theirs>(&bytes).unwrap(), theirs);
        }
    }
}

/// The bytes of our own writer for the format.
fn own(protocol: Protocol, message: &impl Message) -> BytesMut {
    let mut out = BytesMut::new();
    match protocol {
        Protocol::Binary => encode(message, &mut out).unwrap(),
        Protocol::Compact => {
            let mut writer = CompactWriter::new(&mut out);
            message.encode(&mut writer);
            writer.finish().unwrap();
        }
    }
    out
}

#[test]
fn generated_code_and_derived_code_read_each_other() {
    agree::<structs::Choice, generated::Choice>("Choice");
    agree::<structs::Defaults, generated::Defaults>("Defaults");
    agree::<structs::Empty, generated::Empty>("Empty");
    agree::<structs::Ids, generated::Ids>("Ids");
    agree::<structs::Inner, generated::Inner>("Inner");
    agree::<structs::Lists, generated::Lists>("Lists");
    agree::<structs::Maps, generated::Maps>("Maps");
    agree::<structs::Mixed, generated::Mixed>("Mixed");
    agree::<structs::Nested, generated::Nested>("Nested");
    agree::<structs::Optionals, generated::Optionals>("Optionals");
    agree::<structs::Problem, generated::Problem>("Problem");
    agree::<structs::Required, generated::Required>("Required");
    agree::<structs::Scalars, generated::Scalars>("Scalars");
    agree::<structs::Sets, generated::Sets>("Sets");
    agree::<structs::Wrapper, generated::Wrapper>("Wrapper");
}

#[test]
fn every_changed_byte_gives_a_value_or_a_failure() {
    for protocol in [Protocol::Binary, Protocol::Compact] {
        let (_, vector) =
            vectors::files("structs").into_iter().find(|(file, _)| file == "Optionals").unwrap();
        let hex = vector["cases"][2]["hex"].as_str().unwrap();
        let message: structs::Optionals = decode(Bytes::from(vectors::bytes(hex))).unwrap();
        let bytes = protocol.write(&message).unwrap();
        for place in 0..bytes.len() {
            for bit in 0..8 {
                let mut changed = bytes.clone();
                changed[place] ^= 1 << bit;
                let _ = protocol.read::<structs::Optionals>(&changed);
            }
            assert!(protocol.read::<structs::Optionals>(&bytes[..place]).is_err());
        }
    }
}

#[test]
fn what_a_protocol_refuses_is_its_own_error() {
    let mut node = structs::Node::default();
    for _ in 0..64 {
        node = structs::Node { next: Some(Box::new(node)), ..structs::Node::default() };
    }
    let error = Protocol::Binary.write(&node).unwrap_err();
    assert!(format!("{error:?}").contains("structs are nested more than 64 deep"), "{error:?}");
    let missing = Protocol::Compact.read::<structs::Required>(&[0]).unwrap_err();
    assert!(format!("{missing:?}").contains("Required.a: the required field is absent"), "{missing:?}");
    let truncated = Protocol::Binary.read::<structs::Required>(&[8, 0]).unwrap_err();
    assert!(matches!(truncated, thrift::Error::Transport(_)), "{truncated:?}");
}
