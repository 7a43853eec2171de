//! The wire types.

/// The wire type of a value, with the number Thrift binary gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(u8)]
pub enum Kind {
    /// `bool`
    Bool = 2,
    /// `i8`
    I8 = 3,
    /// `f64`
    F64 = 4,
    /// `i16`
    I16 = 6,
    /// `i32`, and every enum
    I32 = 8,
    /// `i64`
    I64 = 10,
    /// Text and bytes
    Binary = 11,
    /// A struct, union or exception
    Struct = 12,
    /// A map
    Map = 13,
    /// A set
    Set = 14,
    /// A list
    List = 15,
}

impl Kind {
    /// The kind with this number in Thrift binary.
    pub fn from_number(number: u8) -> Option<Self> {
        Some(match number {
            2 => Self::Bool,
            3 => Self::I8,
            4 => Self::F64,
            6 => Self::I16,
            8 => Self::I32,
            10 => Self::I64,
            11 => Self::Binary,
            12 => Self::Struct,
            13 => Self::Map,
            14 => Self::Set,
            15 => Self::List,
            _ => return None,
        })
    }

    /// The number of this kind in Thrift binary.
    pub fn number(self) -> u8 {
        self as u8
    }

    /// The name of this kind in a schema.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::I8 => "i8",
            Self::F64 => "double",
            Self::I16 => "i16",
            Self::I32 => "i32",
            Self::I64 => "i64",
            Self::Binary => "binary",
            Self::Struct => "struct",
            Self::Map => "map",
            Self::Set => "set",
            Self::List => "list",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Kind;

    #[test]
    fn a_kind_is_its_number() {
        let kinds: Vec<_> = (0..=255).filter_map(Kind::from_number).collect();
        assert_eq!(kinds.len(), 11);
        assert!(kinds.iter().all(|kind| Kind::from_number(kind.number()) == Some(*kind)));
    }
}
