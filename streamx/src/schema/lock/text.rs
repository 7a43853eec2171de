//! The text of a lock file: a line for everything, in an order that does not depend on the order in the code.

use std::fmt::{self, Display, Formatter};

use super::super::{Encoding, Form, Mode, Presence, Shape};
use super::{Definition, Enum, Field, Fields, Lock, Method, Removed, Type};

/// The first line.
pub(super) const HEAD: &str = "streamx schema lock";
/// The version of the format, behind it.
pub(super) const VERSION: &str = "1";

pub(super) const MODES: [(&str, Mode); 5] = [
    ("unary", Mode::Unary),
    ("oneway", Mode::Oneway),
    ("client_stream", Mode::ClientStream),
    ("server_stream", Mode::ServerStream),
    ("bidi", Mode::Bidi),
];

pub(super) const SHAPES: [(&str, Shape); 3] =
    [("struct", Shape::Struct), ("union", Shape::Union), ("exception", Shape::Exception)];

pub(super) const TYPES: [(&str, Type); 8] = [
    ("bool", Type::Bool),
    ("i8", Type::I8),
    ("i16", Type::I16),
    ("i32", Type::I32),
    ("i64", Type::I64),
    ("double", Type::F64),
    ("string", Type::String),
    ("binary", Type::Binary),
];

/// How numbers are written in protobuf, in 32 bits and in 64.
pub(super) const ENCODINGS: [([&str; 2], Encoding); 6] = [
    (["_", "_"], Encoding::Plain),
    (["sint32", "sint64"], Encoding::Zigzag),
    (["uint32", "uint64"], Encoding::Unsigned),
    (["fixed32", "fixed64"], Encoding::Fixed),
    (["sfixed32", "sfixed64"], Encoding::SignedFixed),
    (["float", "float"], Encoding::Float),
];

impl Display for Lock {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEAD} {VERSION}")?;
        writeln!(
            f,
            "# What peers of this program rely on. A test compares it with the code (streamx::schema::check);"
        )?;
        writeln!(f, "# STREAMX_SCHEMA=update cargo test writes it anew. It belongs into version control.")?;
        for (name, service) in &self.services {
            write!(f, "\nservice {name}")?;
            service.namespace.iter().try_for_each(|namespace| write!(f, " in {namespace}"))?;
            writeln!(f)?;
            service.methods.iter().try_for_each(|(name, method)| write_method(f, name, method))?;
        }
        for (name, definition) in &self.types {
            match definition {
                Definition::Struct(it) => {
                    writeln!(f, "\n{} {name}", word_of(&SHAPES, &it.shape))?;
                    write_fields(f, "  ", &it.fields)?;
                }
                Definition::Enum(it) => {
                    writeln!(f, "\nenum {name}")?;
                    write_values(f, it)?;
                }
            }
        }
        Ok(())
    }
}

fn write_method(f: &mut Formatter<'_>, name: &str, method: &Method) -> fmt::Result {
    writeln!(f, "  {} {name}", word_of(&MODES, &method.mode))?;
    write_fields(f, "    argument ", &method.arguments)?;
    method.result.iter().try_for_each(|result| writeln!(f, "    result {}", Shown(result)))?;
    write_fields(f, "    throws ", &method.throws)
}

fn write_fields(f: &mut Formatter<'_>, before: &str, fields: &Fields) -> fmt::Result {
    for (number, field) in &fields.used {
        writeln!(f, "{before}{number} {}: {}", field.name, Shown(field))?;
    }
    for (number, Removed { name, ty }) in &fields.removed {
        writeln!(f, "{before}removed {number} {name}: {ty}")?;
    }
    Ok(())
}

fn write_values(f: &mut Formatter<'_>, it: &Enum) -> fmt::Result {
    it.used.iter().try_for_each(|(number, name)| writeln!(f, "  {number} {name}"))?;
    it.removed.iter().try_for_each(|(number, name)| writeln!(f, "  removed {number} {name}"))
}

/// A field behind its name.
pub(super) struct Shown<'a>(pub(super) &'a Field);

impl Display for Shown<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Field { presence, ty, form, default, .. } = self.0;
        f.write_str(match presence {
            Presence::Plain => "",
            Presence::Required => "required ",
            Presence::Optional => "optional ",
        })?;
        write!(f, "{ty}")?;
        spelling(*form, ty).iter().try_for_each(|form| write!(f, " as {form}"))?;
        default.iter().try_for_each(|default| write!(f, " = {default}"))
    }
}

impl Display for Type {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::List(element) => write!(f, "list<{element}>"),
            Self::Set(element) => write!(f, "set<{element}>"),
            Self::Map(key, value) => write!(f, "map<{key}, {value}>"),
            Self::Named(name) => f.write_str(name),
            simple => f.write_str(word_of(&TYPES, simple)),
        }
    }
}

/// What is inside of `proto = "…"`; none for the usual form.
pub(super) fn spelling(form: Form, ty: &Type) -> Option<String> {
    if form.oneof {
        return Some("oneof".into());
    }
    match ty {
        Type::Map(..) if form.key == Encoding::Plain && form.value == Encoding::Plain => None,
        Type::Map(key, value) => {
            Some(format!("map<{}, {}>", encoding(form.key, key), encoding(form.value, value)))
        }
        Type::List(element) | Type::Set(element) => match (form.packed, form.value) {
            (true, Encoding::Plain) => None,
            (true, value) => Some(encoding(value, element).into()),
            (false, Encoding::Plain) => Some("unpacked".into()),
            (false, value) => Some(format!("unpacked {}", encoding(value, element))),
        },
        _ if form.value == Encoding::Plain => None,
        single => Some(encoding(form.value, single).into()),
    }
}

fn encoding(encoding: Encoding, ty: &Type) -> &'static str {
    let words =
        ENCODINGS.iter().find(|(_, known)| *known == encoding).map_or(["_", "_"], |(words, _)| *words);
    words[usize::from(*ty == Type::I64)]
}

/// The word for a value in a table that has all of them.
pub(super) fn word_of<T: PartialEq>(table: &[(&'static str, T)], value: &T) -> &'static str {
    table.iter().find(|(_, known)| known == value).map_or("", |(word, _)| word)
}
