//! Messages of the `prost` crate, as they are.

use std::ops::{Deref, DerefMut};

use ::prost::{Message as ProstMessage, Name};
use bytes::Bytes;

use crate::codec::field::read_message;
use crate::codec::{DecodeError, EncodeError, Fault, Kind, Message, Reader, Value, Writer};
use crate::schema::{
    FieldDescription, Form, IMPORT_UNKNOWN, Presence, RustType, Shape, StructDescription, Type,
};

/// A message of the `prost` crate 0.14, as an argument, a result, a field or the message of a stream: `Bidi<Prost<Question>,
/// Prost<Answer>>`. With the feature `prost`.
///
/// In protobuf it is what `prost` makes of it, with the limits of `prost`. Thrift has no schema of it; there it is a struct
/// with those bytes as field 1, `protobuf`. `proto_idl()` cannot print what it does not know and says so: the service goes
/// into the `.proto` file from which the message was generated.
///
/// The message has a [`Name`]: `prost_build::Config::enable_type_names` generates it.
///
/// ```
/// # fn main() -> streamx::Result<()> {
/// use streamx::codec::protobuf::{self, Prost};
///
/// #[derive(Clone, PartialEq, prost::Message)]
/// struct Question {
///     #[prost(string, tag = "1")]
///     text: String,
/// }
///
/// impl prost::Name for Question {
///     const NAME: &'static str = "Question";
///     const PACKAGE: &'static str = "quiz";
/// }
///
/// let question = Prost(Question { text: "why?".into() });
/// let mut out = bytes::BytesMut::new();
/// protobuf::encode(&question, &mut out)?;
/// assert_eq!(*out, *b"\x0a\x04why?");
/// assert_eq!(protobuf::decode::<Prost<Question>>(out.freeze())?.text, "why?");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(clippy::exhaustive_structs, reason = "it is the message and nothing besides")]
pub struct Prost<M>(pub M);

impl<M> From<M> for Prost<M> {
    fn from(message: M) -> Self {
        Self(message)
    }
}

impl<M> Deref for Prost<M> {
    type Target = M;

    fn deref(&self) -> &M {
        &self.0
    }
}

impl<M> DerefMut for Prost<M> {
    fn deref_mut(&mut self) -> &mut M {
        &mut self.0
    }
}

#[diagnostic::do_not_recommend]
impl<M: ProstMessage + Name + Default + 'static> Message for Prost<M> {
    const DESCRIPTION: &'static StructDescription = &StructDescription {
        name: M::NAME,
        doc: "A message of protobuf.",
        rust: RustType::of::<Self>(),
        shape: Shape::Struct,
        import: Some(IMPORT_UNKNOWN),
        arguments: &[],
        fields: &[FieldDescription {
            number: BYTES,
            name: "protobuf",
            doc: "",
            schema: <Bytes as Value>::schema,
            presence: Presence::Plain,
            form: Form::PLAIN,
            default: None,
        }],
    };
}

/// The field that has the bytes in Thrift.
const BYTES: i16 = 1;

#[diagnostic::do_not_recommend]
impl<M: ProstMessage + Name + Default + 'static> Value for Prost<M> {
    const KIND: Kind = Kind::Struct;

    fn schema() -> Type {
        Type::Struct(Self::DESCRIPTION)
    }

    fn encode<W: Writer>(&self, writer: &mut W) {
        if !writer.struct_begin() {
            return;
        }
        match writer.protobuf() {
            Some(writer) => {
                if self.0.encode(writer.out()).is_err() {
                    writer.fail(EncodeError::Length);
                }
            }
            None => <Bytes as Value>::put_field(&self.0.encode_to_vec().into(), BYTES, writer),
        }
        writer.struct_end();
    }

    fn decode<R: Reader>(reader: &mut R) -> Result<Self, DecodeError> {
        let mut message = Self::default();
        message.merge_fields(reader)?;
        Ok(message)
    }

    fn merge_fields<R: Reader>(&mut self, reader: &mut R) -> Result<(), DecodeError> {
        if let Some(reader) = reader.protobuf() {
            return self.merge(reader.take_rest());
        }
        read_message(Self::DESCRIPTION, reader, |number, kind, reader| match (number, kind) {
            (BYTES, Kind::Binary) => self.merge(reader.bytes()?),
            _ => reader.skip(kind),
        })
    }
}

impl<M: ProstMessage> Prost<M> {
    fn merge(&mut self, bytes: Bytes) -> Result<(), DecodeError> {
        self.0.merge(bytes).map_err(|error| DecodeError::new(Fault::Foreign(error.to_string())))
    }
}
