//! The schema of a service as a `.proto` file.

use super::ServiceSchema;
use super::proto_build::{NoProtoIdl, proto_file};
use super::proto_file::{
    ProtoDefinition, ProtoEnum, ProtoField, ProtoFile, ProtoLabel, ProtoMember, ProtoMessage, ProtoMethod,
    ProtoService, ProtoType,
};

/// A complete `.proto` file (proto3), which protoc and Kitex's tool accept.
///
/// The tool of Kitex wants to know the Go package: it is the namespace, or the name of the service where there is none.
///
/// A method with one message as its argument takes that message; any other has a message `<Method>Request` with its
/// arguments as fields. The same holds for its result: anything but a message is field 1, `result`, of
/// `<Method>Response`. What a container in a container is, [`codec::protobuf`](crate::codec::protobuf) says.
///
/// When there is no such file the text says why instead; see [`try_proto_idl`].
pub fn proto_idl(service: &ServiceSchema) -> String {
    try_proto_idl(service).unwrap_or_else(|error| format!("error: {error}\n"))
}

/// A complete `.proto` file. Fails when two different types, or a type and something that only this file has, have one
/// name, and when a field has a number that protobuf reserves.
pub fn try_proto_idl(service: &ServiceSchema) -> Result<String, NoProtoIdl> {
    proto_file(service).map(|file| text(&file))
}

fn text(file: &ProtoFile) -> String {
    let mut text = String::from("syntax = \"proto3\";\n\n");
    if let Some(package) = &file.package {
        text += &format!("package {package};\n\n");
    }
    if let Some(package) = &file.go_package {
        text += &format!("option go_package = \"{package}\";\n\n");
    }
    for import in file.imports.keys() {
        text += &format!("import \"{import}\";\n");
    }
    if !file.imports.is_empty() {
        text += "\n";
    }
    for definition in &file.definitions {
        text += &match definition {
            ProtoDefinition::Enum(definition) => enum_text(definition),
            ProtoDefinition::Message(message) => message_text(message),
        };
        text += "\n";
    }
    text + &file.services.iter().map(service_text).collect::<String>()
}

fn enum_text(definition: &ProtoEnum) -> String {
    let mut text = comment("", definition.doc);
    text += &format!("enum {} {{\n", definition.name);
    for value in &definition.values {
        text += &comment(INDENT, value.doc);
        text += &format!("{INDENT}{} = {};\n", value.name, value.number);
    }
    text + "}\n"
}

fn message_text(message: &ProtoMessage) -> String {
    let mut text = comment("", message.doc);
    text += &format!("message {} {{\n", message.name);
    for member in &message.members {
        match member {
            ProtoMember::Field(field) => text += &field_text(INDENT, field),
            ProtoMember::Oneof { name, doc, variants } => {
                text += &comment(INDENT, doc);
                text += &format!("{INDENT}oneof {name} {{\n");
                text.extend(variants.iter().map(|variant| field_text("    ", variant)));
                text += &format!("{INDENT}}}\n");
            }
        }
    }
    text + "}\n"
}

fn field_text(indent: &str, field: &ProtoField) -> String {
    let ty = type_name(&field.ty);
    let spelled = match field.label {
        ProtoLabel::Single => ty.to_owned(),
        ProtoLabel::Optional => format!("optional {ty}"),
        ProtoLabel::Repeated | ProtoLabel::Unpacked => format!("repeated {ty}"),
        ProtoLabel::Map(key) => format!("map<{key}, {ty}>"),
    };
    let options = if field.label == ProtoLabel::Unpacked { " [packed = false]" } else { "" };
    comment(indent, &field.doc) + &format!("{indent}{spelled} {} = {}{options};\n", field.name, field.number)
}

fn service_text(service: &ProtoService) -> String {
    let mut text = comment("", service.doc);
    text += &format!("service {} {{\n", service.name);
    text.extend(service.methods.iter().map(method_text));
    text + "}\n"
}

fn method_text(method: &ProtoMethod) -> String {
    let stream = |streams| if streams { "stream " } else { "" };
    let (client, server) = (stream(method.client_streams), stream(method.server_streams));
    let (request, response) = (type_name(&method.request), type_name(&method.response));
    comment(INDENT, &method.doc)
        + &format!("{INDENT}rpc {}({client}{request}) returns ({server}{response});\n", method.name)
}

fn type_name(ty: &ProtoType) -> &str {
    match ty {
        ProtoType::Scalar(name) | ProtoType::Enum(name) => name,
        ProtoType::Message(name) | ProtoType::Imported(name) => name,
    }
}

const INDENT: &str = "  ";

fn comment(indent: &str, doc: &str) -> String {
    doc.lines().map(|text| format!("{indent}// {text}").trim_end().to_owned() + "\n").collect()
}
