//! The fields of a struct, the variants of a union, the arguments of a method: what differs between two versions of them.

use std::collections::BTreeSet;

use super::compare::{Comparison, Way, Writer, effects};
use super::fate::{self, Fate, Place};
use super::sentences::*;
use super::text::Shown;
use super::{Change, Effect, Field, Fields, Wire};

/// The fields of one thing in both versions.
pub(super) struct Both<'a> {
    pub(super) of: String,
    /// What a field is called: a field, an argument.
    pub(super) word: &'static str,
    pub(super) place: Place,
    pub(super) wires: &'a [Wire],
    pub(super) ways: BTreeSet<Way>,
}

const EITHER: [Writer; 2] = [Writer::Old, Writer::New];

impl<'a> Comparison<'a> {
    pub(super) fn fields(&mut self, both: &Both<'_>, old: &'a Fields, new: &'a Fields) {
        for (number, was) in &old.used {
            match new.used.get(number) {
                Some(is) => self.field(both, *number, was, is),
                None => self.removed(both, *number, was),
            }
        }
        for (number, is) in new.used.iter().filter(|(number, _)| !old.used.contains_key(number)) {
            let before =
                old.removed.get(number).filter(|was| was.name != is.name || was.ty != is.ty.to_string());
            let before =
                before.map(|was| format!("{number} was `{}: {}` until that was removed", was.name, was.ty));
            self.added(both, *number, is, before);
        }
    }

    pub(super) fn field(&mut self, both: &Both<'_>, number: i16, was: &'a Field, is: &'a Field) {
        for way in &both.ways {
            self.meet(&was.ty, &is.ty, *way);
        }
        let path = both.path(is);
        let number = both.number(number);
        if was.name != is.name {
            let what = format!("{number} was called `{}`", was.name);
            self.say(&path, &what, NAMES, None);
        }
        let (old, new) = ((self.old, was), (self.new, is));
        let sides = |writer| if writer == Writer::Old { (old, new) } else { (new, old) };
        let mut effects = effects(both.wires, &both.ways, &EITHER, |wire, writer| {
            let (writer, reader) = sides(writer);
            fate::of_value(wire, both.place, writer, reader)
        });
        let absence = self::effects(both.wires, &both.ways, &EITHER, |wire, writer| {
            let (writer, reader) = sides(writer);
            fate::of_absence(wire, both.place, Some(writer), reader.1)
        });
        let instead = match both.place {
            Place::Method => OTHER_METHOD,
            _ if effects.is_empty() => KEEP_PRESENCE,
            _ => KEEP_TYPE,
        };
        effects.extend(absence);
        let (before, now) = (Shown(was).to_string(), Shown(is).to_string());
        if effects.is_empty() && before == now {
            return;
        }
        if effects.is_empty() && was.ty != is.ty {
            effects.extend_from_slice(NAMES);
        }
        let what = if before == now {
            format!("{number}, `{now}`, is another kind of type now")
        } else {
            format!("{number} was `{before}` and is `{now}`")
        };
        let instead = effects.iter().any(|effect| effect.breaks).then_some(instead);
        self.changes.push(Change { path, what, effects, instead });
    }

    /// A field that only the new version has; `before` says what its number was.
    pub(super) fn added(&mut self, both: &Both<'_>, number: i16, is: &Field, before: Option<String>) {
        let mut effects = effects(both.wires, &both.ways, &[Writer::Old], |wire, _| {
            fate::of_absence(wire, both.place, None, is)
        });
        let mut instead = (!effects.is_empty()).then_some(match both.place {
            Place::Message | Place::Variant => "add it without `required`",
            Place::Method => "make it an `Option`, or add a method with another name",
        });
        if both.place == Place::Variant {
            effects = both.unknown_variant(Writer::New, false);
        }
        let mut what = format!("{} is new: `{}`", both.number(number), Shown(is));
        if let Some(before) = before {
            what = format!("{what}, and {before}");
            effects.push(ELDEST);
            instead = Some(OTHER_NUMBER);
        }
        self.changes.push(Change { path: both.path(is), what, effects, instead });
    }

    /// A field that only the old version has.
    pub(super) fn removed(&mut self, both: &Both<'_>, number: i16, was: &Field) {
        let mut effects = effects(both.wires, &both.ways, &[Writer::New], |wire, _| {
            fate::of_absence(wire, both.place, None, was)
        });
        let mut instead = "keep it until no peer demands it";
        if both.place == Place::Variant {
            effects = both.unknown_variant(Writer::Old, true);
            instead = "keep it until no peer sends it";
        }
        let instead = (!effects.is_empty()).then_some(instead);
        let kept = if both.word == "result" { "" } else { ", and its number stays taken" };
        let what = format!("{}, `{}`, is gone{kept}", both.number(number), Shown(was));
        self.changes.push(Change { path: both.path(was), what, effects, instead });
    }
}

impl Both<'_> {
    fn path(&self, field: &Field) -> String {
        match self.word {
            "argument" => format!("{}({})", self.of, field.name),
            "result" => self.of.clone(),
            _ => format!("{}.{}", self.of, field.name),
        }
    }

    fn number(&self, number: i16) -> String {
        if self.word == "result" { "the result".into() } else { format!("{} {number}", self.word) }
    }

    fn unknown_variant(&self, writer: Writer, breaks: bool) -> Vec<Effect> {
        effects(self.wires, &self.ways, &[writer], |_, _| Some(Fate { breaks, text: UNKNOWN_VARIANT }))
    }
}
