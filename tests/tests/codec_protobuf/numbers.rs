//! Numbers, texts and bytes in every encoding, and their twin.

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use streamx::Message;

#[derive(Message, Clone, Debug, Default, PartialEq)]
pub(super) struct Numbers {
    #[field(1)]
    pub(super) flag: bool,
    #[field(2)]
    pub(super) tiny: i8,
    #[field(3)]
    pub(super) small: i16,
    #[field(4)]
    pub(super) int: i32,
    #[field(5)]
    pub(super) long: i64,
    #[field(6)]
    pub(super) double: f64,
    #[field(7, proto = "sint32")]
    pub(super) sint32: i32,
    #[field(8, proto = "sint64")]
    pub(super) sint64: i64,
    #[field(9, proto = "uint32")]
    pub(super) uint32: i32,
    #[field(10, proto = "uint64")]
    pub(super) uint64: i64,
    #[field(11, proto = "fixed32")]
    pub(super) fixed32: i32,
    #[field(12, proto = "fixed64")]
    pub(super) fixed64: i64,
    #[field(13, proto = "sfixed32")]
    pub(super) sfixed32: i32,
    #[field(14, proto = "sfixed64")]
    pub(super) sfixed64: i64,
    #[field(15, proto = "float")]
    pub(super) float: f64,
    #[field(16)]
    pub(super) text: String,
    #[field(21)]
    pub(super) maybe_flag: Option<bool>,
    #[field(22)]
    pub(super) maybe_int: Option<i32>,
    #[field(23, proto = "sint64")]
    pub(super) maybe_sint64: Option<i64>,
    #[field(24)]
    pub(super) maybe_text: Option<String>,
    #[field(25)]
    pub(super) maybe_blob: Option<Vec<u8>>,
    #[field(26)]
    pub(super) maybe_level: Option<Level>,
    #[field(27, proto = "float")]
    pub(super) maybe_float: Option<f64>,
    #[field(2047)]
    pub(super) blob: Bytes,
    #[field(32767)]
    pub(super) level: Level,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct ProstNumbers {
    #[prost(bool, tag = "1")]
    pub(super) flag: bool,
    #[prost(int32, tag = "2")]
    pub(super) tiny: i32,
    #[prost(int32, tag = "3")]
    pub(super) small: i32,
    #[prost(int32, tag = "4")]
    pub(super) int: i32,
    #[prost(int64, tag = "5")]
    pub(super) long: i64,
    #[prost(double, tag = "6")]
    pub(super) double: f64,
    #[prost(sint32, tag = "7")]
    pub(super) sint32: i32,
    #[prost(sint64, tag = "8")]
    pub(super) sint64: i64,
    #[prost(uint32, tag = "9")]
    pub(super) uint32: u32,
    #[prost(uint64, tag = "10")]
    pub(super) uint64: u64,
    #[prost(fixed32, tag = "11")]
    pub(super) fixed32: u32,
    #[prost(fixed64, tag = "12")]
    pub(super) fixed64: u64,
    #[prost(sfixed32, tag = "13")]
    pub(super) sfixed32: i32,
    #[prost(sfixed64, tag = "14")]
    pub(super) sfixed64: i64,
    #[prost(float, tag = "15")]
    pub(super) float: f32,
    #[prost(string, tag = "16")]
    pub(super) text: String,
    #[prost(bool, optional, tag = "21")]
    pub(super) maybe_flag: Option<bool>,
    #[prost(int32, optional, tag = "22")]
    pub(super) maybe_int: Option<i32>,
    #[prost(sint64, optional, tag = "23")]
    pub(super) maybe_sint64: Option<i64>,
    #[prost(string, optional, tag = "24")]
    pub(super) maybe_text: Option<String>,
    #[prost(bytes = "vec", optional, tag = "25")]
    pub(super) maybe_blob: Option<Vec<u8>>,
    #[prost(enumeration = "ProstLevel", optional, tag = "26")]
    pub(super) maybe_level: Option<i32>,
    #[prost(float, optional, tag = "27")]
    pub(super) maybe_float: Option<f32>,
    #[prost(bytes = "bytes", tag = "2047")]
    pub(super) blob: Bytes,
    #[prost(enumeration = "ProstLevel", tag = "32767")]
    pub(super) level: i32,
}

#[derive(Message, Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(i32)]
pub(super) enum Level {
    Below = -1,
    #[default]
    Info = 0,
    Warn = 1,
    #[other]
    Unknown(i32),
}

impl Level {
    pub(super) fn number(self) -> i32 {
        match self {
            Self::Info => 0,
            Self::Warn => 1,
            Self::Below => -1,
            Self::Unknown(number) => number,
        }
    }

    pub(super) fn of(number: i32) -> Self {
        match number {
            0 => Self::Info,
            1 => Self::Warn,
            -1 => Self::Below,
            other => Self::Unknown(other),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub(super) enum ProstLevel {
    Info = 0,
    Warn = 1,
    Below = -1,
}

impl From<&Numbers> for ProstNumbers {
    fn from(numbers: &Numbers) -> Self {
        let Numbers { flag, tiny, small, int, long, double, sint32, sint64, .. } = numbers.clone();
        let Numbers { uint32, uint64, fixed32, fixed64, sfixed32, sfixed64, text, blob, .. } =
            numbers.clone();
        let Numbers { level, maybe_flag, maybe_int, maybe_sint64, maybe_text, maybe_blob, .. } =
            numbers.clone();
        let (uint32, uint64) = (uint32.cast_unsigned(), uint64.cast_unsigned());
        let (fixed32, fixed64) = (fixed32.cast_unsigned(), fixed64.cast_unsigned());
        let (float, maybe_float) = (numbers.float as f32, numbers.maybe_float.map(|float| float as f32));
        let (level, maybe_level) = (level.number(), numbers.maybe_level.map(Level::number));
        let (tiny, small) = (tiny.into(), small.into());
        Self {
            flag,
            tiny,
            small,
            int,
            long,
            double,
            sint32,
            sint64,
            uint32,
            uint64,
            fixed32,
            fixed64,
            sfixed32,
            sfixed64,
            float,
            text,
            blob,
            level,
            maybe_flag,
            maybe_int,
            maybe_sint64,
            maybe_text,
            maybe_blob,
            maybe_level,
            maybe_float,
        }
    }
}

/// Small ones, large ones, and the ends.
pub(super) fn int() -> impl Strategy<Value = i32> {
    prop_oneof![Just(0), Just(i32::MIN), Just(i32::MAX), -200..200, any::<i32>()]
}

pub(super) fn long() -> impl Strategy<Value = i64> {
    prop_oneof![Just(0), Just(i64::MIN), Just(i64::MAX), -200_i64..200, any::<i64>()]
}

/// Without -0.0, which prost takes for 0.0.
pub(super) fn double() -> impl Strategy<Value = f64> {
    prop_oneof![
        Just(0.0),
        any::<f64>().prop_filter("-0.0", |double| double.to_bits() != (-0.0_f64).to_bits())
    ]
}

/// What survives in 32 bits.
pub(super) fn float() -> impl Strategy<Value = f64> {
    any::<f32>().prop_map(|float| f64::from(float) + 0.0)
}

pub(super) fn level() -> impl Strategy<Value = Level> {
    prop_oneof![-2..3, any::<i32>()].prop_map(Level::of)
}

pub(super) fn blob() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![vec(any::<u8>(), 0..20), (120..300_usize).prop_map(|length| vec![7; length])]
}

pub(super) fn text() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), any::<String>(), (120..300_usize).prop_map(|length| "x".repeat(length))]
}

pub(super) fn numbers() -> impl Strategy<Value = Numbers> {
    let plain = (any::<bool>(), any::<i8>(), any::<i16>(), int(), long(), double());
    let encoded = (int(), long(), int(), long(), int(), long(), int(), long(), float());
    let others = (text(), blob(), level());
    let maybe = (any::<Option<bool>>(), prop::option::of(int()), prop::option::of(long()));
    let maybe = (maybe, prop::option::of(text()), prop::option::of(blob()), prop::option::of(level()));
    let maybe = (maybe, prop::option::of(float()));
    (plain, encoded, others, maybe).prop_map(|(plain, encoded, others, maybe)| {
        let (flag, tiny, small, int, long, double) = plain;
        let (sint32, sint64, uint32, uint64, fixed32, fixed64, sfixed32, sfixed64, float) = encoded;
        let (text, blob, level) = others;
        let (((maybe_flag, maybe_int, maybe_sint64), maybe_text, maybe_blob, maybe_level), maybe_float) =
            maybe;
        let blob = blob.into();
        Numbers {
            flag,
            tiny,
            small,
            int,
            long,
            double,
            sint32,
            sint64,
            uint32,
            uint64,
            fixed32,
            fixed64,
            sfixed32,
            sfixed64,
            float,
            text,
            blob,
            level,
            maybe_flag,
            maybe_int,
            maybe_sint64,
            maybe_text,
            maybe_blob,
            maybe_level,
            maybe_float,
        }
    })
}
