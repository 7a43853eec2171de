//! JSON as business errors need it: one object whose values are strings.

use super::ttheader::header::Strings;

/// How many entries the object may have.
const MAX_ENTRIES: usize = 128;

/// Writes an object. `<`, `>` and `&` are escaped, as Kitex does.
pub(crate) fn write_object<'a>(entries: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut out = String::from("{");
    for (key, value) in entries {
        if out.len() > 1 {
            out.push(',');
        }
        write_string(&mut out, key);
        out.push(':');
        write_string(&mut out, value);
    }
    out.push('}');
    out
}

fn write_string(out: &mut String, text: &str) {
    out.push('"');
    for char in text.chars() {
        match char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '<' | '>' | '&' | '\0'..' ' => out.push_str(&format!("\\u{:04x}", u32::from(char))),
            char => out.push(char),
        }
    }
    out.push('"');
}

/// Reads a JSON object whose values are strings; nothing at all is an empty one, and of two entries with one key the
/// later wins.
pub(crate) fn object_of_strings(json: &str) -> Option<Strings> {
    let mut json = Json(json);
    let mut entries = Strings::new();
    if json.at_end() {
        return Some(entries);
    }
    json.expect('{')?;
    if json.expect('}').is_none() {
        loop {
            let key = json.string()?;
            json.expect(':')?;
            let value = json.string()?;
            match entries.iter().position(|entry| entry.0 == key) {
                Some(place) => entries[place].1 = value,
                None if entries.len() == MAX_ENTRIES => return None,
                None => entries.push((key, value)),
            }
            if json.expect(',').is_none() {
                break json.expect('}')?;
            }
        }
    }
    json.at_end().then_some(entries)
}

/// What is left of a JSON text.
struct Json<'a>(&'a str);

impl Json<'_> {
    fn at_end(&mut self) -> bool {
        self.0 = self.0.trim_start_matches([' ', '\t', '\n', '\r']);
        self.0.is_empty()
    }

    fn expect(&mut self, token: char) -> Option<()> {
        self.at_end();
        self.0 = self.0.strip_prefix(token)?;
        Some(())
    }

    fn next(&mut self) -> Option<char> {
        let mut chars = self.0.chars();
        let char = chars.next()?;
        self.0 = chars.as_str();
        Some(char)
    }

    fn string(&mut self) -> Option<Box<str>> {
        self.expect('"')?;
        let mut text = String::new();
        loop {
            match self.next()? {
                '"' => return Some(text.into()),
                '\\' => text.push(self.escape()?),
                control if control < ' ' => return None,
                char => text.push(char),
            }
        }
    }

    fn escape(&mut self) -> Option<char> {
        Some(match self.next()? {
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let first = self.unit()?;
                let second = match first {
                    0xD800..0xDC00 => self.low_surrogate(),
                    _ => None,
                };
                // Half a pair alone is repaired, as Go does.
                let units = [Some(first), second].into_iter().flatten();
                char::decode_utf16(units).next()?.unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            char @ ('"' | '\\' | '/') => char,
            _ => return None,
        })
    }

    fn low_surrogate(&mut self) -> Option<u16> {
        let mut ahead = Json(self.0.strip_prefix("\\u")?);
        let unit = ahead.unit().filter(|unit| (0xDC00..0xE000).contains(unit))?;
        self.0 = ahead.0;
        Some(unit)
    }

    fn unit(&mut self) -> Option<u16> {
        let (digits, rest) = self.0.split_at_checked(4)?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        self.0 = rest;
        u16::from_str_radix(digits, 16).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(json: &str) -> Option<Strings> {
        object_of_strings(json)
    }

    fn pairs(pairs: &[(&str, &str)]) -> Option<Strings> {
        Some(pairs.iter().map(|&(key, value)| (key.into(), value.into())).collect())
    }

    #[test]
    fn objects_of_strings() {
        assert_eq!(object(""), pairs(&[]));
        assert_eq!(object("{}"), pairs(&[]));
        assert_eq!(object(" { \"k\" : \"v\" ,\n\"\":\"\" } "), pairs(&[("k", "v"), ("", "")]));
        assert_eq!(object(r#"{"k":"1","l":"2","k":"3"}"#), pairs(&[("k", "3"), ("l", "2")]));
        assert_eq!(
            object(r#"{"\u003ck\u003e":"\"\\\/\b\f\n\r\t€"}"#),
            pairs(&[("<k>", "\"\\/\u{8}\u{c}\n\r\t€")])
        );
        assert_eq!(object(r#"{"":"\ud83d\ude00 \ud83d \ude00"}"#), pairs(&[("", "😀 \u{fffd} \u{fffd}")]));
    }

    #[test]
    fn anything_else_is_malformed() {
        for json in [
            "{",
            "}",
            "[]",
            "null",
            "{} {}",
            "{\"k\"}",
            "{\"k\":}",
            "{\"k\":1}",
            "{\"k\":null}",
            "{\"k\":\"v\",}",
            "{\"k\":\"v\" \"l\":\"w\"}",
            "{\"k\":\"v",
            "{\"k\":\"\n\"}",
            "{\"k\":\"\\x\"}",
            "{\"k\":\"\\u12\"}",
            "{\"k\":\"\\u+123\"}",
            "{,}",
        ] {
            assert_eq!(object(json), None, "{json}");
        }
    }

    #[test]
    fn too_many_entries_are_malformed() {
        let json = |count: usize| {
            let entries: Vec<_> = (0..count).map(|number| format!("\"{number}\":\"\"")).collect();
            format!("{{{}}}", entries.join(","))
        };
        assert_eq!(object(&json(MAX_ENTRIES)).map(|extra| extra.len()), Some(MAX_ENTRIES));
        assert_eq!(object(&json(MAX_ENTRIES + 1)), None);
    }

    #[test]
    fn what_is_written_reads_the_same() {
        let entries = [("k", "v"), ("", "\"\\/\u{8}\n\r\t\0 <a & b> é 😀")];
        let json = write_object(entries.into_iter());
        assert!(!json.contains(['<', '>', '&', '\n']), "{json}");
        assert_eq!(object(&json), pairs(&entries));
        assert_eq!(write_object([].into_iter()), "{}");
    }
}
