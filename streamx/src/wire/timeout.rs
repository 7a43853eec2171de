//! The time a call may take, as it travels in front of it: decimal milliseconds under a number key.

use std::time::Duration;

/// The key of TTHeader Streaming, and of newer unary Kitex peers.
pub(crate) const CALL: u16 = 28;
/// The key of unary TTHeader (Kitex: `RPCTimeout`).
pub(crate) const RPC: u16 = 12;

/// The value of either key. A part of a millisecond counts as a whole one: 0 would mean that there is no limit.
pub(crate) fn write(timeout: Duration) -> String {
    timeout.as_nanos().div_ceil(1_000_000).max(1).to_string()
}

/// What the first of these keys that is there says; none if it is malformed or 0.
pub(crate) fn read(ints: &[(u16, Box<str>)], keys: &[u16]) -> Option<Duration> {
    let value = keys.iter().find_map(|key| ints.iter().find(|(found, _)| found == key))?;
    value.1.parse().ok().filter(|&millis| millis > 0).map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_comes_back_in_whole_milliseconds() {
        for (timeout, sent) in [(1_500_000, "2"), (1, "1"), (0, "1"), (30_000_000_000, "30000")] {
            assert_eq!(write(Duration::from_nanos(timeout)), sent);
        }
        let ints = [(RPC, "30".into()), (CALL, "20".into())];
        assert_eq!(read(&ints, &[CALL]), Some(Duration::from_millis(20)));
        assert_eq!(read(&ints, &[RPC, CALL]), Some(Duration::from_millis(30)));
        assert_eq!(read(&ints[1..], &[RPC, CALL]), Some(Duration::from_millis(20)));
        assert_eq!(read(&[], &[CALL]), None);
    }

    #[test]
    fn what_is_no_timeout_means_none() {
        for malformed in ["", "0", "-1", "1.5", "1s", "18446744073709551616"] {
            assert_eq!(read(&[(CALL, malformed.into())], &[CALL]), None, "{malformed}");
        }
    }
}
