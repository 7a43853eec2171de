//! The names that are made from the user's names.

use proc_macro2::{Ident, Span};
use quote::format_ident;
use syn::ext::IdentExt;

/// How a method's Rust name becomes its wire name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Case {
    #[default]
    Pascal,
    Camel,
    Snake,
}

impl Case {
    pub(crate) const CHOICES: &str = "`\"PascalCase\"`, `\"camelCase\"` or `\"snake_case\"`";

    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name {
            "PascalCase" => Some(Self::Pascal),
            "camelCase" => Some(Self::Camel),
            "snake_case" => Some(Self::Snake),
            _ => None,
        }
    }

    /// The wire name of a method with this Rust name.
    pub(crate) fn apply(self, ident: &Ident) -> String {
        let name = ident.unraw().to_string();
        match self {
            Self::Snake => name,
            Self::Pascal => capitalized(&name, true),
            Self::Camel => capitalized(&name, false),
        }
    }
}

fn capitalized(name: &str, mut upper: bool) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.trim_start_matches('_').chars() {
        match c {
            '_' => upper = true,
            c if upper => {
                out.extend(c.to_uppercase());
                upper = false;
            }
            c => out.push(c),
        }
    }
    out
}

/// The static that describes a method.
pub(crate) fn static_of(method: &Ident) -> Ident {
    Ident::new(&method.unraw().to_string().to_uppercase(), Span::call_site())
}

pub(crate) fn client_of(service: &Ident) -> Ident {
    format_ident!("{}Client", service.unraw(), span = service.span())
}

pub(crate) fn server_of(service: &Ident) -> Ident {
    format_ident!("{}Server", service.unraw(), span = service.span())
}

/// What Thrift calls an identifier.
pub(crate) fn is_identifier(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.is_empty()
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(case: Case, name: &str) -> String {
        case.apply(&syn::parse_str(name).unwrap())
    }

    #[test]
    fn a_method_is_pascal_case_on_the_wire() {
        assert_eq!(wire(Case::Pascal, "ping_pong"), "PingPong");
        assert_eq!(wire(Case::Pascal, "r#type"), "Type");
        assert_eq!(wire(Case::Pascal, "_get_v2_all"), "GetV2All");
        assert_eq!(wire(Case::Camel, "ping_pong"), "pingPong");
        assert_eq!(wire(Case::Snake, "ping_pong"), "ping_pong");
    }

    #[test]
    fn the_static_of_a_raw_name_is_a_plain_name() {
        assert_eq!(static_of(&syn::parse_str("r#type").unwrap()), "TYPE");
    }

    #[test]
    fn an_identifier_is_what_thrift_calls_one() {
        assert!(is_identifier("EchoV2") && is_identifier("_x"));
        assert!(!is_identifier("") && !is_identifier("2x") && !is_identifier("a.b") && !is_identifier("ä"));
    }
}
