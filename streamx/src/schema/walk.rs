//! The walk over everything a service reaches: each type once, what it uses before it.

use std::any::TypeId;
use std::collections::{HashMap, HashSet};
use std::fmt;

use super::{EnumDescription, FieldDescription, RustType, ServiceSchema, StructDescription, Type};

/// A type to be defined in an exported schema.
pub(super) enum Definition {
    Enum(&'static EnumDescription),
    Struct(&'static StructDescription),
}

/// Which schema the definitions are for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum For {
    Thrift,
    /// Some messages are defined in other files, and some unions are not messages.
    Protobuf {
        /// Which of those files it is, if it is one of them.
        at_home: Option<&'static str>,
    },
}

/// The definitions a service needs, in an order in which each comes after what it uses, and what each name is.
pub(super) fn definitions(
    service: &ServiceSchema,
    format: For,
) -> Result<(Vec<Definition>, Names), NameClash> {
    let mut walk = Walk::new(format);
    walk.names.insert(service.name.to_owned(), "the service");
    for method in service.methods() {
        for argument in &method.arguments {
            walk.visit(&argument.schema)?;
        }
        method.result.iter().try_for_each(|result| walk.visit(result))?;
        method.throws.iter().try_for_each(|thrown| walk.visit(&thrown.schema))?;
    }
    Ok((walk.definitions, walk.names))
}

/// The definitions of these structs and of what they use.
pub(super) fn definitions_of(
    structs: &[&'static StructDescription],
    format: For,
) -> Result<(Vec<Definition>, Names), NameClash> {
    let mut walk = Walk::new(format);
    structs.iter().try_for_each(|description| walk.visit(&Type::Struct(description)))?;
    Ok((walk.definitions, walk.names))
}

/// What each name is: the path of a Rust type, or a description.
pub(super) type Names = HashMap<String, &'static str>;

/// The name of a struct in a schema: a generic one is named with its arguments, like `PageOfOpen`.
pub(super) fn struct_name(description: &StructDescription) -> String {
    let mut name = description.name.to_owned();
    for (index, argument) in description.arguments.iter().enumerate() {
        name.push_str(if index == 0 { "Of" } else { "And" });
        name.push_str(&name_in_name(&argument()));
    }
    name
}

/// The name of a type inside another name.
pub(super) fn name_in_name(schema: &Type) -> String {
    match schema {
        Type::Bool => "Bool".into(),
        Type::I8 => "I8".into(),
        Type::I16 => "I16".into(),
        Type::I32 => "I32".into(),
        Type::I64 => "I64".into(),
        Type::F64 => "Double".into(),
        Type::String => "String".into(),
        Type::Binary => "Binary".into(),
        Type::List(element) => format!("ListOf{}", name_in_name(element)),
        Type::Set(element) => format!("SetOf{}", name_in_name(element)),
        Type::Map(key, value) => format!("MapOf{}To{}", name_in_name(key), name_in_name(value)),
        Type::Enum(description) => description.name.into(),
        Type::Struct(description) => struct_name(description),
    }
}

/// Two different types, or a type and the service, have one name in one schema.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NameClash {
    /// The name.
    pub name: String,
    /// The Rust paths of the two types; the first may be `the service`.
    pub types: [&'static str; 2],
}

impl fmt::Display for NameClash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, second] = self.types;
        write!(
            f,
            "two things are called `{}` in this schema: {first} and {second}; give one another name with \
             #[message(rename = \"…\")]",
            self.name
        )
    }
}

impl std::error::Error for NameClash {}

struct Walk {
    format: For,
    seen: HashSet<TypeId>,
    names: Names,
    definitions: Vec<Definition>,
}

impl Walk {
    fn new(format: For) -> Self {
        Self { format, seen: HashSet::new(), names: HashMap::new(), definitions: Vec::new() }
    }

    fn visit(&mut self, schema: &Type) -> Result<(), NameClash> {
        match schema {
            Type::List(element) | Type::Set(element) => self.visit(element),
            Type::Map(key, value) => {
                self.visit(key)?;
                self.visit(value)
            }
            Type::Enum(description) => {
                if self.enter(description.name.to_owned(), &description.rust)? {
                    self.definitions.push(Definition::Enum(description));
                }
                Ok(())
            }
            Type::Struct(description) if self.is_elsewhere(description) => Ok(()),
            Type::Struct(description) => {
                if self.enter(struct_name(description), &description.rust)? {
                    description.fields.iter().try_for_each(|field| self.visit_field(field))?;
                    self.definitions.push(Definition::Struct(description));
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn visit_field(&mut self, field: &FieldDescription) -> Result<(), NameClash> {
        match (field.schema)() {
            Type::Struct(union) if self.format != For::Thrift && field.form.oneof => {
                union.fields.iter().try_for_each(|variant| self.visit(&(variant.schema)()))
            }
            schema => self.visit(&schema),
        }
    }

    /// Whether another file defines it.
    fn is_elsewhere(&self, description: &StructDescription) -> bool {
        match self.format {
            For::Thrift => false,
            For::Protobuf { at_home } => description.import.is_some() && description.import != at_home,
        }
    }

    /// Whether the type was not met before.
    fn enter(&mut self, name: String, rust: &RustType) -> Result<bool, NameClash> {
        if !self.seen.insert(rust.id()) {
            return Ok(false);
        }
        match self.names.insert(name.clone(), rust.name()) {
            None => Ok(true),
            Some(first) => Err(NameClash { name, types: [first, rust.name()] }),
        }
    }
}
