//! Two schemas side by side: what differs, and who meets it.
//!
//! Types are followed from the methods by what uses them, so that a type with another name is compared with the one it
//! replaces. On the way it is noted whether a type goes to the server, comes from it, or both.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{Mode, Presence, Shape};
use super::fate::{Fate, Place, UNLISTED};
use super::fields::Both;
use super::sentences::*;
use super::text::{MODES, SHAPES, word_of};
use super::{Change, Definition, Effect, Enum, Field, Lock, Method, Service, Struct, Type, Who, Wire};

/// The names of a type here and there.
pub(super) type Pair = (String, String);

/// All changes, those that break first, and the types that were compared.
pub(super) fn changes(old: &Lock, new: &Lock) -> (Vec<Change>, Vec<Pair>) {
    let mut comparison = Comparison { old, new, met: BTreeMap::new(), changes: Vec::new() };
    for (name, service) in &old.services {
        match new.services.get(name) {
            Some(newer) => comparison.service(name, service, newer),
            None => comparison.say(name, "the service is gone", GONE_SERVICE, Some(KEEP_SERVICE)),
        }
    }
    for name in new.services.keys().filter(|name| !old.services.contains_key(*name)) {
        comparison.say(name, "the service is new", &[], None);
    }
    for (pair, ways) in comparison.met.clone() {
        comparison.definition(&pair, &ways);
    }
    let mut changes = comparison.changes;
    changes.sort_by(|a, b| (!a.is_breaking(), &a.path).cmp(&(!b.is_breaking(), &b.path)));
    (changes, comparison.met.into_keys().collect())
}

/// How values get to a reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Way {
    Request,
    Response,
    /// A file, a queue.
    Storage,
}

/// Which version writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Writer {
    Old,
    New,
}

/// Who meets what a writer of one version does to a reader of the other.
fn met_by(way: Way, writer: Writer) -> Option<Who> {
    match (way, writer) {
        (Way::Request, Writer::Old) | (Way::Response, Writer::New) => Some(Who::OldClients),
        (Way::Request, Writer::New) | (Way::Response, Writer::Old) => Some(Who::NewClients),
        (Way::Storage, Writer::Old) => Some(Who::StoredMessages),
        // Nothing old reads what is stored by the new one.
        (Way::Storage, Writer::New) => None,
    }
}

pub(super) struct Comparison<'a> {
    pub(super) old: &'a Lock,
    pub(super) new: &'a Lock,
    met: BTreeMap<Pair, BTreeSet<Way>>,
    pub(super) changes: Vec<Change>,
}

impl<'a> Comparison<'a> {
    fn service(&mut self, name: &str, old: &'a Service, new: &'a Service) {
        if old.namespace != new.namespace {
            let shown = |namespace: &Option<String>| namespace.clone().unwrap_or_else(|| "none".into());
            let what =
                format!("its namespace was `{}` and is `{}`", shown(&old.namespace), shown(&new.namespace));
            self.say(name, &what, OTHER_PATH, Some("leave `namespace = \"…\"` as it was"));
        }
        for (method, was) in &old.methods {
            let path = format!("{name}.{method}");
            match new.methods.get(method) {
                None => self.say(&path, "the method is gone", GONE_METHOD, Some(KEEP_METHOD)),
                Some(is) if was.mode != is.mode => {
                    let word = |mode| word_of(&MODES, mode);
                    let what = format!("its mode was `{}` and is `{}`", word(&was.mode), word(&is.mode));
                    self.say(&path, &what, OTHER_MODE, Some("add a method with another name"));
                }
                Some(is) => self.method(&path, was, is),
            }
        }
        for method in new.methods.keys().filter(|method| !old.methods.contains_key(*method)) {
            self.say(&format!("{name}.{method}"), "the method is new", NEW_METHOD, None);
        }
    }

    fn method(&mut self, path: &str, old: &'a Method, new: &'a Method) {
        let (was, is) = (self.bare_argument(true, old), self.bare_argument(false, new));
        let as_one = was.is_some() == is.is_some();
        if !as_one {
            let what = match was {
                Some(_) => "a message is no longer its only argument",
                None => "a message is its only argument now",
            };
            self.say(path, what, OTHER_MESSAGE, Some("put what is new into the message, or add a method"));
        }
        if let (Some(was), Some(is)) = (was, is) {
            self.meet(&was.ty, &is.ty, Way::Request);
        }
        let wires: &[Wire] = if as_one && was.is_none() { &Wire::ALL } else { &[Wire::Thrift] };
        let arguments = Both {
            of: path.to_owned(),
            word: "argument",
            place: Place::Method,
            wires,
            ways: [Way::Request].into(),
        };
        self.fields(&arguments, &old.arguments, &new.arguments);
        self.result(path, old, new);
        self.throws(path, old, new);
    }

    fn result(&mut self, path: &str, old: &'a Method, new: &'a Method) {
        let is_bare = |lock: &Lock, method: &Method| {
            method.result.as_ref().map(|it| it.presence == Presence::Plain && is_struct(lock, &it.ty))
        };
        let (was, is) = (is_bare(self.old, old), is_bare(self.new, new));
        let wires: &[Wire] = match (was, is) {
            (Some(was), Some(is)) if was != is => {
                let what = match was {
                    true => "its result is no longer a message that is always there",
                    false => "its result is a message that is always there now",
                };
                self.say(path, what, OTHER_MESSAGE, Some("add a method with another name"));
                &[Wire::Thrift]
            }
            _ => &Wire::ALL,
        };
        let both = Both {
            of: path.to_owned(),
            word: "result",
            place: Place::Method,
            wires,
            ways: [Way::Response].into(),
        };
        match (&old.result, &new.result) {
            (Some(was), Some(is)) => self.field(&both, 0, was, is),
            (None, Some(is)) => self.added(&both, 0, is, None),
            (Some(was), None) => self.removed(&both, 0, was),
            (None, None) => {}
        }
    }

    fn throws(&mut self, path: &str, old: &'a Method, new: &'a Method) {
        // In protobuf, and at the end of a stream, it is not an answer but the error that ends the call.
        let in_thrift = match (new.mode, &new.result) {
            (Mode::ClientStream | Mode::ServerStream | Mode::Bidi, _) => None,
            (_, Some(_)) => Some(NO_ANSWER),
            (_, None) => Some(SUCCESS),
        };
        let effects = |who| {
            Wire::ALL.map(|wire| match (wire, in_thrift) {
                (Wire::Thrift, Some(text)) => Effect { who, wire: Some(wire), breaks: true, text },
                _ => Effect { who, wire: Some(wire), breaks: false, text: ORDINARY },
            })
        };
        let path = |field: &Field| format!("{path}({})", field.name);
        for (number, was) in &old.throws.used {
            match new.throws.used.get(number) {
                Some(is) => {
                    self.meet(&was.ty, &is.ty, Way::Response);
                    if was.ty != is.ty {
                        let what = format!("exception {number} was `{}` and is `{}`", was.ty, is.ty);
                        self.say(&path(is), &what, NAMES, None);
                    }
                }
                None => {
                    let what = format!("exception {number}, `{}`, is gone", was.ty);
                    let instead = in_thrift.is_some().then_some("keep it declared until no server throws it");
                    self.changes.push(Change {
                        path: path(was),
                        what,
                        effects: effects(Who::NewClients).into(),
                        instead,
                    });
                }
            }
        }
        for (number, is) in new.throws.used.iter().filter(|(number, _)| !old.throws.used.contains_key(number))
        {
            let mut effects = Vec::from(effects(Who::OldClients));
            let mut what = format!("exception {number}, `{}`, is new", is.ty);
            if let Some(was) = old.throws.removed.get(number).filter(|was| was.ty != is.ty.to_string()) {
                what = format!("{what}, and {number} was `{}` until that was removed", was.ty);
                effects.push(ELDEST);
            }
            let instead = in_thrift
                .is_some()
                .then_some("add a method with another name, or end the call with an ordinary error");
            self.changes.push(Change { path: path(is), what, effects, instead });
        }
    }

    fn definition(&mut self, (old_name, new_name): &Pair, ways: &BTreeSet<Way>) {
        let of = if old_name == new_name {
            new_name.clone()
        } else {
            format!("{new_name} (in place of {old_name})")
        };
        match (self.old.types.get(old_name), self.new.types.get(new_name)) {
            (Some(Definition::Struct(old)), Some(Definition::Struct(new))) => {
                self.structs(of, old, new, ways)
            }
            (Some(Definition::Enum(old)), Some(Definition::Enum(new))) => self.enums(&of, old, new, ways),
            // That they differ is said of the field.
            _ => {}
        }
    }

    fn structs(&mut self, of: String, old: &'a Struct, new: &'a Struct, ways: &BTreeSet<Way>) {
        if old.shape != new.shape {
            let word = |shape| word_of(&SHAPES, shape);
            let what =
                format!("it was declared `{}` and is declared `{}`", word(&old.shape), word(&new.shape));
            if (old.shape == Shape::Union) == (new.shape == Shape::Union) {
                self.say(&of, &what, NAMES, None);
            } else {
                let writers = [Writer::Old, Writer::New];
                let effects =
                    effects(&Wire::ALL, ways, &writers, |_, _| Some(Fate { breaks: true, text: ONE_OF_ALL }));
                let instead = Some("add another message, and a field for it");
                self.changes.push(Change { path: of, what, effects, instead });
                return;
            }
        }
        let (word, place) = match new.shape {
            Shape::Union => ("variant", Place::Variant),
            Shape::Struct | Shape::Exception => ("field", Place::Message),
        };
        let both = Both { of, word, place, wires: &Wire::ALL, ways: ways.clone() };
        self.fields(&both, &old.fields, &new.fields);
    }

    fn enums(&mut self, of: &str, old: &Enum, new: &Enum, ways: &BTreeSet<Way>) {
        let unlisted =
            |writer, breaks| effects(&Wire::ALL, ways, &[writer], |_, _| Some(Fate { breaks, ..UNLISTED }));
        for (number, was) in &old.used {
            match new.used.get(number) {
                Some(is) if is == was => {}
                Some(is) => {
                    self.say(&format!("{of}.{is}"), &format!("{number} was called `{was}`"), NAMES, None)
                }
                None => {
                    let path = format!("{of}.{was}");
                    let what = format!("the number {number} is gone, and stays taken");
                    let effects = unlisted(Writer::Old, true);
                    let instead = Some("keep it until no peer sends it");
                    self.changes.push(Change { path, what, effects, instead });
                }
            }
        }
        for (number, is) in new.used.iter().filter(|(number, _)| !old.used.contains_key(number)) {
            let mut effects = unlisted(Writer::New, false);
            let mut what = format!("the number {number} is new");
            let mut instead = None;
            if let Some(was) = old.removed.get(number).filter(|was| *was != is) {
                what = format!("{number} was `{was}` until that was removed");
                effects.push(ELDEST);
                instead = Some(OTHER_NUMBER);
            }
            self.changes.push(Change { path: format!("{of}.{is}"), what, effects, instead });
        }
    }

    /// Notes the types in a place, and all that they lead to.
    pub(super) fn meet(&mut self, old: &'a Type, new: &'a Type, way: Way) {
        let mut open = vec![(old, new)];
        while let Some((old, new)) = open.pop() {
            match (old, new) {
                (Type::List(old) | Type::Set(old), Type::List(new) | Type::Set(new)) => open.push((old, new)),
                // In protobuf one is read as a list of one, and of a list one is read.
                (Type::List(old) | Type::Set(old), Type::Named(_)) => open.push((old, new)),
                (Type::Named(_), Type::List(new) | Type::Set(new)) => open.push((old, new)),
                (Type::Map(old_key, old_value), Type::Map(new_key, new_value)) => {
                    open.extend([(&**old_key, &**new_key), (&**old_value, &**new_value)]);
                }
                (Type::Named(old), Type::Named(new)) => {
                    let ways = self.met.entry((old.clone(), new.clone())).or_default();
                    ways.insert(Way::Storage);
                    if !ways.insert(way) {
                        continue;
                    }
                    let (Some(Definition::Struct(old)), Some(Definition::Struct(new))) =
                        (self.old.types.get(old), self.new.types.get(new))
                    else {
                        continue;
                    };
                    let common = old.fields.used.iter();
                    open.extend(common.filter_map(|(number, old)| {
                        new.fields.used.get(number).map(|new| (&old.ty, &new.ty))
                    }));
                }
                _ => {}
            }
        }
    }

    /// The one message that is all a method takes, which has no other around it in protobuf.
    fn bare_argument(&self, old: bool, method: &'a Method) -> Option<&'a Field> {
        let lock = if old { self.old } else { self.new };
        let mut arguments = method.arguments.used.values();
        let first =
            arguments.next().filter(|it| it.presence == Presence::Plain && is_struct(lock, &it.ty))?;
        arguments.next().is_none().then_some(first)
    }

    pub(super) fn say(&mut self, path: &str, what: &str, effects: &[Effect], instead: Option<&'static str>) {
        let (path, what, effects) = (path.to_owned(), what.to_owned(), effects.to_vec());
        self.changes.push(Change { path, what, effects, instead });
    }
}

/// What each format, each way and each writer gives.
pub(super) fn effects(
    wires: &[Wire],
    ways: &BTreeSet<Way>,
    writers: &[Writer],
    fate: impl Fn(Wire, Writer) -> Option<Fate>,
) -> Vec<Effect> {
    let mut effects = Vec::new();
    for &wire in wires {
        for &writer in writers {
            let Some(Fate { breaks, text }) = fate(wire, writer) else { continue };
            let whos = ways.iter().filter_map(|way| met_by(*way, writer));
            effects.extend(whos.map(|who| Effect { who, wire: Some(wire), breaks, text }));
        }
    }
    effects.sort_by_key(|effect| (effect.wire, effect.who));
    effects
}

fn is_struct(lock: &Lock, ty: &Type) -> bool {
    matches!(ty, Type::Named(name) if matches!(lock.types.get(name), Some(Definition::Struct(_))))
}
