//! The expansion of each kind of message, as files a person can read: `src/snapshots`.
//! `UPDATE_SNAPSHOTS=1 cargo test -p streamx-macros` writes them anew.

use std::path::Path;

use quote::quote;

use super::*;

fn assert_snapshot(name: &str, item: TokenStream) {
    let expansion = prettyplease::unparse(&syn::parse2(expand(item)).unwrap());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/snapshots").join(name).with_extension("rs");
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&path, &expansion).unwrap();
    }
    assert_eq!(expansion, std::fs::read_to_string(&path).unwrap(), "{name} has changed");
}

#[test]
fn a_struct() {
    assert_snapshot(
        "message_struct",
        quote! {
            /// A request.
            pub struct Request {
                #[field(1)]
                pub message: String,
                #[field(2)]
                pub retries: Option<i32>,
                #[field(3, required, rename = "requestId")]
                pub id: i64,
                #[field(4, default = 10)]
                pub limit: i32,
            }
        },
    );
}

#[test]
fn a_struct_with_forms_of_protobuf() {
    assert_snapshot(
        "message_proto",
        quote! {
            pub struct Request {
                #[field(1, proto = "sint64")]
                pub id: i64,
                #[field(2, proto = "map<fixed32, _>")]
                pub names: HashMap<i32, String>,
                #[field(3, proto = "oneof")]
                pub body: Option<Body>,
            }
        },
    );
}

#[test]
fn a_generic_struct() {
    assert_snapshot(
        "message_generic",
        quote! {
            #[message(rename = "PageOf", crate = my::streamx)]
            pub struct Page<T: Clone> {
                #[field(1)]
                pub first: T,
            }
        },
    );
}

#[test]
fn an_enum() {
    assert_snapshot(
        "message_enum",
        quote! {
            #[repr(i32)]
            pub enum Level {
                Info = 3,
                Warn,
                #[other]
                Unknown(i32),
            }
        },
    );
}

#[test]
fn a_union() {
    assert_snapshot(
        "message_union",
        quote! {
            pub enum Body {
                #[field(1)]
                Text(String),
                #[field(2)]
                Tag(Tag),
            }
        },
    );
}

#[test]
fn an_exception() {
    assert_snapshot(
        "message_exception",
        quote! {
            #[message(exception)]
            pub struct NotFound {
                #[field(1)]
                pub key: String,
            }
        },
    );
}

#[test]
fn the_exceptions_of_a_method() {
    assert_snapshot(
        "message_exceptions",
        quote! {
            #[message(exception)]
            pub enum GetError {
                #[field(1)]
                NotFound(NotFound),
                #[other]
                Other(streamx::Error),
            }
        },
    );
}

#[test]
fn a_mistake() {
    assert_snapshot(
        "message_mistake",
        quote! {
            pub struct Request {
                pub message: String,
                #[field(0)]
                pub id: i64,
            }
        },
    );
}

#[test]
fn names_in_snake_case() {
    assert_eq!(parse::snake_case("NotFound"), "not_found");
    assert_eq!(parse::snake_case("HTTPError"), "http_error");
    assert_eq!(parse::snake_case("Ipv4Address"), "ipv4_address");
    assert_eq!(parse::snake_case("already"), "already");
}
