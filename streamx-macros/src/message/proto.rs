//! What `proto = "…"` says: how a field is written in protobuf.
//!
//! The words are those of a `.proto` file. Which fit which type, the traits of the library say.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Ident, LitStr};

use crate::errors::Errors;

/// A spelling that is understood.
pub(super) struct Proto {
    unpacked: bool,
    encoding: Spelled,
    span: Span,
}

enum Spelled {
    /// As always.
    Any,
    /// A type of numbers.
    Number(Ident),
    /// The types of the keys and values of a map.
    Map(Ident, Ident),
    Oneof,
}

const NUMBERS: [&str; 9] =
    ["sint32", "sint64", "uint32", "uint64", "fixed32", "fixed64", "sfixed32", "sfixed64", "float"];
/// The types that need no word.
const PLAIN: [&str; 7] = ["int32", "int64", "double", "bool", "string", "bytes", "_"];

impl Proto {
    pub(super) fn read(spelling: &LitStr, errors: &mut Errors) -> Option<Self> {
        let text = spelling.value();
        let text = text.trim();
        let span = spelling.span();
        let (unpacked, text) = match text.strip_prefix("unpacked") {
            Some(rest) if rest.is_empty() || rest.starts_with(' ') => (true, rest.trim()),
            _ => (false, text),
        };
        let encoding = match text {
            "" if unpacked => Some(Spelled::Any),
            "oneof" if !unpacked => Some(Spelled::Oneof),
            map if map.starts_with("map") && !unpacked => map_of(map, span),
            number => NUMBERS.contains(&number).then(|| Spelled::Number(Ident::new(number, span))),
        };
        if encoding.is_none() {
            let known = "write one of `sint32`, `sint64`, `uint32`, `uint64`, `fixed32`, `fixed64`, `sfixed32`, `sfixed64`, \
                         `float`, or `map<sint32, _>`, `unpacked`, `unpacked sint32`, `oneof`";
            errors.at(spelling, format!("`{}` is not an encoding of protobuf: {known}", spelling.value()));
        }
        Some(Self { unpacked, encoding: encoding?, span })
    }

    pub(super) fn is_oneof(&self) -> bool {
        matches!(self.encoding, Spelled::Oneof)
    }

    /// The spelling as a type of the library.
    pub(super) fn marker(&self, rt: &Ident) -> TokenStream {
        let span = self.span;
        let encoding = match &self.encoding {
            Spelled::Any => quote_spanned!(span=> #rt::proto::any),
            Spelled::Number(number) => quote_spanned!(span=> #rt::proto::#number),
            Spelled::Map(key, value) => {
                quote_spanned!(span=> #rt::proto::map<#rt::proto::#key, #rt::proto::#value>)
            }
            // Has a form of its own.
            Spelled::Oneof => quote_spanned!(span=> #rt::proto::any),
        };
        if self.unpacked { quote!(#rt::proto::unpacked<#encoding>) } else { encoding }
    }
}

/// `map<sint32, _>`
fn map_of(text: &str, span: Span) -> Option<Spelled> {
    let inside = text.strip_prefix("map")?.trim_start().strip_prefix('<')?.strip_suffix('>')?;
    let (key, value) = inside.split_once(',')?;
    let part = |part: &str| match part.trim() {
        number if NUMBERS.contains(&number) => Some(Ident::new(number, span)),
        plain if PLAIN.contains(&plain) => Some(Ident::new("any", span)),
        _ => None,
    };
    Some(Spelled::Map(part(key)?, part(value)?))
}
