//! The context of a handler whose middlewares have changed what the call begins with.

use std::pin::pin;
use std::sync::Arc;
use std::task::{self, Poll};

use super::Opening;
use crate::call::Context;
use crate::call::child::Children;
use crate::call::context::{Facts, Served};
use crate::metadata::Value;
use crate::{Error, Result};

impl Context {
    /// The same call, with what it begins with now.
    pub(crate) fn reopened(&self, call: &Opening) -> Self {
        Self::new(Arc::new(Reopened { before: self.clone(), facts: call.facts(self.facts()) }))
    }

    /// Polls a future as the handler of this call.
    pub(crate) async fn within<T>(self, future: impl Future<Output = T>) -> T {
        let (mut current, mut future) = (Some(self), pin!(future));
        std::future::poll_fn(|cx| Self::enter(&mut current, || future.as_mut().poll(cx))).await
    }
}

struct Reopened {
    before: Context,
    facts: Facts,
}

impl Served for Reopened {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn set_header(&self, key: &str, value: Value) -> Result<()> {
        self.before.served().set_header(key, value)
    }

    fn set_trailer(&self, key: &str, value: Value) -> Result<()> {
        self.before.served().set_trailer(key, value)
    }

    fn send_header(&self) -> Result<()> {
        self.before.served().send_header()
    }

    fn children(&self) -> &Children {
        self.before.served().children()
    }

    fn poll_cancelled(&self, cx: &task::Context<'_>) -> Poll<Error> {
        self.before.served().poll_cancelled(cx)
    }
}
