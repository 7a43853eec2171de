//! `#[derive(Message)]`: parse into the model, check it, expand it.

mod expand;
mod fallback;
mod model;
mod parse;
mod proto;
mod sets;

use proc_macro2::TokenStream;
use syn::DeriveInput;

use crate::errors::Errors;

pub(crate) fn expand(item: TokenStream) -> TokenStream {
    let input: DeriveInput = match syn::parse2(item) {
        Ok(input) => input,
        Err(error) => return error.to_compile_error(),
    };
    let mut errors = Errors::new();
    let model = parse::message(&input, &mut errors);
    match model {
        Some(model) if errors.is_empty() => expand::message(&model),
        _ => {
            let mut tokens = errors.finish();
            tokens.extend(fallback::message(&input));
            tokens
        }
    }
}

#[cfg(test)]
mod tests;
