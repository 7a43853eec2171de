//! What a `.proto` file says, as values: `proto_idl.rs` prints it, and reflection sends it as a descriptor.

use std::collections::BTreeMap;

use super::StructDescription;

/// A `.proto` file of proto3.
#[derive(Debug, Default)]
pub(crate) struct ProtoFile {
    pub(crate) package: Option<String>,
    /// What Go tools call it.
    pub(crate) go_package: Option<String>,
    /// The files that define messages of others, each with those that are used.
    pub(crate) imports: BTreeMap<&'static str, Vec<&'static StructDescription>>,
    /// Each after what it uses, where that is possible.
    pub(crate) definitions: Vec<ProtoDefinition>,
    pub(crate) services: Vec<ProtoService>,
}

/// What has a name in a file, besides services.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ProtoDefinition {
    Enum(ProtoEnum),
    Message(ProtoMessage),
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ProtoEnum {
    pub(crate) name: &'static str,
    pub(crate) doc: &'static str,
    /// The first one is zero.
    pub(crate) values: Vec<ProtoValue>,
}

/// A value of an enum.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ProtoValue {
    pub(crate) name: String,
    pub(crate) doc: &'static str,
    pub(crate) number: i32,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ProtoMessage {
    pub(crate) name: String,
    pub(crate) doc: &'static str,
    pub(crate) members: Vec<ProtoMember>,
}

/// What is in a message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ProtoMember {
    Field(ProtoField),
    Oneof { name: String, doc: &'static str, variants: Vec<ProtoField> },
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ProtoField {
    pub(crate) number: i16,
    pub(crate) name: &'static str,
    pub(crate) doc: String,
    pub(crate) label: ProtoLabel,
    /// The type of the field, of its elements, or of the values of a map.
    pub(crate) ty: ProtoType,
}

/// How often a field is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProtoLabel {
    /// A plain field, a message, or a variant of a oneof.
    Single,
    Optional,
    Repeated,
    /// Numbers that do not share one field, as proto2 writes them.
    Unpacked,
    /// A map whose keys have this type.
    Map(&'static str),
}

/// A type as a field names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ProtoType {
    /// A number, a text or bytes, as protobuf spells it.
    Scalar(&'static str),
    /// An enum of this file.
    Enum(&'static str),
    /// A message of this file.
    Message(String),
    /// A message of another file, with its package and a dot before it.
    Imported(String),
}

#[derive(Debug)]
pub(crate) struct ProtoService {
    pub(crate) name: &'static str,
    pub(crate) doc: &'static str,
    pub(crate) methods: Vec<ProtoMethod>,
}

#[derive(Debug)]
pub(crate) struct ProtoMethod {
    pub(crate) name: &'static str,
    pub(crate) doc: String,
    pub(crate) request: ProtoType,
    pub(crate) response: ProtoType,
    pub(crate) client_streams: bool,
    pub(crate) server_streams: bool,
}

impl ProtoDefinition {
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Enum(definition) => definition.name,
            Self::Message(definition) => &definition.name,
        }
    }
}
