//! The macros of `streamx`. Use them through the `streamx` crate.

mod attributes;
mod errors;
mod message;
mod service;

use proc_macro::TokenStream;

/// Makes a service of a trait.
#[proc_macro_attribute]
pub fn service(arguments: TokenStream, item: TokenStream) -> TokenStream {
    service::expand(arguments.into(), item.into()).into()
}

/// Makes a message of a struct or an enum; see the trait of the same name.
#[proc_macro_derive(Message, attributes(field, message, other))]
pub fn message(item: TokenStream) -> TokenStream {
    message::expand(item.into()).into()
}
