//! Whatever is done to streams, in whatever order, certain things are always so.

use std::num::NonZero;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use streamx_tests::histories::{History, Mode, Op, Setting, Who, play, shrink};

/// How many histories are played, each from its number as the seed.
const COUNT: u64 = 100_000;

/// Plays one history only: `STREAMX_HISTORY=4711 cargo test -p streamx-tests --test histories -- --nocapture`.
const ONE: &str = "STREAMX_HISTORY";

#[test]
fn a_hundred_thousand_random_histories_keep_the_invariants() {
    if let Ok(seed) = std::env::var(ONE) {
        let history = History::by_chance(seed.parse().expect("the number of a history"));
        println!("{}", shown(&history));
        return check(history);
    }
    let next = AtomicU64::new(0);
    let play_some = || {
        while let seed @ 0..COUNT = next.fetch_add(1, Relaxed) {
            let history = History::by_chance(seed);
            if play(&history).is_err() {
                // One that goes wrong is enough for all threads.
                next.store(COUNT, Relaxed);
                check(history);
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, NonZero::get) {
            scope.spawn(play_some);
        }
    });
}

#[test]
fn histories_that_went_wrong_once_go_well() {
    // A send that waited for room did not learn that its call was over.
    let stream = 2;
    check(History {
        seed: 571,
        setting: Setting {
            tight: false,
            in_connection: false,
            pieces: usize::MAX,
            delay: Duration::from_millis(18),
            room: 762,
        },
        ops: vec![
            Op::Open { stream, mode: Mode::Both, timeout: Some(56), recv_timeout: None, keep_open: true },
            Op::Send { stream, who: Who::Client, size: 65710 },
            Op::Send { stream, who: Who::Client, size: 428 },
            Op::Cancel { stream },
            Op::Pass { millis: 195 },
        ],
    });
}

/// Panics with the shortest form of a history that goes wrong.
fn check(history: History) {
    if let Err(why) = play(&history) {
        let seed = history.seed;
        let (short, now) = shrink(history, why.clone());
        let short = shown(&short);
        panic!("history {seed} (replay it with {ONE}={seed}): {why}\nits shortest form: {now}\n{short}");
    }
}

/// Nearly as it can be put into a test.
fn shown(history: &History) -> String {
    let History { seed, setting, ops } = history;
    let ops: String = ops.iter().map(|op| format!("        Op::{op:?},\n")).collect();
    format!("History {{\n    seed: {seed},\n    setting: {setting:?},\n    ops: vec![\n{ops}    ],\n}}")
}
