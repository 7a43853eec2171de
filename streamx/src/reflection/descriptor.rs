//! A `.proto` file as the messages of `google/protobuf/descriptor.proto`, as protoc makes them: as much of them as a file of
//! ours needs.

use bytes::Bytes;

use crate::Message;
use crate::schema::{
    ProtoDefinition, ProtoEnum, ProtoField, ProtoFile, ProtoLabel, ProtoMember, ProtoMessage, ProtoService,
    ProtoType,
};

/// Several files, each still in bytes.
#[derive(Message, Debug, Default)]
#[message(crate = crate)]
pub(super) struct FileDescriptorSet {
    #[field(1)]
    pub(super) file: Vec<Bytes>,
}

#[derive(Message, Debug, Default)]
#[message(crate = crate)]
pub(super) struct FileDescriptorProto {
    #[field(1)]
    pub(super) name: String,
    #[field(2)]
    pub(super) package: String,
    #[field(3)]
    pub(super) dependency: Vec<String>,
    #[field(4)]
    pub(super) message_type: Vec<DescriptorProto>,
    #[field(5)]
    pub(super) enum_type: Vec<EnumDescriptorProto>,
    #[field(6)]
    pub(super) service: Vec<ServiceDescriptorProto>,
    #[field(8)]
    options: Option<FileOptions>,
    #[field(12)]
    syntax: String,
}

#[derive(Message, Debug, Default)]
#[message(crate = crate)]
struct FileOptions {
    #[field(11)]
    go_package: Option<String>,
}

#[derive(Message, Debug, Default)]
#[message(crate = crate)]
pub(super) struct DescriptorProto {
    #[field(1)]
    pub(super) name: String,
    #[field(2)]
    field: Vec<FieldDescriptorProto>,
    #[field(3)]
    pub(super) nested_type: Vec<Self>,
    #[field(4)]
    pub(super) enum_type: Vec<EnumDescriptorProto>,
    #[field(7)]
    options: Option<MessageOptions>,
    #[field(8)]
    oneof_decl: Vec<OneofDescriptorProto>,
}

#[derive(Message, Debug, Default)]
#[message(crate = crate)]
struct MessageOptions {
    #[field(7)]
    map_entry: bool,
}

#[derive(Message, Debug, Default)]
#[message(crate = crate)]
struct FieldDescriptorProto {
    #[field(1)]
    name: String,
    #[field(3)]
    number: i32,
    #[field(4)]
    label: i32,
    #[field(5, rename = "type")]
    ty: i32,
    #[field(6)]
    type_name: String,
    #[field(8)]
    options: Option<FieldOptions>,
    #[field(9)]
    oneof_index: Option<i32>,
    #[field(10)]
    json_name: String,
    #[field(17)]
    proto3_optional: bool,
}

#[derive(Message, Debug, Default)]
#[message(crate = crate)]
struct FieldOptions {
    #[field(2)]
    packed: Option<bool>,
}

#[derive(Message, Debug, Default)]
#[message(crate = crate)]
struct OneofDescriptorProto {
    #[field(1)]
    name: String,
}

#[derive(Message, Debug, Default)]
#[message(crate = crate)]
pub(super) struct EnumDescriptorProto {
    #[field(1)]
    pub(super) name: String,
    #[field(2)]
    value: Vec<EnumValueDescriptorProto>,
}

#[derive(Message, Debug, Default)]
#[message(crate = crate)]
struct EnumValueDescriptorProto {
    #[field(1)]
    name: String,
    #[field(2)]
    number: Option<i32>,
}

#[derive(Message, Debug, Default)]
#[message(crate = crate)]
pub(super) struct ServiceDescriptorProto {
    #[field(1)]
    pub(super) name: String,
    #[field(2)]
    pub(super) method: Vec<MethodDescriptorProto>,
}

#[derive(Message, Debug, Default)]
#[message(crate = crate)]
pub(super) struct MethodDescriptorProto {
    #[field(1)]
    pub(super) name: String,
    #[field(2)]
    input_type: String,
    #[field(3)]
    output_type: String,
    #[field(5)]
    client_streaming: bool,
    #[field(6)]
    server_streaming: bool,
}

const OPTIONAL: i32 = 1;
const REPEATED: i32 = 3;
const MESSAGE: i32 = 11;
const ENUM: i32 = 14;

/// A file under this name.
pub(super) fn descriptor(name: String, file: &ProtoFile) -> FileDescriptorProto {
    let package = file.package.clone().unwrap_or_default();
    let scope = if package.is_empty() { String::new() } else { format!(".{package}") };
    let (mut message_type, mut enum_type) = (Vec::new(), Vec::new());
    for definition in &file.definitions {
        match definition {
            ProtoDefinition::Message(definition) => message_type.push(message(&scope, definition)),
            ProtoDefinition::Enum(definition) => enum_type.push(enumeration(definition)),
        }
    }
    FileDescriptorProto {
        name,
        package,
        dependency: file.imports.keys().map(|&import| import.to_owned()).collect(),
        message_type,
        enum_type,
        service: file.services.iter().map(|definition| service(&scope, definition)).collect(),
        options: file.go_package.clone().map(|package| FileOptions { go_package: Some(package) }),
        syntax: "proto3".to_owned(),
    }
}

fn message(scope: &str, definition: &ProtoMessage) -> DescriptorProto {
    let mut message = DescriptorProto { name: definition.name.clone(), ..DescriptorProto::default() };
    for member in &definition.members {
        match member {
            ProtoMember::Field(definition) => message.add(scope, definition),
            ProtoMember::Oneof { name, variants, .. } => {
                let oneof_index = message.add_oneof(name.clone());
                let variants = variants.iter().map(|variant| field(scope, variant));
                message.field.extend(variants.map(|field| FieldDescriptorProto { oneof_index, ..field }));
            }
        }
    }
    // A field with presence is a oneof of its own; those come last.
    for place in 0..message.field.len() {
        if message.field[place].proto3_optional {
            message.field[place].oneof_index = message.add_oneof(format!("_{}", message.field[place].name));
        }
    }
    message
}

impl DescriptorProto {
    fn add(&mut self, scope: &str, definition: &ProtoField) {
        let ProtoLabel::Map(key) = definition.label else {
            self.field.push(field(scope, definition));
            return;
        };
        let name = camel_case(definition.name, true) + "Entry";
        let number = definition.number;
        let entry = format!("{scope}.{}.{name}", self.name);
        self.field
            .push(FieldDescriptorProto { label: REPEATED, ..plain(number, definition.name, MESSAGE, entry) });
        let (value, type_name) = type_of(scope, &definition.ty);
        self.nested_type.push(Self {
            name,
            field: vec![plain(1, "key", scalar(key), String::new()), plain(2, "value", value, type_name)],
            options: Some(MessageOptions { map_entry: true }),
            ..Self::default()
        });
    }

    fn add_oneof(&mut self, name: String) -> Option<i32> {
        let index = i32::try_from(self.oneof_decl.len()).ok();
        self.oneof_decl.push(OneofDescriptorProto { name });
        index
    }
}

fn field(scope: &str, definition: &ProtoField) -> FieldDescriptorProto {
    let (ty, type_name) = type_of(scope, &definition.ty);
    let repeated = matches!(definition.label, ProtoLabel::Repeated | ProtoLabel::Unpacked);
    let unpacked = definition.label == ProtoLabel::Unpacked;
    FieldDescriptorProto {
        label: if repeated { REPEATED } else { OPTIONAL },
        options: unpacked.then_some(FieldOptions { packed: Some(false) }),
        proto3_optional: definition.label == ProtoLabel::Optional,
        ..plain(definition.number, definition.name, ty, type_name)
    }
}

fn plain(number: i16, name: &str, ty: i32, type_name: String) -> FieldDescriptorProto {
    FieldDescriptorProto {
        name: name.to_owned(),
        number: number.into(),
        label: OPTIONAL,
        ty,
        type_name,
        json_name: camel_case(name, false),
        ..FieldDescriptorProto::default()
    }
}

fn enumeration(definition: &ProtoEnum) -> EnumDescriptorProto {
    let value = definition
        .values
        .iter()
        .map(|value| EnumValueDescriptorProto { name: value.name.clone(), number: Some(value.number) });
    EnumDescriptorProto { name: definition.name.to_owned(), value: value.collect() }
}

fn service(scope: &str, definition: &ProtoService) -> ServiceDescriptorProto {
    let method = definition.methods.iter().map(|method| MethodDescriptorProto {
        name: method.name.to_owned(),
        input_type: type_of(scope, &method.request).1,
        output_type: type_of(scope, &method.response).1,
        client_streaming: method.client_streams,
        server_streaming: method.server_streams,
    });
    ServiceDescriptorProto { name: definition.name.to_owned(), method: method.collect() }
}

/// The number of a type, and its full name where it has one.
fn type_of(scope: &str, ty: &ProtoType) -> (i32, String) {
    match ty {
        ProtoType::Scalar(name) => (scalar(name), String::new()),
        ProtoType::Enum(name) => (ENUM, format!("{scope}.{name}")),
        ProtoType::Message(name) => (MESSAGE, format!("{scope}.{name}")),
        ProtoType::Imported(name) => (MESSAGE, name.clone()),
    }
}

/// `FieldDescriptorProto.Type`
fn scalar(name: &str) -> i32 {
    const NAMES: [(&str, i32); 15] = [
        ("double", 1),
        ("float", 2),
        ("int64", 3),
        ("uint64", 4),
        ("int32", 5),
        ("fixed64", 6),
        ("fixed32", 7),
        ("bool", 8),
        ("string", 9),
        ("bytes", 12),
        ("uint32", 13),
        ("sfixed32", 15),
        ("sfixed64", 16),
        ("sint32", 17),
        ("sint64", 18),
    ];
    NAMES.iter().find(|(known, _)| *known == name).map_or(0, |&(_, number)| number)
}

/// `by_name` as `byName` or `ByName`; what is not after a `_` stays.
fn camel_case(name: &str, mut upper: bool) -> String {
    let mut camel = String::new();
    for letter in name.chars() {
        match letter {
            '_' => upper = true,
            letter if upper => {
                camel.push(letter.to_ascii_uppercase());
                upper = false;
            }
            letter => camel.push(letter),
        }
    }
    camel
}
