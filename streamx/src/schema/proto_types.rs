//! How protobuf spells types.

use super::{Encoding, EnumDescription, Type};

/// Whether it is a message on the wire, also as the element of a list.
pub(super) fn is_message(schema: &Type) -> bool {
    matches!(schema, Type::Struct(_) | Type::List(_) | Type::Set(_) | Type::Map(..))
}

/// The name of a number, a text or bytes in this encoding.
pub(super) fn number_name(schema: &Type, encoding: Encoding) -> &'static str {
    match (schema, encoding) {
        (Type::Bool, _) => "bool",
        (Type::F64, Encoding::Float) => "float",
        (Type::F64, _) => "double",
        (Type::String, _) => "string",
        (Type::Binary, _) => "bytes",
        (Type::I64, Encoding::Plain | Encoding::Float) => "int64",
        (Type::I64, Encoding::Zigzag) => "sint64",
        (Type::I64, Encoding::Unsigned) => "uint64",
        (Type::I64, Encoding::Fixed) => "fixed64",
        (Type::I64, Encoding::SignedFixed) => "sfixed64",
        (_, Encoding::Plain | Encoding::Float) => "int32",
        (_, Encoding::Zigzag) => "sint32",
        (_, Encoding::Unsigned) => "uint32",
        (_, Encoding::Fixed) => "fixed32",
        (_, Encoding::SignedFixed) => "sfixed32",
    }
}

/// What stands before the names of its values, which share one space of names with those of other enums.
pub(super) fn enum_prefix(description: &EnumDescription) -> String {
    screaming(description.name)
}

/// `NotFound` as `NOT_FOUND`, `HTTPError` as `HTTP_ERROR`.
pub(super) fn screaming(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut screaming = String::new();
    for (index, letter) in letters.iter().enumerate() {
        let last = index.checked_sub(1).map(|last| letters[last]);
        let after_word = last.is_some_and(|last| !last.is_uppercase() && last != '_');
        let before_word = last.is_some_and(|last| last != '_')
            && letters.get(index + 1).is_some_and(|next| next.is_lowercase());
        if letter.is_uppercase() && (after_word || before_word) {
            screaming.push('_');
        }
        screaming.extend(letter.to_uppercase());
    }
    screaming
}

#[cfg(test)]
mod tests {
    use super::screaming;

    #[test]
    fn names_are_spelled_in_capitals() {
        for (name, capitals) in [
            ("NotFound", "NOT_FOUND"),
            ("HTTPError", "HTTP_ERROR"),
            ("Ipv4Address", "IPV4_ADDRESS"),
            ("ALREADY_SO", "ALREADY_SO"),
            ("already", "ALREADY"),
        ] {
            assert_eq!(screaming(name), capitals);
        }
    }
}
