//! The schema that a binary prints.

use std::path::Path;

use streamx::Message;
use streamx::codec::Value;
use streamx::schema::{Describe, Mode, ServiceSchema, thrift_idl, try_thrift_idl};
use streamx_tests::schema::{Described, SERVICE, method};

/// With `UPDATE_SNAPSHOTS=1` the file is written instead; then generate the Rust file beside it anew, with
/// `thrift --gen rs -out tests/src/generated tests/src/generated/structs.thrift` of Debian's thrift-compiler.
#[test]
fn the_schema_of_a_service_is_the_committed_file() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/generated/structs.thrift");
    let idl = thrift_idl(&SERVICE);
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&path, &idl).unwrap();
    }
    assert_eq!(idl, std::fs::read_to_string(&path).unwrap());
}

/// A page of things.
///
/// */ Not the end.
#[derive(Message, Default)]
struct Page<T> {
    /// The things.
    #[field(1)]
    items: Vec<T>,
    #[field(2, rename = "nextPage")]
    next: Option<Box<Self>>,
    #[field(3, default = f64::NAN)]
    score: f64,
    #[field(4, default = "a \"quoted\"\n text")]
    text: String,
    #[field(5, default = vec![Color::Red, Color::Green])]
    colors: Vec<Color>,
    #[field(6, default = Tag { name: "x".into() })]
    tag: Tag,
    #[field(7, default = std::collections::BTreeMap::from([(1, -1.0)]))]
    numbers: std::collections::BTreeMap<i8, f64>,
    #[field(8, default = None)]
    nothing: Option<i32>,
}

#[derive(Message, Default)]
struct Tag {
    #[field(1)]
    name: String,
}

/// Colours.
#[derive(Message, Clone, Copy, Default, PartialEq, Eq, Hash)]
enum Color {
    #[default]
    Red,
    /// Like grass.
    Green = 4,
    Blue,
}

mod other {
    #[derive(streamx::Message, Default)]
    pub(crate) struct Tag {
        #[field(1)]
        pub(crate) number: i32,
    }
}

#[test]
fn generics_defaults_and_comments_are_spelled_as_thrift_does() {
    static PAGES: ServiceSchema = ServiceSchema::new(
        "Pages",
        None,
        "",
        &[&Described(|| {
            let argument = <Page<std::collections::HashMap<i32, bool>>>::schema;
            method("Get", Mode::Unary, &[("page", argument)], Some(<Page<Tag>>::schema))
        }) as &dyn Describe],
    );
    let idl = thrift_idl(&PAGES);
    let page = "\
// A page of things.
//
// */ Not the end.
struct PageOfTag {
    // The things.
    1: list<Tag> items
    2: optional PageOfTag nextPage
    // Absent it has a value that Thrift has no word for.
    3: double score
    4: string text = \"a \\\"quoted\\\"\\n text\"
    5: list<Color> colors = [Color.Red, Color.Green]
    6: Tag tag = {\"name\": \"x\"}
    7: map<i8, double> numbers = {1: -1.0}
    8: optional i32 nothing
}
";
    assert!(idl.contains(page), "{idl}");
    assert!(idl.contains(
        "// Colours.\nenum Color {\n    Red = 0\n    // Like grass.\n    Green = 4\n    Blue = 5\n}"
    ));
    let service = "service Pages {\n    PageOfTag Get(1: PageOfMapOfI32ToBool page)\n}\n";
    assert!(idl.ends_with(service), "{idl}");
    assert_eq!(idl.matches("struct Tag {").count(), 1);
}

#[test]
fn two_types_of_one_name_are_a_clash() {
    static CLASH: ServiceSchema = ServiceSchema::new(
        "Clash",
        None,
        "",
        &[&Described(|| method("Get", Mode::Unary, &[("tag", Tag::schema)], Some(other::Tag::schema)))
            as &dyn Describe],
    );
    let clash = try_thrift_idl(&CLASH).unwrap_err();
    assert_eq!(clash.name, "Tag");
    assert_eq!(clash.types, ["schema_thrift_idl::Tag", "schema_thrift_idl::other::Tag"]);
    assert_eq!(thrift_idl(&CLASH), format!("error: {clash}\n"));
}
