//! The user's trait as it is emitted: without our attributes, and with futures that are `Send`.

use proc_macro2::Span;
use quote::quote_spanned;
use syn::spanned::Spanned;
use syn::{Attribute, FnArg, ReturnType, Signature, TraitItemFn, Type, parse_quote, parse_quote_spanned};

use super::context;
use super::model::Mode;

/// Whether the attribute is ours, to be removed from a method.
pub(super) fn is_mode(attribute: &Attribute) -> bool {
    Mode::of(attribute.path()).is_some()
}

/// Whether the attribute is ours, to be removed from an argument.
pub(super) fn is_field(attribute: &Attribute) -> bool {
    attribute.path().is_ident("field")
}

/// Removes our attributes and turns `async fn f(…) -> R` into `fn f(…) -> impl Future<Output = R> + Send`.
///
/// An `async fn` in the user's `impl` satisfies it. `editor` leaves the `async fn`, so that an editor offers one when
/// it fills in the members of an `impl`.
pub(super) fn method(item: &mut TraitItemFn, editor: bool) {
    item.attrs.retain(|attribute| !is_mode(attribute));
    for argument in &mut item.sig.inputs {
        if let FnArg::Typed(argument) = argument {
            argument.attrs.retain(|attribute| !is_field(attribute) && !context::is_mark(attribute));
        }
    }
    if editor || returns_impl(&item.sig) {
        return;
    }
    item.sig.asyncness = None;
    let output = output(&item.sig);
    let span = output.span().resolved_at(Span::call_site());
    let future = quote_spanned!(span=> impl ::core::future::Future<Output = #output> + ::core::marker::Send);
    item.sig.output = parse_quote_spanned!(span=> -> #future);
    if let Some(body) = &mut item.default {
        *body = parse_quote!({ async move #body });
        let clause = item.sig.generics.make_where_clause();
        clause.predicates.push(parse_quote!(Self: ::core::marker::Sync));
    }
}

/// What the method returns; `()` at its name when nothing is written.
pub(super) fn output(signature: &Signature) -> Type {
    match &signature.output {
        ReturnType::Type(_, ty) => (**ty).clone(),
        ReturnType::Default => {
            let span = signature.ident.span().resolved_at(Span::call_site());
            parse_quote_spanned!(span=> ())
        }
    }
}

/// The user has written the future by hand.
pub(super) fn returns_impl(signature: &Signature) -> bool {
    matches!(&signature.output, ReturnType::Type(_, ty) if matches!(**ty, Type::ImplTrait(_)))
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;

    #[test]
    fn an_editor_sees_the_async_fn_and_none_of_our_attributes() {
        let mut item: TraitItemFn = parse_quote! {
            #[unary(name = "Read")]
            #[must_use]
            async fn read(&self, #[context] call: Call, #[field(2)] #[allow(unused)] path: String) -> Result<()>;
        };
        method(&mut item, true);
        let expected = quote! {
            #[must_use]
            async fn read(&self, call: Call, #[allow(unused)] path: String) -> Result<()>;
        };
        assert_eq!(quote!(#item).to_string(), expected.to_string());
    }
}
