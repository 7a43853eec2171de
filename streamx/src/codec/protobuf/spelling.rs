//! What `proto = "…"` can say, and of which types.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::marker::PhantomData;

use super::super::{Field, Message, Reader, Value};
use crate::schema::{Encoding, Form, StructDescription, Type};

/// The words as types, spelled as in a `.proto` file.
#[allow(
    non_camel_case_types,
    missing_debug_implementations,
    missing_docs,
    reason = "they are words of protobuf in error messages"
)]
pub mod proto {
    use super::PhantomData;

    macro_rules! words {
        ($($word:ident)*) => {$(
            #[non_exhaustive]
            pub struct $word;
        )*};
    }

    words!(any sint32 sint64 uint32 uint64 fixed32 fixed64 sfixed32 sfixed64 float oneof);
    pub struct unpacked<P>(PhantomData<P>);
    pub struct map<K, V>(PhantomData<(K, V)>);
}

use proto::{
    any, fixed32, fixed64, float, map, oneof, sfixed32, sfixed64, sint32, sint64, uint32, uint64, unpacked,
};

/// A type that can be written as `P` in protobuf.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be `{P}` in protobuf",
    label = "`proto` does not fit this type",
    note = "sint32, uint32, fixed32 and sfixed32 are for i32, those with 64 for i64, float is for f64, `map<…>` for maps, \
            `unpacked` for lists and sets"
)]
pub trait InProtobuf<P> {}

/// A word with the form it means.
pub trait Spelling {
    /// The form.
    const FORM: Form;
}

/// A union.
pub trait Union: Message {}

macro_rules! numbers {
    ($($word:ident $encoding:ident: $ty:ty;)*) => {$(
        impl Spelling for $word {
            const FORM: Form = Form::PLAIN.value(Encoding::$encoding);
        }
        impl InProtobuf<$word> for $ty {}
    )*};
}

numbers! {
    sint32 Zigzag: i32;
    uint32 Unsigned: i32;
    fixed32 Fixed: i32;
    sfixed32 SignedFixed: i32;
    sint64 Zigzag: i64;
    uint64 Unsigned: i64;
    fixed64 Fixed: i64;
    sfixed64 SignedFixed: i64;
    float Float: f64;
}

impl Spelling for any {
    const FORM: Form = Form::PLAIN;
}

impl<P: Spelling> Spelling for unpacked<P> {
    const FORM: Form = P::FORM.unpacked();
}

impl<K: Spelling, V: Spelling> Spelling for map<K, V> {
    const FORM: Form = Form::PLAIN.map(K::FORM.value, V::FORM.value);
}

impl Spelling for oneof {
    const FORM: Form = Form::PLAIN.oneof();
}

/// The elements and values of containers.
pub trait Part<P> {}
impl<T: Value> Part<any> for T {}

macro_rules! parts {
    ($($word:ident)*) => {$(
        impl<T: Value + InProtobuf<$word>> Part<$word> for T {}
        #[diagnostic::do_not_recommend]
        impl<T: Value + InProtobuf<$word>> InProtobuf<$word> for Vec<T> {}
        #[diagnostic::do_not_recommend]
        impl<T: Value + InProtobuf<$word>> InProtobuf<$word> for BTreeSet<T> {}
        #[diagnostic::do_not_recommend]
        impl<T: Value + InProtobuf<$word>, S> InProtobuf<$word> for HashSet<T, S> {}
        #[diagnostic::do_not_recommend]
        impl<T: Value + InProtobuf<$word>> InProtobuf<$word> for Option<T> {}
    )*};
}

parts!(sint32 sint64 uint32 uint64 fixed32 fixed64 sfixed32 sfixed64 float);

#[diagnostic::do_not_recommend]
impl<P, T: Part<P>> InProtobuf<unpacked<P>> for Vec<T> {}
#[diagnostic::do_not_recommend]
impl<P, T: Part<P>> InProtobuf<unpacked<P>> for BTreeSet<T> {}
#[diagnostic::do_not_recommend]
impl<P, T: Part<P>, S> InProtobuf<unpacked<P>> for HashSet<T, S> {}
#[diagnostic::do_not_recommend]
impl<P, C: Value + InProtobuf<unpacked<P>>> InProtobuf<unpacked<P>> for Option<C> {}
#[diagnostic::do_not_recommend]
impl<P, Q, K: Part<P>, V: Part<Q>> InProtobuf<map<P, Q>> for BTreeMap<K, V> {}
#[diagnostic::do_not_recommend]
impl<P, Q, K: Part<P>, V: Part<Q>, S> InProtobuf<map<P, Q>> for HashMap<K, V, S> {}
#[diagnostic::do_not_recommend]
impl<P, Q, C: Value + InProtobuf<map<P, Q>>> InProtobuf<map<P, Q>> for Option<C> {}

/// The form of a field of type `T` that is spelled `P`.
pub const fn form<T: InProtobuf<P>, P: Spelling>() -> Form {
    P::FORM
}

/// The form of the field at this place of a message.
#[inline]
pub fn form_of<M: Message>(index: usize) -> Form {
    M::DESCRIPTION.fields.get(index).map_or(Form::PLAIN, |field| field.form)
}

/// The form of a oneof in a message whose fields have these numbers.
pub const fn oneof_form<T: Oneof>(taken: &[i16]) -> Form {
    let mut variant = 0;
    while variant < T::VARIANTS.fields.len() {
        let mut field = 0;
        while field < taken.len() {
            assert!(
                T::VARIANTS.fields[variant].number != taken[field],
                "a variant of this oneof has the number of a field of the message, where the variants become fields: \
                 give one of them another number"
            );
            field += 1;
        }
        variant += 1;
    }
    oneof::FORM
}

/// What can be a oneof.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a `oneof` in protobuf",
    label = "`proto` does not fit this type",
    note = "a oneof is an `Option` of a union: an enum that derives `streamx::Message` and has a value in each variant"
)]
pub trait Oneof {
    /// The union.
    const VARIANTS: &'static StructDescription;
}

#[diagnostic::do_not_recommend]
impl<U: Union> Oneof for Option<U> {
    const VARIANTS: &'static StructDescription = U::DESCRIPTION;
}

/// Whether a field of this number is a variant of a oneof.
pub fn is_variant<T: Field, R: Reader>(number: i16, reader: &mut R) -> bool {
    reader.protobuf().is_some()
        && matches!(T::schema(), Type::Struct(union) if union.fields.iter().any(|field| field.number == number))
}
