//! What a service is in a schema.

use std::fmt;

use super::Type;

/// Which sides of a method send a stream of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mode {
    /// One request, one response.
    Unary,
    /// One request, no response.
    Oneway,
    /// Many requests, one response.
    ClientStream,
    /// One request, many responses.
    ServerStream,
    /// Many requests, many responses.
    Bidi,
}

impl Mode {
    /// Whether a call of this mode is carried by a streaming protocol.
    pub(crate) fn is_streaming(self) -> bool {
        matches!(self, Self::ClientStream | Self::ServerStream | Self::Bidi)
    }
}

/// A service: its name, and its methods in the order of the trait.
#[derive(Clone, Copy)]
pub struct ServiceSchema {
    pub(super) name: &'static str,
    pub(super) namespace: Option<&'static str>,
    pub(super) doc: &'static str,
    pub(super) methods: &'static [&'static dyn Describe],
}

impl ServiceSchema {
    /// A service with this wire name, namespace, documentation and these methods.
    pub const fn new(
        name: &'static str,
        namespace: Option<&'static str>,
        doc: &'static str,
        methods: &'static [&'static dyn Describe],
    ) -> Self {
        Self { name, namespace, doc, methods }
    }

    /// The wire name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The name with its namespace, like `echo.TestService`: the name in protobuf.
    pub fn full_name(&self) -> String {
        self.namespace.map_or_else(|| self.name.to_owned(), |namespace| format!("{namespace}.{}", self.name))
    }

    /// The namespace; empty if there is none.
    pub(crate) fn namespace(&self) -> &'static str {
        self.namespace.unwrap_or_default()
    }

    /// The same service in another namespace.
    pub(crate) fn in_namespace(self, namespace: &'static str) -> Self {
        Self { namespace: Some(namespace), ..self }
    }

    /// The methods in the order of the trait.
    pub fn methods(&self) -> impl Iterator<Item = MethodSchema> {
        self.methods.iter().map(|method| method.method())
    }
}

impl fmt::Debug for ServiceSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceSchema").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What the typed description of a method says of itself.
pub trait Describe: Sync {
    /// The method.
    fn method(&self) -> MethodSchema;
}

/// One method of a service.
#[derive(Clone, Debug)]
#[allow(clippy::exhaustive_structs, reason = "whoever describes a method makes it")]
pub struct MethodSchema {
    /// The wire name.
    pub name: &'static str,
    /// The documentation.
    pub doc: &'static str,
    /// Which sides stream.
    pub mode: Mode,
    /// The arguments of a unary method; for a streaming method the one message a client sends.
    pub arguments: Vec<Argument>,
    /// What the method answers, or the message a server streams; `None` for nothing.
    pub result: Option<Type>,
    /// Whether what it answers is an `Option`.
    pub optional: bool,
    /// The declared exceptions.
    pub throws: Vec<Thrown>,
}

/// One argument of a method.
#[derive(Clone, Debug)]
#[allow(clippy::exhaustive_structs, reason = "whoever describes a method makes it")]
pub struct Argument {
    /// Its number in the struct of arguments.
    pub number: i16,
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub schema: Type,
    /// Whether it is an `Option`.
    pub optional: bool,
}

/// One exception a method declares.
#[derive(Clone, Debug)]
#[allow(clippy::exhaustive_structs, reason = "whoever describes a method makes it")]
pub struct Thrown {
    /// Its number in the struct of results.
    pub number: i16,
    /// The name of that field: the variant's or the type's in snake case.
    pub name: &'static str,
    /// Its type.
    pub schema: Type,
}
