//! The files of a server, found by name and by what they define.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bytes::{Bytes, BytesMut};

use super::descriptor::{
    DescriptorProto, EnumDescriptorProto, FileDescriptorProto, FileDescriptorSet, descriptor,
};
use crate::codec::protobuf::{decode, encode};
use crate::schema::{ProtoFile, ServiceSchema, StructDescription, imported_file, proto_file};

/// Files that others have published, as protoc compiles them: the well-known types of Google, health and reflection.
/// `tests/tests/reflection.rs` makes it of the files themselves.
const PUBLISHED: &[u8] = include_bytes!("published.binpb");

/// All files of a server.
#[derive(Debug, Default)]
pub(super) struct Files {
    files: Vec<File>,
    by_name: HashMap<String, usize>,
    by_symbol: HashMap<String, usize>,
    /// The full names of the services.
    services: BTreeSet<String>,
    /// Why a service has no file, by its full name.
    reasons: HashMap<String, String>,
}

#[derive(Debug)]
struct File {
    bytes: Bytes,
    imports: Vec<String>,
}

impl Files {
    /// The files of these services.
    pub(super) fn of(services: &[ServiceSchema]) -> Self {
        let mut files = Self::default();
        files.publish();
        let mut made = Vec::new();
        for service in services {
            let name = service.full_name();
            if !files.by_symbol.contains_key(&name) {
                match proto_file(service) {
                    Ok(file) => place(&mut made, file),
                    Err(error) => {
                        tracing::warn!(service = name, %error, "reflection cannot describe a service");
                        files.reasons.insert(name.clone(), error.to_string());
                    }
                }
            }
            files.services.insert(name);
        }
        files.add_imported(&made);
        for file in made {
            files.add_made(&file);
        }
        files
    }

    pub(super) fn services(&self) -> &BTreeSet<String> {
        &self.services
    }

    pub(super) fn by_name(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// The file that defines a service, a method, a message or an enum.
    pub(super) fn by_symbol(&self, symbol: &str) -> Option<usize> {
        self.by_symbol.get(symbol).copied()
    }

    /// Why there is no file of this service.
    pub(super) fn reason(&self, service: &str) -> Option<&str> {
        self.reasons.get(service).map(String::as_str)
    }

    /// The file as `google.protobuf.FileDescriptorProto`.
    pub(super) fn bytes(&self, file: usize) -> Bytes {
        self.files.get(file).map_or_else(Bytes::new, |file| file.bytes.clone())
    }

    /// The files that a file imports.
    pub(super) fn imports(&self, file: usize) -> impl Iterator<Item = usize> {
        let imports = self.files.get(file).map_or(&[][..], |file| &file.imports);
        imports.iter().filter_map(|name| self.by_name(name))
    }

    fn publish(&mut self) {
        // A test reads each of them, so none fails here.
        let published = decode::<FileDescriptorSet>(Bytes::from_static(PUBLISHED)).unwrap_or_default();
        for bytes in published.file {
            if let Ok(file) = decode::<FileDescriptorProto>(bytes.clone()) {
                self.add(file, bytes);
            }
        }
    }

    /// Adds the files of others that these import and that are not among the published, with the messages that are used.
    fn add_imported(&mut self, made: &[ProtoFile]) {
        let mut used = Used::new();
        for file in made {
            use_more(&mut used, &file.imports);
        }
        // What they use may be in further files, or more of the same.
        let mut imported = BTreeMap::new();
        let mut more = true;
        while more {
            more = false;
            for (import, messages) in used.clone() {
                if self.by_name.contains_key(import) {
                    continue;
                }
                match imported_file(import, &messages) {
                    Ok(file) => {
                        more |= use_more(&mut used, &file.imports);
                        imported.insert(import, file);
                    }
                    Err(error) => {
                        tracing::warn!(import, %error, "reflection cannot describe an imported file")
                    }
                }
            }
        }
        for (import, file) in imported {
            self.add_proto(import.to_owned(), &file);
        }
    }

    /// Adds a file of services under a name that is free: `a.b` is `a/b.proto`.
    fn add_made(&mut self, file: &ProtoFile) {
        let base = file.package.as_deref().unwrap_or("services").replace('.', "/");
        let (mut name, mut number) = (format!("{base}.proto"), 1);
        while self.by_name.contains_key(&name) {
            number += 1;
            name = format!("{base}_{number}.proto");
        }
        self.add_proto(name, file);
    }

    fn add_proto(&mut self, name: String, file: &ProtoFile) {
        let file = descriptor(name, file);
        let mut bytes = BytesMut::new();
        match encode(&file, &mut bytes) {
            Ok(()) => self.add(file, bytes.freeze()),
            Err(error) => tracing::warn!(file = file.name, %error, "reflection cannot describe a file"),
        }
    }

    fn add(&mut self, file: FileDescriptorProto, bytes: Bytes) {
        let scope = if file.package.is_empty() { String::new() } else { format!("{}.", file.package) };
        let mut symbols = Vec::new();
        file.message_type.iter().for_each(|message| message_symbols(&scope, message, &mut symbols));
        symbols
            .extend(file.enum_type.iter().map(|EnumDescriptorProto { name, .. }| format!("{scope}{name}")));
        for service in &file.service {
            let name = format!("{scope}{}", service.name);
            symbols.extend(service.method.iter().map(|method| format!("{name}.{}", method.name)));
            symbols.push(name);
        }
        let place = self.files.len();
        for symbol in symbols {
            self.by_symbol.entry(symbol).or_insert(place);
        }
        self.by_name.insert(file.name, place);
        self.files.push(File { bytes, imports: file.dependency });
    }
}

fn message_symbols(scope: &str, message: &DescriptorProto, symbols: &mut Vec<String>) {
    let name = format!("{scope}{}", message.name);
    let inside = format!("{name}.");
    message.nested_type.iter().for_each(|nested| message_symbols(&inside, nested, symbols));
    symbols.extend(message.enum_type.iter().map(|nested| format!("{inside}{}", nested.name)));
    symbols.push(name);
}

/// Puts what a file defines into the first of its package where all of it fits, because a name is defined once in all files
/// of a package; where none fits it stays a file.
fn place(made: &mut Vec<ProtoFile>, file: ProtoFile) {
    let fitting = made.iter_mut().find(|into| into.package == file.package && fits(into, &file));
    let Some(into) = fitting else {
        made.push(file);
        return;
    };
    for definition in file.definitions {
        if !into.definitions.contains(&definition) {
            into.definitions.push(definition);
        }
    }
    use_more(&mut into.imports, &file.imports);
    into.services.extend(file.services);
}

/// Whether no name means one thing in one file, and another in the other.
fn fits(one: &ProtoFile, other: &ProtoFile) -> bool {
    let clash = other.definitions.iter().any(|definition| {
        one.definitions.iter().any(|known| known.name() == definition.name() && known != definition)
    });
    let service_clash = |services: &ProtoFile, other: &ProtoFile| {
        let mut names = services.services.iter().map(|service| service.name);
        names.any(|name| other.definitions.iter().any(|definition| definition.name() == name))
    };
    !clash && !service_clash(one, other) && !service_clash(other, one)
}

/// Files of others, each with the messages of it that are used.
type Used = BTreeMap<&'static str, Vec<&'static StructDescription>>;

/// Adds what else is used. Whether it was not known.
fn use_more(used: &mut Used, others: &Used) -> bool {
    let mut more = false;
    for (import, messages) in others {
        let known = used.entry(import).or_default();
        for message in messages {
            if !known.iter().any(|known| known.rust.id() == message.rust.id()) {
                known.push(message);
                more = true;
            }
        }
    }
    more
}
