//! Values as literals of a schema.

use super::{EncodeError, Field, Kind, MAX_DEPTH, Writer};
use crate::schema::Literal;

/// The value as a literal, which is how a default gets into an exported schema; `None` for `None`.
pub fn literal<T: Field>(value: &T) -> Option<Literal> {
    let mut writer = LiteralWriter { open: Vec::new(), done: None };
    value.put(0, &mut writer);
    writer.done
}

/// Builds a literal. A container or struct is open until its end; a value that is complete goes into the innermost one
/// that is open.
struct LiteralWriter {
    open: Vec<Open>,
    done: Option<Literal>,
}

enum Open {
    List(Vec<Literal>),
    Map { entries: Vec<(Literal, Literal)>, key: Option<Literal> },
    Struct { fields: Vec<(i16, Literal)>, number: i16 },
}

impl LiteralWriter {
    fn add(&mut self, value: Literal) {
        match self.open.last_mut() {
            None => self.done = Some(value),
            Some(Open::List(elements)) => elements.push(value),
            Some(Open::Map { entries, key }) => match key.take() {
                None => *key = Some(value),
                Some(key) => entries.push((key, value)),
            },
            Some(Open::Struct { fields, number }) => fields.push((*number, value)),
        }
    }

    fn close(&mut self) {
        match self.open.pop() {
            Some(Open::List(elements)) => self.add(Literal::List(elements)),
            Some(Open::Map { entries, .. }) => self.add(Literal::Map(entries)),
            Some(Open::Struct { fields, .. }) => self.add(Literal::Struct(fields)),
            None => {}
        }
    }
}

impl Writer for LiteralWriter {
    fn struct_begin(&mut self) -> bool {
        let deep = self.open.len() >= MAX_DEPTH as usize;
        if !deep {
            self.open.push(Open::Struct { fields: Vec::new(), number: 0 });
        }
        !deep
    }

    fn struct_end(&mut self) {
        self.close();
    }

    fn field_begin(&mut self, field: i16, _: Kind) {
        if let Some(Open::Struct { number, .. }) = self.open.last_mut() {
            *number = field;
        }
    }

    fn bool(&mut self, value: bool) {
        self.add(Literal::Bool(value));
    }

    fn i8(&mut self, value: i8) {
        self.add(Literal::Integer(value.into()));
    }

    fn i16(&mut self, value: i16) {
        self.add(Literal::Integer(value.into()));
    }

    fn i32(&mut self, value: i32) {
        self.add(Literal::Integer(value.into()));
    }

    fn i64(&mut self, value: i64) {
        self.add(Literal::Integer(value));
    }

    fn f64(&mut self, value: f64) {
        self.add(Literal::Double(value));
    }

    fn str(&mut self, value: &str) {
        self.add(Literal::Bytes(value.as_bytes().to_vec()));
    }

    fn bytes(&mut self, value: &[u8]) {
        self.add(Literal::Bytes(value.to_vec()));
    }

    fn list_begin(&mut self, _: Kind, _: usize) {
        self.open.push(Open::List(Vec::new()));
    }

    fn list_end(&mut self) {
        self.close();
    }

    fn set_begin(&mut self, _: Kind, _: usize) {
        self.open.push(Open::List(Vec::new()));
    }

    fn set_end(&mut self) {
        self.close();
    }

    fn map_begin(&mut self, _: Kind, _: Kind, _: usize) {
        self.open.push(Open::Map { entries: Vec::new(), key: None });
    }

    fn map_end(&mut self) {
        self.close();
    }

    fn fail(&mut self, _: EncodeError) {}
}
