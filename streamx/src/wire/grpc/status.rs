//! `grpc-message`: text in which everything but printable ASCII is written as `%` and two digits.

const DIGITS: &[u8; 16] = b"0123456789ABCDEF";

/// Writes a text as the value of a header.
pub(crate) fn write_message(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'%' | ..b' ' | 0x7f.. => {
                let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
                out.extend(['%', digit(byte >> 4), digit(byte & 15)]);
            }
            plain => out.push(char::from(plain)),
        }
    }
    out
}

/// Reads such a value. What is malformed in it stays as it is.
pub(crate) fn read_message(value: &[u8]) -> String {
    let mut out = Vec::with_capacity(value.len());
    let mut rest = value;
    while let [byte, after @ ..] = rest {
        let decoded = match after {
            [high, low, ..] if *byte == b'%' => digit(*high).zip(digit(*low)),
            _ => None,
        };
        if let Some((high, low)) = decoded {
            out.push(high << 4 | low);
            rest = &after[2..];
        } else {
            out.push(*byte);
            rest = after;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_comes_back() {
        let table = [
            ("", ""),
            ("no balance", "no balance"),
            ("50%", "50%25"),
            ("a\nb\t\u{7f}", "a%0Ab%09%7F"),
            ("täxt", "t%C3%A4xt"),
        ];
        for (text, value) in table {
            assert_eq!(write_message(text), value);
            assert_eq!(read_message(value.as_bytes()), text);
        }
    }

    #[test]
    fn what_is_malformed_stays_as_it_is() {
        let table: [(&[u8], &str); 6] = [
            (b"50%", "50%"),
            (b"%4", "%4"),
            (b"%zz%41", "%zzA"),
            (b"%c3%a4", "ä"),
            (b"%ff", "\u{fffd}"),
            (b"t\xc3\xa4xt", "täxt"),
        ];
        for (value, text) in table {
            assert_eq!(read_message(value), text);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_comes_back_and_any_bytes_are_read(text: String, bytes: Vec<u8>) {
            proptest::prop_assert_eq!(read_message(write_message(&text).as_bytes()), text);
            read_message(&bytes);
        }
    }
}
