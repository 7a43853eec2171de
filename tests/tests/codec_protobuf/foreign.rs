//! Messages of prost as they are.

use bytes::{Bytes, BytesMut};
use prost::Name;
use streamx::Message;
use streamx::codec::protobuf::{Prost, decode};
use streamx::codec::{self, Value};
use streamx::schema::{Describe, Mode, NoProtoIdl, ServiceSchema, thrift_idl, try_proto_idl};
use streamx_tests::schema::{Described, method};

use super::nested::{Leaf, ProstLeaf};
use super::ours;

impl Name for ProstLeaf {
    const NAME: &'static str = "ProstLeaf";
    const PACKAGE: &'static str = "twins";
}

/// A message with messages of prost in it, and its twin.
#[derive(Message, Clone, Debug, Default, PartialEq)]
struct Holder {
    #[field(1)]
    one: Option<Prost<ProstLeaf>>,
    #[field(2)]
    many: Vec<Prost<ProstLeaf>>,
    #[field(3)]
    last: i32,
}

#[derive(Message, Clone, Debug, Default, PartialEq)]
struct Twin {
    #[field(1)]
    one: Option<Leaf>,
    #[field(2)]
    many: Vec<Leaf>,
    #[field(3)]
    last: i32,
}

fn both() -> (Holder, Twin) {
    let names = ["a", "", "b"].map(str::to_owned);
    let leaf = |name: &str| Leaf { name: name.into() };
    let prost = |name: &str| Prost(ProstLeaf { name: name.into() });
    let holder =
        Holder { one: Some(prost("x")), many: names.iter().map(|name| prost(name)).collect(), last: 7 };
    (holder, Twin { one: Some(leaf("x")), many: names.iter().map(|name| leaf(name)).collect(), last: 7 })
}

#[test]
fn a_message_of_prost_is_a_message_of_protobuf() {
    let (holder, twin) = both();
    let bytes = ours(&twin);
    assert_eq!(ours(&holder), bytes);
    assert_eq!(decode::<Holder>(bytes.clone()).unwrap(), holder);
    let alone = Prost(ProstLeaf { name: "alone".into() });
    assert_eq!(decode::<Leaf>(ours(&alone)).unwrap().name, "alone");
    // Twice is merged.
    let twice = Bytes::from([bytes.clone(), bytes].concat());
    assert_eq!(decode::<Holder>(twice).unwrap().many.len(), 6);
}

#[test]
fn a_message_of_prost_travels_over_thrift_as_its_bytes() {
    let (holder, _) = both();
    let mut out = BytesMut::new();
    codec::encode(&holder, &mut out).unwrap();
    assert_eq!(codec::decode::<Holder>(out.freeze()).unwrap(), holder);
    static LEAVES: ServiceSchema = ServiceSchema::new(
        "Leaves",
        None,
        "",
        &[&Described(|| method("Get", Mode::Unary, &[("holder", Holder::schema)], None)) as &dyn Describe],
    );
    let idl = thrift_idl(&LEAVES);
    assert!(idl.contains("struct ProstLeaf {\n    1: binary protobuf\n}"), "{idl}");
    assert_eq!(try_proto_idl(&LEAVES), Err(NoProtoIdl::Elsewhere { message: "ProstLeaf" }));
}

#[test]
fn what_prost_refuses_is_an_error_at_its_place() {
    let error = decode::<Holder>(Bytes::from_static(&[0x12, 3, 0x0a, 1, 0xff])).unwrap_err().to_string();
    assert!(
        error.starts_with("Holder.many[0]: failed to decode Protobuf message: ProstLeaf.name"),
        "{error}"
    );
}
