//! Keys and values that travel with a call beside its messages.

use std::fmt;

/// What a pair takes beside its texts: two lengths.
const LENGTHS: usize = 4;

/// Pairs of text, as a peer sent them, one value a key; keys are compared as they are.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Metadata(Vec<(Box<str>, Box<str>)>);

impl Metadata {
    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(found, _)| **found == *key).map(|(_, value)| &**value)
    }

    /// All pairs.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (&**key, &**value))
    }

    /// How many pairs there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How much the pairs take on the wire, in bytes.
    pub(crate) fn size(&self) -> usize {
        self.iter().map(|(key, value)| LENGTHS + key.len() + value.len()).sum()
    }

    /// Adds a pair, in place of one with the same key.
    pub(crate) fn set(&mut self, key: &str, value: &str) {
        match self.0.iter_mut().find(|(found, _)| **found == *key) {
            Some(pair) => pair.1 = value.into(),
            None => self.0.push((key.into(), value.into())),
        }
    }
}

impl From<Vec<(Box<str>, Box<str>)>> for Metadata {
    fn from(pairs: Vec<(Box<str>, Box<str>)>) -> Self {
        Self(pairs)
    }
}

impl fmt::Debug for Metadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}
