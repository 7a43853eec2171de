//! A service over the types of the struct vectors, described by hand.

use streamx::codec::{Throws, Value};
use streamx::schema::{Argument, Describe, MethodSchema, Mode, ServiceSchema, Type};

use crate::structs::{
    CallError, Defaults, Ids, Inner, Lists, Maps, Mixed, Nested, Optionals, Problem, Required, Scalars, Sets,
    Wrapper,
};

/// The service; its schema is `src/generated/structs.thrift`.
pub static SERVICE: ServiceSchema = ServiceSchema::new(
    "Structs",
    Some("structs"),
    "Every type that can be in a message.",
    &[
        &Described(|| {
            method("Call", Mode::Unary, &[("a", Inner::schema), ("b", i32::schema)], Some(Inner::schema))
        }) as &dyn Describe,
        &Described(|| method("Nothing", Mode::Unary, &[], None)),
        &Described(|| method("Fire", Mode::Oneway, &[("scalars", Scalars::schema)], None)),
        &Described(|| method("Talk", Mode::Bidi, &[("req", Wrapper::schema)], Some(Optionals::schema))),
        &Described(|| method("Upload", Mode::ClientStream, &[("req", Lists::schema)], Some(Maps::schema))),
        &Described(|| method("Download", Mode::ServerStream, &[("req", Ids::schema)], Some(Nested::schema))),
        &Described(|| method("Fill", Mode::Unary, &[("ids", Ids::schema)], Some(Defaults::schema))),
        &Described(|| method("Collect", Mode::Unary, &[("mixed", Mixed::schema)], Some(Sets::schema))),
        &Described(|| method("Demand", Mode::Unary, &[], Some(Required::schema))),
        &Described(|| {
            let mut throwing = method("Throw", Mode::Unary, &[], Some(<Vec<String>>::schema));
            throwing.throws = CallError::declared();
            throwing
        }),
        &Described(|| {
            let mut throwing = method("Stop", Mode::Bidi, &[("req", Inner::schema)], Some(Inner::schema));
            throwing.doc = "A stream that can end\nwith an exception.";
            throwing.throws = Problem::declared();
            throwing
        }),
    ],
);

/// A method that is described by a function.
#[derive(Debug)]
#[allow(clippy::exhaustive_structs, reason = "a test makes it")]
pub struct Described(pub fn() -> MethodSchema);

impl Describe for Described {
    fn method(&self) -> MethodSchema {
        (self.0)()
    }
}

/// What gives a type.
pub type Schema = fn() -> Type;

/// A method that throws nothing, its arguments numbered from 1.
pub fn method(
    name: &'static str,
    mode: Mode,
    arguments: &[(&'static str, Schema)],
    result: Option<Schema>,
) -> MethodSchema {
    let arguments = (1..).zip(arguments).map(|(number, (name, schema))| Argument {
        number,
        name,
        schema: schema(),
        optional: false,
    });
    MethodSchema {
        name,
        doc: "",
        mode,
        arguments: arguments.collect(),
        result: result.map(|schema| schema()),
        optional: false,
        throws: Vec::new(),
    }
}
