//! Declared exceptions as details of an error, which every make of gRPC reads.

use bytes::{Bytes, BytesMut};

use super::well_known::Any;
use super::{ProtobufReader, ProtobufWriter, decode_with, encode_with};
use crate::codec::{Reader, Throws, Writer, read_fields};
use crate::schema::{Form, Type, proto_name};
use crate::{Error, Result};

/// How the struct is called in the text of a failure.
const EXCEPTION: &str = "exception";

/// The declared exception in a failure, with its name in a service of this namespace; `None` if it holds none.
pub(crate) fn to_detail<E: Throws>(failure: &E, namespace: &str) -> Result<Option<Any>> {
    let mut field = BytesMut::new();
    let mut declared = false;
    encode_with(EXCEPTION, &mut field, |writer| declared = failure.put(writer))?;
    if !declared {
        return Ok(None);
    }
    let (number, value) = decode_with(EXCEPTION, field.freeze(), |reader: &mut ProtobufReader| {
        let number = reader.field_begin()?.map(|(number, _)| number);
        Ok((number, reader.bytes()?))
    })?;
    let name = names::<E>(namespace).find(|(known, _)| Some(*known) == number).map(|(_, name)| name);
    Ok(name.map(|name| Any { type_url: format!("type.googleapis.com/{name}"), value }))
}

/// The first of these details that is a declared exception in a service of this namespace, as an error that has it typed.
pub(crate) fn from_details<E: Throws>(details: &[Any], namespace: &str) -> Option<Error> {
    let names: Vec<_> = names::<E>(namespace).collect();
    details.iter().find_map(|detail| {
        let (number, _) = names.iter().find(|(_, name)| name == detail.name())?;
        read::<E>(*number, &detail.value).ok().flatten().map(E::into_error)
    })
}

/// Whether a detail has the name of one of the exceptions.
pub(crate) fn is_declared_detail<E: Throws>(detail: &Any, namespace: &str) -> bool {
    names::<E>(namespace).any(|(_, name)| name == detail.name())
}

fn read<E: Throws>(number: i16, value: &Bytes) -> Result<Option<E>> {
    let mut field = BytesMut::new();
    encode_with(EXCEPTION, &mut field, |writer: &mut ProtobufWriter| {
        writer.begin(number, Form::EXPLICIT);
        writer.bytes(value);
    })?;
    decode_with(EXCEPTION, field.freeze(), |reader| {
        let mut exception = None;
        let name = |of| (of == number).then_some(EXCEPTION);
        read_fields(name, reader, |number, kind, reader| {
            exception = E::take(number, kind, reader)?;
            Ok(())
        })?;
        Ok(exception)
    })
}

/// The exceptions, by their number in the struct of results.
fn names<E: Throws>(namespace: &str) -> impl Iterator<Item = (i16, String)> {
    E::declared().into_iter().filter_map(move |thrown| match thrown.schema {
        Type::Struct(message) => proto_name(message, namespace).map(|name| (thrown.number, name)),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Message;

    #[derive(Message, Clone, Debug, Default, PartialEq)]
    #[message(crate = crate, exception)]
    struct Missing {
        #[field(1)]
        key: String,
    }

    #[derive(Message, Clone, Debug, Default, PartialEq)]
    #[message(crate = crate, exception)]
    struct Denied<T> {
        #[field(1)]
        by: T,
    }

    #[derive(Message, Clone, Debug, Default, PartialEq)]
    #[message(crate = crate, exception, import = "acme/api/quota.proto")]
    struct Quota {
        #[field(1)]
        left: i32,
    }

    #[derive(Message, Clone, Debug)]
    #[message(crate = crate, exception)]
    enum Refusal {
        #[field(2)]
        Missing(Missing),
        #[field(300)]
        Denied(Denied<Vec<i64>>),
        #[field(4)]
        Quota(Quota),
        #[other]
        Other(Error),
    }

    #[track_caller]
    fn round<E: Message + Clone>(refusal: impl Into<Refusal>, name: &str, bytes: &[u8]) -> E {
        let detail = to_detail(&refusal.into(), "shop.v1").unwrap().unwrap();
        assert_eq!(detail, Any { type_url: name.to_owned(), value: Bytes::copy_from_slice(bytes) });
        from_details::<Refusal>(&[detail], "shop.v1").unwrap().exception::<E>().unwrap().clone()
    }

    /// The bytes are those of protoc for a message of this name.
    #[test]
    fn an_exception_is_a_message_by_its_full_name() {
        let missing = Missing { key: "tea".to_owned() };
        let url = "type.googleapis.com/shop.v1.Missing";
        assert_eq!(round::<Missing>(missing.clone(), url, b"\x0a\x03tea"), missing);
        assert_eq!(round::<Missing>(Missing::default(), url, b""), Missing::default());
        let denied = Denied { by: vec![1, 300] };
        let url = "type.googleapis.com/shop.v1.DeniedOfListOfI64";
        assert_eq!(round::<Denied<Vec<i64>>>(denied.clone(), url, b"\x0a\x03\x01\xac\x02"), denied);
        let quota = Quota { left: 7 };
        assert_eq!(round::<Quota>(quota.clone(), "type.googleapis.com/acme.api.Quota", b"\x08\x07"), quota);
        let alone = to_detail(&missing, "").unwrap().unwrap();
        assert_eq!(alone.type_url, "type.googleapis.com/Missing");
    }

    #[test]
    fn an_error_that_is_not_declared_has_no_detail() {
        assert_eq!(to_detail(&Refusal::Other(Error::other("no")), "shop").unwrap(), None);
        assert_eq!(to_detail(&Error::other("no"), "shop").unwrap(), None);
    }

    #[test]
    fn the_first_detail_that_is_declared_and_whole_is_the_exception() {
        let detail = |type_url: &str, value: &'static [u8]| Any {
            type_url: type_url.to_owned(),
            value: Bytes::from_static(value),
        };
        let found = |details: &[Any]| {
            let error = from_details::<Refusal>(details, "shop")?;
            error.exception::<Missing>().map(|missing| missing.key.clone())
        };
        let ours = detail("type.googleapis.com/shop.Missing", b"\x0a\x03tea");
        let others = [
            detail("type.googleapis.com/other.Missing", b"\x0a\x03tea"),
            detail("type.googleapis.com/Missing", b"\x0a\x03tea"),
            detail("", b""),
            detail("type.googleapis.com/shop.Missing", b"\x0a\x04tea"),
            detail("type.googleapis.com/shop.Missing", b"\xff"),
            detail("type.googleapis.com/shop.Missing", b"\x0a\x01\xff"),
        ];
        for other in others {
            assert_eq!(found(std::slice::from_ref(&other)), None, "{other:?}");
            assert_eq!(found(&[other.clone(), ours.clone()]).as_deref(), Some("tea"), "{other:?}");
        }
        let elsewhere = detail("acme.example/types/shop.Missing", b"\x0a\x03tea\x10\x01");
        assert_eq!(found(&[elsewhere]).as_deref(), Some("tea"), "any host, and a field that is not known");
        assert!(from_details::<Error>(&[ours], "shop").is_none());
    }
}
