//! The schema of a service as a `.proto` file.

use std::collections::{BTreeSet, HashMap};
use std::fmt;

use super::proto_types::{enum_prefix, is_message, number_name, screaming};
use super::walk::{self, Definition};
use super::{
    Encoding, EnumDescription, FieldDescription, Form, IMPORT_UNKNOWN, MethodSchema, Mode, NameClash,
    Presence, ServiceSchema, Shape, StructDescription, Type,
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
    let (definitions, names) =
        walk::definitions(service, walk::For::Protobuf).map_err(NoProtoIdl::NameClash)?;
    let mut file = File { names, imports: BTreeSet::new(), messages: Vec::new() };
    for definition in definitions {
        match definition {
            Definition::Enum(description) => file.define_enum(description),
            Definition::Struct(description) => file.define_struct(description)?,
        }
    }
    let service = file.service(service)?;
    Ok(file.text(&service))
}

/// Why a service has no `.proto` file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoProtoIdl {
    /// Two things have one name.
    NameClash(NameClash),
    /// A field has a number from 19000 to 19999, which protobuf keeps for itself.
    ReservedNumber {
        /// The struct and the field, like `Request.id`.
        field: String,
        /// The number.
        number: i16,
    },
    /// A message was generated from a `.proto` file that is not known here.
    Elsewhere {
        /// Its name.
        message: &'static str,
    },
}

impl fmt::Display for NoProtoIdl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NameClash(clash) => clash.fmt(f),
            Self::ReservedNumber { field, number } => write!(
                f,
                "`{field}` has the number {number}, and protobuf keeps 19000 to 19999 for itself: give it another one"
            ),
            Self::Elsewhere { message } => write!(
                f,
                "`{message}` was generated from a `.proto` file, which this program does not have: that file is the place of \
                 the service, too"
            ),
        }
    }
}

impl std::error::Error for NoProtoIdl {}

/// The file so far.
struct File {
    /// What each name is.
    names: HashMap<String, &'static str>,
    imports: BTreeSet<&'static str>,
    /// The text of each message and enum.
    messages: Vec<String>,
}

/// A field to be printed.
struct Line<'a> {
    number: i16,
    name: &'a str,
    doc: &'a str,
    schema: Type,
    form: Form,
    /// Whether it differs from its zero when it is absent.
    optional: bool,
}

impl File {
    fn text(self, service: &Text<'_>) -> String {
        let mut text = String::from("syntax = \"proto3\";\n\n");
        if let Some(namespace) = service.namespace {
            text += &format!("package {namespace};\n\n");
        }
        text += &format!("option go_package = \"{}\";\n\n", service.go_package);
        for import in &self.imports {
            text += &format!("import \"{import}\";\n");
        }
        if !self.imports.is_empty() {
            text += "\n";
        }
        for message in self.messages {
            text += &message;
            text += "\n";
        }
        text + &service.body
    }

    fn define_enum(&mut self, description: &EnumDescription) {
        let prefix = enum_prefix(description);
        let mut text = comment("", description.doc);
        text += &format!("enum {} {{\n", description.name);
        // The first one is zero in proto3.
        let (zero, others): (Vec<_>, Vec<_>) =
            description.variants.iter().partition(|variant| variant.number == 0);
        if zero.is_empty() {
            text += &format!("  {prefix}_UNSPECIFIED = 0;\n");
        }
        for variant in zero.into_iter().chain(others) {
            text += &comment(INDENT, variant.doc);
            text += &format!("  {prefix}_{} = {};\n", screaming(variant.name), variant.number);
        }
        self.messages.push(text + "}\n");
    }

    fn define_struct(&mut self, description: &StructDescription) -> Result<(), NoProtoIdl> {
        let name = walk::struct_name(description);
        let mut text = comment("", description.doc);
        text += &format!("message {name} {{\n");
        if description.shape == Shape::Union {
            text += &self.oneof("variant", &name, description)?;
        } else {
            for field in description.fields {
                text += &self.field(&name, field)?;
            }
        }
        self.messages.push(text + "}\n");
        Ok(())
    }

    fn field(&mut self, message: &str, field: &FieldDescription) -> Result<String, NoProtoIdl> {
        let schema = (field.schema)();
        if let (true, Type::Struct(union)) = (field.form.oneof, &schema) {
            return Ok(comment(INDENT, field.doc) + &self.oneof(field.name, message, union)?);
        }
        let mut doc = field.doc.to_owned();
        if field.presence == Presence::Required && !is_container(&schema) {
            doc += "\nIt must be there.";
        }
        if let Some(default) = field.default.and_then(|default| default()).filter(|_| !is_container(&schema))
        {
            let default = default.in_thrift(&schema);
            doc += &default
                .map_or("\nAbsent it has a default.".into(), |default| format!("\nAbsent it is {default}."));
        }
        let optional = field.presence != Presence::Plain || field.default.is_some();
        let FieldDescription { number, name, form, .. } = *field;
        self.line(message, INDENT, &Line { number, name, doc: doc.trim_start(), schema, form, optional })
    }

    /// The variants of a union as fields of a message.
    fn oneof(&mut self, name: &str, message: &str, union: &StructDescription) -> Result<String, NoProtoIdl> {
        let taken = union.fields.iter().any(|field| field.name == name);
        let mut text = format!("  oneof {name}{} {{\n", if taken { "_" } else { "" });
        for field in union.fields {
            let schema = (field.schema)();
            let schema = if is_container(&schema) { self.around(&schema)? } else { Part::Schema(schema) };
            let name = self.part_name(&schema, Encoding::Plain)?;
            text += &comment("    ", field.doc);
            text += &self.numbered(message, field.number, field.name, &format!("    {name}"), "")?;
        }
        Ok(text + "  }\n")
    }

    fn line(&mut self, message: &str, indent: &str, line: &Line<'_>) -> Result<String, NoProtoIdl> {
        let Line { number, name, doc, schema, form, optional } = line;
        let mut options = "";
        let spelled = match schema {
            Type::List(element) | Type::Set(element) => {
                if !form.packed && !is_message(element) {
                    options = " [packed = false]";
                }
                format!("repeated {}", self.element(element, form.value)?)
            }
            Type::Map(key, value) => match key_name(key, form.key) {
                Some(key) => format!("map<{key}, {}>", self.element(value, form.value)?),
                None => format!("repeated {}", self.entry(key, value, *form)?),
            },
            single => {
                let label = if *optional && !is_message(single) { "optional " } else { "" };
                format!("{label}{}", self.element(single, form.value)?)
            }
        };
        let text = self.numbered(message, *number, name, &format!("{indent}{spelled}"), options)?;
        Ok(comment(indent, doc) + &text)
    }

    fn numbered(
        &self,
        message: &str,
        number: i16,
        name: &str,
        before: &str,
        options: &str,
    ) -> Result<String, NoProtoIdl> {
        if (19_000..=19_999).contains(&number) {
            return Err(NoProtoIdl::ReservedNumber { field: format!("{message}.{name}"), number });
        }
        Ok(format!("{before} {name} = {number}{options};\n"))
    }

    /// The name of what can be an element, a value or a field of its own.
    fn element(&mut self, schema: &Type, encoding: Encoding) -> Result<String, NoProtoIdl> {
        let part = if is_container(schema) { self.around(schema)? } else { Part::Schema(schema.clone()) };
        self.part_name(&part, encoding)
    }

    fn part_name(&mut self, part: &Part, encoding: Encoding) -> Result<String, NoProtoIdl> {
        Ok(match part {
            Part::Message(name) => name.clone(),
            Part::Schema(Type::Struct(description)) => match description.import {
                Some(IMPORT_UNKNOWN) => {
                    return Err(NoProtoIdl::Elsewhere { message: description.name });
                }
                Some(import) => {
                    self.imports.insert(import);
                    imported_name(import, description.name)
                }
                None => walk::struct_name(description),
            },
            Part::Schema(Type::Enum(description)) => description.name.to_owned(),
            Part::Schema(number) => number_name(number, encoding).to_owned(),
        })
    }

    /// The message around a container.
    fn around(&mut self, container: &Type) -> Result<Part, NoProtoIdl> {
        let name = walk::name_in_name(container);
        let schema = container.clone();
        let line = Line { number: 1, name: "items", doc: "", schema, form: Form::PLAIN, optional: false };
        self.message(&name, "a container in a container", &[line])?;
        Ok(Part::Message(name))
    }

    /// The message of an entry whose key cannot be one in protobuf.
    fn entry(&mut self, key: &Type, value: &Type, form: Form) -> Result<String, NoProtoIdl> {
        let name = format!("EntryOf{}To{}", walk::name_in_name(key), walk::name_in_name(value));
        let part = |number, name, schema: &Type, encoding| Line {
            number,
            name,
            doc: "",
            schema: schema.clone(),
            form: Form::of_entry(encoding),
            optional: false,
        };
        let lines = [part(1, "key", key, form.key), part(2, "value", value, form.value)];
        let mut wrapped = Vec::new();
        for line in lines {
            // A container in an entry has a message around it.
            let name = self.element(&line.schema, line.form.value)?;
            wrapped.push(format!("{INDENT}{name} {} = {};\n", line.name, line.number));
        }
        self.add(&name, "an entry of a map", &wrapped.concat())?;
        Ok(name)
    }

    /// Adds a message that no Rust type stands for, once.
    fn message(&mut self, name: &str, what: &'static str, lines: &[Line<'_>]) -> Result<(), NoProtoIdl> {
        let mut body = String::new();
        for line in lines {
            body += &self.line(name, INDENT, line)?;
        }
        self.add(name, what, &body)
    }

    fn add(&mut self, name: &str, what: &'static str, body: &str) -> Result<(), NoProtoIdl> {
        let text = format!("message {name} {{\n{body}}}\n");
        match self.names.insert(name.to_owned(), what) {
            None => self.messages.push(text),
            Some(_) if self.messages.contains(&text) => {}
            Some(first) => {
                return Err(NoProtoIdl::NameClash(NameClash { name: name.to_owned(), types: [first, what] }));
            }
        }
        Ok(())
    }

    fn service<'a>(&mut self, service: &ServiceSchema) -> Result<Text<'a>, NoProtoIdl> {
        let mut body = comment("", service.doc);
        body += &format!("service {} {{\n", service.name);
        for method in service.methods() {
            body += &self.method(&method)?;
        }
        let namespace = service.namespace;
        let go_package = namespace.map_or(service.name.to_lowercase(), |it| it.replace('.', "/"));
        Ok(Text { namespace, go_package, body: body + "}\n" })
    }

    fn method(&mut self, method: &MethodSchema) -> Result<String, NoProtoIdl> {
        let request = self.request(method)?;
        let response = self.response(method)?;
        let (client, server) = match method.mode {
            Mode::Unary | Mode::Oneway => ("", ""),
            Mode::ClientStream => ("stream ", ""),
            Mode::ServerStream => ("", "stream "),
            Mode::Bidi => ("stream ", "stream "),
        };
        let mut text = comment(INDENT, method.doc);
        if method.mode == Mode::Oneway {
            text += &comment(INDENT, "Nobody waits for the response.");
        }
        for thrown in &method.throws {
            let name = self.element(&thrown.schema, Encoding::Plain)?;
            text += &comment(INDENT, &format!("Can fail with {name}."));
        }
        Ok(text + &format!("  rpc {}({client}{request}) returns ({server}{response});\n", method.name))
    }

    /// The message a method takes.
    fn request(&mut self, method: &MethodSchema) -> Result<String, NoProtoIdl> {
        if let [argument] = &*method.arguments
            && let Type::Struct(_) = argument.schema
            && !argument.optional
        {
            return self.element(&argument.schema, Encoding::Plain);
        }
        let lines: Vec<_> = method
            .arguments
            .iter()
            .map(|argument| Line {
                number: argument.number,
                name: argument.name,
                doc: "",
                schema: argument.schema.clone(),
                form: Form::PLAIN,
                optional: argument.optional,
            })
            .collect();
        let name = format!("{}Request", upper_first(method.name));
        self.message(&name, "the arguments of a method", &lines)?;
        Ok(name)
    }

    /// The message a method answers.
    fn response(&mut self, method: &MethodSchema) -> Result<String, NoProtoIdl> {
        let name = format!("{}Response", upper_first(method.name));
        let lines = match &method.result {
            Some(schema @ Type::Struct(_)) if !method.optional => {
                return self.element(schema, Encoding::Plain);
            }
            Some(schema) => {
                let (schema, optional) = (schema.clone(), method.optional);
                vec![Line { number: 1, name: "result", doc: "", schema, form: Form::PLAIN, optional }]
            }
            None => Vec::new(),
        };
        self.message(&name, "the result of a method", &lines)?;
        Ok(name)
    }
}

/// What stands behind the messages.
struct Text<'a> {
    namespace: Option<&'a str>,
    go_package: String,
    body: String,
}

/// What is one field at most.
enum Part {
    /// A message that no Rust type stands for.
    Message(String),
    Schema(Type),
}

const INDENT: &str = "  ";

fn is_container(schema: &Type) -> bool {
    matches!(schema, Type::List(_) | Type::Set(_) | Type::Map(..))
}

/// The name of a key that protobuf has.
fn key_name(key: &Type, encoding: Encoding) -> Option<&'static str> {
    match key {
        // The numbers of an enum, which cannot be a key itself.
        Type::Enum(_) => Some(number_name(&Type::I32, encoding)),
        Type::Bool | Type::I8 | Type::I16 | Type::I32 | Type::I64 | Type::String => {
            Some(number_name(key, encoding))
        }
        _ => None,
    }
}

/// A message of another file has the package that its folder says.
fn imported_name(import: &str, name: &str) -> String {
    let package = import.rsplit_once('/').map_or("", |(folder, _)| folder);
    format!(".{}.{name}", package.replace('/', ".")).replace("..", ".")
}

fn upper_first(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn comment(indent: &str, doc: &str) -> String {
    doc.lines().map(|text| format!("{indent}// {text}").trim_end().to_owned() + "\n").collect()
}
