//! From the model to the impls.
//!
//! What depends on the type of a field is written `<Type as Trait>::function`, always in the same form and spanned at
//! that type: of the errors about one wrong type the compiler then shows one, at the user's own tokens.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Expr, Generics, Ident, Lit, Path, Type, WherePredicate, parse_quote, parse_quote_spanned};

use super::model::{Body, Field, Message, Variant};
use super::parse::{place, snake_case};
use super::proto::Proto;
use super::sets;

pub(super) fn message(message: &Message) -> TokenStream {
    let impls = match &message.body {
        Body::Struct { fields, exception } => structure(message, fields, *exception),
        Body::Union { variants } => union(message, variants),
        Body::Enum { members, other } => sets::number_enum(message, members, other.as_ref()),
        Body::Exceptions { variants, other } => sets::exceptions(message, variants, other.as_ref()),
    };
    hidden(&message.krate, impls)
}

/// Names in generated code that cannot meet the user's.
pub(super) struct Names {
    /// The runtime.
    pub(super) rt: Ident,
    pub(super) reader: Ident,
    pub(super) writer: Ident,
    pub(super) number: Ident,
    pub(super) kind: Ident,
}

impl Names {
    pub(super) fn new() -> Self {
        let name = |name| Ident::new(name, Span::mixed_site());
        Self {
            rt: Ident::new("__rt", Span::call_site()),
            reader: name("reader"),
            writer: name("writer"),
            number: name("number"),
            kind: name("kind"),
        }
    }
}

/// The impls where nothing of them can be named.
pub(super) fn hidden(krate: &Path, impls: TokenStream) -> TokenStream {
    quote! {
        const _: () = {
            use #krate::private::{self as __rt, Reader as _, Writer as _};
            #impls
        };
    }
}

/// Asks of every type parameter that it can be in a message.
pub(super) fn bound_parameters(generics: &mut Generics) {
    for parameter in generics.type_params_mut() {
        parameter.bounds.push(parse_quote!(__rt::Value));
    }
}

fn structure(message: &Message, fields: &[Field], exception: bool) -> TokenStream {
    let Names { rt, reader, writer, number, kind } = &Names::new();
    let slots: Vec<_> = fields.iter().map(|field| local(&field.ty, &format!("f{}", field.number))).collect();
    let is_oneof = |field: &&Field| field.proto.as_ref().is_some_and(Proto::is_oneof);
    let numbers: Vec<_> = fields.iter().filter(|field| !is_oneof(field)).map(|field| field.number).collect();
    let forms: Vec<_> = fields.iter().enumerate().map(|(index, field)| form_used(index, field, rt)).collect();
    let put = fields.iter().zip(&forms).map(|(field, form)| {
        let (ident, ty, number) = (&field.ident, &field.ty, field.number);
        match form {
            None => quote_spanned!(place(ty)=> <#ty as #rt::Field>::put(&self.#ident, #number, #writer);),
            Some(form) => {
                quote_spanned!(place(ty)=> <#ty as #rt::Field>::put_as(&self.#ident, #number, #form, #writer);)
            }
        }
    });
    let begin = fields.iter().zip(&slots).zip(&forms).map(|((field, slot), form)| {
        let ty = &field.ty;
        match form {
            None => quote_spanned!(place(ty)=> let mut #slot = <#ty as #rt::Field>::begin(#reader);),
            Some(form) => {
                quote_spanned!(place(ty)=> let mut #slot = <#ty as #rt::Field>::begin_as(#form, #reader);)
            }
        }
    });
    let slot_places = slots.iter().map(|slot| quote!(&mut #slot));
    let take = arms(fields, &forms, slot_places, "take", rt);
    let field_places = fields.iter().map(|field| {
        let ident = &field.ident;
        quote!(&mut self.#ident)
    });
    let merge = arms(fields, &forms, field_places, "merge", rt);
    let build = fields.iter().zip(&slots).map(|(field, slot)| {
        let (ident, name) = (&field.ident, &field.name);
        let value = match &field.default {
            _ if field.required => quote!(#rt::required(#slot, #name)?),
            Some(default) => {
                let default = typed(default, &field.ty);
                quote!(#slot.unwrap_or_else(|| #default))
            }
            None => quote_spanned!(place(&field.ty)=> #rt::or_absent(#slot)),
        };
        quote!(#ident: #value,)
    });
    let descriptions = fields.iter().map(|field| field_description(field, &numbers, rt));
    let shape = if exception { quote!(Exception) } else { quote!(Struct) };

    let mut generics = message.generics.clone();
    bound_parameters(&mut generics);
    absent_bounds(&mut generics, fields);
    let mut impls = value(
        message,
        &generics,
        &Coding {
            encode: quote!(#(#put)*),
            decode: quote! {
                #(#begin)*
                #rt::read_message(<Self as #rt::Message>::DESCRIPTION, #reader, |#number, #kind, #reader| match #number {
                    #take
                    _ => #reader.skip(#kind),
                })?;
                ::core::result::Result::Ok(Self { #(#build)* })
            },
            known: None,
            merge: Some(quote! {
                #rt::read_message(<Self as #rt::Message>::DESCRIPTION, #reader, |#number, #kind, #reader| match #number {
                    #merge
                    _ => #reader.skip(#kind),
                })
            }),
        },
    );
    impls.extend(description(message, &generics, shape, quote!(#(#descriptions,)*)));
    if exception {
        impls.extend(sets::exception(message, &generics));
    }
    impls
}

fn union(message: &Message, variants: &[Variant]) -> TokenStream {
    let Names { rt, reader, writer, number, kind } = &Names::new();
    let value_name = Ident::new("value", Span::mixed_site());
    let put = variants.iter().map(|variant| {
        let (ident, ty, number) = (&variant.ident, &variant.ty, variant.number);
        quote_spanned! {place(ty)=>
            Self::#ident(#value_name) => <#ty as #rt::Value>::put_variant(#value_name, #number, #writer),
        }
    });
    let take = variants.iter().map(|variant| {
        let (ident, ty, number) = (&variant.ident, &variant.ty, variant.number);
        quote_spanned! {place(ty)=>
            #number => <#ty as #rt::Value>::take_variant(&mut #value_name, Self::#ident, #kind, #reader),
        }
    });
    let descriptions = variants.iter().map(|variant| {
        let Variant { ty, number, name, doc, .. } = variant;
        let schema = quote_spanned!(place(ty)=> <#ty as #rt::Value>::schema);
        quote! {
            #rt::FieldDescription {
                number: #number,
                name: #name,
                doc: #doc,
                schema: #schema,
                presence: #rt::Presence::Optional,
                form: #rt::Form::PLAIN,
                default: ::core::option::Option::None,
            }
        }
    });
    let mut generics = message.generics.clone();
    bound_parameters(&mut generics);
    let mut impls = value(
        message,
        &generics,
        &Coding {
            encode: quote!(match self { #(#put)* }),
            decode: quote! {
                <Self as #rt::Value>::decode_known(#reader)?
                    .ok_or_else(|| #rt::DecodeError::new(#rt::Fault::UnknownVariant))
            },
            known: Some(quote! {
                let mut #value_name = ::core::option::Option::None;
                #rt::read_message(<Self as #rt::Message>::DESCRIPTION, #reader, |#number, #kind, #reader| match #number {
                    #(#take)*
                    _ => #reader.skip(#kind),
                })?;
                ::core::result::Result::Ok(#value_name)
            }),
            merge: None,
        },
    );
    impls.extend(description(message, &generics, quote!(Union), quote!(#(#descriptions,)*)));
    let ident = &message.ident;
    let (impl_generics, ty_generics, bounds) = generics.split_for_impl();
    impls.extend(quote!(impl #impl_generics #rt::Union for #ident #ty_generics #bounds {}));
    impls
}

/// The bodies of an impl of `Value` for a struct.
struct Coding {
    /// Writes the fields.
    encode: TokenStream,
    decode: TokenStream,
    /// As `decode`, for a union of which a newer peer may know more.
    known: Option<TokenStream>,
    /// Reads further fields, for a struct.
    merge: Option<TokenStream>,
}

fn value(message: &Message, generics: &Generics, coding: &Coding) -> TokenStream {
    let Names { rt, reader, writer, .. } = &Names::new();
    let ident = &message.ident;
    let (impl_generics, ty_generics, bounds) = generics.split_for_impl();
    let Coding { encode, decode, known, merge } = coding;
    let merge = merge.as_ref().map(|merge| {
        quote! {
            fn merge_fields<__R: #rt::Reader>(
                &mut self,
                #reader: &mut __R,
            ) -> ::core::result::Result<(), #rt::DecodeError> {
                #merge
            }
        }
    });
    let known = known.as_ref().map(|known| {
        quote! {
            fn decode_known<__R: #rt::Reader>(
                #reader: &mut __R,
            ) -> ::core::result::Result<::core::option::Option<Self>, #rt::DecodeError> {
                #known
            }
        }
    });
    let aside = not_recommended(message);
    quote! {
        #aside
        impl #impl_generics #rt::Value for #ident #ty_generics #bounds {
            const KIND: #rt::Kind = #rt::Kind::Struct;
            fn schema() -> #rt::Type {
                #rt::Type::Struct(<Self as #rt::Message>::DESCRIPTION)
            }
            fn encode<__W: #rt::Writer>(&self, #writer: &mut __W) {
                if #writer.struct_begin() {
                    #encode
                    #writer.struct_end();
                }
            }
            fn decode<__R: #rt::Reader>(#reader: &mut __R) -> ::core::result::Result<Self, #rt::DecodeError> {
                #decode
            }
            #known
            #merge
        }
        #rt::apache_thrift! { [#impl_generics] [#ident #ty_generics] [#bounds] }
    }
}

fn description(
    message: &Message,
    generics: &Generics,
    shape: TokenStream,
    fields: TokenStream,
) -> TokenStream {
    let rt = &Names::new().rt;
    let Message { ident, name, doc, import, .. } = message;
    let import = match import {
        Some(import) => quote!(::core::option::Option::Some(#import)),
        None => quote!(::core::option::Option::None),
    };
    let (impl_generics, ty_generics, bounds) = generics.split_for_impl();
    let arguments = message.generics.type_params().map(|parameter| {
        let parameter = &parameter.ident;
        quote!(<#parameter as #rt::Value>::schema)
    });
    let aside = not_recommended(message);
    quote! {
        #aside
        impl #impl_generics #rt::Message for #ident #ty_generics #bounds {
            const DESCRIPTION: &'static #rt::StructDescription = &#rt::StructDescription {
                name: #name,
                doc: #doc,
                rust: #rt::RustType::of::<Self>(),
                shape: #rt::Shape::#shape,
                import: #import,
                arguments: &[#(#arguments),*],
                fields: &[#fields],
            };
        }
    }
}

/// How the field is written in protobuf, for its description. Whether it can be written so is asked for here only.
fn form(field: &Field, numbers: &[i16], rt: &Ident) -> TokenStream {
    let ty = &field.ty;
    let explicit = is_explicit(field).then(|| quote!(.explicit()));
    match &field.proto {
        Some(proto) if proto.is_oneof() => {
            quote_spanned!(place(ty)=> const { #rt::oneof_form::<#ty>(&[#(#numbers),*]) })
        }
        Some(proto) => {
            let marker = proto.marker(rt);
            quote_spanned!(place(ty)=> #rt::form::<#ty, #marker>()#explicit)
        }
        None if is_explicit(field) => quote!(#rt::Form::EXPLICIT),
        None => quote!(#rt::Form::PLAIN),
    }
}

/// The same where the field is put and taken; `None` for the usual form.
fn form_used(index: usize, field: &Field, rt: &Ident) -> Option<TokenStream> {
    match &field.proto {
        Some(_) => Some(quote!(#rt::form_of::<Self>(#index))),
        None => is_explicit(field).then(|| quote!(#rt::Form::EXPLICIT)),
    }
}

/// Whether the field differs from its zero when it is absent.
fn is_explicit(field: &Field) -> bool {
    field.required || field.default.is_some()
}

/// The arms that read the fields into their places: by number, then the numbers of the variants of oneofs.
fn arms(
    fields: &[Field],
    forms: &[Option<TokenStream>],
    places: impl Iterator<Item = TokenStream>,
    function: &str,
    rt: &Ident,
) -> TokenStream {
    let Names { reader, number, kind, .. } = &Names::new();
    let (mut by_number, mut by_variant) = (TokenStream::new(), TokenStream::new());
    for ((field, form), place_of_field) in fields.iter().zip(forms).zip(places) {
        let (ty, own) = (&field.ty, field.number);
        let form_argument = form.as_ref().map(|form| quote!(#form,));
        let name = if form.is_some() { format!("{function}_as") } else { function.to_owned() };
        let name = Ident::new(&name, place(ty));
        let read = quote_spanned! {place(ty)=>
            <#ty as #rt::Field>::#name(#place_of_field, #form_argument #kind, #reader),
        };
        by_number.extend(quote_spanned!(place(ty)=> #own => #read));
        if field.proto.as_ref().is_some_and(Proto::is_oneof) {
            by_variant.extend(
                quote_spanned!(place(ty)=> _ if #rt::is_variant::<#ty, _>(#number, #reader) => #read),
            );
        }
    }
    by_number.extend(by_variant);
    by_number
}

/// A message of others, or of the crate `streamx` itself, is never what a user has meant, so errors do not offer it.
pub(super) fn not_recommended(message: &Message) -> Option<TokenStream> {
    let of_others = message.import.is_some() || message.krate.is_ident("crate");
    of_others.then(|| quote!(#[diagnostic::do_not_recommend]))
}

fn field_description(field: &Field, numbers: &[i16], rt: &Ident) -> TokenStream {
    let form = form(field, numbers, rt);
    let Field { ty, number, name, doc, required, .. } = field;
    let schema = quote_spanned!(place(ty)=> <#ty as #rt::Field>::schema);
    let optional = quote_spanned!(place(ty)=> <#ty as #rt::Field>::OPTIONAL);
    let default = match &field.default {
        None => quote!(::core::option::Option::None),
        Some(default) => {
            let default = typed(default, ty);
            quote!(::core::option::Option::Some(|| #rt::literal::<#ty>(&#default)))
        }
    };
    quote! {
        #rt::FieldDescription {
            number: #number,
            name: #name,
            doc: #doc,
            schema: #schema,
            presence: #rt::Presence::of(#required, #optional),
            form: #form,
            default: #default,
        }
    }
}

/// A default as the user wrote it, of the type of its field; a text becomes what the field holds.
///
/// It is used twice, in one form, so that a wrong type is reported once.
fn typed(default: &Expr, ty: &Type) -> TokenStream {
    let value = Ident::new("value", Span::mixed_site());
    let into =
        matches!(default, Expr::Lit(literal) if matches!(literal.lit, Lit::Str(_))).then(|| quote!(.into()));
    quote!({ let #value: #ty = #default #into; #value })
}

/// A plain field of a generic type needs a value for its absence; only where the type depends on a parameter can that be
/// a bound of the impl, elsewhere it is asked for where the value is made.
fn absent_bounds(generics: &mut Generics, fields: &[Field]) {
    let parameters: Vec<_> = generics.type_params().map(|parameter| parameter.ident.clone()).collect();
    let plain = fields.iter().filter(|field| !field.required && field.default.is_none());
    let bounds: Vec<WherePredicate> = plain
        .filter(|field| mentions(&field.ty, &parameters))
        .map(|field| {
            let ty = &field.ty;
            parse_quote_spanned!(place(ty)=> #ty: __rt::Absent)
        })
        .collect();
    if !bounds.is_empty() {
        generics.make_where_clause().predicates.extend(bounds);
    }
}

fn mentions(ty: &Type, parameters: &[Ident]) -> bool {
    fn any(tokens: TokenStream, parameters: &[Ident]) -> bool {
        tokens.into_iter().any(|token| match token {
            proc_macro2::TokenTree::Ident(ident) => parameters.contains(&ident),
            proc_macro2::TokenTree::Group(group) => any(group.stream(), parameters),
            _ => false,
        })
    }
    any(quote!(#ty), parameters)
}

/// A local that belongs to a value of this type: errors about it are errors about the type.
pub(super) fn local(ty: &Type, name: &str) -> Ident {
    Ident::new(name, Span::mixed_site().located_at(place(ty)))
}

/// The name of the field that holds an exception in a struct of results.
pub(super) fn thrown_name(message: &Message) -> String {
    snake_case(&message.name)
}
