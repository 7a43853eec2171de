//! The TTHeader envelope, shared by TTHeader Streaming and unary TTHeader (spec "Frame layout").
//!
//! ```text
//! LENGTH u32 │ 0x1000 │ FLAGS u16 │ SEQUENCE i32 │ WORDS u16 │ header area: 4 × WORDS bytes │ payload
//!                                                            │ protocol, transforms, sections, padding
//! ```
//!
//! LENGTH counts everything behind itself.

use bytes::{BufMut, BytesMut};

use crate::wire::{Cut, Violation};

/// The flag that tells TTHeader Streaming from unary TTHeader.
pub(crate) const STREAMING: u16 = 0x0002;

/// The string key under which Kitex keeps the token of an ACL section.
pub(crate) const ACL_KEY: &str = "RPC_TRANSIT_gdpr-token";

/// Keys and values in the order of the keys, each key once. Boxed, as a header of the smallest possible entries must
/// not cost more than eight times its bytes.
pub(crate) type Strings = Vec<(Box<str>, Box<str>)>;

/// Keys that are numbers, likewise.
pub(crate) type Ints = Vec<(u16, Box<str>)>;

/// Everything in front of the payload. Of two entries with one key the later has won; text that is not UTF-8, which
/// Kitex lets pass, has been repaired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) flags: u16,
    pub(crate) sequence: i32,
    pub(crate) protocol: u8,
    pub(crate) ints: Ints,
    /// `None`: no section. `Some` and empty: a section without entries.
    pub(crate) strings: Option<Strings>,
    pub(crate) acl: Option<Box<str>>,
}

impl Header {
    /// Reads the header area of a whole frame.
    pub(crate) fn read(prefix: &Prefix, area: &[u8]) -> Result<Self, Violation> {
        let area = Area::read(area)?;
        Ok(Self {
            flags: prefix.flags,
            sequence: prefix.sequence,
            protocol: area.protocol,
            ints: area.ints(|_| true)?,
            strings: area.strings()?,
            acl: area.acl()?,
        })
    }

    pub(crate) fn int(&self, key: u16) -> Option<&str> {
        self.ints.iter().find(|entry| entry.0 == key).map(|entry| &*entry.1)
    }

    pub(crate) fn string(&self, key: &str) -> Option<&str> {
        self.strings.iter().flatten().find(|entry| *entry.0 == *key).map(|entry| &*entry.1)
    }
}

/// The fixed bytes in front of the header area, and the sizes they announce.
#[derive(Debug)]
pub(crate) struct Prefix {
    pub(crate) flags: u16,
    pub(crate) sequence: i32,
    /// Where the payload begins: the size of these bytes and the header area.
    pub(crate) header: usize,
    /// As announced: not yet believed.
    pub(crate) payload: usize,
}

impl Prefix {
    pub(crate) const SIZE: usize = 14;

    /// Reads the fixed bytes. Kitex reads on after a LENGTH that ends inside the header area; here it is a violation.
    #[inline(always)]
    pub(crate) fn read(input: &[u8], max_header: usize) -> Result<Cut<Self>, Violation> {
        let Some(&[l0, l1, l2, l3, m0, m1, f0, f1, s0, s1, s2, s3, w0, w1]) = input.first_chunk() else {
            return Ok(Cut::Need(Self::SIZE));
        };
        if [m0, m1] != MAGIC {
            return Err(Violation::frame(format!("not a TTHeader frame: {m0:02x}{m1:02x} in place of 1000")));
        }
        let area = usize::from(u16::from_be_bytes([w0, w1])) * 4;
        if area == 0 {
            return Err(Violation::frame("a TTHeader frame without a header area"));
        }
        if area > max_header {
            return Err(Violation::frame(format!(
                "a header area of {area} bytes is above max_header_size of {max_header} bytes"
            )));
        }
        let header = Self::SIZE + area;
        let length = u32::from_be_bytes([l0, l1, l2, l3]);
        let frame = usize::try_from(length).unwrap_or(usize::MAX).saturating_add(4);
        let Some(payload) = frame.checked_sub(header) else {
            return Err(Violation::frame(format!(
                "a frame whose LENGTH {length} ends inside its header area"
            )));
        };
        let flags = u16::from_be_bytes([f0, f1]);
        Ok(Cut::Whole(Self { flags, sequence: i32::from_be_bytes([s0, s1, s2, s3]), header, payload }))
    }
}

/// The sections of one header area.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Area<'a> {
    pub(crate) protocol: u8,
    sections: &'a [u8],
}

impl<'a> Area<'a> {
    pub(crate) fn read(area: &'a [u8]) -> Result<Self, Violation> {
        let Some((&[protocol, transforms], rest)) = area.split_first_chunk() else {
            return Err(truncated());
        };
        // The ids that Kitex's library knows; compact Thrift (0x02) is not one of them.
        if !matches!(protocol, 0x00 | 0x03 | 0x04 | 0x10 | 0x11) {
            return Err(Violation::frame(format!(
                "a TTHeader frame with the unknown protocol id {protocol:#04x}"
            )));
        }
        let sections = rest.get(usize::from(transforms)..).ok_or_else(truncated)?;
        Ok(Self { protocol, sections })
    }

    pub(crate) fn entries(&self) -> Entries<'a> {
        Entries { bytes: self.sections, at: 0, start: 0, section: PADDING, left: 0 }
    }

    /// The string keys; `None` if there is no section of them.
    pub(crate) fn strings(&self) -> Result<Option<Strings>, Violation> {
        let mut present = false;
        let starts = self.starts(|entry| {
            present |= matches!(entry, Entry::Strings | Entry::String);
            matches!(entry, Entry::String)
        })?;
        let key = |start| self.text(start).0;
        let starts = later_wins(starts, key);
        let strings = starts.iter().map(|&start| {
            let (key, after) = self.text(start);
            (owned(key), owned(self.text(after).0))
        });
        Ok(present.then(|| strings.collect()))
    }

    /// The number keys that `keep` wants.
    pub(crate) fn ints(&self, keep: impl Fn(u16) -> bool) -> Result<Ints, Violation> {
        let starts = self.starts(|entry| matches!(entry, Entry::Int(key, _) if keep(*key)))?;
        let key = |start: usize| self.sections.get(start..start + 2).unwrap_or_default();
        let starts = later_wins(starts, key);
        let number = |start| key(start).iter().fold(0, |number: u16, &byte| number << 8 | u16::from(byte));
        Ok(starts.iter().map(|&start| (number(start), owned(self.text(start + 2).0))).collect())
    }

    pub(crate) fn acl(&self) -> Result<Option<Box<str>>, Violation> {
        let mut token = None;
        for entry in self.entries() {
            if let Entry::Acl(text) = entry? {
                token = Some(text);
            }
        }
        Ok(token.map(owned))
    }

    /// Where the wanted entries begin. Positions, so that what a hostile header makes us hold is in proportion.
    fn starts(&self, mut want: impl FnMut(&Entry<'a>) -> bool) -> Result<Vec<usize>, Violation> {
        let mut count = 0;
        for entry in self.entries() {
            count += usize::from(want(&entry?));
        }
        let mut starts = Vec::with_capacity(count);
        let mut entries = self.entries();
        while let Some(entry) = entries.next() {
            if want(&entry?) {
                starts.push(entries.start);
            }
        }
        Ok(starts)
    }

    /// The text at a position that was walked before, and the position behind it.
    fn text(&self, start: usize) -> (&'a [u8], usize) {
        let mut at = start;
        (text(self.sections, &mut at).unwrap_or_default(), at)
    }
}

/// One thing in a header area.
#[derive(Debug)]
pub(crate) enum Entry<'a> {
    Int(u16, &'a [u8]),
    /// A section of strings begins; it may be empty.
    Strings,
    /// One string key and its value.
    String,
    Acl(&'a [u8]),
}

/// The entries of a header area in the order of the wire. Ends after the first error.
#[derive(Debug)]
pub(crate) struct Entries<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Where the last entry began.
    start: usize,
    section: u8,
    /// How many entries of the section are still to come.
    left: u16,
}

impl<'a> Entries<'a> {
    fn entry(&mut self) -> Option<Entry<'a>> {
        self.start = self.at;
        if self.section == INTS {
            let key = number(self.bytes, &mut self.at)?;
            Some(Entry::Int(key, text(self.bytes, &mut self.at)?))
        } else {
            text(self.bytes, &mut self.at)?;
            text(self.bytes, &mut self.at)?;
            Some(Entry::String)
        }
    }

    fn fail(&mut self, violation: Violation) -> Option<Result<Entry<'a>, Violation>> {
        (self.left, self.at) = (0, self.bytes.len());
        Some(Err(violation))
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Result<Entry<'a>, Violation>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if self.left > 0 {
                self.left -= 1;
                let entry = self.entry();
                return entry.map_or_else(|| self.fail(truncated()), |entry| Some(Ok(entry)));
            }
            let &section = self.bytes.get(self.at)?;
            self.at += 1;
            match section {
                PADDING => {}
                INTS | STRINGS => {
                    let Some(count) = number(self.bytes, &mut self.at) else { return self.fail(truncated()) };
                    (self.section, self.left) = (section, count);
                    if section == STRINGS {
                        return Some(Ok(Entry::Strings));
                    }
                }
                ACL => {
                    let token = text(self.bytes, &mut self.at);
                    return token.map_or_else(|| self.fail(truncated()), |token| Some(Ok(Entry::Acl(token))));
                }
                other => {
                    let text = format!("a TTHeader frame with the unknown section {other:#04x}");
                    return self.fail(Violation::frame(text));
                }
            }
        }
    }
}

/// Appends everything in front of the payload, and returns the mark that [`end`] wants when the payload is there.
///
/// Sections and keys go out in the order given, strings before numbers as Kitex has it. No section is empty but that of
/// the strings, which is there unless it is `None`. The header area is kept under 64 KiB, which every peer reads: an
/// entry that does not fit is left out, strings before numbers.
pub(crate) fn begin<'a>(
    out: &mut BytesMut,
    (flags, sequence, protocol): (u16, i32, u8),
    strings: Option<impl Iterator<Item = (&'a str, &'a str)>>,
    ints: impl Iterator<Item = (u16, &'a str)> + Clone,
) -> usize {
    let mark = out.len();
    out.put_u32(0);
    out.put_slice(&MAGIC);
    out.put_u16(flags);
    out.put_i32(sequence);
    out.put_u16(0);
    out.put_slice(&[protocol, 0]);

    // Two bytes are out, a section costs three and the padding at most three.
    let mut room = MAX_AREA - 2 - 3 - 3 - 3;
    let mut fits = |size: usize| {
        let left = room.checked_sub(size);
        room = left.unwrap_or(room);
        left.is_some()
    };
    let fitting = ints.clone().take_while(|(_, value)| fits(4 + value.len())).count();
    if let Some(strings) = strings {
        let strings = strings.filter(|(key, value)| fits(4 + key.len() + value.len()));
        put_section(out, STRINGS, strings, |out, (key, value)| {
            put_text(out, key);
            put_text(out, value);
        });
    }
    if fitting > 0 {
        put_section(out, INTS, ints.take(fitting), |out, (key, value)| {
            out.put_u16(key);
            put_text(out, value);
        });
    }

    let area = out.len() - mark - Prefix::SIZE;
    out.put_bytes(PADDING, area.next_multiple_of(4) - area);
    let words = u16::try_from(area.div_ceil(4)).unwrap_or(u16::MAX);
    patch(out, mark + 12, &words.to_be_bytes());
    mark
}

/// Only a section with something in it.
pub(crate) fn filled<T>(entries: &[T]) -> Option<&[T]> {
    (!entries.is_empty()).then_some(entries)
}

/// Writes the LENGTH of the frame that began at `mark`, now that its payload is there. The caller keeps a message
/// within `max_message_size` and that within 4 GiB.
pub(crate) fn end(out: &mut BytesMut, mark: usize) {
    end_before(out, mark, 0);
}

/// As [`end`], for a frame whose last `more` bytes are written elsewhere.
pub(crate) fn end_before(out: &mut BytesMut, mark: usize, more: usize) {
    let length = u32::try_from(out.len() - mark - 4 + more).unwrap_or(u32::MAX);
    patch(out, mark, &length.to_be_bytes());
}

const MAGIC: [u8; 2] = [0x10, 0x00];

/// The largest header area that is written: what Kitex before v0.15.4 reads, in whole words.
const MAX_AREA: usize = 65_532;

const PADDING: u8 = 0x00;
const STRINGS: u8 = 0x01;
const INTS: u8 = 0x10;
const ACL: u8 = 0x11;

fn truncated() -> Violation {
    Violation::frame("a TTHeader frame whose header area ends inside an entry")
}

fn number(bytes: &[u8], at: &mut usize) -> Option<u16> {
    let number = bytes.get(*at..)?.first_chunk()?;
    *at += 2;
    Some(u16::from_be_bytes(*number))
}

fn text<'a>(bytes: &'a [u8], at: &mut usize) -> Option<&'a [u8]> {
    let length = usize::from(number(bytes, at)?);
    let text = bytes.get(*at..*at + length)?;
    *at += length;
    Some(text)
}

fn owned(text: &[u8]) -> Box<str> {
    String::from_utf8_lossy(text).into()
}

fn put_section<E>(
    out: &mut BytesMut,
    section: u8,
    entries: impl Iterator<Item = E>,
    put: impl Fn(&mut BytesMut, E),
) {
    let start = out.len();
    out.put_slice(&[section, 0, 0]);
    let mut count: u16 = 0;
    for entry in entries {
        put(out, entry);
        count += 1;
    }
    patch(out, start + 1, &count.to_be_bytes());
}

/// The room of a header area has been checked, so the length fits.
fn put_text(out: &mut BytesMut, text: &str) {
    out.put_u16(u16::try_from(text.len()).unwrap_or(0));
    out.put_slice(text.as_bytes());
}

fn patch(out: &mut BytesMut, at: usize, bytes: &[u8]) {
    if let Some(place) = out.get_mut(at..at + bytes.len()) {
        place.copy_from_slice(bytes);
    }
}

/// Sorts entries by their keys and keeps the last of each key.
fn later_wins<'a>(mut starts: Vec<usize>, key: impl Fn(usize) -> &'a [u8]) -> Vec<usize> {
    starts.sort_unstable_by(|&a, &b| key(a).cmp(key(b)).then(b.cmp(&a)));
    starts.dedup_by(|&mut a, &mut b| key(a) == key(b));
    starts
}
