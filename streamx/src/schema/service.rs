//! What a service is in the schema.

use std::fmt;

use super::{Mode, Thrown, Type};

/// What `#[streamx::service]` says of a trait.
#[derive(Debug)]
#[allow(clippy::exhaustive_structs, reason = "generated code makes it")]
pub struct ServiceDescription {
    /// The name on the wire.
    pub name: &'static str,
    /// The namespace, empty if there is none.
    pub namespace: &'static str,
    /// The methods in the order of their declaration.
    pub methods: &'static [&'static dyn Describe],
}

/// A method that can be described.
pub trait Describe: Send + Sync {
    /// The description.
    fn describe(&self) -> MethodDescription;
}

impl fmt::Debug for dyn Describe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.describe().fmt(f)
    }
}

/// What a method is in the schema.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct MethodDescription {
    /// The name on the wire.
    pub name: &'static str,
    /// How it is called.
    pub mode: Mode,
    /// Its arguments; the message of a stream of requests is one too.
    pub arguments: Vec<ArgumentDescription>,
    /// What it answers, or the message of a stream of answers; `None` is `void`.
    pub result: Option<Type>,
    /// The exceptions it declares.
    pub throws: Vec<Thrown>,
}

/// One argument of a method.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ArgumentDescription {
    /// The number on the wire.
    pub number: i16,
    /// The name in the schema.
    pub name: &'static str,
    /// The type.
    pub schema: Type,
}

impl ArgumentDescription {
    /// The one argument of a streaming method.
    pub(crate) fn request(schema: Type) -> Self {
        Self { number: 1, name: "request", schema }
    }
}
