use std::collections::BTreeMap;
use std::fmt;

/// A failure that is part of what a service promises: a code of the application's own, a text, and a map of strings.
///
/// Made with [`Error::biz`](crate::Error::biz), found with [`Error::as_biz`](crate::Error::as_biz); Kitex calls it
/// `BizStatusError`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BizError {
    code: i32,
    message: String,
    extra: BTreeMap<String, String>,
}

impl BizError {
    pub(crate) fn new(code: i32, message: String) -> Self {
        Self { code, message, extra: BTreeMap::new() }
    }

    pub(crate) fn add(&mut self, key: String, value: String) {
        self.extra.insert(key, value);
    }

    /// The code; its meaning is the application's.
    pub fn code(&self) -> i32 {
        self.code
    }

    /// The text.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What came with it; empty if nothing did.
    pub fn extra(&self) -> &BTreeMap<String, String> {
        &self.extra
    }
}

impl fmt::Display for BizError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "business error {}: {}", self.code, self.message)
    }
}
