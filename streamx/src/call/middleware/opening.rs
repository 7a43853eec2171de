//! What a call begins with.

use std::fmt;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::call::context::{Context, Facts, check_bytes, check_pair, check_size, check_transient};
use crate::call::{self, MethodName, Mode};
use crate::metadata::Value;
use crate::{Metadata, Result, Side};

const PERSISTENT: &str = "RPC_PERSIST_";
const TRANSIENT: &str = "RPC_TRANSIT_";

/// A call as its middlewares see it: which one it is, and what it begins with besides its messages.
///
/// A middleware around a stream or a unary call owns it, may change it, and hands it on. On a client the changed values
/// travel; on a server they are what the [`Context`] of the handler has. A middleware around a message has it as it
/// was handed on.
///
/// ```
/// use streamx::middleware::{BoxFuture, Opening, StreamNext};
/// use streamx::Result;
///
/// fn signed(mut call: Opening, next: StreamNext<'_>) -> BoxFuture<'_, Result<()>> {
///     Box::pin(async move {
///         call.set_transient("signature", "…")?;
///         next.run(call).await
///     })
/// }
/// # let _ = streamx::Channel::builder("ttheader://localhost:1").stream_middleware(signed);
/// ```
///
/// # Dropping
///
/// Means nothing to the call.
#[derive(Clone)]
pub struct Opening {
    side: Side,
    /// On a client.
    namespace: &'static str,
    service: &'static str,
    method: &'static str,
    mode: Mode,
    persistent: Metadata,
    transient: Metadata,
    metadata: Metadata,
    deadline: Option<Instant>,
    context: Option<Context>,
}

/// The pairs of one kind.
pub(crate) type Pairs = fn(&mut Opening) -> &mut Metadata;

impl Opening {
    pub(crate) const PERSISTENT: Pairs = |call| &mut call.persistent;
    pub(crate) const TRANSIENT: Pairs = |call| &mut call.transient;
    pub(crate) const METADATA: Pairs = |call| &mut call.metadata;

    /// Of a call that a client makes, in the handler of that context.
    pub(crate) fn calling(
        &MethodName { namespace, service, method }: &MethodName,
        mode: Mode,
        context: Option<Context>,
    ) -> Self {
        let persistent = context.as_ref().map(|context| context.facts().persistent.clone());
        Self {
            side: Side::Client,
            namespace,
            service,
            method,
            mode,
            persistent: persistent.unwrap_or_default(),
            transient: Metadata::default(),
            metadata: Metadata::default(),
            deadline: None,
            context,
        }
    }

    /// With what was set on the call, over what is inherited.
    pub(crate) fn with(mut self, set: Vec<(Pairs, Box<str>, Value)>, deadline: Option<Instant>) -> Self {
        for (pairs, key, value) in set {
            pairs(&mut self).set(&key, value);
        }
        self.deadline = deadline;
        self
    }

    /// Of the call that a handler serves.
    pub(crate) fn serving(context: &Context, mode: Mode) -> Self {
        let facts = context.facts();
        Self {
            side: Side::Server,
            namespace: facts.namespace,
            service: facts.service,
            method: facts.method,
            mode,
            persistent: facts.persistent.clone(),
            transient: facts.transient.clone(),
            metadata: facts.metadata.clone(),
            deadline: facts.deadline,
            context: Some(context.clone()),
        }
    }

    pub(crate) fn with_context(self, context: Context) -> Self {
        Self { context: Some(context), ..self }
    }

    /// The side this is on: [`Side::Client`] where the call is made.
    pub fn side(&self) -> Side {
        self.side
    }

    /// The wire name of the service, without its namespace.
    pub fn service(&self) -> &str {
        self.service
    }

    /// The namespace of the service; empty if it has none. A server may have several services of one name, which differ
    /// in this.
    pub fn namespace(&self) -> &str {
        self.namespace
    }

    /// The wire name of the method.
    pub fn method(&self) -> &str {
        self.method
    }

    /// How the method is called.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// On a server, the context of the call: to set headers and trailers, or to wait for its end. On a client, that of
    /// the handler that makes the call, if one does.
    pub fn context(&self) -> Option<&Context> {
        self.context.as_ref()
    }

    /// A value of the metainfo that travels the whole chain of calls, as [`Context::persistent`].
    pub fn persistent(&self, key: &str) -> Option<&str> {
        self.persistent.get(key)
    }

    /// A value of the metainfo that travels one hop, as [`Context::transient`].
    pub fn transient(&self, key: &str) -> Option<&str> {
        self.transient.get(key)
    }

    /// What the client sends besides, as [`Context::metadata`].
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// When the call is over at the latest, if that is known.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Sets a value of the metainfo that travels the whole chain of calls. An empty one does not travel.
    ///
    /// # Errors
    ///
    /// The key is empty or belongs to the protocol, or the pairs are too large together.
    pub fn set_persistent(&mut self, key: &str, value: &str) -> Result<()> {
        self.set(Self::PERSISTENT, key, value)
    }

    /// Sets a value of the metainfo that travels one hop. An empty one does not travel.
    ///
    /// # Errors
    ///
    /// As [`set_persistent`](Self::set_persistent).
    pub fn set_transient(&mut self, key: &str, value: &str) -> Result<()> {
        check_transient(key, value)?;
        self.set(Self::TRANSIENT, key, value)
    }

    /// Sets a pair whose key is the one on the wire. An empty value does not travel.
    ///
    /// # Errors
    ///
    /// As [`set_persistent`](Self::set_persistent).
    pub fn set_metadata(&mut self, key: &str, value: &str) -> Result<()> {
        self.set(Self::METADATA, key, value)
    }

    /// As [`set_metadata`](Self::set_metadata), with a value that may be any bytes, as
    /// [`Call::metadata_bin`](crate::client::Call::metadata_bin).
    ///
    /// # Errors
    ///
    /// As [`set_persistent`](Self::set_persistent), or the key does not end in `-bin`.
    pub fn set_metadata_bin(&mut self, key: &str, value: impl Into<Bytes>) -> Result<()> {
        let value = value.into();
        check_bytes(key, &value)?;
        self.put(Self::METADATA, key, Value::Bytes(value))
    }

    /// Brings the deadline forward; a later moment than the present one does nothing. On a client the call ends then,
    /// as by [`timeout`](crate::client::Call::timeout). On a server nothing happens at that moment, but the calls that
    /// the handler makes have to be over by then.
    pub fn set_deadline(&mut self, at: Instant) {
        self.deadline = Some(self.deadline.map_or(at, |present| present.min(at)));
    }

    fn set(&mut self, pairs: Pairs, key: &str, value: &str) -> Result<()> {
        check_pair(key, value)?;
        self.put(pairs, key, value.into())
    }

    fn put(&mut self, pairs: Pairs, key: &str, value: Value) -> Result<()> {
        let mut more = self.clone();
        pairs(&mut more).set(key, value);
        check_size(&more.travelling())?;
        *self = more;
        Ok(())
    }

    /// What the handler's context says instead of what it said before.
    pub(crate) fn facts(&self, before: &Facts) -> Facts {
        Facts {
            namespace: before.namespace,
            service: before.service,
            method: before.method,
            protocol: before.protocol,
            peer: before.peer.clone(),
            deadline: self.deadline,
            persistent: self.persistent.without_empty(),
            transient: self.transient.without_empty(),
            metadata: self.metadata.without_empty(),
        }
    }

    /// What travels before the first message. The wire knows no empty values: one ends what was inherited (Kitex
    /// v0.16.3 never sends one). Metainfo is text.
    fn travelling(&self) -> Metadata {
        let Self { persistent, transient, metadata, .. } = self;
        let mut travelling = Metadata::default();
        for (prefix, pairs) in [(PERSISTENT, persistent), (TRANSIENT, transient)] {
            for (key, value) in pairs.iter() {
                travelling.set(&format!("{prefix}{key}"), value);
            }
        }
        metadata.values().for_each(|(key, value)| travelling.set(key, value.clone()));
        travelling.without_empty()
    }

    /// What a channel is asked for. Fails if it is more than can travel.
    pub(crate) fn request(self, timeout: Option<Duration>, wait_for_ready: bool) -> Result<call::NewCall> {
        let travelling = self.travelling();
        check_size(&travelling)?;
        let (mut strings, mut binary) = (Vec::new(), Vec::new());
        for (key, value) in travelling.values() {
            match value.clone() {
                Value::Text(text) => strings.push((key.into(), text)),
                Value::Bytes(bytes) => binary.push((key.into(), bytes)),
            }
        }
        let Self { namespace, service, method, mode, context: parent, .. } = self;
        Ok(call::NewCall {
            namespace,
            service,
            method,
            mode,
            strings,
            binary,
            parent,
            timeout,
            wait_for_ready,
        })
    }
}

impl fmt::Debug for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { side, service, method, mode, persistent, transient, metadata, deadline, .. } = self;
        f.debug_struct("Opening")
            .field("side", side)
            .field("service", service)
            .field("method", method)
            .field("mode", mode)
            .field("persistent", persistent)
            .field("transient", transient)
            .field("metadata", metadata)
            .field("deadline", deadline)
            .finish()
    }
}
