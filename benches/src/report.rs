//! What was measured, as text.

use std::fmt::Write;

use crate::contest::{Contestant, Figure, Figures, STREAMS};

/// A ratio and what it must not exceed with 1 and with 64 streams.
struct Ratio {
    label: &'static str,
    of: Contestant,
    to: Contestant,
    goals: Option<[f64; 2]>,
}

const RATIOS: [Ratio; 7] = [
    Ratio {
        label: "streamx / floor",
        of: Contestant::Streamx,
        to: Contestant::Floor,
        goals: Some([1.5, 3.0]),
    },
    Ratio {
        label: "streamx / Kitex",
        of: Contestant::Streamx,
        to: Contestant::Kitex,
        goals: Some([0.4, 0.1]),
    },
    Ratio { label: "bare tokio / floor", of: Contestant::Bare, to: Contestant::Floor, goals: None },
    Ratio { label: "streamx / bare tokio", of: Contestant::Streamx, to: Contestant::Bare, goals: None },
    Ratio {
        label: "multi-thread / floor",
        of: Contestant::StreamxThreads,
        to: Contestant::Floor,
        goals: None,
    },
    Ratio {
        label: "multi-thread / Kitex",
        of: Contestant::StreamxThreads,
        to: Contestant::Kitex,
        goals: None,
    },
    Ratio { label: "streamx / other build", of: Contestant::Streamx, to: Contestant::Other, goals: None },
];

const ROWS: [(&str, Contestant); 6] = [
    ("floor", Contestant::Floor),
    ("bare tokio", Contestant::Bare),
    ("streamx", Contestant::Streamx),
    ("streamx, multi-thread", Contestant::StreamxThreads),
    ("Kitex", Contestant::Kitex),
    ("streamx, other build", Contestant::Other),
];

pub(crate) fn text(figures: &Figures) -> String {
    let mut text = String::new();
    let count = figures.len();
    // Writing to a string does not fail.
    let _ = writeln!(
        text,
        "CPU of client and server together, in us per round trip of 100 bytes, one in flight per stream;\n\
         median (min..max) of {count} repetitions\n"
    );
    line(&mut text, "", STREAMS.map(|streams| format!("{streams} stream(s)")));
    for (label, contestant) in ROWS {
        let cells = STREAMS.map(|streams| {
            cell(figures.iter().filter_map(|repetition| cpu(repetition, contestant, streams)).collect(), None)
        });
        line(&mut text, label, cells);
    }
    text.push('\n');
    for Ratio { label, of, to, goals } in RATIOS {
        let cells = [0, 1].map(|column| {
            let streams = STREAMS[column];
            let ratio = |repetition: &Vec<Figure>| {
                Some(cpu(repetition, of, streams)? / cpu(repetition, to, streams)?)
            };
            cell(figures.iter().filter_map(ratio).collect(), goals.map(|goals| goals[column]))
        });
        line(&mut text, label, cells);
    }
    text
}

fn line(text: &mut String, label: &str, [one, many]: [String; 2]) {
    // Writing to a string does not fail.
    let _ = writeln!(text, "{}", format!("{label:<22} {one:<44} {many}").trim_end());
}

fn cpu(repetition: &[Figure], contestant: Contestant, streams: usize) -> Option<f64> {
    let found = repetition.iter().find(|figure| figure.contestant == contestant && figure.streams == streams);
    found.map(|figure| figure.cpu)
}

fn cell(mut values: Vec<f64>, goal: Option<f64>) -> String {
    values.sort_by(f64::total_cmp);
    let (Some(min), Some(max)) = (values.first(), values.last()) else {
        return "not measured".to_owned();
    };
    let median = values[values.len() / 2];
    let verdict = match goal {
        Some(goal) if median <= goal => format!("  at most {goal}: yes"),
        Some(goal) => format!("  at most {goal}: NO"),
        None => String::new(),
    };
    format!("{median:.3} ({min:.3}..{max:.3}){verdict}")
}
