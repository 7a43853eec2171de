//! The number keys that streamx peers use among themselves. A Kitex peer ignores them (spec 11).

/// Flow control: what [`Flow`](super::ttheader::flow::Flow) says.
pub(crate) const FLOW: u16 = 0x8001;
/// The [`Code`](crate::Code) of an error, in decimal.
pub(crate) const CODE: u16 = 0x8002;
/// A declared exception at the end of a stream: field number and Thrift binary, in hexadecimal digits, because others
/// on the way take the values of a header for text.
pub(crate) const DECLARED: u16 = 0x8003;
/// The call has not reached a handler, so it may be made again.
pub(crate) const REFUSED: u16 = 0x8004;
/// A unary call is given up: its sequence, in decimal.
pub(crate) const CANCEL: u16 = 0x8005;
/// The namespace of the service that is called, for servers that have several services of its name; left out if there is none.
pub(crate) const NAMESPACE: u16 = 0x8006;

/// A declared exception above this is left out: a frame's header area cannot hold it.
const MAX_DECLARED: usize = 30 << 10;

/// The value of [`DECLARED`], unless it is too large.
pub(crate) fn write_declared(bytes: &[u8]) -> Option<String> {
    (bytes.len() <= MAX_DECLARED).then(|| bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Reads the value of [`DECLARED`]; `None` if it is malformed.
pub(crate) fn read_declared(digits: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    let bytes = pairs.iter().map(|&[high, low]| Some(digit(high)? << 4 | digit(low)?));
    bytes.collect::<Option<_>>().filter(|_| rest.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_declared_exception_comes_back() {
        let bytes = [0, 1, 0xab, 0xff];
        let digits = write_declared(&bytes).unwrap();
        assert_eq!(digits, "0001abff");
        assert_eq!(read_declared(&digits).unwrap(), bytes);
        assert_eq!(write_declared(&vec![0; MAX_DECLARED + 1]), None);
        for malformed in ["0", "0g", "+1", "é"] {
            assert_eq!(read_declared(malformed), None, "{malformed}");
        }
    }
}
