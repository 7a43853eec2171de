//! Every Thrift type at its edges.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::{Choice, Color, Everything, Inner};

/// Named values, none of which holds a NaN.
pub fn samples() -> Vec<(&'static str, Everything)> {
    vec![
        ("nothing set", Everything::default()),
        ("largest", largest()),
        ("smallest", smallest()),
        ("infinite", infinite()),
        ("unknown enum number", unknown_enum()),
        ("strings outside ASCII", foreign()),
        ("union of a number", choosing(Choice::Number(i64::MIN))),
        ("union of a struct", choosing(Choice::Inner(Inner { name: "chosen".into(), weight: -1 }))),
        ("long containers", long()),
        ("twenty levels", nested(20)),
    ]
}

fn largest() -> Everything {
    let inner = Inner { name: "inner".into(), weight: i32::MAX };
    Everything {
        flag: true,
        tiny: i8::MAX,
        small: i16::MAX,
        medium: i32::MAX,
        large: i64::MAX,
        ratio: f64::MAX,
        text: "text".into(),
        blob: Bytes::from_static(&[0, 255, 128, 10, 13]),
        color: Color::Green,
        inner: inner.clone(),
        choice: Some(Choice::Text("chosen".into())),
        numbers: vec![i32::MAX, 0, 1],
        words: vec!["one".into(), String::new(), "three".into()],
        inners: vec![inner.clone(), Inner::default()],
        unique: [1, 2, i32::MAX].into(),
        counts: [(String::new(), 0), ("most".into(), i64::MAX)].into(),
        by_number: [(0, Inner::default()), (i32::MAX, inner.clone())].into(),
        grid: vec![vec![1, 2], vec![], vec![i32::MAX]],
        maybe_number: Some(i32::MAX),
        maybe_text: Some("maybe".into()),
        maybe_inner: Some(inner),
        limit: i32::MAX,
        id: i64::MAX,
        parent: Some(Box::default()),
    }
}

fn smallest() -> Everything {
    let inner = Inner { name: String::new(), weight: i32::MIN };
    Everything {
        flag: false,
        tiny: i8::MIN,
        small: i16::MIN,
        medium: i32::MIN,
        large: i64::MIN,
        ratio: -0.0,
        text: String::new(),
        blob: Bytes::new(),
        color: Color::Blue,
        inner: inner.clone(),
        choice: Some(Choice::Text(String::new())),
        numbers: vec![i32::MIN, -1],
        words: vec![],
        inners: vec![inner.clone()],
        unique: [i32::MIN].into(),
        counts: [("least".into(), i64::MIN)].into(),
        by_number: [(i32::MIN, inner)].into(),
        grid: vec![vec![]],
        maybe_number: Some(i32::MIN),
        maybe_text: Some(String::new()),
        maybe_inner: Some(Inner::default()),
        limit: i32::MIN,
        id: i64::MIN,
        parent: None,
    }
}

fn infinite() -> Everything {
    let smallest = Everything { ratio: f64::from_bits(1), ..Everything::default() };
    let negative =
        Everything { ratio: f64::NEG_INFINITY, parent: Some(smallest.into()), ..Everything::default() };
    Everything { ratio: f64::INFINITY, parent: Some(negative.into()), ..Everything::default() }
}

fn unknown_enum() -> Everything {
    let parent = Everything { color: Color::Unknown(i32::MIN), ..Everything::default() };
    Everything { color: Color::Unknown(4242), parent: Some(parent.into()), ..Everything::default() }
}

fn foreign() -> Everything {
    Everything {
        text: "äöü ß 中文 🦀 e\u{301} \0 \u{202e}".into(),
        words: vec!["日本語".into(), "🧵🧶".into()],
        counts: [("ключ".into(), 1)].into(),
        maybe_text: Some("\u{10FFFF}".into()),
        ..Everything::default()
    }
}

fn choosing(choice: Choice) -> Everything {
    Everything { choice: Some(choice), ..Everything::default() }
}

fn long() -> Everything {
    let inner = |i: i32| Inner { name: "n".repeat((i % 7).unsigned_abs() as usize), weight: i };
    let counts: BTreeMap<String, i64> = (0..1000).map(|i| ("k".repeat(i), i64::MAX)).collect();
    Everything {
        text: "long ".repeat(4000),
        numbers: (0..1000).collect(),
        words: (0..1000).map(|i| inner(i).name).collect(),
        inners: (0..1000).map(inner).collect(),
        unique: (-999..=0).collect(),
        counts,
        by_number: (0..1000).map(|i| (i, inner(i))).collect(),
        grid: (0..1000).map(|i| vec![i, -i]).collect(),
        ..Everything::default()
    }
}

fn nested(levels: i32) -> Everything {
    Everything {
        id: levels.into(),
        choice: Some(Choice::Inner(Inner { name: "level".into(), weight: levels })),
        parent: (levels > 1).then(|| nested(levels - 1).into()),
        ..Everything::default()
    }
}
