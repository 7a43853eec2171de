//! No room of the library knows a room below it, the two halves know each other through the seam only, and the protocol
//! machines stay pure. CONTRIBUTING.md draws the map; this test reads it off the sources.
//!
//! Read are the names that code says: `crate::…` and `super::…`, in `use` lines and elsewhere. Comments and what is
//! compiled for tests only do not count.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The rooms from top to bottom. A room may use those on the lines above its own, and none beside it.
const ROOMS: [&[&str]; 14] = [
    &["error", "limits", "counters"],
    &["metadata"],
    &["schema"],
    &["codec"],
    &["wire"],
    &["call"],
    &["stream"],
    &["transport"],
    &["tls"],
    &["client", "server"],
    &["in_process"],
    // What an expansion names: it joins the handles of both sides, so it stands below both.
    &["stream::method"],
    &["health", "reflection", "testing"],
    &["private", "fuzz"],
];

/// The half that knows messages, and the half that knows bytes. What both know is `call`, the seam.
const MESSAGES: [&str; 4] = ["schema", "codec", "stream", "stream::method"];
const BYTES: [&str; 2] = ["wire", "transport"];

/// What a pure machine has no use for.
const IMPURE: [&str; 10] =
    ["async", "await", "tokio", "futures", "Instant", "SystemTime", "fs", "io", "net", "thread"];

#[test]
fn rooms_use_only_rooms_above_them() {
    let library = Path::new(env!("CARGO_MANIFEST_DIR")).join("../streamx/src");
    let names = exported_names(&code(&library.join("lib.rs")));
    assert_eq!(names.get("Error").map(String::as_str), Some("error"), "lib.rs is not read as it should be");
    let mut files = Vec::new();
    rust_files(&library, &mut files);
    assert!(files.len() > 50, "only these were found: {files:#?}");
    let mut breaches = Vec::new();
    for file in files {
        let module = module_of(file.strip_prefix(&library).unwrap());
        let Some(room) = room_of(&module) else { continue };
        let shown = file.strip_prefix(library.parent().unwrap().parent().unwrap()).unwrap().display();
        for (line, why) in breaches_in(&module, room, &code(&file), &names) {
            breaches.push(format!("{shown}:{line}: {why}"));
        }
    }
    assert!(breaches.is_empty(), "\n{}", breaches.join("\n"));
}

#[test]
fn a_wrong_name_is_found_wherever_it_stands() {
    let names = HashMap::from([("Error".to_owned(), "error".to_owned())]);
    let found = |module: &[&str], source: &str| -> Vec<usize> {
        let module: Vec<_> = module.iter().map(|&name| name.to_owned()).collect();
        let room = room_of(&module).unwrap();
        breaches_in(&module, room, &without_comments_and_tests(source), &names)
            .into_iter()
            .map(|(line, _)| line)
            .collect()
    };
    assert_eq!(found(&["call", "router"], "use crate::{\n    Error,\n    client::Call,\n};"), [3]);
    assert_eq!(found(&["codec", "value"], "fn f() {\n    crate::call::g();\n}"), [2]);
    assert_eq!(found(&["client", "call"], "use super::super::server::Addr;\nuse super::Bidi;"), [1]);
    assert_eq!(found(&["stream"], "use crate::stream::{half, method::Runs};"), [1]);
    assert_eq!(found(&["transport"], "use crate::codec::Message;"), [1]);
    assert_eq!(found(&["wire"], "async fn f() {}\nuse std::time::Instant;"), [1, 2]);
    assert!(found(&["wire"], "// async\nuse crate::Error;").is_empty());
    let tests = "#[cfg(test)]\nmod tests {\n    use crate::client::Call;\n}\n";
    assert!(found(&["codec"], tests).is_empty());
    assert_eq!(found(&["codec"], &format!("{tests}use crate::client::Call;")), [5]);
    let nested = "use crate::{\n    call::{self, router::{Route, Router}},\n    server::Addr,\n};";
    assert_eq!(found(&["transport"], nested), [3]);
}

/// The lines that break a rule, and which.
fn breaches_in(
    module: &[String],
    room: &str,
    code: &str,
    names: &HashMap<String, String>,
) -> Vec<(usize, String)> {
    let mut breaches = Vec::new();
    for (line, path) in paths_of(code, module) {
        let first = path[0].clone();
        let path = names.get(&first).map_or(path, |room| vec![room.clone()]);
        let Some(used) = room_of(&path).filter(|&used| used != room) else { continue };
        if rank(used) >= rank(room) {
            breaches.push((line, format!("`{room}` uses `{used}`, which is not above it")));
        } else if halves(room, used) || halves(used, room) {
            breaches.push((line, format!("`{room}` uses `{used}`, which is of the other half")));
        }
    }
    if room == "wire" {
        for (number, line) in code.lines().enumerate() {
            let words = line.split(|char: char| !char.is_alphanumeric() && char != '_');
            for word in words.filter(|word| IMPURE.contains(word)) {
                breaches.push((number + 1, format!("`wire` is pure, but says `{word}`")));
            }
        }
    }
    breaches
}

fn rank(room: &str) -> usize {
    ROOMS.iter().position(|line| line.contains(&room)).unwrap()
}

fn halves(one: &str, other: &str) -> bool {
    MESSAGES.contains(&one) && BYTES.contains(&other)
}

/// The room a path leads to; none for the root of the crate.
fn room_of(path: &[String]) -> Option<&'static str> {
    let deep = path.iter().take(2).map(String::as_str).collect::<Vec<_>>().join("::");
    let all = || ROOMS.iter().copied().flatten().copied();
    all().find(|&room| room == deep).or_else(|| all().find(|&room| room == path[0]))
}

fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") && !is_for_tests(&path) {
            files.push(path);
        }
    }
    files.sort();
}

/// Whether a file, or a folder it is in, is declared behind `#[cfg(test)]`.
fn is_for_tests(file: &Path) -> bool {
    let folder = file.parent().unwrap();
    let name = if file.ends_with("mod.rs") { folder } else { file };
    let declaring = name.parent().unwrap();
    let Some(parent) =
        ["mod.rs", "lib.rs"].iter().map(|name| declaring.join(name)).find(|parent| parent.exists())
    else {
        return false;
    };
    if parent == *file {
        return false;
    }
    let name = name.file_stem().unwrap().to_string_lossy();
    let declared = format!("mod {name};");
    let source = fs::read_to_string(&parent).unwrap();
    let mut lines = source.lines().map(str::trim);
    let mut before = "";
    let declared = lines.any(|line| {
        let found = line.ends_with(&declared) && before == "#[cfg(test)]";
        before = line;
        found
    });
    declared || (parent.ends_with("mod.rs") && is_for_tests(&parent))
}

/// `stream/method/run.rs` is `stream::method::run`.
fn module_of(file: &Path) -> Vec<String> {
    let mut module: Vec<_> = file
        .with_extension("")
        .components()
        .map(|component| component.as_os_str().to_string_lossy().into())
        .collect();
    if module.last().is_some_and(|name: &String| name == "mod" || name == "lib") {
        module.pop();
    }
    if module.is_empty() { vec!["lib".to_owned()] } else { module }
}

fn code(file: &Path) -> String {
    without_comments_and_tests(&fs::read_to_string(file).unwrap())
}

/// Blanks what does not count and keeps the lines. That an item ends with a brace in the column in which it began is
/// rustfmt's doing.
fn without_comments_and_tests(source: &str) -> String {
    let mut kept = String::new();
    let mut until: Option<String> = None;
    let mut test_item = false;
    for line in source.lines() {
        let code = line.split("//").next().unwrap_or_default();
        let trimmed = code.trim();
        if let Some(end) = &until {
            if code.trim_end() == end {
                until = None;
            }
        } else if trimmed == "#[cfg(test)]" {
            test_item = true;
        } else if test_item && !trimmed.starts_with("#[") {
            test_item = false;
            if !trimmed.ends_with([';', ',']) {
                let indent = &code[..code.len() - code.trim_start().len()];
                until = Some(format!("{indent}}}"));
            }
        } else {
            kept.push_str(code);
        }
        kept.push('\n');
    }
    kept
}

/// What `lib.rs` re-exports, and from which room.
fn exported_names(library: &str) -> HashMap<String, String> {
    let mut names = HashMap::new();
    for line in library.lines().filter_map(|line| line.strip_prefix("pub use ")) {
        let mut paths = Vec::new();
        expand(line, 0, &mut Vec::new(), &mut paths);
        names.extend(paths.into_iter().map(|(_, path)| (path.last().unwrap().clone(), path[0].clone())));
    }
    names
}

/// Every path from the root of the crate that code says, without `crate`, and the line it ends on.
fn paths_of(code: &str, module: &[String]) -> Vec<(usize, Vec<String>)> {
    let mut paths = Vec::new();
    for start in ["crate::", "super::"] {
        for (place, _) in code.match_indices(start) {
            let part_of_another = code[..place].ends_with(|char: char| char.is_alphanumeric() || char == ':');
            if !part_of_another {
                expand(code, place, &mut Vec::new(), &mut paths);
            }
        }
    }
    let line = |place: usize| code[..place].matches('\n').count() + 1;
    let absolute = paths.into_iter().map(|(place, path)| (line(place), absolute(path, module)));
    let mut paths: Vec<_> = absolute.filter(|(_, path)| !path.is_empty()).collect();
    paths.sort();
    paths
}

fn absolute(path: Vec<String>, module: &[String]) -> Vec<String> {
    let up = path.iter().take_while(|name| *name == "super").count();
    let base = if up > 0 { &module[..module.len().saturating_sub(up)] } else { &[] };
    base.iter().cloned().chain(path.into_iter().filter(|name| name != "super" && name != "crate")).collect()
}

/// Reads a path that begins at a place, with its braces, and notes every single path in it. Returns the place behind.
fn expand(
    code: &str,
    mut place: usize,
    before: &mut Vec<String>,
    paths: &mut Vec<(usize, Vec<String>)>,
) -> usize {
    let depth = before.len();
    loop {
        let rest = code[place..].trim_start();
        place = code.len() - rest.len();
        if let Some(group) = rest.strip_prefix('{') {
            place = code.len() - group.len();
            while !code[place..].trim_start().starts_with('}') {
                place = expand(code, place, before, paths);
                let behind = code[place..].trim_start();
                place = code.len() - behind.strip_prefix(',').unwrap_or(behind).len();
                if behind.is_empty() || !behind.starts_with([',', '}']) {
                    break;
                }
            }
            let behind = code[place..].trim_start();
            place = code.len() - behind.strip_prefix('}').unwrap_or(behind).len();
            break;
        }
        let end = rest.find(|char: char| !char.is_alphanumeric() && char != '_').unwrap_or(rest.len());
        before.push(rest[..end].to_owned());
        place += end;
        match code[place..].strip_prefix("::") {
            Some(_) => place += 2,
            None => {
                paths.push((place, before.clone()));
                break;
            }
        }
    }
    before.truncate(depth);
    place
}
