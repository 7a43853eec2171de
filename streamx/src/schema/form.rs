//! How a field is written in protobuf, where there is a choice.

/// How a field is written in protobuf. Thrift has no such choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Form {
    /// The encoding of the keys of a map.
    pub key: Encoding,
    /// The encoding of the field, of its elements, or of the values of a map.
    pub value: Encoding,
    /// Whether numbers of a list share one field, as in proto3.
    pub packed: bool,
    /// Whether a zero or an empty text is written, so that it differs from an absent field.
    pub explicit: bool,
    /// Whether the variants of a union are fields of the message that holds it.
    pub oneof: bool,
}

/// How numbers are written in protobuf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Encoding {
    /// `int32`, `int64` and `double`
    Plain,
    /// `sint32` and `sint64`
    Zigzag,
    /// `uint32` and `uint64`: the same bits without a sign
    Unsigned,
    /// `fixed32` and `fixed64`: the same bits without a sign
    Fixed,
    /// `sfixed32` and `sfixed64`
    SignedFixed,
    /// `float`, to which an `f64` is rounded
    Float,
}

impl Form {
    /// Of a plain field or an `Option`.
    pub const PLAIN: Self =
        Self { key: Encoding::Plain, value: Encoding::Plain, packed: true, explicit: false, oneof: false };

    /// Of a field that is `required` or has a default of its own.
    pub const EXPLICIT: Self = Self::PLAIN.explicit();

    /// With this encoding of the field or its elements.
    #[must_use]
    pub const fn value(self, value: Encoding) -> Self {
        Self { value, ..self }
    }

    /// With these encodings of the keys and values of a map.
    #[must_use]
    pub const fn map(self, key: Encoding, value: Encoding) -> Self {
        Self { key, value, ..self }
    }

    /// With a field for each element.
    #[must_use]
    pub const fn unpacked(self) -> Self {
        Self { packed: false, ..self }
    }

    /// With zeros written.
    #[must_use]
    pub const fn explicit(self) -> Self {
        Self { explicit: true, ..self }
    }

    /// With the variants of a union as fields of the message that holds it.
    #[must_use]
    pub const fn oneof(self) -> Self {
        Self { oneof: true, ..self }
    }

    /// Of a field that holds one key of a map of this form, or one value.
    pub(crate) const fn of_entry(encoding: Encoding) -> Self {
        Self::PLAIN.value(encoding)
    }
}
