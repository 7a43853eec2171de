//! A trait that is still being written.
//!
//! When the whole does not parse, what stands between two `;` or after a `}` is read on its own. What parses is
//! generated from, the rest is put back unread inside the trait, so that an editor can complete in it.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use syn::{ItemTrait, TraitItem};

use crate::errors::Errors;

/// The trait, with unreadable items as [`TraitItem::Verbatim`]; `None` when not even its head can be read.
pub(crate) fn parse_trait(tokens: TokenStream, errors: &mut Errors) -> Option<ItemTrait> {
    let error = match syn::parse2(tokens.clone()) {
        Ok(item) => return Some(item),
        Err(error) => error,
    };
    let readable = split(tokens).and_then(|(head, body)| Some((syn::parse2::<ItemTrait>(head).ok()?, body)));
    let Some((mut item, body)) = readable else {
        errors.push(syn::Error::new(error.span(), format!("`#[streamx::service]` goes on a trait: {error}")));
        return None;
    };
    item.items = pieces(body.stream()).into_iter().map(read).collect();
    errors.push(error);
    Some(item)
}

/// The trait with an empty body, and its body: the last braces.
fn split(tokens: TokenStream) -> Option<(TokenStream, Group)> {
    let mut tokens: Vec<TokenTree> = tokens.into_iter().collect();
    match tokens.pop()? {
        TokenTree::Group(body) if body.delimiter() == Delimiter::Brace => {
            let mut empty = Group::new(Delimiter::Brace, TokenStream::new());
            empty.set_span(body.span());
            tokens.push(empty.into());
            Some((tokens.into_iter().collect(), body))
        }
        _ => None,
    }
}

fn pieces(body: TokenStream) -> Vec<TokenStream> {
    let mut pieces = vec![];
    let mut piece = TokenStream::new();
    for token in body {
        let ends = match &token {
            TokenTree::Punct(punct) => punct.as_char() == ';',
            TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
            _ => false,
        };
        piece.extend([token]);
        if ends {
            pieces.push(std::mem::take(&mut piece));
        }
    }
    if !piece.is_empty() {
        pieces.push(piece);
    }
    pieces
}

fn read(piece: TokenStream) -> TraitItem {
    syn::parse2(piece.clone()).unwrap_or(TraitItem::Verbatim(piece))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> (Option<ItemTrait>, usize) {
        let mut errors = Errors::new();
        let item = parse_trait(text.parse().unwrap(), &mut errors);
        (item, errors.finish().to_string().matches("compile_error").count())
    }

    #[test]
    fn the_readable_items_of_a_half_written_trait_are_read() {
        let (item, errors) =
            parse("pub trait T { async fn a(&self); async fn b(&self x); async fn c(&self) {} fn }");
        let item = item.unwrap();
        assert_eq!(errors, 1);
        assert_eq!(item.ident, "T");
        let read = item.items.iter().map(|item| matches!(item, TraitItem::Fn(_)));
        assert_eq!(read.collect::<Vec<_>>(), [true, false, true, false]);
    }

    #[test]
    fn what_is_no_trait_is_one_mistake() {
        for text in ["struct S { a: u8 }", "fn f();", ""] {
            let (item, errors) = parse(text);
            assert!(item.is_none());
            assert_eq!(errors, 1, "{text}");
        }
    }
}
