//! What is said of a change, in the words that people read.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use streamx::schema::Lock;

const SERVICE: &str = "\
service Shop in shop
  unary Buy
    argument 1 request: Request
    result Response
";

/// The lock file of one side of a case: `-` is the old one, `+` the new one.
fn side(case: &str, side: char) -> Lock {
    let mut text = String::from("streamx schema lock 1\n");
    for line in case.lines().filter(|line| line.starts_with([' ', side])) {
        let _ = writeln!(text, "{}", &line[2..]);
    }
    if !text.contains("service ") {
        text += SERVICE;
    }
    for name in ["Request", "Response"] {
        if !text.contains(&format!("struct {name}\n")) {
            let _ = writeln!(text, "struct {name}");
        }
    }
    let lock = Lock::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert_eq!(Lock::parse(&lock.to_string()).as_ref(), Ok(&lock), "it prints as it was read");
    lock
}

/// What people who make a change read. With `UPDATE_SNAPSHOTS=1` the file is written anew.
#[test]
fn whom_a_change_breaks_is_said_in_the_committed_words() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schema_lock/changes.txt");
    let committed = fs::read_to_string(&path).unwrap();
    let mut cases = committed.split("\n## ");
    let mut said = cases.next().unwrap().to_owned();
    for case in cases {
        let (title, lines) = case.split_once('\n').unwrap();
        let _ = writeln!(said, "\n## {title}");
        for line in lines.lines().filter(|line| line.starts_with([' ', '-', '+'])) {
            let _ = writeln!(said, "{line}");
        }
        let changes = side(lines, '-').changes(&side(lines, '+'));
        for change in &changes {
            let _ = writeln!(said, "> {}", change.to_string().replace('\n', "\n> "));
        }
        if changes.is_empty() {
            said += "> nothing\n";
        }
    }
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        return fs::write(&path, &said).unwrap();
    }
    let differs = said.lines().zip(committed.lines()).find(|(said, committed)| said != committed);
    assert_eq!(differs, None);
    assert_eq!(said.len(), committed.len());
}
