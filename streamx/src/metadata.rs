//! Keys and values that travel with a call beside its messages.

use std::fmt;

use bytes::Bytes;

/// What a pair takes beside its texts: two lengths.
const LENGTHS: usize = 4;

/// Pairs of text, as a peer sent them, one value a key; keys are compared as they are.
///
/// Over gRPC a value may be no text: see [`get_bin`](Self::get_bin).
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Metadata {
    pairs: Vec<(Box<str>, Box<str>)>,
    /// Pairs whose value is no text.
    binary: Vec<(Box<str>, Bytes)>,
}

impl Metadata {
    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.pairs.iter().find(|(found, _)| **found == *key).map(|(_, value)| &**value)
    }

    /// The value of a key as bytes, also where it is no text: what a peer of another make sent over gRPC under a key that
    /// ends in `-bin`.
    pub fn get_bin(&self, key: &str) -> Option<&[u8]> {
        let binary = || self.binary.iter().find(|(found, _)| **found == *key).map(|(_, value)| &**value);
        self.get(key).map(str::as_bytes).or_else(binary)
    }

    /// All pairs of text.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(key, value)| (&**key, &**value))
    }

    /// How many pairs of text there are.
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// How much the pairs take on the wire, in bytes.
    pub(crate) fn size(&self) -> usize {
        self.iter().map(|(key, value)| LENGTHS + key.len() + value.len()).sum()
    }

    /// Those whose value is not empty.
    pub(crate) fn without_empty(&self) -> Self {
        let mut left = self.clone();
        left.pairs.retain(|(_, value)| !value.is_empty());
        left
    }

    /// Adds a pair, in place of one with the same key.
    pub(crate) fn set(&mut self, key: &str, value: &str) {
        match self.pairs.iter_mut().find(|(found, _)| **found == *key) {
            Some(pair) => pair.1 = value.into(),
            None => self.pairs.push((key.into(), value.into())),
        }
    }
}

#[cfg(feature = "grpc")]
impl Metadata {
    /// Adds what a header says, unless one with the same key was there before.
    pub(crate) fn receive(&mut self, key: &str, value: Vec<u8>) {
        if self.get_bin(key).is_some() {
            return;
        }
        match String::from_utf8(value) {
            Ok(text) => self.pairs.push((key.into(), text.into())),
            Err(other) => self.binary.push((key.into(), other.into_bytes().into())),
        }
    }
}

impl From<Vec<(Box<str>, Box<str>)>> for Metadata {
    fn from(pairs: Vec<(Box<str>, Box<str>)>) -> Self {
        Self { pairs, binary: Vec::new() }
    }
}

impl fmt::Debug for Metadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.iter())
            .entries(self.binary.iter().map(|(key, value)| (key, value)))
            .finish()
    }
}
