//! The `.proto` file of a service, from its schema.

use std::fmt;

use super::proto_file::{
    ProtoDefinition, ProtoEnum, ProtoField, ProtoFile, ProtoLabel, ProtoMember, ProtoMessage, ProtoMethod,
    ProtoService, ProtoType, ProtoValue,
};
use super::proto_types::{enum_prefix, is_message, number_name, screaming};
use super::walk::{self, Definition, Names};
use super::{
    Encoding, EnumDescription, FieldDescription, Form, IMPORT_UNKNOWN, MethodSchema, Mode, NameClash,
    Presence, ServiceSchema, Shape, StructDescription, Type,
};

/// The file of a service. Fails as [`try_proto_idl`](super::try_proto_idl) does.
pub(crate) fn proto_file(service: &ServiceSchema) -> Result<ProtoFile, NoProtoIdl> {
    let (definitions, names) =
        walk::definitions(service, walk::For::Protobuf { at_home: None }).map_err(NoProtoIdl::NameClash)?;
    let mut builder = Builder::new(names, None, service.namespace.map(str::to_owned));
    builder.define(definitions)?;
    builder.service(service)?;
    let go_package = service.namespace.map_or(service.name.to_lowercase(), |name| name.replace('.', "/"));
    builder.file.go_package = Some(go_package);
    Ok(builder.file)
}

/// The file that others have written and that defines these messages: as much of it as they say.
pub(crate) fn imported_file(
    import: &'static str,
    messages: &[&'static StructDescription],
) -> Result<ProtoFile, NoProtoIdl> {
    let format = walk::For::Protobuf { at_home: Some(import) };
    let (definitions, names) = walk::definitions_of(messages, format).map_err(NoProtoIdl::NameClash)?;
    let mut builder = Builder::new(names, Some(import), imported_package(import));
    builder.define(definitions)?;
    Ok(builder.file)
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
struct Builder {
    /// What each name is.
    names: Names,
    /// The file it is, if it is one that exists.
    at_home: Option<&'static str>,
    file: ProtoFile,
}

/// A field to be made.
struct Line<'a> {
    number: i16,
    name: &'static str,
    doc: &'a str,
    schema: Type,
    form: Form,
    /// Whether it differs from its zero when it is absent.
    optional: bool,
}

impl Builder {
    fn new(names: Names, at_home: Option<&'static str>, package: Option<String>) -> Self {
        Self { names, at_home, file: ProtoFile { package, ..ProtoFile::default() } }
    }

    fn define(&mut self, definitions: Vec<Definition>) -> Result<(), NoProtoIdl> {
        for definition in definitions {
            let definition = match definition {
                Definition::Enum(description) => ProtoDefinition::Enum(define_enum(description)),
                Definition::Struct(description) => ProtoDefinition::Message(self.define_struct(description)?),
            };
            self.file.definitions.push(definition);
        }
        Ok(())
    }

    fn define_struct(&mut self, description: &StructDescription) -> Result<ProtoMessage, NoProtoIdl> {
        let name = walk::struct_name(description);
        let members = if description.shape == Shape::Union {
            vec![self.oneof("variant", "", &name, description)?]
        } else {
            let fields = description.fields.iter().map(|field| self.field(&name, field));
            fields.collect::<Result<_, _>>()?
        };
        Ok(ProtoMessage { name, doc: description.doc, members })
    }

    fn field(&mut self, message: &str, field: &FieldDescription) -> Result<ProtoMember, NoProtoIdl> {
        let schema = (field.schema)();
        if let (true, Type::Struct(union)) = (field.form.oneof, &schema) {
            return self.oneof(field.name, field.doc, message, union);
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
        let line = Line { number, name, doc: doc.trim_start(), schema, form, optional };
        Ok(ProtoMember::Field(self.line(message, &line)?))
    }

    /// The variants of a union as fields of a message.
    fn oneof(
        &mut self,
        name: &str,
        doc: &'static str,
        message: &str,
        union: &StructDescription,
    ) -> Result<ProtoMember, NoProtoIdl> {
        let taken = union.fields.iter().any(|field| field.name == name);
        let variants = union.fields.iter().map(|field| {
            let ty = self.element(&(field.schema)(), Encoding::Plain)?;
            numbered(message, field.number, field.name, field.doc, ProtoLabel::Single, ty)
        });
        let variants = variants.collect::<Result<_, _>>()?;
        Ok(ProtoMember::Oneof { name: format!("{name}{}", if taken { "_" } else { "" }), doc, variants })
    }

    fn line(&mut self, message: &str, line: &Line<'_>) -> Result<ProtoField, NoProtoIdl> {
        let Line { number, name, doc, schema, form, optional } = line;
        let (label, ty) = match schema {
            Type::List(element) | Type::Set(element) => {
                let unpacked = !form.packed && !is_message(element);
                let label = if unpacked { ProtoLabel::Unpacked } else { ProtoLabel::Repeated };
                (label, self.element(element, form.value)?)
            }
            Type::Map(key, value) => match key_name(key, form.key) {
                Some(key) => (ProtoLabel::Map(key), self.element(value, form.value)?),
                None => (ProtoLabel::Repeated, self.entry(key, value, *form)?),
            },
            single => {
                let optional = *optional && !is_message(single);
                let label = if optional { ProtoLabel::Optional } else { ProtoLabel::Single };
                (label, self.element(single, form.value)?)
            }
        };
        numbered(message, *number, name, doc, label, ty)
    }

    /// What can be an element, a value or a field of its own.
    fn element(&mut self, schema: &Type, encoding: Encoding) -> Result<ProtoType, NoProtoIdl> {
        Ok(match schema {
            Type::List(_) | Type::Set(_) | Type::Map(..) => self.around(schema)?,
            Type::Enum(description) => ProtoType::Enum(description.name),
            Type::Struct(description) => {
                match description.import.filter(|_| description.import != self.at_home) {
                    Some(IMPORT_UNKNOWN) => {
                        return Err(NoProtoIdl::Elsewhere { message: description.name });
                    }
                    Some(import) => {
                        let used = self.file.imports.entry(import).or_default();
                        if !used.iter().any(|used| used.rust.id() == description.rust.id()) {
                            used.push(description);
                        }
                        let package =
                            imported_package(import).map_or(String::new(), |package| format!(".{package}"));
                        ProtoType::Imported(format!("{package}.{}", description.name))
                    }
                    None => ProtoType::Message(walk::struct_name(description)),
                }
            }
            number => ProtoType::Scalar(number_name(number, encoding)),
        })
    }

    /// The message around a container.
    fn around(&mut self, container: &Type) -> Result<ProtoType, NoProtoIdl> {
        let name = walk::name_in_name(container);
        let schema = container.clone();
        let line = Line { number: 1, name: "items", doc: "", schema, form: Form::PLAIN, optional: false };
        self.message(name, "a container in a container", &[line])
    }

    /// The message of an entry whose key cannot be one in protobuf.
    fn entry(&mut self, key: &Type, value: &Type, form: Form) -> Result<ProtoType, NoProtoIdl> {
        let name = format!("EntryOf{}To{}", walk::name_in_name(key), walk::name_in_name(value));
        // A container in an entry has a message around it.
        let mut part = |number, part, schema, encoding| {
            let ty = self.element(schema, Form::of_entry(encoding).value)?;
            numbered(&name, number, part, "", ProtoLabel::Single, ty).map(ProtoMember::Field)
        };
        let members = vec![part(1, "key", key, form.key)?, part(2, "value", value, form.value)?];
        self.add(ProtoMessage { name, doc: "", members }, "an entry of a map")
    }

    /// Adds a message that no Rust type stands for, once.
    fn message(
        &mut self,
        name: String,
        what: &'static str,
        lines: &[Line<'_>],
    ) -> Result<ProtoType, NoProtoIdl> {
        let members = lines.iter().map(|line| self.line(&name, line).map(ProtoMember::Field));
        let members = members.collect::<Result<_, _>>()?;
        self.add(ProtoMessage { name, doc: "", members }, what)
    }

    fn add(&mut self, message: ProtoMessage, what: &'static str) -> Result<ProtoType, NoProtoIdl> {
        let name = message.name.clone();
        let message = ProtoDefinition::Message(message);
        match self.names.insert(name.clone(), what) {
            None => self.file.definitions.push(message),
            Some(_) if self.file.definitions.contains(&message) => {}
            Some(first) => return Err(NoProtoIdl::NameClash(NameClash { name, types: [first, what] })),
        }
        Ok(ProtoType::Message(name))
    }

    fn service(&mut self, service: &ServiceSchema) -> Result<(), NoProtoIdl> {
        let methods = service.methods().map(|method| self.method(&method)).collect::<Result<_, _>>()?;
        self.file.services.push(ProtoService { name: service.name, doc: service.doc, methods });
        Ok(())
    }

    fn method(&mut self, method: &MethodSchema) -> Result<ProtoMethod, NoProtoIdl> {
        let request = self.request(method)?;
        let response = self.response(method)?;
        let mut doc = method.doc.to_owned();
        if method.mode == Mode::Oneway {
            doc += "\nNobody waits for the response.";
        }
        for thrown in &method.throws {
            let (ProtoType::Message(name) | ProtoType::Imported(name)) =
                self.element(&thrown.schema, Encoding::Plain)?
            else {
                continue;
            };
            doc += &format!("\nCan fail with {name}.");
        }
        Ok(ProtoMethod {
            name: method.name,
            doc: doc.trim_start_matches('\n').to_owned(),
            request,
            response,
            client_streams: matches!(method.mode, Mode::ClientStream | Mode::Bidi),
            server_streams: matches!(method.mode, Mode::ServerStream | Mode::Bidi),
        })
    }

    /// The message a method takes.
    fn request(&mut self, method: &MethodSchema) -> Result<ProtoType, NoProtoIdl> {
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
        self.message(format!("{}Request", upper_first(method.name)), "the arguments of a method", &lines)
    }

    /// The message a method answers.
    fn response(&mut self, method: &MethodSchema) -> Result<ProtoType, NoProtoIdl> {
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
        self.message(format!("{}Response", upper_first(method.name)), "the result of a method", &lines)
    }
}

fn define_enum(description: &EnumDescription) -> ProtoEnum {
    let prefix = enum_prefix(description);
    // The first one is zero in proto3.
    let (zero, others): (Vec<_>, Vec<_>) =
        description.variants.iter().partition(|variant| variant.number == 0);
    let unspecified = || ProtoValue { name: format!("{prefix}_UNSPECIFIED"), doc: "", number: 0 };
    let mut values: Vec<_> = zero.is_empty().then(unspecified).into_iter().collect();
    values.extend(zero.into_iter().chain(others).map(|variant| ProtoValue {
        name: format!("{prefix}_{}", screaming(variant.name)),
        doc: variant.doc,
        number: variant.number,
    }));
    ProtoEnum { name: description.name, doc: description.doc, values }
}

fn numbered(
    message: &str,
    number: i16,
    name: &'static str,
    doc: &str,
    label: ProtoLabel,
    ty: ProtoType,
) -> Result<ProtoField, NoProtoIdl> {
    if (19_000..=19_999).contains(&number) {
        return Err(NoProtoIdl::ReservedNumber { field: format!("{message}.{name}"), number });
    }
    Ok(ProtoField { number, name, doc: doc.to_owned(), label, ty })
}

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

/// A file of others has the package that its folder says.
fn imported_package(import: &str) -> Option<String> {
    import.rsplit_once('/').map(|(folder, _)| folder.replace('/', "."))
}

/// The full name of a message in protobuf, in a service of this namespace; `None` if nobody knows its package.
pub(crate) fn proto_name(message: &StructDescription, namespace: &str) -> Option<String> {
    let (package, name) = match message.import {
        Some(IMPORT_UNKNOWN) => return None,
        Some(import) => (imported_package(import).unwrap_or_default(), message.name.to_owned()),
        None => (namespace.to_owned(), walk::struct_name(message)),
    };
    Some(if package.is_empty() { name } else { format!("{package}.{name}") })
}

fn upper_first(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
