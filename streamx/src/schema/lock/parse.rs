//! The text of a lock file, read. It may be the outcome of a merge: whatever stands there, it is an error with a line.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::str::FromStr;

use super::super::{Encoding, Form, Presence};
use super::text::{ENCODINGS, HEAD, MODES, SHAPES, TYPES, VERSION};
use super::{Definition, Enum, Field, Fields, Lock, LockError, Method, Removed, Service, Struct, Type};

/// How deep containers may be nested in a type.
const MAX_DEPTH: u32 = 64;

pub(super) fn lock(text: &str) -> Result<Lock, LockError> {
    let mut lines = (1..).zip(text.lines().map(str::trim_end));
    let head = lines.next().map_or("", |(_, head)| head);
    let first = |reason| LockError { line: 1, reason };
    match head.strip_prefix(HEAD).map(str::trim) {
        Some(VERSION) => {}
        Some(version) => {
            let reason = "the file has version `{}` of the format, and this streamx knows version 1 only";
            return Err(first(reason.replace("{}", version)));
        }
        None => return Err(first(format!("a lock file begins with `{HEAD} {VERSION}`"))),
    }
    let mut parsing = Parsing { lock: Lock::default(), place: Place::Top, named: BTreeMap::new() };
    for (line, text) in lines {
        let content = text.trim_start_matches(' ');
        if !content.is_empty() && !content.starts_with('#') {
            let at = |reason| LockError { line, reason };
            parsing.line(line, text.len() - content.len(), content).map_err(at)?;
        }
    }
    let unknown = parsing.named.iter().find(|(name, _)| !parsing.lock.types.contains_key(*name));
    if let Some((name, line)) = unknown {
        let reason = format!("`{name}` is defined nowhere in this file");
        return Err(LockError { line: *line, reason });
    }
    Ok(parsing.lock)
}

type Parsed<T = ()> = Result<T, String>;

struct Parsing {
    lock: Lock,
    place: Place,
    /// Where each named type was used.
    named: BTreeMap<String, usize>,
}

/// Into what an indented line goes.
enum Place {
    Top,
    Service(String),
    Method(String, String),
    Type(String),
}

impl Parsing {
    fn line(&mut self, line: usize, indent: usize, content: &str) -> Parsed {
        let (word, rest) = content.split_once(' ').unwrap_or((content, ""));
        match (indent, &self.place) {
            (0, _) => self.top(word, rest),
            (2, Place::Service(service) | Place::Method(service, _)) => {
                let service = service.clone();
                self.method(service, word, rest)
            }
            (2, Place::Type(name)) => {
                let name = name.clone();
                match self.lock.types.get_mut(&name) {
                    Some(Definition::Struct(it)) => field(&mut it.fields, content, line, &mut self.named),
                    Some(Definition::Enum(it)) => value(it, content),
                    None => Err("this line belongs to nothing".into()),
                }
            }
            (4, Place::Method(service, method)) => {
                let service = self.lock.services.get_mut(service);
                let method = service.and_then(|service| service.methods.get_mut(method));
                let method = method.ok_or("this line belongs to no method")?;
                match word {
                    "argument" => field(&mut method.arguments, rest, line, &mut self.named),
                    "throws" => field(&mut method.throws, rest, line, &mut self.named),
                    "result" if method.result.is_none() => {
                        method.result = Some(declared("result", rest, line, &mut self.named)?);
                        Ok(())
                    }
                    "result" => Err("the method has two results".into()),
                    _ => Err(format!("`{word}` is not `argument`, `result` or `throws`")),
                }
            }
            _ => Err(format!("`{content}` belongs to nothing above it: look at its indentation")),
        }
    }

    fn top(&mut self, word: &str, rest: &str) -> Parsed {
        if word == "service" {
            let (name, namespace) = match rest.split_once(" in ") {
                Some((name, namespace)) => (name, Some(namespace.to_owned())),
                None => (rest, None),
            };
            let name = identifier(name)?;
            let service = Service { namespace, methods: BTreeMap::new() };
            self.place = Place::Service(name.clone());
            return once(self.lock.services.entry(name), service, "service");
        }
        let definition = match SHAPES.iter().find(|(shape, _)| *shape == word) {
            Some((_, shape)) => Definition::Struct(Struct { shape: *shape, fields: Fields::default() }),
            None if word == "enum" => Definition::Enum(Enum::default()),
            None => {
                return Err(format!("`{word}` is not `service`, `struct`, `union`, `exception` or `enum`"));
            }
        };
        let name = identifier(rest)?;
        self.place = Place::Type(name.clone());
        once(self.lock.types.entry(name), definition, "type")
    }

    fn method(&mut self, service: String, word: &str, rest: &str) -> Parsed {
        let mode = MODES.iter().find(|(mode, _)| *mode == word).map(|(_, mode)| *mode);
        let mode =
            mode.ok_or_else(|| format!("`{word}` is not the mode of a method, such as `unary` or `bidi`"))?;
        let name = identifier(rest)?;
        let method = Method { mode, arguments: Fields::default(), result: None, throws: Fields::default() };
        let methods = self.lock.services.get_mut(&service).map(|service| &mut service.methods);
        once(methods.ok_or("this line belongs to no service")?.entry(name.clone()), method, "method")?;
        self.place = Place::Method(service, name);
        Ok(())
    }
}

fn once<K: Ord + std::fmt::Display, V>(entry: Entry<'_, K, V>, value: V, what: &str) -> Parsed {
    match entry {
        Entry::Vacant(entry) => {
            entry.insert(value);
            Ok(())
        }
        Entry::Occupied(entry) => Err(format!("the {what} {} stands there twice", entry.key())),
    }
}

/// `3 id: required i64`, or `removed 3 id: i64`.
fn field(fields: &mut Fields, text: &str, line: usize, named: &mut BTreeMap<String, usize>) -> Parsed {
    let (removed, number, rest) = numbered(text)?;
    let (name, rest) =
        rest.split_once(": ").ok_or_else(|| format!("`{rest}` is not a name, `: ` and a type"))?;
    let name = identifier(name)?;
    if fields.used.contains_key(&number) || fields.removed.contains_key(&number) {
        return Err(format!("the number {number} stands there twice"));
    }
    if removed {
        fields.removed.insert(number, Removed { name, ty: rest.to_owned() });
    } else {
        fields.used.insert(number, declared(&name, rest, line, named)?);
    }
    Ok(())
}

/// `3 High`, or `removed 3 High`.
fn value(it: &mut Enum, text: &str) -> Parsed {
    let (removed, number, name) = numbered(text)?;
    let name = identifier(name)?;
    if it.used.contains_key(&number) || it.removed.contains_key(&number) {
        return Err(format!("the number {number} stands there twice"));
    }
    if removed { &mut it.removed } else { &mut it.used }.insert(number, name);
    Ok(())
}

fn numbered<N: FromStr>(text: &str) -> Parsed<(bool, N, &str)> {
    let (removed, text) = match text.strip_prefix("removed ") {
        Some(text) => (true, text),
        None => (false, text),
    };
    let (number, rest) =
        text.split_once(' ').ok_or_else(|| format!("`{text}` is not a number and a name"))?;
    let number = number.parse().map_err(|_| format!("`{number}` is not a number that can be here"))?;
    Ok((removed, number, rest))
}

/// What stands behind the name of a field.
fn declared(name: &str, text: &str, line: usize, named: &mut BTreeMap<String, usize>) -> Parsed<Field> {
    let (text, default) = match text.split_once(" = ") {
        Some((text, default)) => (text, Some(default.to_owned())),
        None => (text, None),
    };
    let (text, form) = match text.split_once(" as ") {
        Some((text, spelling)) => (text, form(spelling)?),
        None => (text, Form::PLAIN),
    };
    let (presence, text) = match text.split_once(' ') {
        Some(("optional", text)) => (Presence::Optional, text),
        Some(("required", text)) => (Presence::Required, text),
        _ => (Presence::Plain, text),
    };
    let mut rest = text;
    let ty = ty(&mut rest, MAX_DEPTH, line, named)?;
    if !rest.is_empty() {
        return Err(format!("`{rest}` stands behind the type"));
    }
    Ok(Field { name: name.to_owned(), presence, ty, form, default })
}

/// Takes a type off the front of `rest`.
fn ty(rest: &mut &str, depth: u32, line: usize, named: &mut BTreeMap<String, usize>) -> Parsed<Type> {
    let depth = depth.checked_sub(1).ok_or("containers are nested too deep")?;
    let end = rest.find(['<', '>', ',', ' ']).unwrap_or(rest.len());
    let (word, behind) = rest.split_at(end);
    *rest = behind;
    let is_container = behind.starts_with('<');
    let mut part = |before: &str, rest: &mut &str| {
        *rest = rest.strip_prefix(before).ok_or_else(|| format!("`{before}` is missing before `{rest}`"))?;
        ty(rest, depth, line, named).map(Box::new)
    };
    let ty = match word {
        "list" if is_container => Type::List(part("<", rest)?),
        "set" if is_container => Type::Set(part("<", rest)?),
        "map" if is_container => {
            let key = part("<", rest)?;
            Type::Map(key, part(", ", rest)?)
        }
        _ if is_container => return Err(format!("`{word}` is not `list`, `set` or `map`")),
        simple => match TYPES.iter().find(|(known, _)| *known == simple) {
            Some((_, ty)) => return Ok(ty.clone()),
            None => {
                let name = identifier(simple)?;
                named.entry(name.clone()).or_insert(line);
                return Ok(Type::Named(name));
            }
        },
    };
    *rest = rest.strip_prefix('>').ok_or_else(|| format!("`>` is missing behind the type in `{word}`"))?;
    Ok(ty)
}

/// What [`spelling`](super::text::spelling) wrote.
fn form(text: &str) -> Parsed<Form> {
    if text == "oneof" {
        return Ok(Form::PLAIN.oneof());
    }
    if let Some(entry) = text.strip_prefix("map<").and_then(|entry| entry.strip_suffix('>')) {
        let (key, value) =
            entry.split_once(", ").ok_or_else(|| format!("`{text}` is not a form of a map"))?;
        return Ok(Form::PLAIN.map(encoding(key)?, encoding(value)?));
    }
    match text.strip_prefix("unpacked") {
        Some("") => Ok(Form::PLAIN.unpacked()),
        Some(value) => Ok(Form::PLAIN.unpacked().value(encoding(value.trim_start())?)),
        None => Ok(Form::PLAIN.value(encoding(text)?)),
    }
}

fn encoding(word: &str) -> Parsed<Encoding> {
    let known = ENCODINGS.iter().find(|(words, _)| words.contains(&word)).map(|(_, encoding)| *encoding);
    known.ok_or_else(|| format!("`{word}` is not an encoding of protobuf, such as `sint32`"))
}

fn identifier(text: &str) -> Parsed<String> {
    let fits = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '.' | '-' | '/');
    if text.is_empty() || !text.chars().all(fits) {
        return Err(format!("`{text}` is not a name"));
    }
    Ok(text.to_owned())
}
