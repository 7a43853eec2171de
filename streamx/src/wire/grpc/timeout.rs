//! `grpc-timeout`: the time a call may take, as at most eight digits and a unit.

use std::time::Duration;

/// The units and their nanoseconds, the smallest first.
const UNITS: [(char, u128); 6] = [
    ('n', 1),
    ('u', 1_000),
    ('m', 1_000_000),
    ('S', 1_000_000_000),
    ('M', 60_000_000_000),
    ('H', 3_600_000_000_000),
];
const MOST: u128 = 99_999_999;

/// Rounded up, in the smallest unit that has room for it, as Kitex does (spec 2.9).
pub(crate) fn write(timeout: Duration) -> String {
    let nanos = timeout.as_nanos();
    let fits = UNITS.iter().find(|(_, unit)| nanos.div_ceil(*unit) <= MOST);
    let (unit, count) = fits.map_or(('H', MOST), |(name, unit)| (*name, nanos.div_ceil(*unit)));
    format!("{count}{unit}")
}

/// None if it is malformed.
pub(crate) fn read(text: &str) -> Option<Duration> {
    let unit = text.chars().next_back()?;
    let digits = text.strip_suffix(unit)?;
    let nanos = UNITS.iter().find(|(name, _)| *name == unit)?.1;
    if !(1..=8).contains(&digits.len()) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let nanos = digits.parse::<u128>().ok()? * nanos;
    let seconds = u64::try_from(nanos / 1_000_000_000).ok()?;
    Some(Duration::new(seconds, u32::try_from(nanos % 1_000_000_000).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_has_the_smallest_unit_that_fits() {
        let table = [
            (Duration::ZERO, "0n"),
            (Duration::from_millis(50), "50000000n"),
            (Duration::from_secs(1), "1000000u"),
            (Duration::from_secs(300), "300000m"),
            (Duration::from_nanos(100_000_001), "100001u"),
            (Duration::from_secs(99_999_999), "99999999S"),
            (Duration::from_secs(100_000_000), "1666667M"),
            (Duration::MAX, "99999999H"),
        ];
        for (timeout, text) in table {
            assert_eq!(write(timeout), text);
            let back = read(text).unwrap();
            assert!(back >= timeout || timeout == Duration::MAX, "{text}: {back:?}");
        }
    }

    #[test]
    fn what_is_no_timeout_means_none() {
        for text in ["", "1", "n", "123456789n", "-1n", "+1n", "1.5S", "1 S", "1s", "1é", "é"] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(read("00000001S"), Some(Duration::from_secs(1)));
    }
}
