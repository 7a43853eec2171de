//! Keys and values that travel with a call beside its messages.

use std::fmt;

/// Ordered pairs of text, as a peer sent them; keys are compared as they are. The last of several values of one key
/// counts, as on the wire of Kitex.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Metadata(Vec<(Box<str>, Box<str>)>);

impl Metadata {
    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().rev().find(|(found, _)| **found == *key).map(|(_, value)| &**value)
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
