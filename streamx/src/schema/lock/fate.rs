//! What becomes of a value that is written as one version has it, and read as another one does.
//!
//! Thrift has the wire type with each field, so that another one is skipped. Protobuf has four sizes only; what has the
//! same size is read, whatever it was. The rules are those of the readers in `codec`.

use super::super::{Encoding, Form, Presence};
use super::sentences::UNKNOWN_VARIANT;
use super::{Definition, Field, Lock, Type, Wire};

/// What happens to a value, and whether that is a breach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fate {
    pub(super) breaks: bool,
    /// Behind the name of the format.
    pub(super) text: &'static str,
}

const fn breach(text: &'static str) -> Fate {
    Fate { breaks: true, text }
}

const fn remark(text: &'static str) -> Fate {
    Fate { breaks: false, text }
}

const SKIPPED: Fate = breach("the value is skipped without an error and reads as absent");
const SKIPPED_IN_MAP: Fate = breach("keys or values are skipped without an error and read as zero or empty");
const ELEMENTS: Fate = breach("the message fails unless the container is empty");
const NOT_TEXT: Fate = breach("the message fails when the bytes are not UTF-8");
const GARBLED: Fate = breach("the message fails, or the value reads as something else");
const OTHER_NUMBER: Fate = breach("every number but 0 reads as another number");
const NEGATIVE: Fate = breach("a negative number reads as another number");
const ONLY_TRUE: Fate = breach("every number but 0 reads as true");
const NO_FIT: Fate = breach("the message fails when the number does not fit");
const LOWER_BITS: Fate = breach("a number beyond 32 bits reads as its lower 32 bits");
const LAST: Fate = breach("one value is left of several");
const MOVED: Fate =
    breach("the value is skipped without an error: its variants are fields of another message");
const DUPLICATES: Fate = remark("equal elements become one");
pub(super) const UNLISTED: Fate =
    remark("a number that the enum does not list reads as its default, or as its `#[other]` variant");

const SKIPPED_FAILS: Fate = breach("the message fails: the value is skipped, and must be there");
const UNSENT_FAILS: Fate = breach("the call fails when it is not sent");
const ABSENT_FAILS: Fate = breach("the message fails when the field is not there");
const ZERO_FAILS: Fate =
    breach("the message fails when the value is zero or empty, because that is not written");
const OTHER_DEFAULT: Fate =
    breach("a field that is left out has one value for its sender and another for its reader");
const NONE_DEFAULT: Fate = breach("`None` reads as the default");
const ZERO_DEFAULT: Fate = breach("a zero or an empty text is not written, and reads as the default");
const ZERO_NONE: Fate = remark("a zero or an empty text is not written, and reads as `None`");
const NONE_ZERO: Fate = remark("`None` reads as zero or empty");

/// One version of a type.
#[derive(Clone, Copy)]
struct Side<'a> {
    lock: &'a Lock,
    ty: &'a Type,
    form: Form,
}

/// What becomes of the value of a field that is written as `writer` has it; `None` if it arrives as it was.
pub(super) fn of_value(
    wire: Wire,
    place: Place,
    writer: (&Lock, &Field),
    reader: (&Lock, &Field),
) -> Option<Fate> {
    let fate = match wire {
        Wire::Thrift => in_thrift(Side::of(writer), Side::of(reader)),
        Wire::Protobuf => in_protobuf(Side::of(writer), Side::of(reader)),
    };
    match (fate, place) {
        (Some(SKIPPED), Place::Variant) => Some(breach(UNKNOWN_VARIANT)),
        (Some(SKIPPED), _) if is_demanded(wire, place, reader.1) => Some(SKIPPED_FAILS),
        _ => fate,
    }
}

/// Where a field is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Message,
    /// A variant of a union.
    Variant,
    /// An argument or a result, which Thrift demands.
    Method,
}

/// What the reader of a field makes of it where the writer leaves it out, or has no such field.
pub(super) fn of_absence(
    wire: Wire,
    place: Place,
    writer: Option<(&Lock, &Field)>,
    reader: &Field,
) -> Option<Fate> {
    if place == Place::Variant || wire == Wire::Protobuf && is_container(&reader.ty) {
        // An empty container is never there in protobuf, and no default counts.
        return None;
    }
    let demanded = is_demanded(wire, place, reader);
    let fails = if place == Place::Method { UNSENT_FAILS } else { ABSENT_FAILS };
    let Some((lock, writer)) = writer else {
        return demanded.then_some(fails);
    };
    let has_default = reader.default.is_some();
    match writer.presence {
        Presence::Required => None,
        Presence::Optional if demanded => Some(fails),
        // Always written here, but not by everybody.
        _ if writer.default.is_some() && demanded => Some(fails),
        _ if writer.default.is_some() => (writer.default != reader.default).then_some(OTHER_DEFAULT),
        Presence::Optional if has_default => Some(NONE_DEFAULT),
        Presence::Optional => (reader.presence == Presence::Plain).then_some(NONE_ZERO),
        // Thrift writes every plain field, and protobuf every plain message.
        Presence::Plain if wire == Wire::Thrift || kind(lock, &writer.ty) == Kind::Struct => None,
        Presence::Plain if demanded => Some(ZERO_FAILS),
        Presence::Plain if has_default => Some(ZERO_DEFAULT),
        Presence::Plain => (reader.presence == Presence::Optional).then_some(ZERO_NONE),
    }
}

fn is_demanded(wire: Wire, place: Place, reader: &Field) -> bool {
    match reader.presence {
        Presence::Required => wire == Wire::Thrift || !is_container(&reader.ty),
        Presence::Plain => place == Place::Method && wire == Wire::Thrift,
        Presence::Optional => false,
    }
}

fn in_thrift(writer: Side<'_>, reader: Side<'_>) -> Option<Fate> {
    let part = |writer_part, reader_part| {
        let writer = Side { ty: writer_part, ..writer };
        match in_thrift(writer, Side { ty: reader_part, ..reader }) {
            Some(SKIPPED) => Some(ELEMENTS),
            other => other,
        }
    };
    match (writer.ty, reader.ty) {
        (Type::List(written), Type::List(read)) | (Type::Set(written), Type::Set(read)) => {
            part(written, read)
        }
        (Type::Map(key, value), Type::Map(read_key, read_value)) => {
            worse(part(key, read_key), part(value, read_value))
        }
        _ => match (writer.kind(), reader.kind()) {
            (Kind::String, Kind::Binary) | (Kind::Enum, Kind::I32) => None,
            (Kind::Binary, Kind::String) => Some(NOT_TEXT),
            (Kind::I32, Kind::Enum) => Some(UNLISTED),
            (written, read) => (written != read).then_some(SKIPPED),
        },
    }
}

fn in_protobuf(writer: Side<'_>, reader: Side<'_>) -> Option<Fate> {
    use Type::{List, Map, Set};
    if writer.form.oneof != reader.form.oneof {
        return Some(MOVED);
    }
    match (writer.ty, reader.ty) {
        (List(written) | Set(written), List(read) | Set(read)) => {
            let (written, read) = (writer.element(written), reader.element(read));
            match element(written, read) {
                // Numbers that share a field look like a text, and a text like such numbers.
                Some(SKIPPED) if written.is_packed() || !written.is_number() && read.is_number() => {
                    Some(GARBLED)
                }
                None if matches!((writer.ty, reader.ty), (List(_), Set(_))) => Some(DUPLICATES),
                fate => fate,
            }
        }
        (Map(key, value), Map(read_key, read_value)) => {
            let keys = element(writer.key(key), reader.key(read_key));
            let values = element(writer.element(value), reader.element(read_value));
            let in_entry = |fate| if fate == SKIPPED { SKIPPED_IN_MAP } else { fate };
            worse(keys, values).map(in_entry)
        }
        (Map(..), List(_) | Set(_)) | (List(_) | Set(_), Map(..)) => Some(GARBLED),
        (List(written) | Set(written), _) => {
            let written = writer.element(written);
            if written.is_packed() {
                return Some(if reader.is_number() { SKIPPED } else { GARBLED });
            }
            Some(element(written, reader).unwrap_or(LAST))
        }
        (_, List(read) | Set(read)) => {
            let read = reader.element(read);
            match element(writer, read) {
                Some(SKIPPED) if !writer.is_number() && read.is_number() => Some(GARBLED),
                fate => fate,
            }
        }
        _ => element(writer, reader),
    }
}

/// What is one field: an element, the key or the value of a map, or a single value.
fn element(writer: Side<'_>, reader: Side<'_>) -> Option<Fate> {
    match (is_container(writer.ty), is_container(reader.ty)) {
        // Both have a message around them.
        (true, true) => in_protobuf(writer.plain(), reader.plain()),
        _ if writer.wire() != reader.wire() => Some(SKIPPED),
        _ => of_one_size(writer, reader),
    }
}

fn of_one_size(writer: Side<'_>, reader: Side<'_>) -> Option<Fate> {
    let (written, read) = (writer.kind(), reader.kind());
    let (encoded, expected) = (writer.form.value, reader.form.value);
    match writer.wire() {
        Size::Length => match (written, read) {
            (Kind::String, Kind::Binary) => None,
            (Kind::Binary, Kind::String) => Some(NOT_TEXT),
            _ => (written != read).then_some(GARBLED),
        },
        Size::Fixed => ((written == Kind::F64) != (read == Kind::F64)).then_some(OTHER_NUMBER),
        Size::Fixed32 => {
            ((encoded == Encoding::Float) != (expected == Encoding::Float)).then_some(OTHER_NUMBER)
        }
        Size::Varint if (encoded == Encoding::Zigzag) != (expected == Encoding::Zigzag) => Some(OTHER_NUMBER),
        Size::Varint if read == Kind::Bool && written != Kind::Bool => Some(ONLY_TRUE),
        Size::Varint if encoded == Encoding::Unsigned && written == Kind::I32 && read == Kind::I64 => {
            Some(NEGATIVE)
        }
        Size::Varint if read.bits() < written.bits() => {
            Some(if read.bits() < 32 { NO_FIT } else { LOWER_BITS })
        }
        Size::Varint => (read == Kind::Enum && written != Kind::Enum).then_some(UNLISTED),
    }
}

fn worse(one: Option<Fate>, other: Option<Fate>) -> Option<Fate> {
    match (one, other) {
        (Some(fate), _) if fate.breaks => one,
        (_, Some(_)) => other,
        _ => one,
    }
}

pub(super) fn is_container(ty: &Type) -> bool {
    matches!(ty, Type::List(_) | Type::Set(_) | Type::Map(..))
}

/// The wire types of Thrift, texts and enums apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Bool,
    I8,
    I16,
    I32,
    Enum,
    I64,
    F64,
    String,
    Binary,
    Struct,
    List,
    Set,
    Map,
}

impl Kind {
    fn bits(self) -> u32 {
        match self {
            Self::Bool => 1,
            Self::I8 => 8,
            Self::I16 => 16,
            Self::I32 | Self::Enum => 32,
            _ => 64,
        }
    }
}

fn kind(lock: &Lock, ty: &Type) -> Kind {
    match ty {
        Type::Bool => Kind::Bool,
        Type::I8 => Kind::I8,
        Type::I16 => Kind::I16,
        Type::I32 => Kind::I32,
        Type::I64 => Kind::I64,
        Type::F64 => Kind::F64,
        Type::String => Kind::String,
        Type::Binary => Kind::Binary,
        Type::List(_) => Kind::List,
        Type::Set(_) => Kind::Set,
        Type::Map(..) => Kind::Map,
        Type::Named(name) => match lock.types.get(name) {
            Some(Definition::Enum(_)) => Kind::Enum,
            _ => Kind::Struct,
        },
    }
}

/// The wire types of protobuf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Size {
    Varint,
    Fixed,
    Fixed32,
    Length,
}

impl<'a> Side<'a> {
    fn of((lock, field): (&'a Lock, &'a Field)) -> Self {
        Self { lock, ty: &field.ty, form: field.form }
    }

    fn kind(self) -> Kind {
        kind(self.lock, self.ty)
    }

    fn plain(self) -> Self {
        Self { form: Form::PLAIN, ..self }
    }

    fn element(self, ty: &'a Type) -> Self {
        Self { ty, ..self }
    }

    fn key(self, ty: &'a Type) -> Self {
        Self { ty, form: Form::of_entry(self.form.key), ..self }
    }

    fn wire(self) -> Size {
        match (self.kind(), self.form.value) {
            (Kind::F64, Encoding::Float) => Size::Fixed32,
            (Kind::F64, _) => Size::Fixed,
            (Kind::I64, Encoding::Fixed | Encoding::SignedFixed) => Size::Fixed,
            (Kind::I32, Encoding::Fixed | Encoding::SignedFixed) => Size::Fixed32,
            (Kind::Bool | Kind::I8 | Kind::I16 | Kind::I32 | Kind::I64 | Kind::Enum, _) => Size::Varint,
            _ => Size::Length,
        }
    }

    fn is_number(self) -> bool {
        self.wire() != Size::Length
    }

    /// Whether several of them share one field.
    fn is_packed(self) -> bool {
        self.form.packed && self.is_number()
    }
}
