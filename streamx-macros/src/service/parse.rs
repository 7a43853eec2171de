//! From syntax to the model. Never stops at a mistake.

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::{
    Attribute, Expr, FnArg, GenericArgument, ItemTrait, Pat, PatType, PathArguments, Receiver, ReceiverKind,
    Signature, TraitItem, TraitItemFn, Type,
};

use super::model::{Argument, Method, Mode, Options, Service, Shape, Wire};
use super::{context, options, rewrite};
use crate::attributes::field_number;
use crate::errors::Errors;

/// A handler is called with this many arguments at most.
const MOST_ARGUMENTS: usize = 12;

pub(super) fn service(options: Options, mut item: ItemTrait, errors: &mut Errors) -> Service {
    if !item.generics.params.is_empty() {
        errors.at(&item.generics, "a service has no generics: it is looked up by its name alone");
    }
    // rust-analyzer sets this for macros. It is no promise: without it completion offers the rewritten signature.
    let editor = std::env::var_os("RUST_ANALYZER_INTERNALS_DO_NOT_USE").is_some();
    let mut methods = vec![];
    for member in &mut item.items {
        if let TraitItem::Fn(function) = member {
            methods.push(method(function, &options, errors));
            rewrite::method(function, editor);
        }
    }
    let wire =
        options.name.clone().unwrap_or_else(|| item.ident.to_string().trim_start_matches("r#").to_owned());
    Service { options, item, wire, methods }
}

fn method(item: &TraitItemFn, options: &Options, errors: &mut Errors) -> Method {
    let ident = item.sig.ident.clone();
    let (mut outside, mut inside) = (Errors::new(), Errors::new());
    let (mode, renamed) = mode(item, &mut outside);
    signature(&item.sig, &mut outside);
    let broken = !outside.is_empty();
    let mut typed = typed(&item.sig, &mut inside);
    let context = context::take(&mut typed, &mut inside);
    let shape = shape(mode, &item.sig, &typed, &mut inside).filter(|_| inside.is_empty());
    errors.append(outside);
    errors.append(inside);

    let attributes = |names: &[&str]| {
        let listed = |attribute: &&Attribute| names.iter().any(|name| attribute.path().is_ident(name));
        item.attrs.iter().filter(listed).cloned().collect::<Vec<_>>()
    };
    Method {
        wire: renamed
            .unwrap_or_else(|| Wire { name: options.case.apply(&ident), tokens: ident.to_token_stream() }),
        cfgs: attributes(&["cfg"]),
        carried: attributes(&["cfg", "cfg_attr", "doc", "deprecated", "allow"]),
        ident,
        mode,
        context,
        shape,
        broken,
    }
}

fn mode(item: &TraitItemFn, errors: &mut Errors) -> (Mode, Option<Wire>) {
    let mut found: Option<Mode> = None;
    let mut wire = None;
    for attribute in item.attrs.iter().filter(|attribute| rewrite::is_mode(attribute)) {
        let Some(mode) = Mode::of(attribute.path()) else { continue };
        if let Some(first) = found {
            let first = first.attribute();
            errors.at(
                attribute,
                format!("the method is `#[{first}]` already: a method has one mode, remove one"),
            );
            continue;
        }
        found = Some(mode);
        wire = options::wire_name(attribute, errors);
    }
    (found.unwrap_or(Mode::Unary), wire)
}

/// What every method of a service has in common.
fn signature(signature: &Signature, errors: &mut Errors) {
    if rewrite::returns_impl(signature) {
        errors.at(&signature.output, "a service method is an `async fn`: write what the future returns");
    } else if signature.asyncness.is_none() {
        errors.at(signature.fn_token, "a service method is an `async fn`: write `async` before `fn`");
    }
    match signature.receiver() {
        None => errors.at(&signature.ident, "a service method takes `&self` first"),
        Some(receiver) if is_shared(receiver) => {}
        Some(receiver) => {
            errors.at(receiver, "a service method takes `&self`: many calls run at the same time");
        }
    }
    if !signature.generics.params.is_empty() {
        errors.at(
            &signature.generics,
            "a service method has no generics: the types that travel are part of the schema",
        );
    }
    if signature.constness.is_some() || signature.abi.is_some() || signature.variadic.is_some() {
        errors.at(&signature.ident, "a service method is a plain `async fn`");
    }
    if !matches!(signature.safety, syn::Safety::Default) {
        errors.at(&signature.safety, "a service method is a plain `async fn`: calls come from a network");
    }
}

/// A named lifetime is a mistake too, told with the generics.
fn is_shared(receiver: &Receiver) -> bool {
    matches!(receiver.kind, ReceiverKind::Reference(_, _, None)) && receiver.mutability.is_none()
}

/// The arguments after `&self`.
fn typed<'a>(signature: &'a Signature, errors: &mut Errors) -> Vec<&'a PatType> {
    let typed: Vec<&PatType> = signature
        .inputs
        .iter()
        .filter_map(|input| match input {
            FnArg::Typed(argument) => Some(argument),
            FnArg::Receiver(_) => None,
        })
        .collect();
    for argument in &typed {
        types(&argument.ty, errors);
    }
    typed
}

/// What travels; `None` after a mistake that leaves nothing to generate from.
fn shape(mode: Mode, signature: &Signature, typed: &[&PatType], errors: &mut Errors) -> Option<Shape> {
    if !rewrite::returns_impl(signature) {
        types(&rewrite::output(signature), errors);
    }
    handles(mode, typed, errors);
    let shape = match (mode, typed) {
        (Mode::Unary, _) => {
            Shape::Unary { arguments: arguments(typed, errors), output: result(mode, signature, errors) }
        }
        (Mode::Oneway, _) => {
            if !returns_nothing(signature) {
                errors.at(
                    &signature.output,
                    "a `#[oneway]` method returns nothing, since nobody would see it: remove this",
                );
            }
            Shape::Oneway { arguments: arguments(typed, errors) }
        }
        (Mode::ClientStream, [stream]) => {
            Shape::ClientStream { stream: handle(stream, errors), output: result(mode, signature, errors) }
        }
        (Mode::Bidi, [stream]) => {
            Shape::Bidi { stream: handle(stream, errors), output: result(mode, signature, errors) }
        }
        (Mode::ServerStream, [request, stream]) => Shape::ServerStream {
            request: Box::new(arguments(&[request], errors).pop()?),
            stream: handle(stream, errors),
            output: result(mode, signature, errors),
        },
        _ => {
            let sentence = format!("a `#[{}]` method is written {}", mode.attribute(), mode.signature());
            let place: TokenStream = if typed.is_empty() {
                signature.ident.to_token_stream()
            } else {
                typed.iter().map(ToTokens::to_token_stream).collect()
            };
            errors.at(place, sentence);
            return None;
        }
    };
    signature.generics.params.is_empty().then_some(shape)
}

/// Types that no static can name.
fn types(ty: &Type, errors: &mut Errors) {
    match ty {
        Type::Reference(_) => {
            errors.at(ty, "what arrives is owned: write the type without `&`, `String` for `&str`")
        }
        Type::ImplTrait(_) => errors.at(ty, "what travels has one type: name it instead of `impl …`"),
        _ if mentions_self(ty.to_token_stream()) => {
            errors.at(ty, "what travels has one type: name it instead of `Self`")
        }
        _ => {}
    }
}

fn mentions_self(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        proc_macro2::TokenTree::Ident(ident) => ident == "Self",
        proc_macro2::TokenTree::Group(group) => mentions_self(group.stream()),
        _ => false,
    })
}

/// A handle in a method of another mode. Only its spelling is seen here, so this only says better what the compiler
/// would say too: nothing is accepted by spelling.
fn handles(mode: Mode, arguments: &[&PatType], errors: &mut Errors) {
    const HANDLES: [(&str, usize, Mode); 3] =
        [("Streaming", 1, Mode::ClientStream), ("Sender", 1, Mode::ServerStream), ("Bidi", 2, Mode::Bidi)];
    for argument in arguments {
        let Some((name, count)) = spelling(&argument.ty) else { continue };
        let handle = HANDLES.iter().find(|(handle, arity, _)| name == handle && count == *arity);
        let Some((handle, _, fits)) = handle.filter(|(.., fits)| *fits != mode) else { continue };
        let sentence = match mode {
            Mode::Unary => format!("a method that takes a `{handle}` is marked `#[{}]`", fits.attribute()),
            _ => format!("a `#[{}]` method is written {}", mode.attribute(), mode.signature()),
        };
        errors.at(&argument.ty, sentence);
    }
}

/// The last name of a path and how many generic arguments it has.
fn spelling(ty: &Type) -> Option<(&Ident, usize)> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last()?;
    let PathArguments::AngleBracketed(generics) = &last.arguments else { return None };
    let types = generics.args.iter().filter(|argument| matches!(argument, GenericArgument::Type(_)));
    Some((&last.ident, types.count()))
}

fn handle(argument: &PatType, errors: &mut Errors) -> Type {
    for attribute in argument.attrs.iter().filter(|attribute| rewrite::is_field(attribute)) {
        errors.at(attribute, "a stream has no field number: remove this");
    }
    (*argument.ty).clone()
}

fn result(mode: Mode, signature: &Signature, errors: &mut Errors) -> Type {
    if returns_nothing(signature) {
        let result =
            if matches!(mode, Mode::Bidi | Mode::ServerStream) { "Result<()>" } else { "Result<Response>" };
        let oneway = if mode == Mode::Unary { ", or mark it `#[oneway]`" } else { "" };
        errors.at(
            &signature.ident,
            format!("a call can always fail: let the method return `{result}`{oneway}"),
        );
    }
    rewrite::output(signature)
}

fn returns_nothing(signature: &Signature) -> bool {
    matches!(rewrite::output(signature), Type::Tuple(tuple) if tuple.elems.is_empty())
}

/// The arguments that are fields of the struct of arguments, numbered from 1 where they have no number.
fn arguments(typed: &[&PatType], errors: &mut Errors) -> Vec<Argument> {
    if let Some(first) = typed.get(MOST_ARGUMENTS) {
        let sentence = format!("a method has at most {MOST_ARGUMENTS} arguments: put them into a `Message`");
        errors.at(first, sentence);
    }
    let mut next: i16 = 0;
    typed
        .iter()
        .map(|argument| {
            let number = number(&argument.attrs, errors).unwrap_or_else(|| next.saturating_add(1));
            next = number;
            Argument { number, ident: name(argument, errors), ty: (*argument.ty).clone() }
        })
        .collect()
}

fn name(argument: &PatType, errors: &mut Errors) -> Ident {
    match &*argument.pat {
        Pat::Ident(pattern) if pattern.by_ref.is_none() && pattern.subpat.is_none() => pattern.ident.clone(),
        pattern => {
            errors.at(pattern, "an argument has a name, which the schema shows: write `name: Type`");
            Ident::new("argument", proc_macro2::Span::call_site())
        }
    }
}

/// The number of `#[field(n)]`.
fn number(attributes: &[Attribute], errors: &mut Errors) -> Option<i16> {
    let mut fields = attributes.iter().filter(|attribute| rewrite::is_field(attribute));
    let attribute = fields.next()?;
    if let Some(second) = fields.next() {
        errors.at(second, "an argument has one field number: remove one");
    }
    match attribute.parse_args::<Expr>() {
        Ok(number) => field_number(&number, errors),
        Err(_) => {
            errors.at(attribute, "an argument has nothing but its number: write `#[field(3)]`");
            None
        }
    }
}
