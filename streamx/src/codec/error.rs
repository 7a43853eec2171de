//! Why a message could not be read or written.

use std::fmt;

use super::{Kind, MAX_DEPTH};

/// Why bytes are not the message they should be, and where in the message.
///
/// One word wide, because every read returns it. Its text is like
/// ``Request.tags[2].name: the text is not UTF-8``.
#[derive(Debug)]
pub struct DecodeError(Box<Inner>);

#[derive(Debug)]
struct Inner {
    fault: Fault,
    /// Innermost first.
    path: Vec<Step>,
}

/// What is wrong with the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The bytes end inside a value, or a length or count promises more than there is.
    Truncated,
    /// A length or count below zero.
    NegativeLength,
    /// A number that is too long or does not fit its type.
    BadNumber,
    /// A wire type that does not exist.
    UnknownKind(u8),
    /// A container whose elements are of another type than the schema says.
    ElementKind {
        /// What the schema says.
        expected: Kind,
        /// The number on the wire.
        found: u8,
    },
    /// Values nested more than 64 deep.
    Depth,
    /// Text that is not UTF-8.
    NotUtf8,
    /// A `required` field that is absent.
    Missing,
    /// A union in which no variant is set that this program knows.
    UnknownVariant,
    /// A list, set or map of protobuf that is no field.
    Bare,
    /// What a protocol of the Apache `thrift` crate said, or `prost`.
    Foreign(String),
}

#[derive(Debug)]
enum Step {
    Field(&'static str),
    /// A field that is not in the schema.
    Number(i16),
    Element(usize),
    Key(usize),
}

impl DecodeError {
    /// A failure at the value that is being read.
    #[cold]
    pub fn new(fault: Fault) -> Self {
        Self(Box::new(Inner { fault, path: Vec::new() }))
    }

    /// What is wrong.
    pub fn fault(&self) -> &Fault {
        &self.0.fault
    }

    /// The failure is in the field of this name.
    #[must_use]
    pub fn in_field(self, name: &'static str) -> Self {
        self.within(Step::Field(name))
    }

    /// The failure is in a field that is not in the schema.
    #[must_use]
    pub fn in_unknown_field(self, number: i16) -> Self {
        self.within(Step::Number(number))
    }

    /// The failure is in this element of a list or set, or in the value of this entry of a map.
    #[must_use]
    pub fn in_element(self, index: usize) -> Self {
        self.within(Step::Element(index))
    }

    /// The failure is in the key of this entry of a map.
    #[must_use]
    pub fn in_key(self, index: usize) -> Self {
        self.within(Step::Key(index))
    }

    #[cold]
    fn within(mut self, step: Step) -> Self {
        self.0.path.push(step);
        self
    }

    /// As the error of a call, the path beginning at the type that was to be read.
    pub(crate) fn reading(&self, root: &str) -> crate::Error {
        crate::Error::protocol(format!("{root}{self}"))
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in self.0.path.iter().rev() {
            match step {
                Step::Field(name) => write!(f, ".{name}")?,
                Step::Number(number) => write!(f, ".{number}")?,
                Step::Element(index) => write!(f, "[{index}]")?,
                Step::Key(index) => write!(f, "[key {index}]")?,
            }
        }
        f.write_str(": ")?;
        match &self.0.fault {
            Fault::Truncated => f.write_str("the bytes end inside this value"),
            Fault::NegativeLength => f.write_str("its length is negative"),
            Fault::BadNumber => f.write_str("the number does not fit its type"),
            Fault::UnknownKind(number) => write!(f, "there is no wire type {number}"),
            Fault::ElementKind { expected, found } => {
                let found = Kind::from_number(*found).map_or("another type", Kind::name);
                write!(f, "its elements are {found} on the wire and {} in the schema", expected.name())
            }
            Fault::Depth => write!(f, "values are nested more than {MAX_DEPTH} deep"),
            Fault::NotUtf8 => f.write_str("the text is not UTF-8; a field of type Bytes takes anything"),
            Fault::Missing => f.write_str("the required field is absent"),
            Fault::UnknownVariant => f.write_str("no variant is set that this program knows"),
            Fault::Bare => f.write_str(BARE),
            Fault::Foreign(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for DecodeError {}

const BARE: &str = "in protobuf a list, set or map is always a field";

/// Why a message cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EncodeError {
    /// Structs nested more than 64 deep.
    Depth,
    /// A text, a container or a blob with more than 2,147,483,647 elements or bytes.
    Length,
    /// A list, set or map of protobuf that is no field.
    Bare,
    /// A protocol of the Apache `thrift` crate failed, and says itself how.
    Foreign,
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Depth => write!(f, "structs are nested more than {MAX_DEPTH} deep"),
            Self::Length => f.write_str("a length does not fit into 31 bits"),
            Self::Bare => f.write_str(BARE),
            Self::Foreign => f.write_str("the protocol failed"),
        }
    }
}

impl std::error::Error for EncodeError {}

impl EncodeError {
    /// As the error of a call that was to send this type.
    pub(crate) fn writing(self, root: &str) -> crate::Error {
        crate::Error::protocol(format!("{root} cannot be sent: {self}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_names_its_place() {
        let error = DecodeError::new(Fault::NotUtf8).in_field("name").in_element(2).in_field("tags");
        let text = error.reading("Request").to_string();
        assert!(text.starts_with("Request.tags[2].name: the text is not UTF-8"), "{text}");
    }

    #[test]
    fn a_result_is_one_word_wide() {
        assert_eq!(size_of::<Result<(), DecodeError>>(), size_of::<usize>());
    }
}
