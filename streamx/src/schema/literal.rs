//! Values in a schema, which is what defaults are.

use super::Type;

/// A value in a schema.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Literal {
    /// A truth value
    Bool(bool),
    /// An integer, or the number of an enum
    Integer(i64),
    /// A floating-point number
    Double(f64),
    /// Text or bytes
    Bytes(Vec<u8>),
    /// The elements of a list or a set
    List(Vec<Self>),
    /// The entries of a map
    Map(Vec<(Self, Self)>),
    /// The fields of a struct by their numbers
    Struct(Vec<(i16, Self)>),
}

impl Literal {
    /// The value as Thrift spells it; `None` for what it has no word for: numbers that are none, and bytes that are not plain
    /// text.
    pub(crate) fn in_thrift(&self, schema: &Type) -> Option<String> {
        Some(match (self, schema) {
            (Self::Bool(value), _) => value.to_string(),
            (Self::Integer(number), Type::Enum(description)) => {
                let variant =
                    description.variants.iter().find(|variant| i64::from(variant.number) == *number);
                variant.map_or(number.to_string(), |variant| format!("{}.{}", description.name, variant.name))
            }
            (Self::Integer(number), _) => number.to_string(),
            (Self::Double(value), _) if value.is_finite() => format!("{value:?}"),
            (Self::Double(_), _) => return None,
            (Self::Bytes(bytes), _) => quoted(str::from_utf8(bytes).ok()?)?,
            (Self::List(elements), Type::List(schema) | Type::Set(schema)) => {
                let elements: Option<Vec<_>> =
                    elements.iter().map(|element| element.in_thrift(schema)).collect();
                format!("[{}]", elements?.join(", "))
            }
            (Self::Map(entries), Type::Map(key_schema, value_schema)) => {
                let entries = entries.iter().map(|(key, value)| {
                    Some(format!("{}: {}", key.in_thrift(key_schema)?, value.in_thrift(value_schema)?))
                });
                format!("{{{}}}", entries.collect::<Option<Vec<_>>>()?.join(", "))
            }
            (Self::Struct(fields), Type::Struct(description)) => {
                let fields = fields.iter().map(|(number, value)| {
                    let field = description.fields.iter().find(|field| field.number == *number)?;
                    Some(format!("\"{}\": {}", field.name, value.in_thrift(&(field.schema)())?))
                });
                format!("{{{}}}", fields.collect::<Option<Vec<_>>>()?.join(", "))
            }
            (Self::List(_) | Self::Map(_) | Self::Struct(_), _) => return None,
        })
    }
}

fn quoted(text: &str) -> Option<String> {
    let mut quoted = String::from("\"");
    for each in text.chars() {
        match each {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            control if control.is_control() => return None,
            plain => quoted.push(plain),
        }
    }
    quoted.push('"');
    Some(quoted)
}
