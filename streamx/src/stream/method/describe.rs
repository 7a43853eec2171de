//! The methods in the schema.

use super::names::Names;
use super::{
    Arguments, Bidi, ClientStream, IsBidi, IsSender, IsStreaming, Oneway, Outcome, ServerStream, Unary,
};
use crate::schema::{Argument, Describe, MethodSchema, Mode, Thrown, Type};

impl Names {
    fn describe(
        &self,
        mode: Mode,
        arguments: Vec<Argument>,
        result: Option<Type>,
        throws: Vec<Thrown>,
    ) -> MethodSchema {
        MethodSchema { name: self.wire(), doc: self.doc, mode, arguments, result, optional: false, throws }
    }
}

impl<A: Arguments, R: Outcome> Describe for Unary<A, R> {
    fn method(&self) -> MethodSchema {
        let Self { names, arguments, results } = self;
        let method =
            names.describe(Mode::Unary, arguments.describe(), (results.schema)(), (results.declared)());
        MethodSchema { optional: results.optional, ..method }
    }
}

impl<A: Arguments> Describe for Oneway<A> {
    fn method(&self) -> MethodSchema {
        self.names.describe(Mode::Oneway, self.arguments.describe(), None, vec![])
    }
}

impl<H: IsStreaming, R: Outcome> Describe for ClientStream<H, R> {
    fn method(&self) -> MethodSchema {
        let Self { names, requests, response } = self;
        let request = request((requests.schema)());
        names.describe(Mode::ClientStream, vec![request], Some((response.schema)()), (response.declared)())
    }
}

impl<Q, H: IsSender, R> Describe for ServerStream<Q, H, R> {
    fn method(&self) -> MethodSchema {
        let Self { names, request, responses, end } = self;
        let request = self::request((request.schema)());
        names.describe(Mode::ServerStream, vec![request], Some((responses.schema)()), (end.declared)())
    }
}

impl<H: IsBidi, R> Describe for Bidi<H, R> {
    fn method(&self) -> MethodSchema {
        let Self { names, messages: (requests, responses), end } = self;
        let request = request((requests.schema)());
        names.describe(Mode::Bidi, vec![request], Some((responses.schema)()), (end.declared)())
    }
}

/// The one argument of a streaming method.
fn request(schema: Type) -> Argument {
    Argument { number: 1, name: "request", schema, optional: false }
}
