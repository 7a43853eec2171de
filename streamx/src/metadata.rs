//! Keys and values that travel with a call beside its messages.

use std::fmt;

use crate::{Code, Error, Result};

/// Of all pairs of one side of a call together: the header area of a frame has no more than 64 KiB.
const MAX_SIZE: usize = 48 << 10;

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

    /// Adds a pair, in place of one with the same key. Fails when a frame could not hold all of them.
    pub(crate) fn add(&mut self, key: &str, value: &str) -> Result<()> {
        let others = self.iter().filter(|(found, _)| *found != key);
        let size = others.map(|(key, value)| key.len() + value.len() + 4).sum::<usize>();
        if size + key.len() + value.len() > MAX_SIZE {
            let text =
                format!("cannot take the pair with the key `{key}`: all pairs together may have 48 KiB");
            return Err(Error::new(Code::InvalidArgument, text));
        }
        self.set(key, value);
        Ok(())
    }

    /// As [`add`](Self::add), when somebody else looks at the size.
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
