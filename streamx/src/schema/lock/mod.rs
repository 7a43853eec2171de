//! The lock file: what peers rely on, as a text beside the code, and what a change of it does to them.

mod change;
mod check;
mod compare;
mod fate;
mod fields;
mod of;
mod parse;
mod sentences;
mod text;

use std::collections::BTreeMap;
use std::fmt;

use super::{Form, Mode, NameClash, Presence, ServiceSchema, Shape};

pub use change::{Change, Effect, Who, Wire};
pub use check::{CheckError, check};

/// The schemas of some services as a lock file has them: everything that decides about bytes, and the names.
///
/// [`check`] is what tests call. This type is for other tools: it is made from services or from the text of a file, prints
/// as that text, and says what changed since.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lock {
    services: BTreeMap<String, Service>,
    types: BTreeMap<String, Definition>,
}

impl Lock {
    /// The schemas that are in this program.
    ///
    /// Fails when two different types have one name; services with such types need a file each.
    pub fn of(services: &[&ServiceSchema]) -> Result<Self, NameClash> {
        of::lock(services)
    }

    /// The schemas in the text of a lock file.
    pub fn parse(text: &str) -> Result<Self, LockError> {
        parse::lock(text)
    }

    /// What became different from this one to a newer one, what breaks first. A number that was in use here and is not there
    /// counts as removed.
    pub fn changes(&self, newer: &Self) -> Vec<Change> {
        compare::changes(self, newer).0
    }

    /// A newer one that remembers the numbers which are no longer used.
    fn remembering(mut newer: Self, older: &Self, pairs: &[compare::Pair]) -> Self {
        let same: Vec<_> = newer.types.keys().map(|name| (name.clone(), name.clone())).collect();
        for (old, new) in same.iter().chain(pairs.iter().filter(|(old, new)| old != new)) {
            match (older.types.get(old), newer.types.get_mut(new)) {
                (Some(Definition::Struct(old)), Some(Definition::Struct(new))) => {
                    new.fields.remember(&old.fields);
                }
                (Some(Definition::Enum(old)), Some(Definition::Enum(new))) => new.remember(old),
                _ => {}
            }
        }
        for (name, service) in &mut newer.services {
            let Some(old) = older.services.get(name) else { continue };
            for (name, method) in &mut service.methods {
                let Some(old) = old.methods.get(name) else { continue };
                method.arguments.remember(&old.arguments);
                method.throws.remember(&old.throws);
            }
        }
        newer
    }
}

/// A text that is no lock file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LockError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub reason: String,
}

impl fmt::Display for LockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.reason)
    }
}

impl std::error::Error for LockError {}

#[derive(Clone, Debug, Default, PartialEq)]
struct Service {
    namespace: Option<String>,
    methods: BTreeMap<String, Method>,
}

#[derive(Clone, Debug, PartialEq)]
struct Method {
    mode: Mode,
    arguments: Fields,
    /// Field 0 of the struct of results.
    result: Option<Field>,
    throws: Fields,
}

#[derive(Clone, Debug, PartialEq)]
enum Definition {
    Struct(Struct),
    Enum(Enum),
}

#[derive(Clone, Debug, PartialEq)]
struct Struct {
    shape: Shape,
    fields: Fields,
}

/// The fields of a struct, the arguments of a method, or its exceptions.
#[derive(Clone, Debug, Default, PartialEq)]
struct Fields {
    used: BTreeMap<i16, Field>,
    removed: BTreeMap<i16, Removed>,
}

#[derive(Clone, Debug, PartialEq)]
struct Field {
    name: String,
    presence: Presence,
    ty: Type,
    /// Never `explicit`: that follows from the presence and the default.
    form: Form,
    /// In a spelling that does not depend on names.
    default: Option<String>,
}

/// What a number was.
#[derive(Clone, Debug, PartialEq)]
struct Removed {
    name: String,
    ty: String,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Enum {
    used: BTreeMap<i32, String>,
    removed: BTreeMap<i32, String>,
}

/// A type by its name where it has one.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Type {
    Bool,
    I8,
    I16,
    I32,
    I64,
    F64,
    String,
    Binary,
    List(Box<Self>),
    Set(Box<Self>),
    Map(Box<Self>, Box<Self>),
    Named(String),
}

impl Fields {
    fn remember(&mut self, old: &Self) {
        self.removed.extend(old.removed.clone());
        for (number, field) in &old.used {
            self.removed.insert(*number, Removed { name: field.name.clone(), ty: field.ty.to_string() });
        }
        self.removed.retain(|number, _| !self.used.contains_key(number));
    }
}

impl Enum {
    fn remember(&mut self, old: &Self) {
        self.removed.extend(old.removed.clone());
        self.removed.extend(old.used.clone());
        self.removed.retain(|number, _| !self.used.contains_key(number));
    }
}
