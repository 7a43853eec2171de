//! Durations as Go prints them, for texts that are Kitex's, and the one about the time of a call.

use std::fmt::Write;
use std::time::Duration;

use super::Mode;
use crate::{Code, Error};

/// The time of a call is over, with the code of Kitex v0.16.3, which has a text for streams alone (spec 6).
pub(crate) fn timed_out(timeout: Duration, mode: Mode) -> Error {
    let timeout = go(timeout);
    let text = if mode.is_streaming() {
        format!("stream timeout, timeout in ctx: {timeout}")
    } else {
        format!("the time for the call is over: it had {timeout}")
    };
    Error::new(Code::DeadlineExceeded, text).with_kitex_code(12015)
}

/// `1m30s`, `1.5s`, `199.242668ms`.
pub(crate) fn go(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    match nanos {
        0 => "0s".to_owned(),
        1..1_000 => format!("{nanos}ns"),
        1_000..1_000_000 => decimal(nanos, 1_000) + "µs",
        1_000_000..1_000_000_000 => decimal(nanos, 1_000_000) + "ms",
        _ => {
            let (hours, minutes) = (duration.as_secs() / 3600, duration.as_secs() / 60 % 60);
            let mut text = String::new();
            // Writing to a string does not fail.
            if hours > 0 {
                _ = write!(text, "{hours}h");
            }
            if duration.as_secs() >= 60 {
                _ = write!(text, "{minutes}m");
            }
            text + &decimal(nanos % 60_000_000_000, 1_000_000_000) + "s"
        }
    }
}

/// In so large units, with as many digits behind the point as it takes.
fn decimal(nanos: u128, unit: u128) -> String {
    let (whole, part) = (nanos / unit, nanos % unit);
    let width = unit.ilog10() as usize;
    let text = format!("{whole}.{part:0width$}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_in_go() {
        for (nanos, text) in [
            (0, "0s"),
            (1, "1ns"),
            (1_500, "1.5µs"),
            (150_000_000, "150ms"),
            (196_953_877, "196.953877ms"),
            (1_000_000_000, "1s"),
            (10_000_000_000, "10s"),
            (60_000_000_000, "1m0s"),
            (90_500_000_000, "1m30.5s"),
            (3_600_000_000_000, "1h0m0s"),
        ] {
            assert_eq!(go(Duration::from_nanos(nanos)), text);
        }
    }
}
