//! Structs as a real Kitex wrote them, and odd bytes as it read them (`vectors/structs`).

use std::collections::BTreeSet;

use bytes::{Bytes, BytesMut};
use serde_json::{Value as Json, json};
use streamx::codec::thrift::{CompactReader, CompactWriter};
use streamx::codec::{self, Field, Message, Value, decode, encode};
use streamx::schema::{Literal, Type};
use streamx_tests::structs::{
    CallArguments, CallError, Choice, Defaults, Empty, Ids, Inner, Lists, Maps, Mixed, Nested, Node,
    Optionals, Problem, Required, Scalars, Sets, TApplicationException, Wrapper,
};
use streamx_tests::vectors;

/// What can be done with every type, whatever it is.
struct Codec {
    name: &'static str,
    /// The value as the vectors show it, if the bytes can be read; also checks that it survives every format.
    show: fn(&[u8]) -> streamx::Result<Json>,
    /// Reads, writes and reads again whatever the bytes are; must not panic.
    try_all: fn(&[u8]),
}

fn codec<M: Message + PartialEq + std::fmt::Debug>(name: &'static str) -> Codec {
    fn show<M: Message + PartialEq + std::fmt::Debug>(bytes: &[u8]) -> streamx::Result<Json> {
        let message = decode::<M>(Bytes::copy_from_slice(bytes))?;
        let shown = shown(&message);
        let mut out = BytesMut::new();
        encode(&message, &mut out).unwrap();
        let again = decode::<M>(out.freeze()).unwrap();
        assert_eq!(self::shown(&again), shown);
        assert_eq!(self::shown(&through_compact(&message)), shown);
        Ok(shown)
    }
    fn try_all<M: Message>(bytes: &[u8]) {
        let bytes = Bytes::copy_from_slice(bytes);
        if let Ok(message) = decode::<M>(bytes.clone()) {
            encode(&message, &mut BytesMut::new()).unwrap();
        }
        let _ = M::decode(&mut CompactReader::new(&bytes));
    }
    Codec { name, show: show::<M>, try_all: try_all::<M> }
}

fn codecs() -> Vec<Codec> {
    vec![
        codec::<CallArguments>("Args.Call/args"),
        codec::<Choice>("Choice"),
        codec::<Defaults>("Defaults"),
        codec::<Empty>("Empty"),
        codec::<Ids>("Ids"),
        codec::<Inner>("Inner"),
        codec::<Lists>("Lists"),
        codec::<Maps>("Maps"),
        codec::<Mixed>("Mixed"),
        codec::<Nested>("Nested"),
        codec::<Node>("Node"),
        codec::<Optionals>("Optionals"),
        codec::<Problem>("Problem"),
        codec::<Required>("Required"),
        codec::<Scalars>("Scalars"),
        codec::<Sets>("Sets"),
        codec::<TApplicationException>("TApplicationException"),
        codec::<Wrapper>("Wrapper"),
    ]
}

fn through_compact<M: Message>(message: &M) -> M {
    let mut out = BytesMut::new();
    let mut writer = CompactWriter::new(&mut out);
    message.encode(&mut writer);
    writer.finish().unwrap();
    M::decode(&mut CompactReader::new(&out.freeze())).unwrap()
}

#[test]
fn what_kitex_wrote_is_read_and_written_back() {
    let codecs = codecs();
    let mut cases = 0;
    for (file, vector) in vectors::files("structs") {
        let Some(codec) = codecs.iter().find(|codec| vector["type"] == codec.name) else {
            assert!(file == "decode" || file.ends_with("-result"), "no type for {file}");
            continue;
        };
        for case in vector["cases"].as_array().unwrap() {
            let name = format!("{file} {}", case["name"]);
            let shown = (codec.show)(&vectors::bytes(case["hex"].as_str().unwrap()));
            if case["name"] == "not-utf8" {
                let error = shown.unwrap_err().to_string();
                assert!(error.starts_with("Scalars.t: the text is not UTF-8"), "{error}");
            } else {
                let mut value = case["value"].clone();
                if name == "Defaults \"zero\"" {
                    // An absent field has its declared default here at every depth; a Go program can keep it nil.
                    value["oli"] = json!([7]);
                }
                assert_same(&name, &shown.unwrap(), &value);
            }
            cases += 1;
        }
    }
    assert!(cases >= 40, "only {cases} cases");
}

#[test]
fn odd_bytes_are_read_as_kitex_reads_them() {
    let codecs = codecs();
    let (_, vector) = vectors::files("structs").into_iter().find(|(file, _)| file == "decode").unwrap();
    for case in vector["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let codec = codecs.iter().find(|codec| case["type"] == codec.name).unwrap();
        let shown = (codec.show)(&vectors::bytes(case["hex"].as_str().unwrap()));
        match name {
            // Four on purpose: elements of another type, a union without a variant, one with two (the last one wins,
            // as for any field that comes twice), and a message that Kitex makes without its declared defaults.
            "list-other-element-type" | "union-none" => assert!(shown.is_err(), "{name}: {shown:?}"),
            "union-two" => assert_same(name, &shown.unwrap(), &json!({ "text": "x" })),
            "defaults-absent" => assert_eq!(shown.unwrap()["i"], 42),
            _ if case["error"].is_string() => assert!(shown.is_err(), "{name}: {shown:?}"),
            _ => assert_same(name, &shown.unwrap(), &case["value"]),
        }
    }
}

#[test]
fn a_failure_names_its_place() {
    let failure = |bytes: &[u8]| decode::<Nested>(Bytes::copy_from_slice(bytes)).unwrap_err().to_string();
    let in_list = failure(b"\x0f\x00\x03\x0c\0\0\0\x02\x00\x0b\x00\x02\0\0\0\x01\xff\x00\x00");
    assert!(in_list.starts_with("Nested.many[1].name: the text is not UTF-8"), "{in_list}");
    let missing = decode::<Required>(Bytes::from_static(b"\0")).unwrap_err();
    assert_eq!(missing.to_string(), "Required.a: the required field is absent");
    assert_eq!(missing.code(), streamx::Code::Internal);
}

#[test]
fn what_a_method_of_kitex_answered_is_read() {
    for (file, vector) in vectors::files("structs") {
        for case in vector["cases"].as_array().unwrap().iter().filter(|_| file.ends_with("-result")) {
            let bytes = Bytes::from(vectors::bytes(case["hex"].as_str().unwrap()));
            let shown = match file.as_str() {
                "Args-Call-result" => result::<Inner>(&bytes),
                "Args-Names-result" => result::<Vec<String>>(&bytes),
                "Args-Nothing-result" => result::<bool>(&bytes),
                "Args-Number-result" => result::<i32>(&bytes),
                other => panic!("no method for {other}"),
            };
            assert_same(&file, &shown, &case["value"]);
        }
    }
}

/// A struct of results: field 0 the value, the others the declared exceptions.
fn result<T: Value>(bytes: &Bytes) -> Json {
    let (mut success, mut thrown) = (None::<T>, None::<CallError>);
    codec::decode_struct("result", &[(0, "success")], bytes, |number, kind, reader| match number {
        0 => T::take(&mut success, kind, reader),
        _ => codec::Throws::take(number, kind, reader).map(|exception| thrown = exception.or(thrown.take())),
    })
    .unwrap();
    match (success, thrown) {
        (Some(value), _) => json!({ "success": as_json(&codec::literal(&value).unwrap(), &T::schema()) }),
        (_, Some(CallError::P(problem))) => json!({ "p": shown(&problem) }),
        (_, Some(CallError::Q(problem))) => json!({ "q": shown(&problem) }),
        (None, None) => json!({}),
    }
}

#[test]
fn every_prefix_and_every_changed_bit_gives_a_value_or_a_failure() {
    let codecs = codecs();
    for (_, vector) in vectors::files("structs") {
        for case in vector["cases"].as_array().unwrap() {
            let kind = if case["type"].is_string() { &case["type"] } else { &vector["type"] };
            let Some(codec) = codecs.iter().find(|codec| kind == codec.name) else { continue };
            let bytes = vectors::bytes(case["hex"].as_str().unwrap());
            let bytes = &bytes[..bytes.len().min(400)];
            for end in 0..=bytes.len() {
                (codec.try_all)(&bytes[..end]);
            }
            let mut changed = bytes.to_vec();
            for place in 0..bytes.len() {
                for bit in 0..8 {
                    changed[place] ^= 1 << bit;
                    (codec.try_all)(&changed);
                    changed[place] = bytes[place];
                }
                for byte in [0, 1, 0x7f, 0x80, 0xff] {
                    changed[place] = byte;
                    (codec.try_all)(&changed);
                }
                changed[place] = bytes[place];
            }
        }
    }
}

/// The value as the vectors show values.
fn shown<M: Message>(message: &M) -> Json {
    as_json(&codec::literal(message).unwrap(), &M::schema())
}

fn as_json(literal: &Literal, schema: &Type) -> Json {
    match (literal, schema) {
        (Literal::Bool(value), _) => json!(value),
        (Literal::Integer(value), Type::I64) => json!(value.to_string()),
        (Literal::Integer(value), _) => json!(value),
        (Literal::Double(value), _) => json!({ "bits": format!("{:016x}", value.to_bits()) }),
        (Literal::Bytes(text), Type::String) => json!(str::from_utf8(text).unwrap()),
        (Literal::Bytes(bytes), _) => {
            json!({ "hex": bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>() })
        }
        (Literal::List(elements), Type::List(schema)) => {
            elements.iter().map(|element| as_json(element, schema)).collect()
        }
        (Literal::List(elements), Type::Set(schema)) => {
            let elements: BTreeSet<_> =
                elements.iter().map(|element| as_json(element, schema).to_string()).collect();
            json!({ "set": elements })
        }
        (Literal::Map(entries), Type::Map(key_schema, value_schema)) => entries
            .iter()
            .map(|(key, value)| json!([as_json(key, key_schema), as_json(value, value_schema)]))
            .collect(),
        (Literal::Struct(fields), Type::Struct(description)) => fields
            .iter()
            .map(|(number, value)| {
                let field = description.fields.iter().find(|field| field.number == *number).unwrap();
                (field.name.to_owned(), as_json(value, &(field.schema)()))
            })
            .collect(),
        other => panic!("{other:?}"),
    }
}

fn assert_same(case: &str, ours: &Json, theirs: &Json) {
    assert!(same(ours, theirs), "{case}:\nours   {ours}\nkitex's {theirs}");
}

/// Whether the values are equal, but for how they are shown: a set has no order, a struct that is nil in Go is one of
/// zeros here, and of a double only the bits count.
fn same(ours: &Json, theirs: &Json) -> bool {
    match (ours, theirs) {
        (Json::Object(fields), Json::Null) => fields.values().all(is_zero),
        (Json::Object(set), Json::Array(theirs)) if set.contains_key("set") => {
            let theirs: BTreeSet<_> = theirs.iter().map(Json::to_string).collect();
            set["set"] == json!(theirs)
        }
        (Json::Object(ours), Json::Object(theirs)) if ours.contains_key("bits") => {
            ours["bits"] == theirs["bits"]
        }
        (Json::Object(ours), Json::Object(theirs)) => {
            ours.keys().eq(theirs.keys()) && ours.iter().all(|(name, value)| same(value, &theirs[name]))
        }
        (Json::Array(ours), Json::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(ours, theirs)| same(ours, theirs))
        }
        (ours, theirs) => ours == theirs,
    }
}

fn is_zero(value: &Json) -> bool {
    *value == json!(0) || *value == json!("") || *value == json!(false)
}
