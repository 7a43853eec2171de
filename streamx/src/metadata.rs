//! Keys and values that travel with a call beside its messages.

use std::fmt;

use bytes::Bytes;

/// What a pair takes beside its texts: two lengths.
const LENGTHS: usize = 4;

/// Pairs of a key and a text, as a peer sent them, one value a key; keys are compared as they are.
///
/// Over gRPC the value of a key that ends in `-bin` is bytes, which need not be text: see [`get_bin`](Self::get_bin). Of
/// several values of one key the first is kept.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Metadata {
    pairs: Vec<(Box<str>, Value)>,
}

/// What was set under a key.
#[derive(Clone)]
pub(crate) enum Value {
    Text(Box<str>),
    /// What only gRPC can carry, and what may be no text.
    Bytes(Bytes),
}

impl Metadata {
    /// The value of a key, if it is text.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.find(key).and_then(Value::text)
    }

    /// The value of a key as bytes, whether it is text or not: over gRPC a key that ends in `-bin` has any bytes, which
    /// travel in base64.
    pub fn get_bin(&self, key: &str) -> Option<&[u8]> {
        self.find(key).map(Value::bytes)
    }

    /// All pairs whose value is text.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().filter_map(|(key, value)| Some((&**key, value.text()?)))
    }

    /// All pairs, with the values as bytes.
    pub fn iter_bin(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.pairs.iter().map(|(key, value)| (&**key, value.bytes()))
    }

    /// How many pairs there are.
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// How much the pairs take on the wire, in bytes.
    pub(crate) fn size(&self) -> usize {
        self.pairs.iter().map(|(key, value)| LENGTHS + key.len() + value.size()).sum()
    }

    /// Those whose value is not empty.
    pub(crate) fn without_empty(&self) -> Self {
        let mut left = self.clone();
        left.pairs.retain(|(_, value)| !value.bytes().is_empty());
        left
    }

    /// Adds a pair, in place of one with the same key.
    pub(crate) fn set(&mut self, key: &str, value: impl Into<Value>) {
        let value = value.into();
        match self.pairs.iter_mut().find(|(found, _)| **found == *key) {
            Some(pair) => pair.1 = value,
            None => self.pairs.push((key.into(), value)),
        }
    }

    /// All pairs as they were set.
    pub(crate) fn values(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.pairs.iter().map(|(key, value)| (&**key, value))
    }

    fn find(&self, key: &str) -> Option<&Value> {
        self.pairs.iter().find(|(found, _)| **found == *key).map(|(_, value)| value)
    }
}

#[cfg(feature = "grpc")]
impl Metadata {
    /// Adds what a header says, unless one with the same key was there before.
    pub(crate) fn receive(&mut self, key: &str, value: Vec<u8>) {
        if self.find(key).is_some() {
            return;
        }
        let value = match String::from_utf8(value) {
            Ok(text) => Value::Text(text.into()),
            Err(other) => Value::Bytes(other.into_bytes().into()),
        };
        self.pairs.push((key.into(), value));
    }
}

impl Value {
    fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Bytes(bytes) => std::str::from_utf8(bytes).ok(),
        }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }

    /// In base64, without padding, if it is bytes.
    fn size(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Bytes(bytes) => bytes.len().saturating_mul(4).div_ceil(3),
        }
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.bytes() == other.bytes()
    }
}

impl Eq for Value {}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<Vec<(Box<str>, Box<str>)>> for Metadata {
    fn from(pairs: Vec<(Box<str>, Box<str>)>) -> Self {
        Self { pairs: pairs.into_iter().map(|(key, value)| (key, Value::Text(value))).collect() }
    }
}

impl fmt::Debug for Metadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for (key, value) in self.values() {
            match value.text() {
                Some(text) => map.entry(&key, &text),
                None => map.entry(&key, &format_args!("b\"{}\"", value.bytes().escape_ascii())),
            };
        }
        map.finish()
    }
}
