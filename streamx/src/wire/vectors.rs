//! Test support: the bytes recorded from Kitex, `tests/vectors` of the workspace.

use std::path::Path;

use serde_json::Value;

use super::Bounds;

/// The limits by default, but the header area as large as the wire allows.
pub(crate) const BOUNDS: Bounds = Bounds { max_header: 65_535 * 4, max_payload: 16 << 20 };

/// One recorded connection or several.
pub(crate) struct Dialogue {
    pub(crate) name: String,
    pub(crate) frames: Vec<Recorded>,
}

/// One frame or message as it passed, and what the recorder made of it.
pub(crate) struct Recorded {
    pub(crate) bytes: Vec<u8>,
    pub(crate) fields: Value,
}

impl Recorded {
    pub(crate) fn is_from(&self, side: &str) -> bool {
        self.fields["from"] == side
    }

    /// The recorder read it without complaint.
    pub(crate) fn is_readable(&self) -> bool {
        self.fields.get("parse_error").is_none()
    }
}

/// The dialogues of a folder whose names begin with `prefix`. What was left out of a recording for its size, and
/// what happened to sockets, is not among the frames.
pub(crate) fn dialogues(folder: &str, prefix: &str) -> Vec<Dialogue> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors").join(folder);
    let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.retain(|file| file.file_name().is_some_and(|name| name.to_string_lossy().starts_with(prefix)));
    assert!(!files.is_empty(), "{}/{prefix}*", folder.display());
    files.iter().map(|file| dialogue(file)).collect()
}

fn dialogue(file: &Path) -> Dialogue {
    let mut dialogue: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let frames = dialogue["frames"].take();
    let frames = frames.as_array().unwrap().iter().filter(|frame| frame["hex"].is_string());
    Dialogue {
        name: dialogue["name"].as_str().unwrap().to_owned(),
        frames: frames
            .map(|frame| Recorded { bytes: hex(frame["hex"].as_str().unwrap()), fields: frame.clone() })
            .collect(),
    }
}

/// Bytes from hex digits; white space is free.
pub(crate) fn hex(digits: &str) -> Vec<u8> {
    let digits: Vec<u8> = digits.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

/// A recorded object of strings, as the header parser gives it: in the order of the keys.
pub(crate) fn strings(object: &Value) -> Option<Vec<(Box<str>, Box<str>)>> {
    let mut strings: Vec<_> =
        object.as_object()?.iter().map(|(key, value)| (key.as_str().into(), text(value))).collect();
    strings.sort();
    Some(strings)
}

/// A recorded object with number keys, likewise.
pub(crate) fn ints(object: &Value) -> Vec<(u16, Box<str>)> {
    let entries = object.as_object().into_iter().flatten();
    let mut ints: Vec<_> = entries.map(|(key, value)| (key.parse().unwrap(), text(value))).collect();
    ints.sort();
    ints
}

pub(crate) fn text(value: &Value) -> Box<str> {
    value.as_str().unwrap().into()
}
