//! From the schema in the binary.

use std::any::TypeId;
use std::collections::{BTreeMap, HashMap};

use super::super::walk::{self, struct_name};
use super::super::{
    EnumDescription, FieldDescription, Form, Literal, MethodSchema, NameClash, Presence, RustType,
    ServiceSchema, StructDescription, Thrown, Type as Schema,
};
use super::{Definition, Enum, Field, Fields, Lock, Method, Service, Struct, Type};

pub(super) fn lock(services: &[&ServiceSchema]) -> Result<Lock, NameClash> {
    let mut lock = Lock::default();
    let mut owners = HashMap::new();
    for schema in services {
        let (definitions, _) = walk::definitions(schema, walk::For::Thrift)?;
        for definition in definitions {
            let (name, rust, definition) = match definition {
                walk::Definition::Enum(it) => (it.name.to_owned(), it.rust, Definition::Enum(values(it))),
                walk::Definition::Struct(it) => {
                    let fields = fields(it);
                    (struct_name(it), it.rust, Definition::Struct(Struct { shape: it.shape, fields }))
                }
            };
            own(&mut owners, &name, rust)?;
            lock.types.insert(name, definition);
        }
        let methods = schema.methods().map(|method| (method.name.to_owned(), self::method(&method)));
        let service = Service { namespace: schema.namespace.map(str::to_owned), methods: methods.collect() };
        lock.services.insert(schema.name.to_owned(), service);
    }
    Ok(lock)
}

/// One name is one type in all services.
fn own(
    owners: &mut HashMap<String, (TypeId, &'static str)>,
    name: &str,
    rust: RustType,
) -> Result<(), NameClash> {
    let (id, path) = *owners.entry(name.to_owned()).or_insert((rust.id(), rust.name()));
    if id == rust.id() {
        Ok(())
    } else {
        Err(NameClash { name: name.to_owned(), types: [path, rust.name()] })
    }
}

fn method(schema: &MethodSchema) -> Method {
    let presence = |optional| Presence::of(false, optional);
    let arguments = schema
        .arguments
        .iter()
        .map(|it| (it.number, plain(it.name, presence(it.optional), &it.schema)))
        .collect();
    let throws = schema.throws.iter();
    let throws =
        throws.map(|Thrown { number, name, schema }| (*number, plain(name, Presence::Optional, schema)));
    Method {
        mode: schema.mode,
        arguments: Fields { used: arguments, removed: BTreeMap::new() },
        result: schema.result.as_ref().map(|result| plain("result", presence(schema.optional), result)),
        throws: Fields { used: throws.collect(), removed: BTreeMap::new() },
    }
}

fn plain(name: &str, presence: Presence, schema: &Schema) -> Field {
    Field { name: name.to_owned(), presence, ty: ty(schema), form: Form::PLAIN, default: None }
}

fn fields(description: &StructDescription) -> Fields {
    let used = description.fields.iter().map(|field| (field.number, self::field(field))).collect();
    Fields { used, removed: BTreeMap::new() }
}

fn field(description: &FieldDescription) -> Field {
    let schema = (description.schema)();
    let default = description.default.and_then(|default| default());
    Field {
        name: description.name.to_owned(),
        presence: description.presence,
        form: Form { explicit: false, ..description.form },
        default: default.map(|default| spelled(&default, &schema)),
        ty: ty(&schema),
    }
}

fn values(description: &EnumDescription) -> Enum {
    let used = description.variants.iter().map(|variant| (variant.number, variant.name.to_owned()));
    Enum { used: used.collect(), removed: BTreeMap::new() }
}

fn ty(schema: &Schema) -> Type {
    let boxed = |schema: &Schema| Box::new(ty(schema));
    match schema {
        Schema::Bool => Type::Bool,
        Schema::I8 => Type::I8,
        Schema::I16 => Type::I16,
        Schema::I32 => Type::I32,
        Schema::I64 => Type::I64,
        Schema::F64 => Type::F64,
        Schema::String => Type::String,
        Schema::Binary => Type::Binary,
        Schema::List(element) => Type::List(boxed(element)),
        Schema::Set(element) => Type::Set(boxed(element)),
        Schema::Map(key, value) => Type::Map(boxed(key), boxed(value)),
        Schema::Enum(description) => Type::Named(description.name.to_owned()),
        Schema::Struct(description) => Type::Named(struct_name(description)),
    }
}

/// A value on one line, without names, which may change; what has no order is sorted, so that the text is always the same.
fn spelled(literal: &Literal, schema: &Schema) -> String {
    match (literal, schema) {
        (Literal::Bool(value), _) => value.to_string(),
        (Literal::Integer(number), _) => number.to_string(),
        (Literal::Double(value), _) => format!("{value:?}"),
        (Literal::Bytes(bytes), _) => match str::from_utf8(bytes) {
            Ok(text) => format!("{text:?}"),
            Err(_) => format!("\"{}\"", bytes.escape_ascii()),
        },
        (Literal::List(elements), Schema::List(element) | Schema::Set(element)) => {
            let mut elements: Vec<_> = elements.iter().map(|literal| spelled(literal, element)).collect();
            if matches!(schema, Schema::Set(_)) {
                elements.sort();
            }
            format!("[{}]", elements.join(", "))
        }
        (Literal::Map(entries), Schema::Map(key, value)) => {
            let entry = |(k, v): &(Literal, Literal)| format!("{}: {}", spelled(k, key), spelled(v, value));
            let mut entries: Vec<_> = entries.iter().map(entry).collect();
            entries.sort();
            format!("{{{}}}", entries.join(", "))
        }
        (Literal::Struct(fields), Schema::Struct(description)) => {
            let fields = fields.iter().filter_map(|(number, value)| {
                let field = description.fields.iter().find(|field| field.number == *number)?;
                Some(format!("{number}: {}", spelled(value, &(field.schema)())))
            });
            format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
        }
        (Literal::List(_) | Literal::Map(_) | Literal::Struct(_), _) => String::new(),
    }
}
