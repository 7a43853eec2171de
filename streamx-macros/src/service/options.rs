//! `#[streamx::service(name = "…", namespace = "…", rename_all = "…", crate = path)]` and `#[bidi(name = "…")]`.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, Lit, LitStr, Meta, Token};

use super::model::{Options, Wire};
use crate::attributes::{NamedOption, crate_path};
use crate::errors::Errors;
use crate::names::{Case, is_identifier};

pub(super) fn parse(arguments: TokenStream, errors: &mut Errors) -> Options {
    let (mut name, mut namespace, mut case, mut path) = (None, None, None, None);
    for NamedOption { name: key, value } in named(arguments, errors) {
        let given = key.to_string();
        let fresh = match (given.as_str(), value) {
            ("name", Some(value)) => name.replace(wire(&value, errors)).is_none(),
            ("namespace", Some(value)) => namespace.replace(dotted(&value, errors)).is_none(),
            ("rename_all", Some(value)) => case.replace(renaming(&value, errors)).is_none(),
            ("crate", Some(Expr::Path(value))) => path.replace(value.path).is_none(),
            ("crate", _) => {
                errors.at(&key, "`crate` is a path: write `crate = ::some::path`");
                true
            }
            ("name" | "namespace" | "rename_all", None) => {
                errors.at(&key, format!("`{given}` is a text in quotes: write `{given} = \"…\"`"));
                true
            }
            _ => {
                let known = "the options are `name`, `namespace`, `rename_all` and `crate`";
                errors.at(&key, format!("unknown option `{given}`: {known}"));
                true
            }
        };
        if !fresh {
            errors.at(&key, format!("`{given}` is given twice: remove one"));
        }
    }
    Options {
        runtime: crate_path(path.as_ref()),
        name: name.flatten().map(|wire| wire.name),
        namespace: namespace.flatten(),
        case: case.flatten().unwrap_or_default(),
    }
}

/// The `name` of `#[bidi(name = "…")]`, if there is one.
pub(super) fn wire_name(attribute: &Attribute, errors: &mut Errors) -> Option<Wire> {
    let tokens = match &attribute.meta {
        Meta::Path(_) => return None,
        Meta::List(list) => list.tokens.clone(),
        Meta::NameValue(_) => {
            errors.at(attribute, "the name of a method on the wire is written `(name = \"…\")`");
            return None;
        }
    };
    let mut name = None;
    for NamedOption { name: key, value } in named(tokens, errors) {
        match value {
            Some(value) if key == "name" => name = wire(&value, errors),
            _ => errors.at(&key, "the option of a method is `name = \"…\"`, its name on the wire"),
        }
    }
    name
}

fn named(tokens: TokenStream, errors: &mut Errors) -> impl Iterator<Item = NamedOption> + use<> {
    let parsed = Punctuated::<NamedOption, Token![,]>::parse_terminated.parse2(tokens);
    errors.take(parsed).into_iter().flatten()
}

fn wire(value: &Expr, errors: &mut Errors) -> Option<Wire> {
    const SENTENCE: &str = "a name on the wire is letters, digits and `_`, and does not begin with a digit";
    let name = text(value, errors)?.value();
    if !is_identifier(&name) {
        errors.at(value, SENTENCE);
        return None;
    }
    Some(Wire { name, tokens: value.to_token_stream() })
}

fn dotted(value: &Expr, errors: &mut Errors) -> Option<String> {
    let namespace = text(value, errors)?.value();
    if !namespace.split('.').all(is_identifier) {
        errors.at(value, "a namespace is names of letters, digits and `_`, with dots between them");
        return None;
    }
    Some(namespace)
}

fn renaming(value: &Expr, errors: &mut Errors) -> Option<Case> {
    let case = Case::parse(&text(value, errors)?.value());
    if case.is_none() {
        errors.at(value, format!("`rename_all` is {}", Case::CHOICES));
    }
    case
}

fn text(value: &Expr, errors: &mut Errors) -> Option<LitStr> {
    if let Expr::Lit(literal) = value
        && let Lit::Str(text) = &literal.lit
    {
        return Some(text.clone());
    }
    errors.at(value, "this is a text: write it in quotes");
    None
}
