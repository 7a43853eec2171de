//! What a method returns.

use std::convert::identity;

use bytes::{Bytes, BytesMut};

use crate::call::Format;
use crate::call::middleware::AnyMessage;
use crate::codec::protobuf::{self, ProtobufReader, ProtobufWriter};
use crate::codec::thrift::{BinaryReader, BinaryWriter};
use crate::codec::{self, DecodeError, Field, Kind, Message, Reader, Throws, Writer};
use crate::schema::{Thrown, Type};
use crate::stream::half::{Codecs, Decoder};
use crate::{Error, Result};

/// The return type of a service method: `Result<T>`, `Result<T, E>`, or an alias of one.
#[diagnostic::on_unimplemented(
    message = "a service method returns `Result<_>`, not `{Self}`",
    label = "a call can always fail: write `streamx::Result<{Self}>`"
)]
pub trait Outcome: Sized {
    /// What the caller gets.
    type Ok;
    /// How it can fail.
    type Err;

    /// The `Result`.
    fn result(self) -> Result<Self::Ok, Self::Err>;

    /// The `Result`, lent.
    fn lend(&self) -> Result<&Self::Ok, &Self::Err>;

    /// Itself, unless it is an error that is not `declared`: that becomes an ordinary one.
    fn answer(self, declared: fn(&Self::Err) -> bool, error: fn(Self::Err) -> Error) -> Result<Self>;
}

impl<T, E> Outcome for Result<T, E> {
    type Ok = T;
    type Err = E;

    fn result(self) -> Self {
        self
    }

    fn lend(&self) -> Result<&T, &E> {
        self.as_ref()
    }

    fn answer(self, declared: fn(&E) -> bool, error: fn(E) -> Error) -> Result<Self> {
        match self {
            Err(failure) if !declared(&failure) => Err(error(failure)),
            outcome => Ok(outcome),
        }
    }
}

/// What the caller of a method that returns `R` gets.
pub type Answer<R> = <R as Outcome>::Ok;

/// What a unary method can answer: a type of the schema, or `()`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the answer of a method",
    label = "not a type of the schema",
    note = "put `#[derive(streamx::Message)]` on its definition, or return another type of the schema, or `()`"
)]
pub trait Returned: Sized + Send + Sync + 'static {
    /// Whether it is an `Option`.
    const OPTIONAL: bool;
    /// Its type; `None` is `void`.
    fn schema() -> Option<Type>;
    /// Writes field 0 of the struct of results, unless there is none.
    fn put(&self, writer: &mut BinaryWriter<'_>);
    /// Reads field 0.
    fn take(slot: &mut Option<Self>, kind: Kind, reader: &mut BinaryReader<'_>) -> Result<(), DecodeError>;
    /// What an answer without field 0 is.
    fn absent() -> Option<Self>;
    /// Writes the message that answers in protobuf: the value itself if it is a message, else one whose field 1 it is.
    fn put_whole(&self, writer: &mut ProtobufWriter);
    /// Reads that message.
    fn take_whole(reader: &mut ProtobufReader) -> Result<Self, DecodeError>;
}

impl Returned for () {
    const OPTIONAL: bool = false;

    fn schema() -> Option<Type> {
        None
    }

    fn put(&self, _: &mut BinaryWriter<'_>) {}

    fn take(_: &mut Option<Self>, kind: Kind, reader: &mut BinaryReader<'_>) -> Result<(), DecodeError> {
        reader.skip(kind)
    }

    fn absent() -> Option<Self> {
        Some(())
    }

    fn put_whole(&self, _: &mut ProtobufWriter) {}

    fn take_whole(_: &mut ProtobufReader) -> Result<Self, DecodeError> {
        Ok(())
    }
}

impl<T: Field + Send + Sync + 'static> Returned for T {
    const OPTIONAL: bool = <T as Field>::OPTIONAL;

    fn schema() -> Option<Type> {
        Some(<T as Field>::schema())
    }

    fn put(&self, writer: &mut BinaryWriter<'_>) {
        Field::put(self, 0, writer);
    }

    fn take(slot: &mut Option<Self>, kind: Kind, reader: &mut BinaryReader<'_>) -> Result<(), DecodeError> {
        Field::take(slot, kind, reader)
    }

    fn absent() -> Option<Self> {
        T::missing()
    }

    fn put_whole(&self, writer: &mut ProtobufWriter) {
        if T::WHOLE {
            return Field::put_whole(self, writer);
        }
        if writer.struct_begin() {
            Field::put(self, VALUE, writer);
            writer.struct_end();
        }
    }

    fn take_whole(reader: &mut ProtobufReader) -> Result<Self, DecodeError> {
        if T::WHOLE {
            return <T as Field>::take_whole(reader);
        }
        let mut value = T::begin(reader);
        let name = |number| (number == VALUE).then_some("result");
        codec::read_fields(name, reader, |number, kind, reader| match number {
            VALUE => <T as Field>::take(&mut value, kind, reader),
            _ => reader.skip(kind),
        })?;
        value.map_or_else(|| T::zero(reader), Ok)
    }
}

/// The field of a value that is no message, in the message that answers.
const VALUE: i16 = 1;

/// The answer of a unary method.
pub struct Results<R: Outcome> {
    /// As the struct of results.
    thrift: Form<R>,
    /// As a message of its own. An exception ends the call, as that of a stream does.
    protobuf: Form<R>,
    /// The outcome as middlewares see it, its exception in the form that travels.
    pub(super) erase: fn(R) -> Result<AnyMessage<'static>>,
    /// The value as middlewares see it.
    pub(super) wrap: fn(R::Ok) -> AnyMessage<'static>,
    /// The value from middlewares.
    pub(super) take: fn(AnyMessage<'static>) -> Result<R::Ok>,
    pub(super) schema: fn() -> Option<Type>,
    pub(super) optional: bool,
    pub(super) declared: fn() -> Vec<Thrown>,
}

/// How the outcome of a unary method travels in one format.
pub(super) struct Form<R: Outcome> {
    /// The outcome again if it travels as an answer, or the error that ends the call.
    pub(super) answer: fn(R) -> Result<R>,
    pub(super) encode: fn(&R, &mut BytesMut) -> Result<()>,
    /// The outer failure is bytes that do not decode, the inner one a declared exception.
    pub(super) decode: Decoder<Result<R::Ok>>,
    /// The answer again from middlewares, or the error that ends the call.
    pub(super) answer_any: fn(Result<AnyMessage<'static>>) -> Result<Bytes>,
    /// The error that has ended the call, with its exception typed if it came as bytes of a declared one.
    pub(super) exception: fn(Error) -> Error,
}

impl<R: Outcome> Results<R> {
    pub(super) fn of(&self, format: Format) -> &Form<R> {
        match format {
            Format::Thrift => &self.thrift,
            Format::Protobuf => &self.protobuf,
        }
    }
}

/// Of a unary method.
pub const fn result<R: Outcome>() -> Results<R>
where
    R::Ok: Returned,
    R::Err: Throws,
{
    Results {
        thrift: Form {
            answer: |outcome| outcome.answer(is_declared, R::Err::into_error),
            encode: |outcome, out| {
                codec::encode_struct(RESULT, out, |writer| match outcome.lend() {
                    Ok(value) => value.put(writer),
                    Err(error) => _ = error.put(writer),
                })
            },
            decode: decode_results::<R::Ok, R::Err>,
            answer_any: |answer| match answer {
                Ok(value) => encode_value(value.read::<R::Ok>()?),
                Err(error) => thrown_again::<R::Err>(error),
            },
            exception: identity,
        },
        protobuf: Form {
            answer: |outcome| outcome.answer(|_| false, travelling::<R::Err>),
            encode: |outcome, out| outcome.lend().map_or(Ok(()), |value| encode_message(value, out)),
            decode: |bytes| protobuf::decode_with(RESULT, bytes, R::Ok::take_whole).map(Ok),
            answer_any: |answer| {
                let mut out = BytesMut::new();
                encode_message(answer?.read::<R::Ok>()?, &mut out)?;
                Ok(out.freeze())
            },
            exception: typed::<R::Err>,
        },
        erase: |outcome| outcome.result().map(AnyMessage::new).map_err(erased::<R::Err>),
        wrap: AnyMessage::new,
        take: AnyMessage::take,
        schema: R::Ok::schema,
        optional: R::Ok::OPTIONAL,
        declared: R::Err::declared,
    }
}

/// How the struct is called in the text of a failure.
const RESULT: &str = "result";

fn is_declared<E: Throws>(error: &E) -> bool {
    error.put(&mut BinaryWriter::new(&mut BytesMut::new()))
}

/// An exception comes before a value, as in Kitex. A Kitex handler that returns nil sends neither.
fn decode_results<T: Returned, E: Throws>(bytes: Bytes) -> Result<Result<T>> {
    let (mut value, mut exception) = (None, None);
    codec::decode_struct(RESULT, &[(0, "success")], &bytes, |number, kind, reader| {
        if number == 0 {
            return T::take(&mut value, kind, reader);
        }
        if let Some(thrown) = E::take(number, kind, reader)? {
            exception = Some(thrown);
        }
        Ok(())
    })?;
    if let Some(exception) = exception {
        return Ok(Err(exception.into_error()));
    }
    let value = value.or_else(T::absent);
    value.map(Ok).ok_or_else(|| {
        Error::protocol(
            "the server answered without a value (a nil in Go, or an exception this method does not declare)",
        )
    })
}

fn encode_value<T: Returned>(value: &T) -> Result<Bytes> {
    let mut out = BytesMut::new();
    codec::encode_struct(RESULT, &mut out, |writer| value.put(writer))?;
    Ok(out.freeze())
}

fn encode_message<T: Returned>(value: &T, out: &mut BytesMut) -> Result<()> {
    protobuf::encode_with(RESULT, out, |writer| value.put_whole(writer))
}

/// The error that middlewares see, with its exception in the form that travels. One that came from another service is
/// none of this method.
fn erased<E: Throws>(failure: E) -> Error {
    if is_declared(&failure) { travelling(failure) } else { failure.into_error().without_declared_bytes() }
}

/// The struct of results with the declared exception that middlewares have left in an error, or the error.
fn thrown_again<E: Throws>(error: Error) -> Result<Bytes> {
    let answer = error.declared_bytes().map(struct_of);
    let is_ours = |answer: &Bytes| matches!(decode_results::<(), E>(answer.clone()), Ok(Err(_)));
    answer.filter(is_ours).ok_or(error)
}

/// The response of a client-streaming method: a bare message.
pub struct Response<R: Outcome> {
    pub(super) codecs: Codecs<R::Ok>,
    pub(super) error: fn(R::Err) -> Error,
    pub(super) exception: fn(Error) -> Error,
    pub(super) schema: fn() -> Type,
    pub(super) declared: fn() -> Vec<Thrown>,
}

/// Of a client-streaming method.
pub const fn response<R: Outcome>() -> Response<R>
where
    R::Ok: Message,
    R::Err: Throws,
{
    Response {
        codecs: Codecs::NEW,
        error: travelling::<R::Err>,
        exception: typed::<R::Err>,
        schema: <R::Ok as codec::Value>::schema,
        declared: R::Err::declared,
    }
}

/// The end of a method that streams its answers.
pub struct Nothing<R> {
    pub(super) end: fn(R) -> Result<()>,
    pub(super) exception: fn(Error) -> Error,
    pub(super) declared: fn() -> Vec<Thrown>,
}

/// The answer of a method that streams its answers.
#[diagnostic::on_unimplemented(
    message = "a method that streams its answers returns `Result<()>`, not a `{Self}` besides",
    label = "write `Result<()>`"
)]
pub trait Unit {}

impl Unit for () {}

/// Of a server-streaming or bidirectional method.
pub const fn nothing<R: Outcome>() -> Nothing<R>
where
    R::Ok: Unit,
    R::Err: Throws,
{
    Nothing {
        end: |outcome| outcome.result().map(drop).map_err(travelling::<R::Err>),
        exception: typed::<R::Err>,
        declared: R::Err::declared,
    }
}

/// The field of an exception in the struct of results is its kind, its number and its value; the last two travel at the
/// end of a stream.
const EXCEPTION_KIND: u8 = Kind::Struct as u8;

/// The error that ends a stream, with its exception in the form that travels.
fn travelling<E: Throws>(failure: E) -> Error {
    let mut bytes = BytesMut::new();
    let mut declared = false;
    let encoded = codec::encode_struct(RESULT, &mut bytes, |writer| declared = failure.put(writer));
    let error = failure.into_error();
    if !declared || encoded.is_err() {
        return error;
    }
    let bytes = bytes.freeze();
    error.with_declared_bytes(bytes.slice(1..bytes.len() - 1))
}

fn struct_of(declared: &Bytes) -> Bytes {
    [&[EXCEPTION_KIND], declared.as_ref(), &[0]].concat().into()
}

/// The error that ended a stream, with its exception typed if it came as bytes of a declared one.
fn typed<E: Throws>(error: Error) -> Error {
    let Some(declared) = error.declared_bytes() else { return error };
    match decode_results::<(), E>(struct_of(declared)) {
        Ok(Err(exception)) => error.with_exception_of(&exception),
        _ => error,
    }
}
