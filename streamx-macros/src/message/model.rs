//! What a derived item says, free of syntax.

use syn::{Expr, Generics, Ident, LitStr, Path, Type};

use super::proto::Proto;

pub(super) struct Message {
    pub(super) ident: Ident,
    pub(super) generics: Generics,
    /// The path of the crate `streamx`.
    pub(super) krate: Path,
    /// The name in the schema.
    pub(super) name: String,
    pub(super) doc: String,
    /// The `.proto` file that defines it.
    pub(super) import: Option<LitStr>,
    pub(super) body: Body,
}

pub(super) enum Body {
    Struct {
        fields: Vec<Field>,
        exception: bool,
    },
    Union {
        variants: Vec<Variant>,
    },
    Enum {
        /// The variants with a number, in order.
        members: Vec<Member>,
        /// The variant that keeps an unknown number.
        other: Option<(Ident, Type)>,
    },
    /// The exceptions of a method.
    Exceptions {
        variants: Vec<Variant>,
        /// The variant for every other error.
        other: Option<(Ident, Type)>,
    },
}

/// A field of a struct.
pub(super) struct Field {
    pub(super) ident: Ident,
    pub(super) ty: Type,
    pub(super) number: i16,
    pub(super) name: String,
    pub(super) doc: String,
    pub(super) required: bool,
    pub(super) default: Option<Expr>,
    /// What `proto = "…"` says.
    pub(super) proto: Option<Proto>,
}

/// A variant that holds one value and has a number.
pub(super) struct Variant {
    pub(super) ident: Ident,
    pub(super) ty: Type,
    pub(super) number: i16,
    pub(super) name: String,
    pub(super) doc: String,
}

/// A variant of an enum.
pub(super) struct Member {
    pub(super) ident: Ident,
    pub(super) name: String,
    pub(super) doc: String,
    /// The number, if it is written; else one more than the last.
    pub(super) discriminant: Option<Expr>,
}
