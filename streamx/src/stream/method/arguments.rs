//! The struct of arguments of a unary method.

use bytes::{Bytes, BytesMut};

use crate::Result;
use crate::call::Format;
use crate::call::middleware::AnyMessage;
use crate::codec::protobuf::{self, ProtobufReader, ProtobufWriter};
use crate::codec::thrift::{BinaryReader, BinaryWriter};
use crate::codec::{self, DecodeError, Field, Kind, Reader, Writer};
use crate::schema::{self, Type};

/// One argument: its number and name, and what its type can do.
pub struct Arg<T> {
    number: i16,
    name: &'static str,
    schema: fn() -> Type,
    optional: bool,
    put: fn(&T, &mut BinaryWriter<'_>, i16),
    take: fn(&mut Option<T>, Kind, &mut BinaryReader<'_>) -> Result<(), DecodeError>,
    absent: fn(&'static str) -> Result<T, DecodeError>,
    protobuf: Protobuf<T>,
    wrap: fn(T) -> AnyMessage<'static>,
}

/// What its type can do in protobuf.
struct Protobuf<T> {
    put: fn(&T, &mut ProtobufWriter, i16),
    begin: fn(&mut ProtobufReader) -> Option<T>,
    take: fn(&mut Option<T>, Kind, &mut ProtobufReader) -> Result<(), DecodeError>,
    zero: fn(&ProtobufReader) -> Result<T, DecodeError>,
    /// The two functions of an argument that is the message, where it is the only one.
    whole: Option<(Put<T>, Take<T>)>,
}

type Put<T> = fn(&T, &mut ProtobufWriter);
type Take<T> = fn(&mut ProtobufReader) -> Result<T, DecodeError>;

impl<T> Arg<T> {
    fn describe(&self) -> schema::Argument {
        let Self { number, name, optional, .. } = *self;
        schema::Argument { number, name, schema: (self.schema)(), optional }
    }
}

impl<T: 'static> Arg<T> {
    /// Writes the message of a method that has no other argument.
    fn put_alone(&self, value: &T, writer: &mut ProtobufWriter) {
        if let Some((put, _)) = self.protobuf.whole {
            return put(value, writer);
        }
        if writer.struct_begin() {
            (self.protobuf.put)(value, writer, self.number);
            writer.struct_end();
        }
    }

    /// Reads what [`put_alone`](Self::put_alone) wrote.
    fn take_alone(&self, reader: &mut ProtobufReader) -> Result<T, DecodeError> {
        if let Some((_, take)) = self.protobuf.whole {
            return take(reader);
        }
        let mut value = (self.protobuf.begin)(reader);
        codec::read_fields(codec::named(&[(self.number, self.name)]), reader, |number, kind, reader| {
            if number == self.number {
                return (self.protobuf.take)(&mut value, kind, reader);
            }
            reader.skip(kind)
        })?;
        value.map_or_else(|| (self.protobuf.zero)(reader), Ok)
    }
}

/// What can be an argument: what can be a field.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an argument of a method",
    label = "not a type of the schema",
    note = "put `#[derive(streamx::Message)]` on its definition, or take another type of the schema"
)]
pub trait Passed: Field + Send + Sync + 'static {}

impl<T: Field + Send + Sync + 'static> Passed for T {}

/// An argument with this field number.
pub const fn arg<T: Passed>(number: i16, name: &'static str) -> Arg<T> {
    Arg {
        number,
        name,
        schema: T::schema,
        optional: T::OPTIONAL,
        put: |value, writer, number| value.put(number, writer),
        take: |slot, kind, reader| T::take(slot, kind, reader),
        absent: |name| T::missing().map_or_else(|| codec::required(None, name), Ok),
        protobuf: Protobuf {
            put: |value, writer, number| value.put(number, writer),
            begin: T::begin,
            take: |slot, kind, reader| T::take(slot, kind, reader),
            zero: T::zero,
            whole: if T::WHOLE { Some((T::put_whole, T::take_whole)) } else { None },
        },
        wrap: AnyMessage::new,
    }
}

/// All arguments of a method: a tuple of [`Arg`].
pub trait Arguments: Send + Sync + 'static {
    /// The tuple of their values.
    type Values;

    /// Writes the struct of arguments; in protobuf the message that is the only argument.
    fn encode(&self, format: Format, method: &str, values: &Self::Values, out: &mut BytesMut) -> Result<()>;

    /// Reads what [`encode`](Self::encode) writes. In Thrift every argument is written; one that is absent is `None`, or an
    /// error if it is no `Option`. In protobuf it is zero or empty.
    fn decode(&self, format: Format, method: &str, bytes: Bytes) -> Result<Self::Values>;

    /// The values as middlewares see them: one on its own, others as a tuple.
    fn wrap(&self, values: Self::Values) -> AnyMessage<'static>
    where
        Self::Values: Send + Sync + 'static;

    /// The values from middlewares.
    fn take(&self, request: AnyMessage<'_>) -> Result<Self::Values>;

    /// As [`encode`](Self::encode), from middlewares.
    fn encode_any(
        &self,
        format: Format,
        method: &str,
        request: &AnyMessage<'_>,
        out: &mut BytesMut,
    ) -> Result<()>;

    /// Writes the message that they are in protobuf.
    fn put_protobuf(&self, values: &Self::Values, writer: &mut ProtobufWriter);

    /// Reads that message.
    fn take_protobuf(&self, reader: &mut ProtobufReader) -> Result<Self::Values, DecodeError>;

    /// Each in the schema.
    fn describe(&self) -> Vec<schema::Argument>;
}

macro_rules! erased {
    (A 0) => {
        fn wrap(&self, (value,): (A,)) -> AnyMessage<'static> {
            (self.0.wrap)(value)
        }

        fn take(&self, request: AnyMessage<'_>) -> Result<(A,)> {
            request.take().map(|value| (value,))
        }

        fn encode_any(
            &self,
            format: Format,
            method: &str,
            request: &AnyMessage<'_>,
            out: &mut BytesMut,
        ) -> Result<()> {
            let value = request.read()?;
            match format {
                Format::Thrift => {
                    codec::encode_struct(method, out, |writer| (self.0.put)(value, writer, self.0.number))
                }
                Format::Protobuf => protobuf::encode_with(method, out, |writer| self.0.put_alone(value, writer)),
            }
        }

        fn put_protobuf(&self, values: &(A,), writer: &mut ProtobufWriter) {
            self.0.put_alone(&values.0, writer);
        }

        fn take_protobuf(&self, reader: &mut ProtobufReader) -> Result<(A,), DecodeError> {
            self.0.take_alone(reader).map(|value| (value,))
        }
    };
    ($($name:ident $index:tt)*) => {
        fn wrap(&self, values: ($($name,)*)) -> AnyMessage<'static>
        where
            ($($name,)*): Send + Sync + 'static,
        {
            AnyMessage::new(values)
        }

        fn take(&self, request: AnyMessage<'_>) -> Result<($($name,)*)> {
            request.take()
        }

        fn encode_any(
            &self,
            format: Format,
            method: &str,
            request: &AnyMessage<'_>,
            out: &mut BytesMut,
        ) -> Result<()> {
            self.encode(format, method, request.read()?, out)
        }

        fn put_protobuf(&self, values: &Self::Values, writer: &mut ProtobufWriter) {
            if writer.struct_begin() {
                $((self.$index.protobuf.put)(&values.$index, writer, self.$index.number);)*
                writer.struct_end();
            }
        }

        fn take_protobuf(&self, reader: &mut ProtobufReader) -> Result<Self::Values, DecodeError> {
            $(let mut $name = (self.$index.protobuf.begin)(reader);)*
            let names = [$((self.$index.number, self.$index.name)),*];
            codec::read_fields(codec::named(&names), reader, |number, kind, reader| {
                $(if number == self.$index.number {
                    return (self.$index.protobuf.take)(&mut $name, kind, reader);
                })*
                reader.skip(kind)
            })?;
            Ok(($(match $name {
                Some(value) => value,
                None => (self.$index.protobuf.zero)(reader)?,
            },)*))
        }
    };
}

macro_rules! arguments {
    ($($name:ident $index:tt)*) => {
        #[allow(unused_variables, non_snake_case, reason = "a method may have no argument, and types name values")]
        impl<$($name: 'static),*> Arguments for ($(Arg<$name>,)*) {
            type Values = ($($name,)*);

            fn encode(
                &self,
                format: Format,
                method: &str,
                values: &Self::Values,
                out: &mut BytesMut,
            ) -> Result<()> {
                if format == Format::Protobuf {
                    return protobuf::encode_with(method, out, |writer| self.put_protobuf(values, writer));
                }
                codec::encode_struct(method, out, |writer| {
                    $((self.$index.put)(&values.$index, writer, self.$index.number);)*
                })
            }

            fn decode(&self, format: Format, method: &str, bytes: Bytes) -> Result<Self::Values> {
                if format == Format::Protobuf {
                    return protobuf::decode_with(method, bytes, |reader| self.take_protobuf(reader));
                }
                $(let mut $name = None;)*
                let names = [$((self.$index.number, self.$index.name)),*];
                codec::decode_struct(method, &names, &bytes, |number, kind, reader| {
                    $(if number == self.$index.number {
                        return (self.$index.take)(&mut $name, kind, reader);
                    })*
                    reader.skip(kind)
                })?;
                Ok(($(match $name {
                    Some(value) => value,
                    None => (self.$index.absent)(self.$index.name).map_err(|error| error.reading(method))?,
                },)*))
            }

            erased!($($name $index)*);

            fn describe(&self) -> Vec<schema::Argument> {
                vec![$(self.$index.describe()),*]
            }
        }
    };
}

arguments!();
arguments!(A 0);
arguments!(A 0 B 1);
arguments!(A 0 B 1 C 2);
arguments!(A 0 B 1 C 2 D 3);
arguments!(A 0 B 1 C 2 D 3 E 4);
arguments!(A 0 B 1 C 2 D 3 E 4 F 5);
arguments!(A 0 B 1 C 2 D 3 E 4 F 5 G 6);
arguments!(A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7);
arguments!(A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8);
arguments!(A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9);
arguments!(A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10);
arguments!(A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11);
