//! What is not a struct on the wire: enums of numbers, and the exceptions of a method.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{Generics, Ident, Type};

use super::expand::{Names, local, not_recommended, thrown_name};
use super::model::{Member, Message, Variant};
use super::parse::place;

pub(super) fn number_enum(
    message: &Message,
    members: &[Member],
    other: Option<&(Ident, Type)>,
) -> TokenStream {
    let Names { rt, reader, writer, number, .. } = &Names::new();
    let Message { ident, name, doc, .. } = message;
    let constants: Vec<_> =
        (0..members.len()).map(|index| format_ident!("__N{index}", span = Span::mixed_site())).collect();
    let define = members.iter().enumerate().map(|(index, member)| {
        let constant = &constants[index];
        let value = match (&member.discriminant, index.checked_sub(1)) {
            (Some(discriminant), _) => quote!(#discriminant),
            (None, None) => quote!(0),
            (None, Some(last)) => {
                let last = &constants[last];
                quote!(#last + 1)
            }
        };
        quote!(const #constant: i32 = #value;)
    });
    let idents: Vec<_> = members.iter().map(|member| &member.ident).collect();
    let aside = not_recommended(message);
    let to_other = other.map(|(other, ty)| {
        let number = local(ty, "number");
        quote_spanned!(place(ty)=> Self::#other(#number) => { let #number: &i32 = #number; *#number })
    });
    let from_other = match other {
        Some((other, _)) => quote!(Self::#other(#number)),
        None => quote_spanned!(ident.span()=> #rt::unknown_number::<Self>()),
    };
    let unknown = if other.is_some() { quote!(#number) } else { quote!(_) };
    let variants = members.iter().zip(&constants).map(|(Member { name, doc, .. }, constant)| {
        quote!(#rt::VariantDescription { name: #name, doc: #doc, number: #constant })
    });
    quote! {
        #(#define)*
        #aside
        impl #rt::Value for #ident {
            const KIND: #rt::Kind = #rt::Kind::I32;
            fn schema() -> #rt::Type {
                #rt::Type::Enum(&#rt::EnumDescription {
                    name: #name,
                    doc: #doc,
                    rust: const { #rt::RustType::of::<#ident>() },
                    variants: &[#(#variants),*],
                })
            }
            fn encode<__W: #rt::Writer>(&self, #writer: &mut __W) {
                #writer.i32(match self {
                    #(Self::#idents => #constants,)*
                    #to_other
                });
            }
            fn decode<__R: #rt::Reader>(#reader: &mut __R) -> ::core::result::Result<Self, #rt::DecodeError> {
                ::core::result::Result::Ok(match #reader.i32()? {
                    #(#constants => Self::#idents,)*
                    #unknown => #from_other,
                })
            }
        }
        #rt::apache_thrift! { [] [#ident] [] }
    }
}

/// A struct that is an exception is the only one of its method, as field 1.
pub(super) fn exception(message: &Message, generics: &Generics) -> TokenStream {
    let Names { rt, reader, writer, number, kind } = &Names::new();
    let ident = &message.ident;
    let name = thrown_name(message);
    let (impl_generics, ty_generics, bounds) = generics.split_for_impl();
    quote! {
        impl #impl_generics #rt::Throws for #ident #ty_generics #bounds {
            fn declared() -> ::std::vec::Vec<#rt::Thrown> {
                ::std::vec![#rt::thrown::<Self>(1, #name)]
            }
            fn put<__W: #rt::Writer>(&self, #writer: &mut __W) -> bool {
                <Self as #rt::Value>::put_variant(self, 1, #writer);
                true
            }
            fn take<__R: #rt::Reader>(
                #number: i16,
                #kind: #rt::Kind,
                #reader: &mut __R,
            ) -> ::core::result::Result<::core::option::Option<Self>, #rt::DecodeError> {
                let mut value = ::core::option::Option::None;
                match #number {
                    1 => <Self as #rt::Field>::take(&mut value, #kind, #reader)?,
                    _ => #reader.skip(#kind)?,
                }
                ::core::result::Result::Ok(value)
            }
            fn into_error(self) -> #rt::Error {
                #rt::exception(self)
            }
        }
    }
}

pub(super) fn exceptions(
    message: &Message,
    variants: &[Variant],
    other: Option<&(Ident, Type)>,
) -> TokenStream {
    let Names { rt, reader, writer, number, kind } = &Names::new();
    let ident = &message.ident;
    let value = Ident::new("value", Span::mixed_site());
    let declared = variants.iter().map(
        |Variant { ty, number, name, .. }| quote_spanned!(place(ty)=> #rt::thrown::<#ty>(#number, #name)),
    );
    let put = variants.iter().map(|Variant { ident, ty, number, .. }| {
        quote_spanned!(place(ty)=> Self::#ident(#value) => <#ty as #rt::Value>::put_variant(#value, #number, #writer),)
    });
    let take = variants.iter().map(|Variant { ident, ty, number, .. }| {
        quote_spanned! {place(ty)=>
            #number => <#ty as #rt::Value>::take_variant(&mut #value, Self::#ident, #kind, #reader)?,
        }
    });
    let into_error = variants.iter().map(|Variant { ident, ty, .. }| {
        quote_spanned!(place(ty)=> Self::#ident(#value) => <#ty as #rt::Throws>::into_error(#value),)
    });
    let all = variants.iter().map(|variant| (&variant.ident, &variant.ty));
    let all = all.chain(other.map(|(ident, ty)| (ident, ty)));
    let from = all.filter(|(_, ty)| is_only(ty, variants, other));
    let from = from.map(|(variant, ty)| {
        quote! {
            impl ::core::convert::From<#ty> for #ident {
                fn from(#value: #ty) -> Self {
                    Self::#variant(#value)
                }
            }
        }
    });
    let put_other = other.map(|(variant, _)| quote!(Self::#variant(_) => return false,));
    let other_error = other.map(|(variant, ty)| {
        let error = local(ty, "error");
        quote_spanned!(place(ty)=> Self::#variant(#error) => { let #error: #rt::Error = #error; #error })
    });
    quote! {
        impl #rt::Throws for #ident {
            fn declared() -> ::std::vec::Vec<#rt::Thrown> {
                ::std::vec![#(#declared),*]
            }
            fn put<__W: #rt::Writer>(&self, #writer: &mut __W) -> bool {
                match self {
                    #(#put)*
                    #put_other
                }
                true
            }
            fn take<__R: #rt::Reader>(
                #number: i16,
                #kind: #rt::Kind,
                #reader: &mut __R,
            ) -> ::core::result::Result<::core::option::Option<Self>, #rt::DecodeError> {
                let mut #value = ::core::option::Option::None;
                match #number {
                    #(#take)*
                    _ => #reader.skip(#kind)?,
                }
                ::core::result::Result::Ok(#value)
            }
            fn into_error(self) -> #rt::Error {
                match self {
                    #(#into_error)*
                    #other_error
                }
            }
        }
        #(#from)*
    }
}

/// Whether this is the only variant that holds this type: only then it is clear which one an exception becomes.
fn is_only(ty: &Type, variants: &[Variant], other: Option<&(Ident, Type)>) -> bool {
    let all = variants.iter().map(|variant| &variant.ty).chain(other.map(|(_, ty)| ty));
    all.filter(|each| *each == ty).count() == 1
}
