//! The schema that is in the binary: what messages and services are, as values.
//!
//! Every derived message has a constant description. It holds functions to the types of its fields, not the types, so
//! that messages may hold each other.

mod form;
mod literal;
mod lock;
mod proto_build;
mod proto_file;
mod proto_idl;
mod proto_types;
mod service;
mod thrift_idl;
mod walk;

use std::any::TypeId;

pub use form::{Encoding, Form};
pub use literal::Literal;
pub use lock::{Change, CheckError, Effect, Lock, LockError, Who, Wire, check};
pub use proto_build::NoProtoIdl;
pub(crate) use proto_build::{imported_file, proto_file, proto_name};
pub(crate) use proto_file::{
    ProtoDefinition, ProtoEnum, ProtoField, ProtoFile, ProtoLabel, ProtoMember, ProtoMessage, ProtoService,
    ProtoType,
};
pub use proto_idl::{proto_idl, try_proto_idl};
pub use service::{Argument, Describe, MethodSchema, Mode, ServiceSchema, Thrown};
pub use thrift_idl::{thrift_idl, try_thrift_idl};
pub use walk::NameClash;

/// A type in a schema.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Type {
    /// `bool`
    Bool,
    /// `i8`
    I8,
    /// `i16`
    I16,
    /// `i32`
    I32,
    /// `i64`
    I64,
    /// `f64`
    F64,
    /// Text
    String,
    /// Bytes
    Binary,
    /// A list of elements
    List(Box<Self>),
    /// A set of elements
    Set(Box<Self>),
    /// A map of keys to values
    Map(Box<Self>, Box<Self>),
    /// An enum
    Enum(&'static EnumDescription),
    /// A struct, union or exception
    Struct(&'static StructDescription),
}

/// What `#[derive(Message)]` says of a struct, a union or an exception.
#[derive(Debug)]
#[allow(clippy::exhaustive_structs, reason = "generated code makes it")]
pub struct StructDescription {
    /// The name in the schema, without the arguments of a generic message.
    pub name: &'static str,
    /// The documentation.
    pub doc: &'static str,
    /// Which Rust type it is.
    pub rust: RustType,
    /// Which of the three it is.
    pub shape: Shape,
    /// The `.proto` file that defines it, if it is one that exists; [`IMPORT_UNKNOWN`] if nobody knows which.
    pub import: Option<&'static str>,
    /// The arguments of a generic message.
    pub arguments: &'static [fn() -> Type],
    /// The fields in the order of their declaration.
    pub fields: &'static [FieldDescription],
}

/// Stands for a `.proto` file that exists, but not here.
pub const IMPORT_UNKNOWN: &str = "";

/// What a struct is in the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shape {
    /// All its fields.
    Struct,
    /// One of its fields.
    Union,
    /// A struct that a method may throw.
    Exception,
}

/// One field of a struct, or one variant of a union.
#[derive(Debug)]
#[allow(clippy::exhaustive_structs, reason = "generated code makes it")]
pub struct FieldDescription {
    /// The number on the wire.
    pub number: i16,
    /// The name in the schema.
    pub name: &'static str,
    /// The documentation.
    pub doc: &'static str,
    /// The type.
    pub schema: fn() -> Type,
    /// Whether it can be absent.
    pub presence: Presence,
    /// How it is written in protobuf.
    pub form: Form,
    /// The value of an absent field.
    pub default: Option<fn() -> Option<Literal>>,
}

/// Whether a field can be absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Presence {
    /// It is always written; absent it reads as its default.
    Plain,
    /// Absent it is an error.
    Required,
    /// It is `None` when absent.
    Optional,
}

impl Presence {
    /// Of a field that is marked `required`, or whose type is an `Option`.
    #[doc(hidden)]
    pub const fn of(required: bool, optional: bool) -> Self {
        match (required, optional) {
            (true, _) => Self::Required,
            (false, true) => Self::Optional,
            (false, false) => Self::Plain,
        }
    }
}

/// What `#[derive(Message)]` says of an enum.
#[derive(Debug)]
#[allow(clippy::exhaustive_structs, reason = "generated code makes it")]
pub struct EnumDescription {
    /// The name in the schema.
    pub name: &'static str,
    /// The documentation.
    pub doc: &'static str,
    /// Which Rust type it is.
    pub rust: RustType,
    /// The variants, without the one marked `#[other]`.
    pub variants: &'static [VariantDescription],
}

/// One variant of an enum.
#[derive(Debug)]
#[allow(clippy::exhaustive_structs, reason = "generated code makes it")]
pub struct VariantDescription {
    /// The name in the schema.
    pub name: &'static str,
    /// The documentation.
    pub doc: &'static str,
    /// The number on the wire.
    pub number: i32,
}

/// Which Rust type a description belongs to.
#[derive(Clone, Copy, Debug)]
pub struct RustType {
    id: fn() -> TypeId,
    name: fn() -> &'static str,
}

impl RustType {
    /// The type `T`.
    pub const fn of<T: 'static>() -> Self {
        Self { id: TypeId::of::<T>, name: std::any::type_name::<T> }
    }

    /// Its identity.
    pub fn id(&self) -> TypeId {
        (self.id)()
    }

    /// Its path.
    pub fn name(&self) -> &'static str {
        (self.name)()
    }
}
