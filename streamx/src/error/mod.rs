//! The one error type of the crate, and the questions that can be asked of it.

mod biz;
mod code;

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

pub use biz::BizError;
pub use code::Code;

/// The result of everything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call, a stream or a connection failed.
///
/// One word wide and cheap to clone: a stream that failed gives the same error on every later `recv`. It has
/// questions instead of variants. Its text says what happened, in which method, and what to do about it where
/// that is known; the text is for people and may change between versions.
///
/// A handler makes one with [`Error::other`] or [`Error::new`]. What the caller of that handler sees is the text
/// and, between two streamx peers, the code; [`source`](std::error::Error::source) never travels.
#[derive(Clone)]
pub struct Error(Arc<Inner>);

/// On which side of a call an [`Error`] was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Side {
    /// The side that made the call.
    Client,
    /// The side that serves it.
    Server,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A handler said so, here or at the peer.
    Failed,
    Cancelled,
    Timeout,
    /// The call is over, so this operation cannot be done; the outcome is with `recv`.
    Closed,
    /// The connection is lost or cannot be made.
    Transport,
    /// Bytes that break the protocol or do not decode.
    Protocol,
    Limit,
    Unimplemented,
    /// A declared exception.
    Exception,
    /// A business error.
    Business,
}

struct Inner {
    code: Code,
    kind: Kind,
    message: String,
    side: Side,
    /// `Service.Method`, once known.
    method: Option<Arc<str>>,
    kitex_code: Option<i32>,
    /// The number in which a peer has sent the code over gRPC.
    grpc_status: Option<i32>,
    /// Names of the services a cancel passed through, in order.
    cancel_path: Vec<String>,
    retryable: bool,
    exception: Option<Arc<dyn Any + Send + Sync>>,
    biz: Option<BizError>,
    /// A declared exception as it travels at the end of a stream in Thrift: its field number, then Thrift binary. In protobuf
    /// it is a detail.
    declared: Option<Bytes>,
    /// Messages beside the text, as a `google.rpc.Status` in protobuf; that of a peer as it came.
    status_details: Option<Bytes>,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An ordinary failure: a text, or any `std::error::Error`, which becomes the
    /// [`source`](std::error::Error::source).
    ///
    /// ```
    /// fn read() -> streamx::Result<String> {
    ///     std::fs::read_to_string("/no/such/file").map_err(streamx::Error::other)
    /// }
    /// assert!(read().unwrap_err().to_string().contains("No such file"));
    /// ```
    pub fn other(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        let error = error.into();
        let mut inner = Inner::new(Code::Unknown, Kind::Failed, error.to_string());
        inner.source = Some(Arc::from(error));
        Self(Arc::new(inner))
    }

    /// A failure with a gRPC code and a text.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        let kind = match code {
            Code::Cancelled => Kind::Cancelled,
            Code::DeadlineExceeded => Kind::Timeout,
            Code::Unimplemented => Kind::Unimplemented,
            Code::ResourceExhausted => Kind::Limit,
            _ => Kind::Failed,
        };
        Self::of(code, kind, message)
    }

    /// A business error: a failure that is part of what a service promises, with a code of the application's own
    /// (any but 0, which means success on the wire) and a text. It reaches the caller over TTHeader Streaming, TTHeader and
    /// gRPC, as [`as_biz`](Self::as_biz); Framed and Buffered messages have no place for it, there it is an ordinary
    /// failure with its text (Kitex loses it altogether).
    ///
    /// ```
    /// let error = streamx::Error::biz(10001, "insufficient balance").with_extra("currency", "EUR");
    /// let biz = error.as_biz().unwrap();
    /// assert_eq!((biz.code(), biz.message()), (10001, "insufficient balance"));
    /// assert_eq!(biz.extra()["currency"], "EUR");
    /// ```
    pub fn biz(code: i32, message: impl Into<String>) -> Self {
        let biz = BizError::new(code, message.into());
        let text = biz.to_string();
        Self::of(Code::Unknown, Kind::Business, text).edit(|inner| inner.biz = Some(biz))
    }

    /// Adds an entry to the extra of a business error. Nothing happens to any other error.
    #[must_use]
    pub fn with_extra(self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.edit(|inner| {
            if let Some(biz) = &mut inner.biz {
                biz.add(key.into(), value.into());
            }
        })
    }

    /// The business error, if it is one.
    pub fn as_biz(&self) -> Option<&BizError> {
        self.0.biz.as_ref()
    }

    /// What kind of failure this is.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The number of the status a peer has ended the call with, if it came over gRPC. Kitex uses numbers there that
    /// [`Code`] does not have; their code is `Unknown`.
    pub fn grpc_status(&self) -> Option<i32> {
        self.0.grpc_status
    }

    /// The number Kitex uses for this failure, 12001 to 12015, if the failure belongs to TTHeader Streaming
    /// (Kitex v0.16.3, `pkg/remote/trans/ttstream/exception.go`); a peer may send another number with a reset.
    pub fn kitex_code(&self) -> Option<i32> {
        self.0.kitex_code
    }

    /// The call was cancelled: its caller has given it up, or, for a handler, is gone. A client whose server or connection is
    /// gone has an error with [`Code::Unavailable`](crate::Code::Unavailable) instead.
    pub fn is_cancelled(&self) -> bool {
        self.0.kind == Kind::Cancelled
    }

    /// A time limit passed.
    pub fn is_timeout(&self) -> bool {
        self.0.kind == Kind::Timeout
    }

    /// The operation came too late: the call is over, or this side has said that it sends no more. On a client
    /// the outcome of the call is what `recv`, `close_and_recv` or `Reply::recv` returns.
    pub fn is_closed(&self) -> bool {
        self.0.kind == Kind::Closed
    }

    /// Trying it again cannot do anything twice: the call certainly did not reach a handler, or a `recv` has waited too
    /// long on a stream that goes on ([`keep_open`](crate::client::Call::keep_open)).
    pub fn is_retryable(&self) -> bool {
        self.0.retryable
    }

    /// On which side of the call the error was made. One that a handler makes says so once it has travelled.
    pub fn side(&self) -> Side {
        self.0.side
    }

    /// The names of the services a cancel came through, the first canceller first; empty for anything else.
    pub fn cancel_path(&self) -> impl Iterator<Item = &str> {
        self.0.cancel_path.iter().map(String::as_str)
    }

    /// The declared exception of type `E` the handler answered with, if that is what happened.
    pub fn exception<E: 'static>(&self) -> Option<&E> {
        self.0.exception.as_deref().and_then(|any| any.downcast_ref())
    }

    /// The text without the name of the method: what travels to a peer.
    pub(crate) fn message(&self) -> &str {
        &self.0.message
    }

    pub(crate) fn kind(&self) -> Kind {
        self.0.kind
    }

    pub(crate) fn of(code: Code, kind: Kind, message: impl Into<String>) -> Self {
        Self(Arc::new(Inner::new(code, kind, message.into())))
    }

    /// The operation came too late (Kitex 12005).
    pub(crate) fn closed(message: impl Into<String>) -> Self {
        Self::of(Code::FailedPrecondition, Kind::Closed, message).with_kitex_code(12005)
    }

    /// The connection is lost or cannot be made.
    pub(crate) fn transport(message: impl Into<String>) -> Self {
        Self::of(Code::Unavailable, Kind::Transport, message)
    }

    /// Bytes that break the protocol or do not decode.
    pub(crate) fn protocol(message: impl Into<String>) -> Self {
        Self::of(Code::Internal, Kind::Protocol, message)
    }

    /// A limit of [`Limits`](crate::Limits) was reached.
    pub(crate) fn limit(message: impl Into<String>) -> Self {
        Self::of(Code::ResourceExhausted, Kind::Limit, message)
    }

    /// A declared exception, typed.
    pub(crate) fn declared<E: Any + Send + Sync>(message: impl Into<String>, exception: E) -> Self {
        Self::of(Code::Unknown, Kind::Exception, message)
            .edit(|inner| inner.exception = Some(Arc::new(exception)))
    }

    /// A declared exception in the form that travels at the end of a stream: its field number as two bytes, the highest
    /// first, then Thrift binary.
    pub(crate) fn declared_bytes(&self) -> Option<&Bytes> {
        self.0.declared.as_ref()
    }

    pub(crate) fn with_declared_bytes(self, bytes: Bytes) -> Self {
        self.edit(|inner| inner.declared = Some(bytes))
    }

    pub(crate) fn without_declared_bytes(self) -> Self {
        self.edit(|inner| inner.declared = None)
    }

    /// A `google.rpc.Status` with the details.
    pub(crate) fn status_details(&self) -> Option<&Bytes> {
        self.0.status_details.as_ref()
    }

    pub(crate) fn with_status_details(self, bytes: Bytes) -> Self {
        self.edit(|inner| inner.status_details = Some(bytes))
    }

    pub(crate) fn without_details(self) -> Self {
        self.edit(|inner| inner.status_details = None)
    }

    /// Keeps the exception of another error, typed.
    pub(crate) fn with_exception_of(self, other: &Self) -> Self {
        self.edit(|inner| {
            inner.exception.clone_from(&other.0.exception);
            inner.kind = other.0.kind;
        })
    }

    pub(crate) fn with_kitex_code(self, code: i32) -> Self {
        self.edit(|inner| inner.kitex_code = Some(code))
    }

    #[cfg(feature = "grpc")]
    pub(crate) fn with_grpc_status(self, status: i32) -> Self {
        self.edit(|inner| inner.grpc_status = Some(status))
    }

    pub(crate) fn with_side(self, side: Side) -> Self {
        self.edit(|inner| inner.side = side)
    }

    pub(crate) fn with_cancel_path(self, path: Vec<String>) -> Self {
        self.edit(|inner| inner.cancel_path = path)
    }

    pub(crate) fn with_source(self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.edit(|inner| inner.source = Some(Arc::new(source)))
    }

    pub(crate) fn retryable(self) -> Self {
        self.edit(|inner| inner.retryable = true)
    }

    /// Names the method in the text, unless one is named already.
    pub(crate) fn in_method(self, service: &str, method: &str) -> Self {
        if self.0.method.is_some() {
            return self;
        }
        self.edit(|inner| inner.method = Some(format!("{service}.{method}").into()))
    }

    fn edit(mut self, change: impl FnOnce(&mut Inner)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }
}

impl Inner {
    fn new(code: Code, kind: Kind, message: String) -> Self {
        Self {
            code,
            kind,
            message,
            side: Side::Client,
            method: None,
            kitex_code: None,
            grpc_status: None,
            cancel_path: Vec::new(),
            retryable: false,
            exception: None,
            biz: None,
            declared: None,
            status_details: None,
            source: None,
        }
    }
}

impl Clone for Inner {
    fn clone(&self) -> Self {
        Self {
            message: self.message.clone(),
            method: self.method.clone(),
            cancel_path: self.cancel_path.clone(),
            exception: self.exception.clone(),
            biz: self.biz.clone(),
            declared: self.declared.clone(),
            status_details: self.status_details.clone(),
            source: self.source.clone(),
            ..*self
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(method) = &self.0.method {
            write!(f, "{method}: ")?;
        }
        f.write_str(&self.0.message)?;
        if let [first, rest @ ..] = self.0.cancel_path.as_slice() {
            write!(f, " [cancelled by {first}")?;
            for name in rest {
                write!(f, " -> {name}")?;
            }
            f.write_str("]")?;
        }
        // What happened to a call, unlike what its handler has answered, may have been on either side.
        match (self.0.kitex_code, self.0.side) {
            (Some(12002..=12015), Side::Client) => f.write_str(" [client side]"),
            (Some(12002..=12015), Side::Server) => f.write_str(" [server side]"),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        let mut out = f.debug_struct("Error");
        out.field("code", &inner.code).field("text", &format_args!("{self}")).field("side", &inner.side);
        if let Some(code) = inner.kitex_code {
            out.field("kitex_code", &code);
        }
        if let Some(source) = &inner.source {
            out.field("source", source);
        }
        out.finish()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_word_wide() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
        assert_eq!(size_of::<Result<()>>(), size_of::<usize>());
    }

    #[test]
    fn the_text_names_the_method_once() {
        let error = Error::other("boom").in_method("Chat", "Talk").in_method("Other", "Method");
        assert_eq!(error.to_string(), "Chat.Talk: boom");
        assert_eq!(error.message(), "boom");
    }

    #[test]
    fn a_declared_exception_is_found_by_its_type() {
        let error = Error::declared("not found", 7_u8);
        assert_eq!(error.exception::<u8>(), Some(&7));
        assert_eq!(error.exception::<u16>(), None);
    }

    #[test]
    fn a_cancel_shows_its_path() {
        let error = Error::new(Code::Cancelled, "gone").with_cancel_path(vec!["a".into(), "b".into()]);
        assert_eq!(error.to_string(), "gone [cancelled by a -> b]");
        assert_eq!(error.cancel_path().collect::<Vec<_>>(), ["a", "b"]);
    }
}
