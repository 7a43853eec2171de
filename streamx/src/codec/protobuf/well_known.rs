//! The well-known types of protobuf, as messages of this crate.
//!
//! They are fields, arguments and results like any other message. `proto_idl()` imports the files of Google that define
//! them; in Thrift they are the structs that they look like.
//!
//! ```
//! use std::time::{Duration, SystemTime};
//! use streamx::Message;
//! use streamx::well_known::{Struct, Timestamp};
//!
//! #[derive(Message, Clone, Debug, Default, PartialEq)]
//! struct Event {
//!     #[field(1)]
//!     at: Option<Timestamp>,
//!     #[field(2)]
//!     details: Option<Struct>,
//! }
//!
//! let at = SystemTime::UNIX_EPOCH + Duration::from_millis(1500);
//! let details = Struct::from_iter([("size", 3.0.into()), ("name", "x".into())]);
//! let event = Event { at: Some(at.into()), details: Some(details) };
//! assert_eq!(event.at, Some(Timestamp { seconds: 1, nanos: 500_000_000 }));
//! assert_eq!(SystemTime::try_from(event.at.unwrap()), Ok(at));
//! ```

use std::collections::BTreeMap;
use std::fmt;
use std::time::{self, SystemTime};

use bytes::{Bytes, BytesMut};

use crate::Message;

/// A point in time.
#[derive(Message, Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[message(crate = crate, import = "google/protobuf/timestamp.proto")]
#[allow(clippy::exhaustive_structs, reason = "its fields are what it is")]
pub struct Timestamp {
    /// Seconds since the beginning of 1970 in UTC.
    #[field(1)]
    pub seconds: i64,
    /// Nanoseconds after that, from 0 to 999,999,999.
    #[field(2)]
    pub nanos: i32,
}

/// A span of time.
#[derive(Message, Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[message(crate = crate, import = "google/protobuf/duration.proto")]
#[allow(clippy::exhaustive_structs, reason = "its fields are what it is")]
pub struct Duration {
    /// Whole seconds.
    #[field(1)]
    pub seconds: i64,
    /// Nanoseconds besides, up to 999,999,999, with the sign of the seconds.
    #[field(2)]
    pub nanos: i32,
}

/// Nothing.
#[derive(Message, Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[message(crate = crate, import = "google/protobuf/empty.proto")]
#[allow(clippy::exhaustive_structs, reason = "it has no fields")]
pub struct Empty {}

/// Names of fields.
#[derive(Message, Clone, Debug, Default, PartialEq, Eq, Hash)]
#[message(crate = crate, import = "google/protobuf/field_mask.proto")]
#[allow(clippy::exhaustive_structs, reason = "its fields are what it is")]
pub struct FieldMask {
    /// Each like `user.name`.
    #[field(1)]
    pub paths: Vec<String>,
}

/// A message of any type, with the name of its type.
#[derive(Message, Clone, Debug, Default, PartialEq, Eq, Hash)]
#[message(crate = crate, import = "google/protobuf/any.proto")]
#[allow(clippy::exhaustive_structs, reason = "its fields are what it is")]
pub struct Any {
    /// Like `type.googleapis.com/package.Name`.
    #[field(1)]
    pub type_url: String,
    /// The message as protobuf.
    #[field(2)]
    pub value: Bytes,
}

/// A JSON object.
#[derive(Message, Clone, Debug, Default, PartialEq)]
#[message(crate = crate, import = "google/protobuf/struct.proto")]
#[allow(clippy::exhaustive_structs, reason = "its fields are what it is")]
pub struct Struct {
    /// Its members.
    #[field(1)]
    pub fields: BTreeMap<String, JsonValue>,
}

/// A JSON value: `google.protobuf.Value`.
#[derive(Message, Clone, Debug, PartialEq)]
#[message(crate = crate, rename = "Value", import = "google/protobuf/struct.proto")]
#[allow(clippy::exhaustive_enums, reason = "JSON has no other values")]
pub enum JsonValue {
    /// `null`
    #[field(1)]
    Null(NullValue),
    /// A number
    #[field(2)]
    Number(f64),
    /// A text
    #[field(3)]
    String(String),
    /// A truth value
    #[field(4)]
    Bool(bool),
    /// An object
    #[field(5)]
    Struct(Struct),
    /// An array
    #[field(6)]
    List(ListValue),
}

/// `null` of JSON.
#[derive(Message, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[message(crate = crate)]
#[allow(clippy::exhaustive_enums, reason = "there is one null")]
pub enum NullValue {
    /// The only value.
    #[default]
    NullValue = 0,
}

/// A JSON array.
#[derive(Message, Clone, Debug, Default, PartialEq)]
#[message(crate = crate, import = "google/protobuf/struct.proto")]
#[allow(clippy::exhaustive_structs, reason = "its fields are what it is")]
pub struct ListValue {
    /// Its elements.
    #[field(1)]
    pub values: Vec<JsonValue>,
}

macro_rules! wrappers {
    ($($name:ident around $what:literal: $type:ty as $field:tt;)*) => {$(
        #[doc = concat!("A message around ", $what, ".")]
        #[derive(Message, Clone, Debug, Default, PartialEq)]
        #[message(crate = crate, import = "google/protobuf/wrappers.proto")]
        #[allow(clippy::exhaustive_structs, reason = "its field is what it is")]
        pub struct $name {
            /// The value.
            #[field $field]
            pub value: $type,
        }

        impl From<$type> for $name {
            fn from(value: $type) -> Self {
                Self { value }
            }
        }
    )*};
}

wrappers! {
    DoubleValue around "a `double`": f64 as (1);
    FloatValue around "a `float`, to which the `f64` is rounded": f64 as (1, proto = "float");
    Int64Value around "an `int64`": i64 as (1);
    UInt64Value around "a `uint64`, whose bits the `i64` has": i64 as (1, proto = "uint64");
    Int32Value around "an `int32`": i32 as (1);
    UInt32Value around "a `uint32`, whose bits the `i32` has": i32 as (1, proto = "uint32");
    BoolValue around "a `bool`": bool as (1);
    StringValue around "a text": String as (1);
    BytesValue around "bytes": Bytes as (1);
}

/// A point in time or a span that the other type cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OutOfRange;

impl fmt::Display for OutOfRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the time does not fit: it is too far away, or its nanoseconds are not within a second")
    }
}

impl std::error::Error for OutOfRange {}

const SECOND: i32 = 1_000_000_000;

impl From<SystemTime> for Timestamp {
    /// What does not fit, some 292 billion years away, is the nearest that does.
    fn from(time: SystemTime) -> Self {
        match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(after) => Self { seconds: seconds(after), nanos: nanos(after) },
            Err(before) => {
                let (seconds, nanos) = (-seconds(before.duration()), nanos(before.duration()));
                match nanos {
                    0 => Self { seconds, nanos },
                    _ => Self { seconds: seconds - 1, nanos: SECOND - nanos },
                }
            }
        }
    }
}

impl TryFrom<Timestamp> for SystemTime {
    type Error = OutOfRange;

    fn try_from(time: Timestamp) -> Result<Self, OutOfRange> {
        let nanos = u32::try_from(time.nanos).ok().filter(|_| time.nanos < SECOND).ok_or(OutOfRange)?;
        let whole = time::Duration::from_secs(time.seconds.unsigned_abs());
        let whole = match time.seconds {
            0.. => Self::UNIX_EPOCH.checked_add(whole),
            _ => Self::UNIX_EPOCH.checked_sub(whole),
        };
        whole.and_then(|whole| whole.checked_add(time::Duration::new(0, nanos))).ok_or(OutOfRange)
    }
}

impl From<time::Duration> for Duration {
    /// What does not fit, some 292 billion years, is the longest that does.
    fn from(duration: time::Duration) -> Self {
        Self { seconds: seconds(duration), nanos: nanos(duration) }
    }
}

impl TryFrom<Duration> for time::Duration {
    type Error = OutOfRange;

    /// Fails for a negative one.
    fn try_from(duration: Duration) -> Result<Self, OutOfRange> {
        let seconds = u64::try_from(duration.seconds).map_err(|_| OutOfRange)?;
        let nanos = u32::try_from(duration.nanos).ok().filter(|_| duration.nanos < SECOND);
        Ok(Self::new(seconds, nanos.ok_or(OutOfRange)?))
    }
}

fn seconds(duration: time::Duration) -> i64 {
    // One less than the most, because a time before 1970 is counted from the second before it.
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX).min(i64::MAX - 1)
}

fn nanos(duration: time::Duration) -> i32 {
    duration.subsec_nanos().cast_signed()
}

impl Any {
    /// A message with the full name of its type in protobuf, like `package.Name`. Fails as
    /// [`encode`](super::encode) does.
    pub fn pack<M: Message>(name: &str, message: &M) -> crate::Result<Self> {
        let mut value = BytesMut::new();
        super::encode(message, &mut value)?;
        Ok(Self { type_url: format!("type.googleapis.com/{name}"), value: value.freeze() })
    }

    /// The full name of the type.
    pub fn name(&self) -> &str {
        self.type_url.rsplit_once('/').map_or(&*self.type_url, |(_, name)| name)
    }

    /// The message, if its type has this name. Fails as [`decode`](super::decode) does.
    pub fn unpack<M: Message>(&self, name: &str) -> crate::Result<Option<M>> {
        (self.name() == name).then(|| super::decode(self.value.clone())).transpose()
    }
}

impl<K: Into<String>> FromIterator<(K, JsonValue)> for Struct {
    fn from_iter<I: IntoIterator<Item = (K, JsonValue)>>(members: I) -> Self {
        Self { fields: members.into_iter().map(|(name, value)| (name.into(), value)).collect() }
    }
}

impl FromIterator<JsonValue> for ListValue {
    fn from_iter<I: IntoIterator<Item = JsonValue>>(values: I) -> Self {
        Self { values: values.into_iter().collect() }
    }
}

impl Default for JsonValue {
    /// `null`
    fn default() -> Self {
        Self::Null(NullValue::NullValue)
    }
}

macro_rules! values {
    ($($type:ty: |$value:ident| $variant:ident($made:expr);)*) => {$(
        impl From<$type> for JsonValue {
            fn from($value: $type) -> Self {
                Self::$variant($made)
            }
        }
    )*};
}

values! {
    f64: |number| Number(number);
    String: |text| String(text);
    &str: |text| String(text.to_owned());
    bool: |value| Bool(value);
    Struct: |object| Struct(object);
    ListValue: |list| List(list);
    Vec<Self>: |values| List(ListValue { values });
}
