//! `#[streamx::service]`: parse, check, expand. Mistakes are collected on the way; the trait is emitted in any case.

mod check;
mod context;
mod expand;
mod model;
mod options;
mod parse;
mod rewrite;
#[cfg(test)]
mod tests;

use proc_macro2::TokenStream;

use crate::errors::Errors;
use crate::fallback;

pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::new();
    let options = options::parse(arguments, &mut errors);
    let mut output = match fallback::parse_trait(item.clone(), &mut errors) {
        Some(item) => {
            let mut service = parse::service(options, item, &mut errors);
            check::service(&mut service, &mut errors);
            expand::service(&service)
        }
        None => item,
    };
    output.extend(errors.finish());
    output
}
