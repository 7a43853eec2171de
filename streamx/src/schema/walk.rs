//! The walk over everything a service reaches: each type once, what it uses before it.

use std::any::TypeId;
use std::collections::{HashMap, HashSet};
use std::fmt;

use super::{EnumDescription, RustType, ServiceSchema, StructDescription, Type};

/// A type to be defined in an exported schema.
pub(super) enum Definition {
    Enum(&'static EnumDescription),
    Struct(&'static StructDescription),
}

/// The definitions a service needs, in an order in which each comes after what it uses.
pub(super) fn definitions(service: &ServiceSchema) -> Result<Vec<Definition>, NameClash> {
    let mut walk = Walk::default();
    for method in service.methods() {
        for argument in &method.arguments {
            walk.visit(&argument.schema)?;
        }
        method.result.iter().try_for_each(|result| walk.visit(result))?;
        method.throws.iter().try_for_each(|thrown| walk.visit(&thrown.schema))?;
    }
    Ok(walk.definitions)
}

/// The name of a struct in a schema: a generic one is named with its arguments, like `PageOfOpen`.
pub(super) fn struct_name(description: &StructDescription) -> String {
    let mut name = description.name.to_owned();
    for (index, argument) in description.arguments.iter().enumerate() {
        name.push_str(if index == 0 { "Of" } else { "And" });
        name.push_str(&name_in_name(&argument()));
    }
    name
}

fn name_in_name(schema: &Type) -> String {
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

/// Two different types have one name in one schema.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NameClash {
    /// The name.
    pub name: String,
    /// The Rust paths of the two types.
    pub types: [&'static str; 2],
}

impl fmt::Display for NameClash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, second] = self.types;
        write!(
            f,
            "two different types are called `{}` in this schema: {first} and {second}; give one another name with \
             #[message(rename = \"…\")]",
            self.name
        )
    }
}

impl std::error::Error for NameClash {}

#[derive(Default)]
struct Walk {
    seen: HashSet<TypeId>,
    names: HashMap<String, &'static str>,
    definitions: Vec<Definition>,
}

impl Walk {
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
            Type::Struct(description) => {
                if self.enter(struct_name(description), &description.rust)? {
                    description.fields.iter().try_for_each(|field| self.visit(&(field.schema)()))?;
                    self.definitions.push(Definition::Struct(description));
                }
                Ok(())
            }
            _ => Ok(()),
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
