//! A lock file may be what a merge left behind. It is an error with a line, and never a panic.

use streamx::schema::Lock;
use streamx_tests::schema::SERVICE;

#[test]
fn what_is_wrong_with_a_file_is_said_with_its_line() {
    let cases = [
        ("", "line 1: a lock file begins with `streamx schema lock 1`"),
        (
            "streamx schema lock 2",
            "line 1: the file has version `2` of the format, and this streamx knows version 1 only",
        ),
        (
            "streamx schema lock 1\n<<<<<<< HEAD",
            "line 2: `<<<<<<<` is not `service`, `struct`, `union`, `exception` or `enum`",
        ),
        (
            "streamx schema lock 1\n  1 a: i32",
            "line 2: `1 a: i32` belongs to nothing above it: look at its indentation",
        ),
        (
            "streamx schema lock 1\n# a comment\n\nstruct A\n   1 a: i32",
            "line 5: `1 a: i32` belongs to nothing above it: look at its indentation",
        ),
        (
            "streamx schema lock 1\nstruct A\n  1 a: i32\n  1 b: i64",
            "line 4: the number 1 stands there twice",
        ),
        (
            "streamx schema lock 1\nstruct A\n  1 a: i32\n  removed 1 b: i64",
            "line 4: the number 1 stands there twice",
        ),
        ("streamx schema lock 1\nenum A\n  1 a\n  1 b", "line 4: the number 1 stands there twice"),
        ("streamx schema lock 1\nstruct A\nunion A", "line 3: the type A stands there twice"),
        ("streamx schema lock 1\nservice A\nservice A", "line 3: the service A stands there twice"),
        ("streamx schema lock 1\nservice A\n  bidi B\n  unary B", "line 4: the method B stands there twice"),
        (
            "streamx schema lock 1\nservice A\n  stream B",
            "line 3: `stream` is not the mode of a method, such as `unary` or `bidi`",
        ),
        (
            "streamx schema lock 1\nservice A\n  unary B\n    returns i32",
            "line 4: `returns` is not `argument`, `result` or `throws`",
        ),
        (
            "streamx schema lock 1\nservice A\n  unary B\n    result i32\n    result i32",
            "line 5: the method has two results",
        ),
        (
            "streamx schema lock 1\nstruct A\n  40000 a: i32",
            "line 3: `40000` is not a number that can be here",
        ),
        ("streamx schema lock 1\nstruct A\n  1", "line 3: `1` is not a number and a name"),
        ("streamx schema lock 1\nstruct A\n  1 a i32", "line 3: `a i32` is not a name, `: ` and a type"),
        (
            "streamx schema lock 1\nstruct A\n  1 a: array<i32>",
            "line 3: `array` is not `list`, `set` or `map`",
        ),
        (
            "streamx schema lock 1\nstruct A\n  1 a: list<i32",
            "line 3: `>` is missing behind the type in `list`",
        ),
        ("streamx schema lock 1\nstruct A\n  1 a: map<i32>", "line 3: `, ` is missing before `>`"),
        ("streamx schema lock 1\nstruct A\n  1 a: i32 or so", "line 3: ` or so` stands behind the type"),
        (
            "streamx schema lock 1\nstruct A\n  1 a: i32 as uint",
            "line 3: `uint` is not an encoding of protobuf, such as `sint32`",
        ),
        (
            "streamx schema lock 1\nstruct A\n  1 a: map<i32, i32> as map<_>",
            "line 3: `map<_>` is not a form of a map",
        ),
        ("streamx schema lock 1\nstruct A\n  1 a: B", "line 3: `B` is defined nowhere in this file"),
        ("streamx schema lock 1\nstruct A B", "line 2: `A B` is not a name"),
    ];
    for (text, said) in cases {
        assert_eq!(Lock::parse(text).map_err(|error| error.to_string()), Err(said.into()), "{text}");
    }
    let deep = format!("streamx schema lock 1\nstruct A\n  1 a: {}", "list<".repeat(100_000));
    assert_eq!(Lock::parse(&deep).unwrap_err().to_string(), "line 3: containers are nested too deep");
}

#[test]
fn every_cut_and_every_change_of_a_letter_is_read_or_refused() {
    let text = Lock::of(&[&SERVICE]).unwrap().to_string();
    assert_eq!(Lock::parse(&text).unwrap().to_string(), text);
    for at in 0..text.len() {
        let _ = Lock::parse(&text[..at]);
    }
    for (at, line) in text.lines().enumerate() {
        for letter in ['<', ' ', ':', '0', '\t', 'é'] {
            let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
            lines[at] = line.replacen(' ', &letter.to_string(), 1);
            if let Ok(lock) = Lock::parse(&lines.join("\n")) {
                let _ = lock.changes(&Lock::parse(&text).unwrap());
            }
        }
    }
}
