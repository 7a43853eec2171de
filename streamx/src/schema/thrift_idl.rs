//! The schema of a service as a `.thrift` file.

use std::fmt::Write;

use super::walk::{self, Definition};
use super::{
    EnumDescription, FieldDescription, MethodSchema, Mode, NameClash, Presence, ServiceSchema, Shape,
    StructDescription, Type,
};

/// A complete `.thrift` file, which the Apache compiler and Kitex's tool accept.
///
/// The Apache compiler refuses names that are words of some language, like `next` or `end`; Kitex's tool does not. Such
/// a field needs a `#[field(1, rename = "…")]` for the former. Names are not on the wire.
///
/// When two different types, or a type and the service, have one name there is no such file, and the text says so instead; see [`try_thrift_idl`].
pub fn thrift_idl(service: &ServiceSchema) -> String {
    try_thrift_idl(service).unwrap_or_else(|clash| format!("error: {clash}\n"))
}

/// A complete `.thrift` file. Fails when two different types, or a type and the
/// service, have one name.
pub fn try_thrift_idl(service: &ServiceSchema) -> Result<String, NameClash> {
    let (definitions, _) = walk::definitions(service, walk::For::Thrift)?;
    let mut idl = String::new();
    if let Some(namespace) = service.namespace {
        line(&mut idl, format_args!("namespace go {namespace}\n"));
    }
    for definition in definitions {
        match definition {
            Definition::Enum(description) => print_enum(&mut idl, description),
            Definition::Struct(description) => print_struct(&mut idl, description),
        }
    }
    print_service(&mut idl, service);
    Ok(idl)
}

fn print_enum(idl: &mut String, description: &EnumDescription) {
    comment(idl, "", description.doc);
    line(idl, format_args!("enum {} {{", description.name));
    for variant in description.variants {
        comment(idl, INDENT, variant.doc);
        line(idl, format_args!("{INDENT}{} = {}", variant.name, variant.number));
    }
    line(idl, format_args!("}}\n"));
}

fn print_struct(idl: &mut String, description: &StructDescription) {
    let word = match description.shape {
        Shape::Struct => "struct",
        Shape::Union => "union",
        Shape::Exception => "exception",
    };
    comment(idl, "", description.doc);
    line(idl, format_args!("{word} {} {{", walk::struct_name(description)));
    for field in description.fields {
        print_field(idl, field, description.shape);
    }
    line(idl, format_args!("}}\n"));
}

fn print_field(idl: &mut String, field: &FieldDescription, shape: Shape) {
    comment(idl, INDENT, field.doc);
    let schema = (field.schema)();
    let presence = match field.presence {
        Presence::Required => "required ",
        Presence::Optional if shape != Shape::Union => "optional ",
        Presence::Optional | Presence::Plain => "",
    };
    let default = field.default.and_then(|default| default()).map(|default| default.in_thrift(&schema));
    let default = match default {
        None => String::new(),
        Some(Some(default)) => format!(" = {default}"),
        Some(None) => {
            comment(idl, INDENT, "Absent it has a value that Thrift has no word for.");
            String::new()
        }
    };
    let name = type_name(&schema);
    line(idl, format_args!("{INDENT}{}: {presence}{name} {}{default}", field.number, field.name));
}

fn print_service(idl: &mut String, service: &ServiceSchema) {
    comment(idl, "", service.doc);
    line(idl, format_args!("service {} {{", service.name));
    for method in service.methods() {
        print_method(idl, &method);
    }
    line(idl, format_args!("}}"));
}

fn print_method(idl: &mut String, method: &MethodSchema) {
    comment(idl, INDENT, method.doc);
    let oneway = if method.mode == Mode::Oneway { "oneway " } else { "" };
    let result = method.result.as_ref().map_or("void".into(), type_name);
    let arguments =
        method.arguments.iter().map(|argument| (argument.number, argument.name, &argument.schema));
    let throws = method.throws.iter().map(|thrown| (thrown.number, thrown.name, &thrown.schema));
    let (arguments, throws) = (list(arguments), list(throws));
    let (streaming, throws) = match method.mode {
        Mode::Unary | Mode::Oneway if throws.is_empty() => (String::new(), String::new()),
        Mode::Unary | Mode::Oneway => (String::new(), format!(" throws ({throws})")),
        Mode::ClientStream => (streaming("client"), throws),
        Mode::ServerStream => (streaming("server"), throws),
        Mode::Bidi => (streaming("bidirectional"), throws),
    };
    let throws = if streaming.is_empty() || throws.is_empty() {
        throws
    } else {
        // Thrift has no exceptions for a streaming method; Kitex's tool refuses them.
        comment(
            idl,
            INDENT,
            &format!("Ends with one of ({throws}), which Kitex reads as an ordinary error."),
        );
        String::new()
    };
    line(idl, format_args!("{INDENT}{oneway}{result} {}({arguments}){throws}{streaming}", method.name));
}

const INDENT: &str = "    ";

fn streaming(mode: &str) -> String {
    format!(" (streaming.mode = \"{mode}\")")
}

fn list<'a>(items: impl Iterator<Item = (i16, &'a str, &'a Type)>) -> String {
    let items = items.map(|(number, name, schema)| format!("{number}: {} {name}", type_name(schema)));
    items.collect::<Vec<_>>().join(", ")
}

fn type_name(schema: &Type) -> String {
    match schema {
        Type::Bool => "bool".into(),
        Type::I8 => "i8".into(),
        Type::I16 => "i16".into(),
        Type::I32 => "i32".into(),
        Type::I64 => "i64".into(),
        Type::F64 => "double".into(),
        Type::String => "string".into(),
        Type::Binary => "binary".into(),
        Type::List(element) => format!("list<{}>", type_name(element)),
        Type::Set(element) => format!("set<{}>", type_name(element)),
        Type::Map(key, value) => format!("map<{}, {}>", type_name(key), type_name(value)),
        Type::Enum(description) => description.name.into(),
        Type::Struct(description) => walk::struct_name(description),
    }
}

fn comment(idl: &mut String, indent: &str, doc: &str) {
    for text in doc.lines() {
        line(idl, format_args!("{}", format!("{indent}// {text}").trim_end()));
    }
}

fn line(idl: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a `String` cannot fail.
    let _ = writeln!(idl, "{text}");
}
