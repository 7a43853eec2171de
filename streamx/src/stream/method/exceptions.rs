//! Declared exceptions at the end of a call: in the error that ends it.

use bytes::{Bytes, BytesMut};

use super::outcome::{RESULT, decode_results};
use crate::call::Format;
use crate::codec::protobuf::exception::{from_details, is_declared_detail, to_detail};
use crate::codec::thrift::BinaryWriter;
use crate::codec::{self, Kind, Throws};
use crate::{Error, Result};

pub(super) fn is_declared<E: Throws>(error: &E) -> bool {
    error.put(&mut BinaryWriter::new(&mut BytesMut::new()))
}

/// The error that ends a call, with its exception in the form that travels beside messages of this format: in protobuf as a
/// detail, with its name in a service of this namespace. One that came from another service is none of this method.
pub(super) fn travelling<E: Throws>(format: Format, namespace: &str, failure: E) -> Error {
    let (field, detail) = match format {
        Format::Thrift => (to_field(&failure), None),
        Format::Protobuf => (None, to_detail(&failure, namespace).ok().flatten()),
    };
    let mut error = without_details_of::<E>(failure.into_error().without_declared_bytes(), namespace);
    if let Some(field) = field {
        error = error.with_declared_bytes(field);
    }
    if let Some(detail) = detail {
        error = error.with_detail(detail);
    }
    error
}

/// The error that has ended a call, with its exception typed if a declared one came with it.
pub(super) fn typed<E: Throws>(namespace: &str, error: Error) -> Error {
    let exception = match error.declared_bytes() {
        Some(field) => decode_results::<(), E>(struct_of(field)).ok().and_then(Result::err),
        None if error.status_details().is_some() => from_details::<E>(&error.details(), namespace),
        None => None,
    };
    let error = match exception {
        Some(exception) => error.with_exception_of(&exception),
        None => error,
    };
    // A middleware of a server that passes the error on has an exception of another method in its hands.
    error.without_declared_bytes()
}

/// Leaves out details that callers of this method would take for its own exceptions.
fn without_details_of<E: Throws>(error: Error, namespace: &str) -> Error {
    if error.status_details().is_none() {
        return error;
    }
    let (ours, others): (Vec<_>, Vec<_>) =
        error.details().into_iter().partition(|detail| is_declared_detail::<E>(detail, namespace));
    if ours.is_empty() {
        return error;
    }
    others.into_iter().fold(error.without_details(), Error::with_detail)
}

/// The struct of results with the declared exception that middlewares have left in an error, or the error.
pub(super) fn thrown_again<E: Throws>(error: Error) -> Result<Bytes> {
    let answer = error.declared_bytes().map(struct_of);
    let is_ours = |answer: &Bytes| matches!(decode_results::<(), E>(answer.clone()), Ok(Err(_)));
    answer.filter(is_ours).ok_or(error)
}

/// The field of an exception in the struct of results is its kind, its number and its value; the last two travel.
const EXCEPTION_KIND: u8 = Kind::Struct as u8;

fn to_field<E: Throws>(failure: &E) -> Option<Bytes> {
    let mut bytes = BytesMut::new();
    let mut declared = false;
    codec::encode_struct(RESULT, &mut bytes, |writer| declared = failure.put(writer)).ok()?;
    let bytes = bytes.freeze();
    declared.then(|| bytes.slice(1..bytes.len() - 1))
}

fn struct_of(field: &Bytes) -> Bytes {
    [&[EXCEPTION_KIND], field.as_ref(), &[0]].concat().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Message;
    use crate::well_known::Any;

    #[derive(Message, Clone, Debug, Default, PartialEq)]
    #[message(crate = crate, exception)]
    struct Missing {
        #[field(1)]
        key: String,
    }

    #[derive(Message, Clone, Debug)]
    #[message(crate = crate, exception)]
    enum Refusal {
        #[field(1)]
        Missing(Missing),
        #[other]
        Other(Error),
    }

    fn refusal() -> Refusal {
        Refusal::Missing(Missing { key: "tea".to_owned() })
    }

    fn key(error: &Error) -> Option<&str> {
        error.exception::<Missing>().map(|missing| &*missing.key)
    }

    /// A handler has passed on what another service has declared, which has the same name or the same number.
    #[test]
    fn an_exception_that_a_call_of_the_handler_has_met_is_not_one_of_its_method() {
        for (format, namespace) in [(Format::Protobuf, "shop"), (Format::Thrift, "")] {
            let met = typed::<Refusal>(namespace, travelling(format, namespace, refusal()));
            assert_eq!(key(&met), Some("tea"));
            assert_eq!(met.declared_bytes(), None, "a middleware may pass it on as it is");
            let other = Any { type_url: "x/other.Missing".to_owned(), value: Bytes::new() };
            let passed_on = Refusal::Other(met.with_detail(other.clone()));
            let end = travelling(format, namespace, passed_on);
            assert_eq!(end.details(), [other], "{format:?}");
            assert_eq!(
                (from_details::<Refusal>(&end.details(), namespace).is_none(), end.declared_bytes()),
                (true, None)
            );
        }
    }
}
