//! How a stream ended, read from a trailer or a reset (spec sections 3.4 and 6).

use super::frame::{CANCEL_PATH_KEY, Details};
use super::header::{Ints, Strings};
use crate::wire::Violation;
use crate::wire::envelope::{Envelope, EnvelopeKind};
use crate::wire::exception::read_exception_body;

/// How one direction, or the whole call, ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Ok,
    /// The peer's exception: text, type, and the number keys that came with it.
    Application {
        text: String,
        kind: i32,
        private: Ints,
    },
    /// A failure that is part of the application's contract.
    Business {
        code: i32,
        message: String,
        extra: Strings,
    },
    /// The peer gave up the call. `path` names the services the cancel passed through, in order.
    Reset {
        text: String,
        code: i32,
        path: Vec<String>,
    },
    /// The end itself was malformed; what it wanted to say is lost.
    Broken {
        kitex_code: i32,
        text: String,
    },
}

impl Outcome {
    /// Reads a trailer. With a payload it is an exception and its business keys mean nothing. `undecodable` is the
    /// code for a payload that is no exception: 12004 at a client, 12001 at a server.
    pub(crate) fn of_trailer(details: &Details, payload: &[u8], undecodable: i32) -> Self {
        if payload.is_empty() {
            return business(details.strings.as_deref().unwrap_or_default()).unwrap_or(Self::Ok);
        }
        match read_exception(payload) {
            Ok((text, kind)) => Self::Application { text, kind, private: details.private.clone() },
            Err(violation) => Self::Broken { kitex_code: undecodable, text: violation.to_string() },
        }
    }

    /// Reads a reset. Without a readable exception it is Kitex's default one.
    pub(crate) fn of_rst(details: &Details, payload: &[u8]) -> Self {
        let (text, code) = read_exception(payload).unwrap_or_else(|_| ("rst".to_owned(), 13));
        let strings = details.strings.as_deref().unwrap_or_default();
        let path = value(strings, CANCEL_PATH_KEY).unwrap_or_default();
        let path = path.splitn(MAX_PATH, ',').filter(|_| !path.is_empty()).map(str::to_owned).collect();
        Self::Reset { text, code, path }
    }
}

/// How many names of a cancel path are told apart; the last one holds the rest.
const MAX_PATH: usize = 64;

/// How many entries the extra of a business error may have.
const MAX_EXTRA: usize = 128;

/// Only the kind of the envelope counts: method and sequence are free (spec section 2).
fn read_exception(payload: &[u8]) -> Result<(String, i32), Violation> {
    let envelope = Envelope::read(payload)?;
    if envelope.kind != EnvelopeKind::Exception {
        let text = format!("thrift message type want Exception, but got {:?}", envelope.kind);
        return Err(Violation::frame(text));
    }
    read_exception_body(&payload[envelope.body..])
}

/// The business error of a trailer. A status that is absent, zero or not a number is none.
fn business(strings: &[(Box<str>, Box<str>)]) -> Option<Outcome> {
    let code = value(strings, "biz-status")?.parse().ok().filter(|&code: &i32| code != 0)?;
    let extra = value(strings, "biz-extra").unwrap_or_default();
    Some(match object_of_strings(extra) {
        Some(extra) => {
            let message = value(strings, "biz-message").unwrap_or_default().to_owned();
            Outcome::Business { code, message, extra }
        }
        None => Outcome::Broken { kitex_code: 12003, text: format!("malformed header info, extra: {extra}") },
    })
}

fn value<'a>(strings: &'a [(Box<str>, Box<str>)], key: &str) -> Option<&'a str> {
    strings.iter().find(|entry| *entry.0 == *key).map(|entry| &*entry.1)
}

/// Reads a JSON object whose values are strings; nothing at all is an empty one, and of two entries with one key the
/// later wins.
fn object_of_strings(json: &str) -> Option<Strings> {
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
                None if entries.len() == MAX_EXTRA => return None,
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
        assert_eq!(object(&json(MAX_EXTRA)).map(|extra| extra.len()), Some(MAX_EXTRA));
        assert_eq!(object(&json(MAX_EXTRA + 1)), None);
    }

    #[test]
    fn a_cancel_path_of_commas_stays_small() {
        let strings = Some(vec![(CANCEL_PATH_KEY.into(), ",".repeat(60_000).into())]);
        let details = Details { strings, ..Details::default() };
        let Outcome::Reset { path, .. } = Outcome::of_rst(&details, b"") else { panic!("not a reset") };
        assert_eq!(path.len(), MAX_PATH);
        assert_eq!(path.last().map(String::len), Some(60_000 - MAX_PATH + 1));
    }
}
