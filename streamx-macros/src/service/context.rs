//! The context of a call as an argument: what is known of it before types are checked.

use syn::{Attribute, Meta, PatType, Type};

use super::rewrite;
use crate::errors::Errors;

/// Whether the attribute marks an argument as the context, to be removed from it.
pub(super) fn is_mark(attribute: &Attribute) -> bool {
    attribute.path().is_ident("context")
}

/// Takes the context from the arguments and gives its type. One that is not the first is a mistake, and no argument
/// either: nothing more is said of it.
pub(super) fn take(arguments: &mut Vec<&PatType>, errors: &mut Errors) -> Option<Type> {
    let mut first = None;
    let mut position = 0;
    arguments.retain(|argument| {
        position += 1;
        if !is_context(argument) {
            return true;
        }
        attributes(argument, errors);
        if position == 1 {
            first = Some((*argument.ty).clone());
        } else if first.is_some() {
            errors.at(&argument.ty, "a method takes the context of its call once: remove this");
        } else {
            errors.at(
                &argument.ty,
                "the context of the call is the first argument: move it to the place after `&self`",
            );
        }
        false
    });
    first
}

fn is_context(argument: &PatType) -> bool {
    argument.attrs.iter().any(is_mark) || is_spelled(&argument.ty)
}

/// A reference is a mistake that has been told.
fn is_spelled(ty: &Type) -> bool {
    match ty {
        Type::Path(path) => path.path.segments.last().is_some_and(|last| last.ident == "Context"),
        Type::Reference(reference) => is_spelled(&reference.elem),
        _ => false,
    }
}

fn attributes(argument: &PatType, errors: &mut Errors) {
    for attribute in &argument.attrs {
        if is_mark(attribute) && !matches!(attribute.meta, Meta::Path(_)) {
            errors.at(attribute, "`#[context]` has no options: write it alone");
        }
        if rewrite::is_field(attribute) {
            errors.at(attribute, "the context of the call does not travel: remove its field number");
        }
    }
}
