//! Protobuf: the bytes are those of `prost` for the same message, and each reads what the other writes.

mod foreign;
mod nested;
mod numbers;
mod rules;
mod well_known;

use std::fmt::Debug;

use bytes::{Bytes, BytesMut};
use nested::{Leaf, Nested, ProstNested, nested};
use numbers::{ProstNumbers, numbers};
use proptest::prelude::*;
use streamx::Message;
use streamx::codec::protobuf::{decode, encode};

fn ours(message: &impl Message) -> Bytes {
    let mut out = BytesMut::from("before");
    encode(message, &mut out).unwrap();
    out.split_off(6).freeze()
}

/// Both write the same, and read what the other wrote.
fn same<M, P>(ours_value: &M, prosts: &P)
where
    M: Message + PartialEq + Debug,
    P: prost::Message + Default + PartialEq + Debug,
{
    let bytes = ours(ours_value);
    assert_eq!(bytes, prosts.encode_to_vec(), "{ours_value:?}");
    assert_eq!(&decode::<M>(bytes.clone()).unwrap(), ours_value);
    assert_eq!(&P::decode(bytes).unwrap(), prosts);
}

fn without_unions(nested: Nested) -> Nested {
    let parent = nested.parent.map(|parent| Box::new(without_unions(*parent)));
    Nested { choice: None, flat: None, parent, ..nested }
}

fn without_empty_entries(mut nested: Nested) -> Nested {
    nested.by_name.retain(|key, value| !key.is_empty() && *value != 0);
    nested.by_number.retain(|key, leaf| *key != 0 && !leaf.name.is_empty());
    nested.encoded.retain(|key, value| *key != 0 && *value != 0);
    nested.by_flag.retain(|key, level| *key && level.number() != 0);
    nested.lists.retain(|key, leaves| *key != 0 && !leaves.is_empty());
    let kids = nested.kids.into_iter().map(without_empty_entries).collect();
    let parent = nested.parent.map(|parent| Box::new(without_empty_entries(*parent)));
    Nested { kids, parent, ..nested }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn numbers_and_texts_are_those_of_prost(numbers in numbers()) {
        same(&numbers, &ProstNumbers::from(&numbers));
    }

    #[test]
    fn lists_maps_unions_and_messages_are_those_of_prost(nested in nested()) {
        let nested = without_empty_entries(nested);
        same(&nested, &ProstNested::from(&nested));
    }

    /// Here the bytes differ: prost leaves out keys and values that are zero or empty.
    #[test]
    fn maps_with_zeros_and_empty_texts_are_read_on_both_sides(nested in nested()) {
        let prosts = ProstNested::from(&nested);
        prop_assert_eq!(&<ProstNested as prost::Message>::decode(ours(&nested)).unwrap(), &prosts);
        let bytes = prost::Message::encode_to_vec(&prosts);
        prop_assert_eq!(decode::<Nested>(bytes.into()).unwrap(), nested);
    }

    /// One message behind the other is both merged, as prost does it; only the variant of a union is replaced whole.
    #[test]
    fn two_messages_in_a_row_are_merged_as_prost_does(first in nested(), second in nested()) {
        let first = without_unions(first);
        let both = Bytes::from([ours(&first), ours(&second)].concat());
        let merged = <ProstNested as prost::Message>::decode(both.clone()).unwrap();
        prop_assert_eq!(ProstNested::from(&decode::<Nested>(both).unwrap()), merged);
    }
}

/// The places of lengths around it are widened beforehand.
#[test]
fn a_large_text_in_nested_messages_is_that_of_prost() {
    for length in [1000, 1024, 16_383, 16_384, 100_000, 2_097_152] {
        for depth in 0..8 {
            let leaf = Leaf { name: "x".repeat(length) };
            let innermost = Nested { leaf: Some(leaf), flags: vec![true], ..Nested::default() };
            let nested = (0..depth).fold(innermost, |inner, level| {
                let ints = vec![7; level * 60];
                let kids = vec![Nested { ints: vec![1; 200], ..Nested::default() }];
                Nested {
                    ints,
                    kids,
                    parent: Some(Box::new(inner)),
                    texts: vec!["a".into()],
                    ..Nested::default()
                }
            });
            same(&nested, &ProstNested::from(&nested));
        }
    }
}
