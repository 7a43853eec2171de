//! What a method returns.

use bytes::{Bytes, BytesMut};

use super::exceptions::{is_declared, thrown_again, travelling, typed};
use crate::call::Format;
use crate::call::middleware::AnyMessage;
use crate::codec::protobuf::{self, ProtobufReader, ProtobufWriter};
use crate::codec::thrift::{BinaryReader, BinaryWriter};
use crate::codec::{self, DecodeError, Field, Kind, Message, Reader, Throws, Writer};
use crate::schema::{Thrown, Type};
use crate::stream::half::{Codecs, Decoder, Exception};
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
    fn answer(self, declared: fn(&Self::Err) -> bool, error: impl FnOnce(Self::Err) -> Error)
    -> Result<Self>;
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

    fn answer(self, declared: fn(&E) -> bool, error: impl FnOnce(E) -> Error) -> Result<Self> {
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
    /// The outcome again if it travels as an answer, or the error that ends the call, in a service of this namespace.
    pub(super) answer: fn(&str, R) -> Result<R>,
    pub(super) encode: fn(&R, &mut BytesMut) -> Result<()>,
    /// The outer failure is bytes that do not decode, the inner one a declared exception.
    pub(super) decode: Decoder<Result<R::Ok>>,
    /// The outcome as middlewares see it, its exception in the form that travels.
    pub(super) erase: Erase<R>,
    /// The answer again from middlewares, or the error that ends the call.
    pub(super) answer_any: fn(Result<AnyMessage<'static>>) -> Result<Bytes>,
    pub(super) exception: Exception,
}

/// Makes of an outcome what middlewares see, in a service of this namespace.
pub(super) type Erase<R> = fn(&str, R) -> Result<AnyMessage<'static>>;

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
            answer: |_, outcome| outcome.answer(is_declared, R::Err::into_error),
            encode: |outcome, out| {
                codec::encode_struct(RESULT, out, |writer| match outcome.lend() {
                    Ok(value) => value.put(writer),
                    Err(error) => _ = error.put(writer),
                })
            },
            decode: decode_results::<R::Ok, R::Err>,
            erase: |namespace, outcome| erase(Format::Thrift, namespace, outcome),
            answer_any: |answer| match answer {
                Ok(value) => encode_value(value.read::<R::Ok>()?),
                Err(error) => thrown_again::<R::Err>(error),
            },
            exception: |_, error| error,
        },
        protobuf: Form {
            answer: |namespace, outcome| {
                outcome.answer(|_| false, |failure| travelling(Format::Protobuf, namespace, failure))
            },
            encode: |outcome, out| outcome.lend().map_or(Ok(()), |value| encode_message(value, out)),
            decode: |bytes| protobuf::decode_with(RESULT, bytes, R::Ok::take_whole).map(Ok),
            erase: |namespace, outcome| erase(Format::Protobuf, namespace, outcome),
            answer_any: |answer| {
                let mut out = BytesMut::new();
                encode_message(answer?.read::<R::Ok>()?, &mut out)?;
                Ok(out.freeze())
            },
            exception: typed::<R::Err>,
        },
        wrap: AnyMessage::new,
        take: AnyMessage::take,
        schema: R::Ok::schema,
        optional: R::Ok::OPTIONAL,
        declared: R::Err::declared,
    }
}

/// How the struct is called in the text of a failure.
pub(super) const RESULT: &str = "result";

/// An exception comes before a value, as in Kitex. A Kitex handler that returns nil sends neither.
pub(super) fn decode_results<T: Returned, E: Throws>(bytes: Bytes) -> Result<Result<T>> {
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

fn erase<R: Outcome>(format: Format, namespace: &str, outcome: R) -> Result<AnyMessage<'static>>
where
    R::Ok: Returned,
    R::Err: Throws,
{
    outcome.result().map(AnyMessage::new).map_err(|failure| travelling(format, namespace, failure))
}

fn encode_value<T: Returned>(value: &T) -> Result<Bytes> {
    let mut out = BytesMut::new();
    codec::encode_struct(RESULT, &mut out, |writer| value.put(writer))?;
    Ok(out.freeze())
}

fn encode_message<T: Returned>(value: &T, out: &mut BytesMut) -> Result<()> {
    protobuf::encode_with(RESULT, out, |writer| value.put_whole(writer))
}

/// The response of a client-streaming method: a bare message.
pub struct Response<R: Outcome> {
    pub(super) codecs: Codecs<R::Ok>,
    /// The error that ends the call, with its exception in the form that travels, in a service of this namespace.
    pub(super) error: fn(Format, &str, R::Err) -> Error,
    pub(super) exception: Exception,
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
    /// The end of the call, as that of a [`Response`].
    pub(super) end: fn(Format, &str, R) -> Result<()>,
    pub(super) exception: Exception,
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
        end: |format, namespace, outcome| {
            outcome.result().map(drop).map_err(|failure| travelling(format, namespace, failure))
        },
        exception: typed::<R::Err>,
        declared: R::Err::declared,
    }
}
