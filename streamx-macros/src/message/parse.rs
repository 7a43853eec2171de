//! From syntax to the model. Every mistake is noted; `None` only where there is nothing to go on with.

use std::collections::HashSet;

use proc_macro2::Span;
use quote::ToTokens;
use syn::spanned::Spanned;
use syn::{Attribute, Data, DataEnum, DataStruct, DeriveInput, Fields, GenericParam, Ident, Type};

use super::model::{Body, Field, Member, Message, Variant};
use super::proto::Proto;
use crate::attributes::{self, FieldAttribute, MessageAttribute};
use crate::errors::Errors;

pub(super) fn message(input: &DeriveInput, errors: &mut Errors) -> Option<Message> {
    let options = MessageAttribute::find(&input.attrs, errors);
    generics(input, errors);
    misplaced(&input.attrs, &["field", "other"], "it belongs on a field or on a variant", errors);
    if let Some(rename) = &options.rename {
        check_name(&rename.value(), rename, errors);
    }
    let exception = options.exception.is_some();
    let body = match &input.data {
        Data::Struct(data) => Body::Struct { fields: fields(input, data, errors)?, exception },
        Data::Enum(data) if exception => exceptions(input, data, errors),
        Data::Enum(data) if is_union(data) => union(data, errors),
        Data::Enum(data) => number_enum(input, data, errors),
        Data::Union(data) => {
            errors.at(
                data.union_token,
                "a Rust `union` cannot be a message: write an `enum` with a value in each variant",
            );
            return None;
        }
    };
    Some(Message {
        ident: input.ident.clone(),
        generics: input.generics.clone(),
        krate: attributes::crate_path(options.krate.as_ref()),
        name: options.rename.map_or_else(|| plain(&input.ident), |name| name.value()),
        doc: attributes::doc(&input.attrs),
        import: options.import,
        body,
    })
}

fn generics(input: &DeriveInput, errors: &mut Errors) {
    for parameter in &input.generics.params {
        match parameter {
            GenericParam::Type(_) => {}
            GenericParam::Lifetime(lifetime) => {
                errors.at(
                    lifetime,
                    "a message owns what it holds: use `String`, `Bytes` or `Arc<str>` instead of a borrow",
                );
            }
            GenericParam::Const(parameter) => {
                errors.at(parameter, "a message can be generic over types, not over constants");
            }
        }
    }
}

fn fields(input: &DeriveInput, data: &DataStruct, errors: &mut Errors) -> Option<Vec<Field>> {
    match &data.fields {
        Fields::Named(_) | Fields::Unit => {}
        Fields::Unnamed(unnamed) => {
            errors.at(
                unnamed,
                "the fields of a message have names: write `struct Tag { #[field(1)] name: String }`",
            );
            return None;
        }
    }
    let mut numbers = Numbers::default();
    let mut names = Names::default();
    let mut read = Vec::new();
    for field in &data.fields {
        misplaced(&field.attrs, &["other"], "it belongs on a variant of an enum", errors);
        misplaced(&field.attrs, &["message"], "it belongs on the struct", errors);
        let Some(ident) = &field.ident else { continue };
        let what = format!("field `{ident}` of `{}`", input.ident);
        let Some(attribute) = FieldAttribute::find(&field.attrs, ident, &what, errors) else { continue };
        numbers.add(&attribute, errors);
        if let Some(required) = &attribute.required
            && is_option(&field.ty)
        {
            errors.at(required, "a `required` field is always there: remove `Option` or `required`");
        }
        let name = attribute.rename.as_ref().map_or_else(|| plain(ident), |name| name.value());
        names.add(&name, &attribute, ident, errors);
        read.push(Field {
            ident: ident.clone(),
            ty: field.ty.clone(),
            number: attribute.number,
            name,
            doc: attributes::doc(&field.attrs),
            required: attribute.required.is_some(),
            default: attribute.default,
            proto: attribute.proto.and_then(|spelling| Proto::read(&spelling, errors)),
        });
    }
    oneofs(&read, errors);
    Some(read)
}

fn union(data: &DataEnum, errors: &mut Errors) -> Body {
    for variant in &data.variants {
        let sentence = "an unknown variant reads as an absent field, so make the field an `Option`";
        misplaced(&variant.attrs, &["other"], sentence, errors);
    }
    Body::Union { variants: numbered(data.variants.iter().collect(), "union", errors) }
}

fn exceptions(input: &DeriveInput, data: &DataEnum, errors: &mut Errors) -> Body {
    if let Some(parameter) = input.generics.params.first() {
        errors.at(parameter, "the exceptions of a method cannot be generic");
    }
    let (others, declared): (Vec<_>, Vec<_>) =
        data.variants.iter().partition(|variant| other_mark(variant).is_some());
    let other = single_other(&others, errors).and_then(|variant| match one_value(variant) {
        Some(ty) => Some((variant.ident.clone(), ty.clone())),
        None => {
            errors.at(
                &variant.ident,
                "the variant for every other error holds one: write `Other(streamx::Error)`",
            );
            None
        }
    });
    Body::Exceptions { variants: numbered(declared, "set of exceptions", errors), other }
}

fn number_enum(input: &DeriveInput, data: &DataEnum, errors: &mut Errors) -> Body {
    if data.variants.is_empty() {
        errors.at(&input.ident, "an enum needs a variant");
    }
    if let Some(parameter) = input.generics.params.first() {
        errors.at(parameter, "an enum of numbers cannot be generic");
    }
    let (others, listed): (Vec<_>, Vec<_>) =
        data.variants.iter().partition(|variant| other_mark(variant).is_some());
    let other = single_other(&others, errors).and_then(|variant| match one_value(variant) {
        Some(ty) if !is_other_number(ty) => Some((variant.ident.clone(), ty.clone())),
        _ => {
            let ident = &variant.ident;
            errors
                .at(ident, format!("the variant for unknown numbers keeps the number: write `{ident}(i32)`"));
            None
        }
    });
    let mut members = Vec::new();
    for variant in listed {
        let sentence = format!(
            "a variant without a value is numbered by its discriminant: write `{0} = 1`, or `{0}(String)` for a union",
            variant.ident
        );
        misplaced(&variant.attrs, &["field", "message"], &sentence, errors);
        members.push(Member {
            ident: variant.ident.clone(),
            name: plain(&variant.ident),
            doc: attributes::doc(&variant.attrs),
            discriminant: variant.discriminant.as_ref().map(|(_, value)| value.clone()),
        });
    }
    Body::Enum { members, other }
}

/// Variants that hold one value each and have a number.
fn numbered(variants: Vec<&syn::Variant>, what: &str, errors: &mut Errors) -> Vec<Variant> {
    let mut numbers = Numbers::default();
    let mut names = Names::default();
    let mut read = Vec::new();
    for variant in variants {
        let ident = &variant.ident;
        let Some(ty) = one_value(variant) else {
            let sentence =
                format!("a variant of a {what} holds exactly one value: write `{ident}(SomeType)`");
            errors.at(variant_without_attributes(variant), sentence);
            continue;
        };
        if is_option(ty) {
            errors.at(ty, "the value of a variant is always there: remove `Option`");
        }
        let Some(attribute) =
            FieldAttribute::find(&variant.attrs, ident, &format!("variant `{ident}`"), errors)
        else {
            continue;
        };
        numbers.add(&attribute, errors);
        for option in attribute
            .required
            .iter()
            .map(ToTokens::to_token_stream)
            .chain(attribute.default.iter().map(ToTokens::to_token_stream))
        {
            errors.at(option, "a variant is neither `required` nor has it a `default`: remove this option");
        }
        if let Some(proto) = &attribute.proto {
            let sentence = "the value of a variant has the encoding of its type: remove `proto`, or let the variant hold a \
                            message with such a field";
            errors.at(proto, sentence);
        }
        let name = attribute.rename.as_ref().map_or_else(|| snake_case(&plain(ident)), |name| name.value());
        names.add(&name, &attribute, ident, errors);
        read.push(Variant {
            ident: ident.clone(),
            ty: ty.clone(),
            number: attribute.number,
            name,
            doc: attributes::doc(&variant.attrs),
        });
    }
    read
}

/// The variants of a oneof have numbers of their own, so there is no place for what is said of the field.
fn oneofs(fields: &[Field], errors: &mut Errors) {
    for field in fields.iter().filter(|field| field.proto.as_ref().is_some_and(Proto::is_oneof)) {
        if field.required || field.default.is_some() {
            errors.at(&field.ident, "a oneof may be absent: remove `required` and `default`");
        }
    }
}

/// Numbers used so far.
#[derive(Default)]
struct Numbers(HashSet<i16>);

impl Numbers {
    fn add(&mut self, attribute: &FieldAttribute, errors: &mut Errors) {
        let number = attribute.number;
        if !self.0.insert(number) {
            let free = (1..=i16::MAX).find(|free| !self.0.contains(free)).unwrap_or(1);
            let sentence = format!("the number {number} is taken by another one above; {free} is free");
            errors.at(&attribute.attribute, sentence);
        }
    }
}

/// Names used so far.
#[derive(Default)]
struct Names(HashSet<String>);

impl Names {
    fn add(&mut self, name: &str, attribute: &FieldAttribute, ident: &Ident, errors: &mut Errors) {
        let place: &dyn ToTokens = match &attribute.rename {
            Some(rename) => rename,
            None => ident,
        };
        check_name(name, place, errors);
        if !self.0.insert(name.to_owned()) {
            errors.at(place, format!("the name `{name}` is taken by another one above"));
        }
    }
}

fn check_name(name: &str, place: impl ToTokens, errors: &mut Errors) {
    let good_start = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    if !good_start || !name.chars().all(|each| each.is_ascii_alphanumeric() || each == '_') {
        let advice = "use letters, digits and `_`, with `rename = \"…\"`";
        errors.at(place, format!("`{name}` cannot be a name in a schema: {advice}"));
    }
}

/// Notes attributes that have no place here.
fn misplaced(attributes: &[Attribute], names: &[&str], sentence: &str, errors: &mut Errors) {
    for attribute in attributes {
        if let Some(name) = names.iter().find(|name| attribute.path().is_ident(name)) {
            errors.at(attribute, format!("`#[{name}]` does not belong here: {sentence}"));
        }
    }
}

/// A union has values in its variants, an enum has none but in the variant for unknown numbers.
fn is_union(data: &DataEnum) -> bool {
    data.variants.iter().any(|variant| !variant.fields.is_empty() && other_mark(variant).is_none())
}

fn other_mark(variant: &syn::Variant) -> Option<&Attribute> {
    variant.attrs.iter().find(|attribute| attribute.path().is_ident("other"))
}

fn single_other<'a>(others: &[&'a syn::Variant], errors: &mut Errors) -> Option<&'a syn::Variant> {
    for second in others.iter().skip(1) {
        errors.at(other_mark(second), "a second `#[other]`: one variant is enough");
    }
    for variant in others {
        misplaced(&variant.attrs, &["field"], "a variant marked `#[other]` has no number", errors);
    }
    others.first().copied()
}

fn one_value(variant: &syn::Variant) -> Option<&Type> {
    match &variant.fields {
        Fields::Unnamed(unnamed) if unnamed.unnamed.len() == 1 => {
            unnamed.unnamed.first().map(|field| &field.ty)
        }
        _ => None,
    }
}

fn variant_without_attributes(variant: &syn::Variant) -> syn::Variant {
    syn::Variant { attrs: Vec::new(), ..variant.clone() }
}

/// Whether the type is spelled `Option<…>`; used only to say more than the compiler could.
fn is_option(ty: &Type) -> bool {
    match ty {
        Type::Path(path) => path.path.segments.last().is_some_and(|last| last.ident == "Option"),
        _ => false,
    }
}

/// Whether the type is spelled as a number that is not an `i32`; used only to say more than the compiler could.
fn is_other_number(ty: &Type) -> bool {
    const OTHERS: [&str; 9] = ["u8", "u16", "u32", "u64", "usize", "i8", "i16", "i64", "isize"];
    match ty {
        Type::Path(path) => OTHERS.iter().any(|other| path.path.is_ident(other)),
        _ => false,
    }
}

/// The name without `r#`.
fn plain(ident: &Ident) -> String {
    let name = ident.to_string();
    name.strip_prefix("r#").unwrap_or(&name).to_owned()
}

/// `NotFound` as `not_found`, `HTTPError` as `http_error`.
pub(super) fn snake_case(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut snake = String::new();
    for (index, letter) in letters.iter().enumerate() {
        let after_word = index > 0 && !letters[index - 1].is_uppercase() && letters[index - 1] != '_';
        let before_word = index > 0 && letters.get(index + 1).is_some_and(|next| next.is_lowercase());
        if letter.is_uppercase() && (after_word || before_word) {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

/// The place of a type, for tokens that are to be reported there.
pub(super) fn place(ty: &Type) -> Span {
    ty.span()
}
