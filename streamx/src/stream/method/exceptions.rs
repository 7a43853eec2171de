//! Declared exceptions at the end of a call: in the error that ends it.

use bytes::{Bytes, BytesMut};

use super::outcome::{RESULT, decode_results};
use crate::call::Format;
use crate::codec::protobuf::exception::{from_details, to_detail};
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
    let mut error = failure.into_error().without_declared_bytes();
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
    match exception {
        Some(exception) => error.with_exception_of(&exception),
        None => error,
    }
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
