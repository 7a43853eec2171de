//! The impls of an item with a mistake: they do nothing, and keep the compiler from saying the same again elsewhere.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, GenericParam};

use super::expand::{self, Names};
use crate::attributes::{MessageAttribute, crate_path};
use crate::errors::Errors;

pub(super) fn message(input: &DeriveInput) -> TokenStream {
    if input.generics.params.iter().any(|parameter| !matches!(parameter, GenericParam::Type(_))) {
        return TokenStream::new();
    }
    let options = MessageAttribute::find(&input.attrs, &mut Errors::new());
    let krate = crate_path(options.krate.as_ref());
    let exception = options.exception.is_some();
    let mut generics = input.generics.clone();
    expand::bound_parameters(&mut generics);
    let (impl_generics, ty_generics, bounds) = generics.split_for_impl();
    let ident = &input.ident;
    let Names { rt, reader, writer, .. } = &Names::new();

    let value = quote! {
        impl #impl_generics #rt::Value for #ident #ty_generics #bounds {
            const KIND: #rt::Kind = #rt::Kind::Struct;
            fn schema() -> #rt::Type { ::core::unreachable!() }
            fn encode<__W: #rt::Writer>(&self, _: &mut __W) { ::core::unreachable!() }
            fn decode<__R: #rt::Reader>(_: &mut __R) -> ::core::result::Result<Self, #rt::DecodeError> {
                ::core::unreachable!()
            }
        }
    };
    let message = quote! {
        impl #impl_generics #rt::Message for #ident #ty_generics #bounds {
            const DESCRIPTION: &'static #rt::StructDescription = &#rt::StructDescription {
                name: "",
                doc: "",
                rust: #rt::RustType::of::<Self>(),
                shape: #rt::Shape::Struct,
                import: ::core::option::Option::None,
                arguments: &[],
                fields: &[],
            };
        }
    };
    let throws = quote! {
        impl #impl_generics #rt::Throws for #ident #ty_generics #bounds {
            fn declared() -> ::std::vec::Vec<#rt::Thrown> { ::core::unreachable!() }
            fn put<__W: #rt::Writer>(&self, #writer: &mut __W) -> bool { ::core::unreachable!() }
            fn take<__R: #rt::Reader>(_: i16, _: #rt::Kind, #reader: &mut __R)
                -> ::core::result::Result<::core::option::Option<Self>, #rt::DecodeError>
            { ::core::unreachable!() }
            fn into_error(self) -> #rt::Error { ::core::unreachable!() }
        }
    };
    let impls = match (&input.data, exception) {
        (Data::Enum(_), true) => throws,
        (_, true) => quote!(#value #message #throws),
        (_, false) => quote!(#value #message),
    };
    expand::hidden(&krate, impls)
}
