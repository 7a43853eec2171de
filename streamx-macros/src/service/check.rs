//! What takes more than one method, or a method and its client, to see.

use std::collections::HashMap;

use super::model::{Argument, Method, Service, Shape};
use crate::errors::Errors;

/// What a client has beside the methods of its service.
const RESERVED: [&str; 3] = ["new", "connect", "in_process"];

pub(super) fn service(service: &mut Service, errors: &mut Errors) {
    reserved_names(&mut service.methods, errors);
    wire_names(&service.methods, errors);
    for method in &service.methods {
        if let Some(Shape::Unary { arguments, .. } | Shape::Oneway { arguments }) = &method.shape {
            numbers(arguments, errors);
        }
    }
}

fn reserved_names(methods: &mut [Method], errors: &mut Errors) {
    for method in methods.iter_mut().filter(|method| RESERVED.iter().any(|name| method.ident == name)) {
        let (ident, wire, mode) = (&method.ident, &method.wire.name, method.mode.attribute());
        let sentence = format!(
            "`{ident}` is a function of the generated client: rename the method, and keep its name on the wire with \
             `#[{mode}(name = \"{wire}\")]`"
        );
        errors.at(ident, sentence);
        method.shape = None;
    }
}

/// Two methods without `#[cfg]` exist together for certain; the others are compared when the service is built.
fn wire_names(methods: &[Method], errors: &mut Errors) {
    let mut seen = HashMap::new();
    for method in methods.iter().filter(|method| method.cfgs.is_empty()) {
        let name = &method.wire.name;
        if let Some(first) = seen.insert(name, &method.ident) {
            let sentence = format!(
                "`{first}` is `{name}` on the wire already: give one of them a `name = \"…\"` of its own"
            );
            errors.at(&method.wire.tokens, sentence);
        }
    }
}

fn numbers(arguments: &[Argument], errors: &mut Errors) {
    let mut seen = HashMap::new();
    for argument in arguments {
        if let Some(first) = seen.insert(argument.number, &argument.ident) {
            let number = argument.number;
            errors.at(
                &argument.ident,
                format!("`{first}` has field number {number} already: write `#[field(n)]` with another"),
            );
        }
    }
}
