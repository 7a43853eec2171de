//! The context of a call over gRPC.

use std::sync::Arc;
use std::task::{Context, Poll};

use super::headers;
use super::stream::Stream;
use crate::call::child::Children;
use crate::call::context::{Facts, Served, add};
use crate::metadata::Value;
use crate::transport::lock;
use crate::{Error, Result};

pub(super) struct CallContext {
    pub(super) stream: Arc<Stream>,
    pub(super) facts: Facts,
}

impl Served for CallContext {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn set_header(&self, key: &str, value: Value) -> Result<()> {
        headers::check(key, value.bytes())?;
        let mut leaving = lock(&self.stream.leaving);
        if leaving.header_sent {
            return Err(Error::closed(
                "the header has left already; `set_header` comes before the first message",
            ));
        }
        add(&mut leaving.header, key, value)
    }

    fn set_trailer(&self, key: &str, value: Value) -> Result<()> {
        headers::check(key, value.bytes())?;
        add(&mut lock(&self.stream.leaving).trailer, key, value)
    }

    fn send_header(&self) -> Result<()> {
        let mut leaving = lock(&self.stream.leaving);
        if !leaving.is_open() {
            return Err(Error::closed("cannot send the header: the call is over"));
        }
        if leaving.header_sent {
            return Err(Error::closed("the header has left already"));
        }
        leaving.start();
        drop(leaving);
        self.stream.ring();
        Ok(())
    }

    fn children(&self) -> &Children {
        &self.stream.children
    }

    fn poll_cancelled(&self, cx: &Context<'_>) -> Poll<Error> {
        self.stream.inbox.poll_over(cx)
    }
}
