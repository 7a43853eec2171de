//! What is emitted: the trait, the client, the server, and in an anonymous block a static for each method and the
//! functions that use it.
//!
//! A token that can be wrong only because a type of the user is wrong has the place of that type.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, Type};

use super::model::{Argument, Method, Service, Shape};
use crate::{attributes, names};

pub(super) fn service(service: &Service) -> TokenStream {
    let item = &service.item;
    let structs = structs(service);
    let implementation = if item.generics.params.is_empty() {
        let cfgs = cfgs(service);
        let runtime = &service.options.runtime;
        let (statics, client, server) = (statics(service), client(service), server(service));
        quote! {
            #(#cfgs)*
            #[allow(dead_code, deprecated)]
            const _: () = {
                use #runtime::private as __rt;
                #statics
                #client
                #server
            };
        }
    } else {
        TokenStream::new()
    };
    quote!(#item #structs #implementation)
}

fn structs(service: &Service) -> TokenStream {
    let (vis, ident, runtime) = (&service.item.vis, &service.item.ident, &service.options.runtime);
    let (client, server) = (names::client_of(ident), names::server_of(ident));
    let cfgs = cfgs(service);
    let client_doc = format!(" Calls a [`{ident}`] that is somewhere else.");
    let server_doc = format!(" Makes a [`{ident}`] something that a server can serve.");
    quote! {
        #(#cfgs)*
        #[doc = #client_doc]
        #[allow(dead_code)]
        #[derive(::core::clone::Clone, ::core::fmt::Debug)]
        #vis struct #client {
            channel: #runtime::Channel,
        }
        #(#cfgs)*
        #[doc = #server_doc]
        #[allow(dead_code)]
        #[derive(::core::fmt::Debug)]
        #vis struct #server<__T> {
            service: ::std::sync::Arc<__T>,
        }
    }
}

fn statics(service: &Service) -> TokenStream {
    let (wire, doc) = (&service.wire, attributes::doc(&service.item.attrs));
    let namespace = match &service.options.namespace {
        Some(namespace) => quote!(::core::option::Option::Some(#namespace)),
        None => quote!(::core::option::Option::None),
    };
    let methods = whole(service);
    let full = match &service.options.namespace {
        Some(namespace) => format!("{namespace}.{wire}"),
        None => wire.clone(),
    };
    let statics = methods.iter().map(|(method, shape)| method_static(&full, method, shape));
    let elements = methods.iter().map(|(method, _)| {
        let (cfgs, name) = (&method.cfgs, names::static_of(&method.ident));
        quote!(#(#cfgs)* &#name)
    });
    quote! {
        #(#statics)*
        static __SCHEMA: __rt::ServiceSchema = __rt::ServiceSchema::new(#wire, #namespace, #doc, &[#(#elements),*]);
    }
}

fn method_static(service: &str, method: &Method, shape: &Shape) -> TokenStream {
    let (cfgs, name, wire) = (&method.cfgs, names::static_of(&method.ident), &method.wire.name);
    let doc = attributes::doc(&method.carried);
    let span = place_of(method, shape);
    let (ty, dictionaries) = match shape {
        Shape::Unary { arguments, output } => {
            let (types, values) = (argument_types(arguments), argument_values(arguments));
            let result = at(output, "result");
            (quote_spanned!(span=> __rt::Unary<#types, #output>), quote!(#values, #result))
        }
        Shape::Oneway { arguments } => {
            let (types, values) = (argument_types(arguments), argument_values(arguments));
            (quote_spanned!(span=> __rt::Oneway<#types>), values)
        }
        Shape::ClientStream { stream, output } => {
            let (streaming, response) = (at(stream, "whole"), at(output, "response"));
            let ty = quote_spanned!(span=> __rt::ClientStream<#stream, #output>);
            (ty, quote!(#streaming, #response))
        }
        Shape::ServerStream { request, stream, output } => {
            let request = &request.ty;
            let ty = quote_spanned!(span=> __rt::ServerStream<#request, #stream, #output>);
            let (request, sender, nothing) =
                (at(request, "whole"), at(stream, "whole"), at(output, "nothing"));
            (ty, quote!(#request, #sender, #nothing))
        }
        Shape::Bidi { stream, output } => {
            let (bidi, nothing) = (at(stream, "bidi"), at(output, "nothing"));
            (quote_spanned!(span=> __rt::Bidi<#stream, #output>), quote!(#bidi, #nothing))
        }
    };
    let path: TokenStream = ty.clone().into_iter().take_while(|token| token.to_string() != "<").collect();
    quote! {
        #(#cfgs)*
        static #name: #ty = #path::new(__rt::names(#service, #wire, #doc), #dictionaries);
    }
}

/// Where to say that the handle is none, or the return type no `Result`.
fn place_of(method: &Method, shape: &Shape) -> Span {
    place(match shape {
        Shape::Unary { output, .. } => output.span(),
        Shape::Oneway { .. } => method.ident.span(),
        Shape::ClientStream { stream, .. }
        | Shape::ServerStream { stream, .. }
        | Shape::Bidi { stream, .. } => stream.span(),
    })
}

fn client(service: &Service) -> TokenStream {
    let (vis, ident) = (&service.item.vis, &service.item.ident);
    let (client, server) = (names::client_of(ident), names::server_of(ident));
    let methods = service
        .methods
        .iter()
        .filter_map(|method| Some(client_method(service, method, method.shape.as_ref()?)));
    quote! {
        impl #client {
            /// A client whose calls go through this channel.
            #vis fn new(channel: __rt::Channel) -> Self {
                Self { channel }
            }
            /// Connects to the server at this URL.
            #vis async fn connect(url: impl __rt::AsRef<str>) -> __rt::Result<Self> {
                __rt::Channel::connect(url).await.map(Self::new)
            }
            /// A client of this implementation, without a network.
            #vis fn in_process(service: impl #ident + __rt::Shared) -> Self {
                Self::new(__rt::Channel::in_process(#server::new(service)))
            }
            #(#methods)*
        }
    }
}

fn client_method(service: &Service, method: &Method, shape: &Shape) -> TokenStream {
    let Method { ident, carried, .. } = method;
    let span = place_of(method, shape);
    let (parameters, values, answer) = match shape {
        Shape::Unary { arguments, output } => {
            let (parameters, values) = (parameters(arguments), values(arguments));
            (parameters, quote!(, (#values)), quote_spanned!(span=> __rt::Call<__rt::Answer<#output>>))
        }
        Shape::Oneway { arguments } => {
            let (parameters, values) = (parameters(arguments), values(arguments));
            (parameters, quote!(, (#values)), quote!(__rt::Call<()>))
        }
        Shape::ClientStream { stream, output } => {
            (quote!(), quote!(), quote_spanned!(span=> __rt::Call<__rt::FarStreaming<#stream, #output>>))
        }
        Shape::ServerStream { request, stream, .. } => {
            let (parameters, name) = (parameters(std::slice::from_ref(request)), &request.ident);
            (parameters, quote!(, #name), quote_spanned!(span=> __rt::Call<__rt::FarSender<#stream>>))
        }
        Shape::Bidi { stream, .. } => {
            (quote!(), quote!(), quote_spanned!(span=> __rt::Call<__rt::FarBidi<#stream>>))
        }
    };
    let vis = &service.item.vis;
    let (unused, body) = if method.broken {
        (quote!(#[allow(unused_variables)]), quote!(::core::unreachable!()))
    } else {
        let name = names::static_of(ident);
        (quote!(), quote!(#name.call(&self.channel #values)))
    };
    let documented = carried.iter().any(|attribute| attribute.path().is_ident("doc"));
    let doc = (!documented).then(|| format!(" Calls [`{}::{}`].", service.item.ident, ident));
    let doc = doc.map(|doc| quote!(#[doc = #doc]));
    quote! {
        #(#carried)*
        #doc
        #unused
        #vis fn #ident(&self #parameters) -> #answer {
            #body
        }
    }
}

fn server(service: &Service) -> TokenStream {
    let (vis, ident) = (&service.item.vis, &service.item.ident);
    let server = names::server_of(ident);
    let handlers = whole(service).into_iter().map(|(method, _)| {
        let (cfgs, rust, name) = (&method.cfgs, &method.ident, names::static_of(&method.ident));
        let function = quote!(<__T as #ident>::#rust);
        match &method.context {
            Some(ty) => {
                let context = quote_spanned!(place(ty.span())=> __rt::context::<#ty>());
                quote!(#(#cfgs)* #name.handler_with(&server.service, #context, #function))
            }
            None => quote!(#(#cfgs)* #name.handler(&server.service, #function)),
        }
    });
    quote! {
        impl<__T> #server<__T> {
            /// Serves this implementation.
            #vis fn new(service: __T) -> Self
            where
                __T: #ident + __rt::Shared,
            {
                Self { service: service.into() }
            }
            /// The schema, as `schema::check` takes it.
            #vis fn schema() -> &'static __rt::ServiceSchema {
                &__SCHEMA
            }
            /// The schema as a complete `.thrift` file.
            #vis fn thrift_idl() -> ::std::string::String {
                __rt::thrift_idl(&__SCHEMA)
            }
            /// The schema as a complete `.proto` file.
            #vis fn proto_idl() -> ::std::string::String {
                __rt::proto_idl(&__SCHEMA)
            }
            /// Serves this service alone at this address.
            #vis async fn serve(self, address: impl __rt::AsRef<str>) -> __rt::Result<()>
            where
                __T: #ident + __rt::Shared,
            {
                __rt::Server::builder().add_service(self).serve(address).await
            }
        }
        impl<__T: #ident + __rt::Shared> ::core::convert::From<#server<__T>> for __rt::Service {
            fn from(server: #server<__T>) -> Self {
                let methods = [#(#handlers),*];
                Self::new(__SCHEMA, methods.into())
            }
        }
    }
}

/// The methods without a mistake.
fn whole(service: &Service) -> Vec<(&Method, &Shape)> {
    let methods = service.methods.iter().filter(|method| !method.broken);
    methods.filter_map(|method| Some((method, method.shape.as_ref()?))).collect()
}

fn argument_types(arguments: &[Argument]) -> TokenStream {
    let types = arguments.iter().map(|argument| &argument.ty);
    quote!((#(__rt::Arg<#types>,)*))
}

fn argument_values(arguments: &[Argument]) -> TokenStream {
    let values = arguments.iter().map(|Argument { number, ident, ty }| {
        let (number, name) = (Literal::i16_unsuffixed(*number), schema_name(ident));
        quote_spanned!(place(ty.span())=> __rt::arg(#number, #name),)
    });
    quote!((#(#values)*))
}

/// The name in the schema: `_unused` is `unused`, as it is in the mind of the user.
fn schema_name(ident: &Ident) -> String {
    let name = ident.to_string();
    let name = name.trim_start_matches("r#").trim_start_matches('_');
    if names::is_identifier(name) { name.to_owned() } else { ident.to_string() }
}

fn parameters(arguments: &[Argument]) -> TokenStream {
    let (names, types) = (arguments.iter().map(|argument| &argument.ident), arguments.iter().map(|a| &a.ty));
    quote!(#(, #names: #types)*)
}

fn values(arguments: &[Argument]) -> TokenStream {
    let names = arguments.iter().map(|argument| &argument.ident);
    quote!(#(#names,)*)
}

fn cfgs(service: &Service) -> Vec<&Attribute> {
    service.item.attrs.iter().filter(|attribute| attribute.path().is_ident("cfg")).collect()
}

/// A call of a function of the runtime that is wrong only if this type is.
fn at(ty: &Type, function: &str) -> TokenStream {
    let span = place(ty.span());
    let function = Ident::new(function, span);
    quote_spanned!(span=> __rt::#function())
}

/// The user's place with the macro's names.
fn place(span: Span) -> Span {
    span.resolved_at(Span::call_site())
}
