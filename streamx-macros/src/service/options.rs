//! `#[streamx::service(name = "…", namespace = "…", rename_all = "…", crate = path)]` and `#[bidi(name = "…")]`.

use proc_macro2::TokenStream;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Ident, LitStr, Meta, Path, Token, parse_quote};

use super::model::{Options, Wire};
use crate::errors::Errors;
use crate::names::{self, Case};

const KNOWN: &str = "the options are `name`, `namespace`, `rename_all` and `crate`";

pub(super) fn parse(arguments: TokenStream, errors: &mut Errors) -> Options {
    let mut options =
        Options { runtime: parse_quote!(::streamx), name: None, namespace: None, case: Case::default() };
    let mut seen: Vec<Ident> = Vec::new();
    let result = each(arguments, |key, input| {
        if seen.contains(&key) {
            errors.at(&key, format!("`{key}` is given twice: remove one"));
        }
        match key.to_string().as_str() {
            "name" => options.name = string(input)?.checked(is_name, NAME, errors),
            "namespace" => options.namespace = string(input)?.checked(is_namespace, NAMESPACE, errors),
            "rename_all" => {
                let value = string(input)?;
                match Case::parse(&value.value()) {
                    Some(case) => options.case = case,
                    None => errors.at(&value, format!("`rename_all` is {}", Case::CHOICES)),
                }
            }
            "crate" => options.runtime = input.call(Path::parse_mod_style)?,
            _ => return Err(syn::Error::new(key.span(), format!("there is no option `{key}`: {KNOWN}"))),
        }
        seen.push(key);
        Ok(())
    });
    errors.take(result);
    options
}

/// The `name` of `#[bidi(name = "…")]`, if there is one.
pub(super) fn wire_name(attribute: &Attribute, errors: &mut Errors) -> Option<Wire> {
    let list = match &attribute.meta {
        Meta::Path(_) => return None,
        Meta::List(list) => list,
        Meta::NameValue(_) => {
            errors.at(attribute, "the wire name of a method is given as `(name = \"…\")`");
            return None;
        }
    };
    let mut wire = None;
    let result = each(list.tokens.clone(), |key, input| {
        if key != "name" {
            let sentence =
                format!("there is no option `{key}`: a method has `name = \"…\"`, its name on the wire");
            return Err(syn::Error::new(key.span(), sentence));
        }
        let value = string(input)?;
        let name = value.clone().checked(is_name, NAME, errors);
        wire = name.map(|name| Wire { name, tokens: quote::ToTokens::into_token_stream(value) });
        Ok(())
    });
    errors.take(result);
    wire
}

/// Calls `option` for each `key =`, with what follows to be read.
fn each(
    tokens: TokenStream,
    mut option: impl FnMut(Ident, ParseStream<'_>) -> syn::Result<()>,
) -> syn::Result<()> {
    let parser = |input: ParseStream<'_>| {
        while !input.is_empty() {
            let key = input.call(Ident::parse_any)?;
            if !input.peek(Token![=]) {
                let sentence = format!("an option is written `{key} = …`");
                return Err(syn::Error::new(key.span(), sentence));
            }
            input.parse::<Token![=]>()?;
            option(key, input)?;
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(())
    };
    parser.parse2(tokens)
}

fn string(input: ParseStream<'_>) -> syn::Result<LitStr> {
    let lookahead = input.lookahead1();
    if lookahead.peek(LitStr) { input.parse() } else { Err(lookahead.error()) }
}

const NAME: &str = "a name on the wire is letters, digits and `_`, and does not begin with a digit";
const NAMESPACE: &str = "a namespace is names of letters, digits and `_`, with dots between them";

fn is_name(name: &str) -> bool {
    names::is_identifier(name)
}

fn is_namespace(name: &str) -> bool {
    name.split('.').all(names::is_identifier)
}

trait Checked {
    fn checked(self, good: fn(&str) -> bool, sentence: &str, errors: &mut Errors) -> Option<String>;
}

impl Checked for LitStr {
    fn checked(self, good: fn(&str) -> bool, sentence: &str, errors: &mut Errors) -> Option<String> {
        let value = self.value();
        if good(&value) {
            return Some(value);
        }
        errors.at(self, sentence);
        None
    }
}
