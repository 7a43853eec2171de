//! The methods in the schema.

use super::names::Names;
use super::{
    Arguments, Bidi, ClientStream, IsBidi, IsSender, IsStreaming, Oneway, Outcome, ServerStream, Unary,
};
use crate::schema::{ArgumentDescription, Describe, MethodDescription, Thrown, Type};

impl Names {
    fn describe(
        &self,
        arguments: Vec<ArgumentDescription>,
        result: Option<Type>,
        throws: Vec<Thrown>,
    ) -> MethodDescription {
        MethodDescription { name: self.method, mode: self.mode, arguments, result, throws }
    }
}

impl<A: Arguments, R: Outcome> Describe for Unary<A, R> {
    fn describe(&self) -> MethodDescription {
        let Self { names, arguments, results } = self;
        names.describe(arguments.describe(), (results.schema)(), (results.declared)())
    }
}

impl<A: Arguments> Describe for Oneway<A> {
    fn describe(&self) -> MethodDescription {
        self.names.describe(self.arguments.describe(), None, vec![])
    }
}

impl<H: IsStreaming, R: Outcome> Describe for ClientStream<H, R> {
    fn describe(&self) -> MethodDescription {
        let Self { names, requests, response } = self;
        let request = ArgumentDescription::request((requests.schema)());
        names.describe(vec![request], Some((response.schema)()), (response.declared)())
    }
}

impl<Q, H: IsSender, R: Outcome> Describe for ServerStream<Q, H, R> {
    fn describe(&self) -> MethodDescription {
        let Self { names, request, responses, end } = self;
        let request = ArgumentDescription::request((request.schema)());
        names.describe(vec![request], Some((responses.schema)()), (end.declared)())
    }
}

impl<H: IsBidi, R: Outcome> Describe for Bidi<H, R> {
    fn describe(&self) -> MethodDescription {
        let Self { names, messages: (requests, responses), end } = self;
        let request = ArgumentDescription::request((requests.schema)());
        names.describe(vec![request], Some((responses.schema)()), (end.declared)())
    }
}
