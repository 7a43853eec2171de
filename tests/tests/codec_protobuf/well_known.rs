//! The well-known types, against those of `prost-types`.

use std::time::{self, SystemTime};

use bytes::Bytes;
use prost_types::value::Kind;
use streamx::codec::protobuf::decode;
use streamx::well_known::{
    Any, BoolValue, BytesValue, DoubleValue, Duration, Empty, FieldMask, FloatValue, Int32Value, Int64Value,
    JsonValue, ListValue, StringValue, Struct, Timestamp, UInt32Value, UInt64Value,
};

use super::numbers::Numbers;
use super::{ours, same};

#[test]
fn their_bytes_are_those_of_prost() {
    let seconds = -62_135_596_800;
    same(&Timestamp { seconds, nanos: 7 }, &prost_types::Timestamp { seconds, nanos: 7 });
    same(&Duration { seconds: -3, nanos: -5 }, &prost_types::Duration { seconds: -3, nanos: -5 });
    let paths = vec!["a.b".to_owned(), "c".into()];
    same(&FieldMask { paths: paths.clone() }, &prost_types::FieldMask { paths });
    same(&Empty {}, &());
    let (type_url, value) = ("type.googleapis.com/a.B".to_owned(), Bytes::from_static(b"\x08\x01"));
    let any = Any { type_url: type_url.clone(), value: value.clone() };
    same(&any, &prost_types::Any { type_url, value: value.into() });

    same(&DoubleValue::from(1.5), &1.5_f64);
    same(&FloatValue::from(1.5), &1.5_f32);
    same(&Int64Value::from(-1), &-1_i64);
    same(&UInt64Value::from(-1), &u64::MAX);
    same(&Int32Value::from(-1), &-1_i32);
    same(&UInt32Value::from(-1), &u32::MAX);
    same(&BoolValue::from(true), &true);
    same(&StringValue::from("text".to_owned()), &"text".to_owned());
    same(&BytesValue::from(Bytes::from_static(b"b")), &Bytes::from_static(b"b"));
    same(&StringValue::default(), &String::new());
}

#[test]
fn json_is_that_of_prost() {
    let object = Struct::from_iter([
        ("bool", false.into()),
        ("list", vec![1.0.into(), JsonValue::default(), "x".into()].into()),
        ("number", 0.0.into()),
        ("object", Struct::default().into()),
        ("text", String::new().into()),
    ]);
    let of = |kind| prost_types::Value { kind: Some(kind) };
    let list = prost_types::ListValue {
        values: vec![of(Kind::NumberValue(1.0)), of(Kind::NullValue(0)), of(Kind::StringValue("x".into()))],
    };
    let fields = [
        ("bool", Kind::BoolValue(false)),
        ("list", Kind::ListValue(list)),
        ("number", Kind::NumberValue(0.0)),
        ("object", Kind::StructValue(prost_types::Struct::default())),
        ("text", Kind::StringValue(String::new())),
    ];
    let fields = fields.map(|(name, kind)| (name.to_owned(), of(kind)));
    same(&object, &prost_types::Struct { fields: fields.into() });
    let error = decode::<ListValue>(Bytes::from_static(&[0x0a, 0])).unwrap_err().to_string();
    assert!(error.starts_with("ListValue.values[0]: no variant is set"), "{error}");
}

#[test]
fn times_are_those_of_rust() {
    let epoch = SystemTime::UNIX_EPOCH;
    let (second, nano) = (time::Duration::from_secs(1), time::Duration::from_nanos(1));
    for (time, seconds, nanos) in [
        (epoch, 0, 0),
        (epoch + second + nano, 1, 1),
        (epoch - nano, -1, 999_999_999),
        (epoch - second, -1, 0),
        (epoch - second - nano, -2, 999_999_999),
    ] {
        assert_eq!(Timestamp::from(time), Timestamp { seconds, nanos });
        assert_eq!(SystemTime::try_from(Timestamp { seconds, nanos }), Ok(time));
    }
    for (seconds, nanos) in [(0, -1), (0, 1_000_000_000), (-1, i32::MAX)] {
        assert!(SystemTime::try_from(Timestamp { seconds, nanos }).is_err(), "{seconds} {nanos}");
    }
    let span = time::Duration::new(3, 5);
    assert_eq!(Duration::from(span), Duration { seconds: 3, nanos: 5 });
    assert_eq!(time::Duration::try_from(Duration { seconds: 3, nanos: 5 }), Ok(span));
    for (seconds, nanos) in [(-1, 0), (0, -1), (0, 1_000_000_000)] {
        assert!(time::Duration::try_from(Duration { seconds, nanos }).is_err(), "{seconds} {nanos}");
    }
    assert_eq!(Duration::from(time::Duration::MAX).seconds, i64::MAX - 1);
}

#[test]
fn any_holds_a_message_of_any_type() {
    let numbers = Numbers { int: 3, ..Numbers::default() };
    let any = Any::pack("a.Numbers", &numbers).unwrap();
    assert_eq!((&*any.type_url, any.name()), ("type.googleapis.com/a.Numbers", "a.Numbers"));
    assert_eq!(any.unpack::<Numbers>("a.Numbers").unwrap(), Some(numbers));
    assert_eq!(any.unpack::<Numbers>("a.Other").unwrap(), None);
    let broken = Any { value: Bytes::from_static(&[0xff]), ..any };
    assert!(broken.unpack::<Numbers>("a.Numbers").is_err());
    assert_eq!(decode::<Any>(ours(&broken)).unwrap(), broken);
}
