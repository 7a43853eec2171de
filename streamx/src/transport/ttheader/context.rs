//! The context of a call over TTHeader Streaming.

use std::sync::Arc;
use std::task::{Context, Poll};

use super::{Peer, Stream};
use crate::call::child::Children;
use crate::call::context::{Facts, Served, add, no_bytes};
use crate::metadata::Value;
use crate::transport::lock;
use crate::transport::outbox::Flush;
use crate::wire::ttheader::connection::Over;
use crate::{Error, Result};

pub(super) struct StreamContext {
    pub(super) peer: Arc<Peer>,
    pub(super) stream: Arc<Stream>,
    pub(super) facts: Facts,
}

impl Served for StreamContext {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn set_header(&self, key: &str, value: Value) -> Result<()> {
        if let Value::Bytes(_) = value {
            return Err(no_bytes(key));
        }
        // The lock of the header is taken by whoever writes it, so a pair is in it or refused.
        let mut backward = lock(&self.stream.backward);
        if backward.header_sent {
            return Err(Error::closed(
                "the header has left already; `set_header` comes before the first message",
            ));
        }
        add(&mut backward.header, key, value)
    }

    fn set_trailer(&self, key: &str, value: Value) -> Result<()> {
        if let Value::Bytes(_) = value {
            return Err(no_bytes(key));
        }
        add(&mut lock(&self.stream.backward).trailer, key, value)
    }

    fn send_header(&self) -> Result<()> {
        let mut machine = lock(&self.peer.machine);
        let permit = if self.stream.is_in(&machine) { machine.send(self.stream.id) } else { Err(Over) };
        let permit = permit.map_err(|_| Error::closed("cannot send the header: the call is over"))?;
        if !permit.header_first {
            return Err(Error::closed("the header has left already"));
        }
        let _now = self.peer.write(|outbox| self.stream.put_header(outbox));
        drop(machine);
        self.peer.link.act(Flush::Now);
        Ok(())
    }

    fn children(&self) -> &Children {
        &self.stream.children
    }

    fn poll_cancelled(&self, cx: &Context<'_>) -> Poll<Error> {
        self.stream.inbox.poll_over(cx)
    }
}
