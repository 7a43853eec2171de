//! A service as the user wrote it, read once.

use proc_macro2::{Ident, TokenStream};
use syn::{Attribute, ItemTrait, Path, Type};

use crate::names::Case;

/// `#[streamx::service(…)]`.
pub(super) struct Options {
    /// Where this crate is, `::streamx` unless told.
    pub(super) runtime: Path,
    pub(super) name: Option<String>,
    pub(super) namespace: Option<String>,
    pub(super) case: Case,
}

pub(super) struct Service {
    pub(super) options: Options,
    /// The trait without our attributes, each `async fn` rewritten to return a `Send` future.
    pub(super) item: ItemTrait,
    pub(super) wire: String,
    pub(super) methods: Vec<Method>,
}

pub(super) struct Method {
    pub(super) ident: Ident,
    pub(super) wire: Wire,
    /// Decides whether the method exists; goes on everything that is made for it.
    pub(super) cfgs: Vec<Attribute>,
    /// Documentation, deprecation, allowed lints: what the client's method has too.
    pub(super) carried: Vec<Attribute>,
    pub(super) mode: Mode,
    /// The type of the first argument, if that is the context of the call: the client does not have it.
    pub(super) context: Option<Type>,
    /// `None` after a mistake in the types: nothing can be generated.
    pub(super) shape: Option<Shape>,
    /// There was a mistake beside the types: only the client's method exists, so that its callers do not complain.
    pub(super) broken: bool,
}

/// A name on the wire and the tokens that chose it.
pub(super) struct Wire {
    pub(super) name: String,
    pub(super) tokens: TokenStream,
}

/// What travels in which direction. Types are copied, never read.
#[derive(Clone)]
pub(super) enum Shape {
    Unary { arguments: Vec<Argument>, output: Type },
    Oneway { arguments: Vec<Argument> },
    ClientStream { stream: Type, output: Type },
    ServerStream { request: Box<Argument>, stream: Type, output: Type },
    Bidi { stream: Type, output: Type },
}

#[derive(Clone)]
pub(super) struct Argument {
    pub(super) number: i16,
    pub(super) ident: Ident,
    pub(super) ty: Type,
}

/// The mode a method is marked with; `Unary` when it is not marked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Unary,
    Oneway,
    ClientStream,
    ServerStream,
    Bidi,
}

impl Mode {
    pub(super) fn of(attribute: &Path) -> Option<Self> {
        let ident = attribute.get_ident()?;
        [Self::Unary, Self::Oneway, Self::ClientStream, Self::ServerStream, Self::Bidi]
            .into_iter()
            .find(|mode| ident == mode.attribute())
    }

    pub(super) fn attribute(self) -> &'static str {
        match self {
            Self::Unary => "unary",
            Self::Oneway => "oneway",
            Self::ClientStream => "client_stream",
            Self::ServerStream => "server_stream",
            Self::Bidi => "bidi",
        }
    }

    /// The arguments and the return type to write.
    pub(super) fn signature(self) -> &'static str {
        match self {
            Self::Unary => "`(&self, request: Request) -> Result<Response>`",
            Self::Oneway => "`(&self, request: Request)`",
            Self::ClientStream => "`(&self, stream: Streaming<Request>) -> Result<Response>`",
            Self::ServerStream => "`(&self, request: Request, stream: Sender<Response>) -> Result<()>`",
            Self::Bidi => "`(&self, stream: Bidi<Request, Response>) -> Result<()>`",
        }
    }
}
