//! The struct of arguments of a unary method.

use bytes::{Bytes, BytesMut};

use crate::Result;
use crate::call::middleware::AnyMessage;
use crate::codec::thrift::{BinaryReader, BinaryWriter};
use crate::codec::{self, DecodeError, Field, Kind};
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
    wrap: fn(T) -> AnyMessage<'static>,
}

impl<T> Arg<T> {
    fn describe(&self) -> schema::Argument {
        let Self { number, name, optional, .. } = *self;
        schema::Argument { number, name, schema: (self.schema)(), optional }
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
        wrap: AnyMessage::new,
    }
}

/// All arguments of a method: a tuple of [`Arg`].
pub trait Arguments: Send + Sync + 'static {
    /// The tuple of their values.
    type Values;

    /// Writes the struct of arguments.
    fn encode(&self, method: &str, values: &Self::Values, out: &mut BytesMut) -> Result<()>;

    /// Reads the struct of arguments. Kitex writes every argument; one that is absent is `None`, or an error if it
    /// is no `Option`.
    fn decode(&self, method: &str, bytes: &Bytes) -> Result<Self::Values>;

    /// The values as middlewares see them: one on its own, others as a tuple.
    fn wrap(&self, values: Self::Values) -> AnyMessage<'static>
    where
        Self::Values: Send + Sync + 'static;

    /// The values from middlewares.
    fn take(&self, request: AnyMessage<'_>) -> Result<Self::Values>;

    /// As [`encode`](Self::encode), from middlewares.
    fn encode_any(&self, method: &str, request: &AnyMessage<'_>, out: &mut BytesMut) -> Result<()>;

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

        fn encode_any(&self, method: &str, request: &AnyMessage<'_>, out: &mut BytesMut) -> Result<()> {
            let value = request.read()?;
            codec::encode_struct(method, out, |writer| (self.0.put)(value, writer, self.0.number))
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

        fn encode_any(&self, method: &str, request: &AnyMessage<'_>, out: &mut BytesMut) -> Result<()> {
            self.encode(method, request.read()?, out)
        }
    };
}

macro_rules! arguments {
    ($($name:ident $index:tt)*) => {
        #[allow(unused_variables, non_snake_case, reason = "a method may have no argument, and types name values")]
        impl<$($name: 'static),*> Arguments for ($(Arg<$name>,)*) {
            type Values = ($($name,)*);

            fn encode(&self, method: &str, values: &Self::Values, out: &mut BytesMut) -> Result<()> {
                codec::encode_struct(method, out, |writer| {
                    $((self.$index.put)(&values.$index, writer, self.$index.number);)*
                })
            }

            fn decode(&self, method: &str, bytes: &Bytes) -> Result<Self::Values> {
                $(let mut $name = None;)*
                let names = [$((self.$index.number, self.$index.name)),*];
                codec::decode_struct(method, &names, bytes, |number, kind, reader| {
                    $(if number == self.$index.number {
                        return (self.$index.take)(&mut $name, kind, reader);
                    })*
                    codec::Reader::skip(reader, kind)
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
