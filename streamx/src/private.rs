//! What generated code calls; not a public interface.

pub use crate::__apache_thrift as apache_thrift;
pub use crate::Error;
pub use crate::codec::protobuf::spelling::{
    InProtobuf, Oneof, Part, Spelling, Union, form, form_of, is_variant, oneof_form, proto,
};
pub use crate::codec::throws::{exception, thrown};
pub use crate::codec::{
    Absent, DecodeError, Fault, Field, Kind, Message, Reader, Throws, Value, Writer, literal, or_absent,
    read_message, required, unknown_number,
};
pub use crate::schema::{
    EnumDescription, FieldDescription, Form, Presence, RustType, Shape, StructDescription, Thrown, Type,
    VariantDescription,
};

pub use std::convert::AsRef;

pub use crate::Result;
pub use crate::call::middleware::Around;
pub use crate::call::{Exchange, Format, Handler, Incoming, Method, Outgoing, Service};
pub use crate::client::{Call, Channel};
pub use crate::schema::{ServiceSchema, proto_idl, thrift_idl};
pub use crate::server::Server;
pub use crate::stream::method::*;

#[cfg(feature = "apache-thrift")]
pub use crate::codec::apache::{read, write};
#[cfg(feature = "apache-thrift")]
pub use thrift;

/// `TSerializable` for a derived type; nothing without the feature `apache-thrift`.
#[cfg(not(feature = "apache-thrift"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __apache_thrift {
    ($($tokens:tt)*) => {};
}

/// `TSerializable` for a derived type.
#[cfg(feature = "apache-thrift")]
#[doc(hidden)]
#[macro_export]
macro_rules! __apache_thrift {
    ([$($generics:tt)*] [$type:ty] [$($bounds:tt)*]) => {
        impl $($generics)* $crate::private::thrift::protocol::TSerializable for $type $($bounds)* {
            fn read_from_in_protocol(
                protocol: &mut dyn $crate::private::thrift::protocol::TInputProtocol,
            ) -> $crate::private::thrift::Result<Self> {
                $crate::private::read(protocol)
            }
            fn write_to_out_protocol(
                &self,
                protocol: &mut dyn $crate::private::thrift::protocol::TOutputProtocol,
            ) -> $crate::private::thrift::Result<()> {
                $crate::private::write(self, protocol)
            }
        }
    };
}
