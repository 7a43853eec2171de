//! The attributes of this crate's users: their options, each at most once.

use proc_macro2::Span;
use quote::ToTokens;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ExprLit, Ident, Lit, LitInt, LitStr, Meta, Path, Token};

use crate::errors::Errors;

/// `#[field(3, required, rename = "x", default = 10, proto = "sint32")]`
pub(crate) struct FieldAttribute {
    /// The whole attribute.
    pub(crate) attribute: Attribute,
    pub(crate) number: i16,
    pub(crate) required: Option<Ident>,
    pub(crate) rename: Option<LitStr>,
    pub(crate) default: Option<Expr>,
    pub(crate) proto: Option<LitStr>,
}

/// `#[message(exception, rename = "x", import = "folder/file.proto", crate = path)]`
#[derive(Default)]
pub(crate) struct MessageAttribute {
    pub(crate) exception: Option<Ident>,
    pub(crate) rename: Option<LitStr>,
    pub(crate) import: Option<LitStr>,
    pub(crate) krate: Option<Path>,
}

impl FieldAttribute {
    /// The one `#[field(…)]` among these attributes. `what` it is missing on is said at `place`.
    pub(crate) fn find(
        attributes: &[Attribute],
        place: impl ToTokens,
        what: &str,
        errors: &mut Errors,
    ) -> Option<Self> {
        let mut found = attributes.iter().filter(|attribute| attribute.path().is_ident("field"));
        let Some(attribute) = found.next() else {
            errors.at(
                place,
                format!("{what} needs a number: write `#[field(n)]` before it, with an n of its own"),
            );
            return None;
        };
        if let Some(second) = found.next() {
            errors.at(second, "a second `#[field]`: put all options into one, as in `#[field(3, required)]`");
        }
        Self::read(attribute, errors)
    }

    fn read(attribute: &Attribute, errors: &mut Errors) -> Option<Self> {
        let Meta::List(list) = &attribute.meta else {
            errors.at(attribute, "the number is missing: write `#[field(1)]`");
            return None;
        };
        if list.tokens.is_empty() {
            errors.at(attribute, "the number is missing: write `#[field(1)]`");
            return None;
        }
        let (number, options) = errors.take(list.parse_args_with(number_and_options))?;
        let number = field_number(&number, errors);
        let mut read = Self {
            attribute: attribute.clone(),
            number: number?,
            required: None,
            rename: None,
            default: None,
            proto: None,
        };
        for option in options {
            let given = option.name.to_string();
            let fresh = match (given.as_str(), option.value) {
                ("required", None) => read.required.replace(option.name.clone()).is_none(),
                ("rename", Some(value)) => match text(&value, errors) {
                    Some(name) => read.rename.replace(name).is_none(),
                    None => true,
                },
                ("proto", Some(Expr::Lit(ExprLit { lit: Lit::Str(spelling), .. }))) => {
                    read.proto.replace(spelling).is_none()
                }
                ("proto", Some(value)) => {
                    errors.at(value, "an encoding is a text in quotes: write `proto = \"sint64\"`");
                    true
                }
                ("default", Some(value)) => read.default.replace(value).is_none(),
                ("required", Some(_)) => {
                    errors.at(&option.name, "`required` takes no value: write `#[field(3, required)]`");
                    true
                }
                ("rename" | "default" | "proto", None) => {
                    errors.at(&option.name, format!("`{given}` needs a value: write `{given} = …`"));
                    true
                }
                _ => {
                    let known =
                        "the options are `required`, `rename = \"…\"`, `default = …` and `proto = \"…\"`";
                    errors.at(&option.name, format!("unknown option `{given}`: {known}"));
                    true
                }
            };
            if !fresh {
                errors.at(&option.name, format!("`{given}` is given twice: remove one"));
            }
        }
        if let (Some(required), Some(_)) = (&read.required, &read.default) {
            errors.at(
                required,
                "a `required` field is never absent, so it has no `default`: remove one of the two",
            );
        }
        Some(read)
    }
}

impl MessageAttribute {
    /// What all `#[message(…)]` among these attributes say.
    pub(crate) fn find(attributes: &[Attribute], errors: &mut Errors) -> Self {
        let mut read = Self::default();
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("message")) {
            let parsed = attribute.parse_args_with(Punctuated::<NamedOption, Token![,]>::parse_terminated);
            for option in errors.take(parsed).into_iter().flatten() {
                read.add(option, errors);
            }
        }
        read
    }

    fn add(&mut self, option: NamedOption, errors: &mut Errors) {
        let given = option.name.to_string();
        let fresh = match (given.as_str(), option.value) {
            ("exception", None) => self.exception.replace(option.name.clone()).is_none(),
            ("rename", Some(value)) => match text(&value, errors) {
                Some(name) => self.rename.replace(name).is_none(),
                None => true,
            },
            ("import", Some(Expr::Lit(ExprLit { lit: Lit::Str(file), .. }))) => {
                self.import.replace(file).is_none()
            }
            ("import", _) => {
                errors
                    .at(&option.name, "`import` needs a file: write `import = \"google/type/money.proto\"`");
                true
            }
            ("crate", Some(Expr::Path(path))) => self.krate.replace(path.path).is_none(),
            ("crate", _) => {
                errors.at(&option.name, "`crate` needs a path: write `crate = ::some::path`");
                true
            }
            _ => {
                let known =
                    "the options are `exception`, `rename = \"…\"`, `import = \"…\"` and `crate = path`";
                errors.at(&option.name, format!("unknown option `{given}`: {known}"));
                true
            }
        };
        if !fresh {
            errors.at(&option.name, format!("`{given}` is given twice: remove one"));
        }
    }
}

/// `name` or `name = value`
pub(crate) struct NamedOption {
    pub(crate) name: Ident,
    pub(crate) value: Option<Expr>,
}

impl Parse for NamedOption {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let name = input.call(syn::ext::IdentExt::parse_any)?;
        let value = input.parse::<Option<Token![=]>>()?.map(|_| input.parse()).transpose()?;
        Ok(Self { name, value })
    }
}

/// The text of the doc comment, its lines without the space behind the slashes.
pub(crate) fn doc(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Str(text) => Some(text.value()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    });
    lines.map(|line| line.strip_prefix(' ').unwrap_or(&line).to_owned()).collect::<Vec<_>>().join("\n")
}

/// The value of an option that is a text.
pub(crate) fn text(value: &Expr, errors: &mut Errors) -> Option<LitStr> {
    if let Expr::Lit(literal) = value
        && let Lit::Str(text) = &literal.lit
    {
        return Some(text.clone());
    }
    errors.at(value, "a name is a text in quotes: write `rename = \"userTags\"`");
    None
}

fn number_and_options(input: ParseStream<'_>) -> syn::Result<(Expr, Punctuated<NamedOption, Token![,]>)> {
    let head: Expr = input.parse()?;
    if matches!(head, Expr::Path(_) | Expr::Assign(_)) {
        return Err(syn::Error::new_spanned(head, "the number comes first: write `#[field(3, …)]`"));
    }
    let options = match input.parse::<Option<Token![,]>>()? {
        Some(_) => Punctuated::parse_terminated(input)?,
        None if input.is_empty() => Punctuated::new(),
        None => return Err(input.error("a comma is missing: write `#[field(3, required)]`")),
    };
    Ok((head, options))
}

/// A number a field may have.
pub(crate) fn field_number(number: &Expr, errors: &mut Errors) -> Option<i16> {
    const RANGE: &str = "a field number is a whole number from 1 to 32767";
    let literal: Option<&LitInt> = match number {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Int(literal) => Some(literal),
            _ => None,
        },
        _ => None,
    };
    let value = literal.and_then(|literal| literal.base10_parse::<i16>().ok()).filter(|value| *value > 0);
    if value.is_none() {
        errors.at(number, RANGE);
    }
    value
}

/// The path of the crate: what `crate = path` says, or `::streamx`.
pub(crate) fn crate_path(given: Option<&Path>) -> Path {
    given.cloned().unwrap_or_else(|| {
        let name = Ident::new("streamx", Span::call_site());
        syn::parse_quote!(::#name)
    })
}
