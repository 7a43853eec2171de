//! Compressed messages: which algorithms there are, what both sides say of them, and the work itself.

#[cfg(any(feature = "gzip", feature = "zstd"))]
use std::io::{self, Read};

use bytes::{Bytes, BytesMut};

use crate::wire::grpc::prefix::{self, PREFIX};
use crate::{Code, Error, Result};

/// How messages of gRPC are compressed, each way behind a feature of its own; for [`ChannelBuilder::compression`](crate::client::ChannelBuilder::compression) and
/// [`ServerBuilder::compression`](crate::server::ServerBuilder::compression).
///
/// What a peer compresses is read in every algorithm whose feature is on, whatever is set; a message that is larger than
/// `max_message_size` of [`Limits`](crate::Limits) when it is read is an error, and no memory is made for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Compression {
    /// gzip, which every make of gRPC knows (feature `gzip`).
    #[cfg(feature = "gzip")]
    Gzip,
    /// Zstandard: faster and smaller, where both sides know it (feature `zstd`).
    #[cfg(feature = "zstd")]
    Zstd,
}

/// What is taken, as `grpc-accept-encoding` says it.
pub(super) const ACCEPTED: &str = match (cfg!(feature = "gzip"), cfg!(feature = "zstd")) {
    (true, true) => "gzip,zstd,identity",
    (true, false) => "gzip,identity",
    (false, true) => "zstd,identity",
    (false, false) => "identity",
};

/// Shorter messages are not compressed: it costs more than it saves.
const SHORTEST: usize = 512;

impl Compression {
    const ALL: &[Self] = &[
        #[cfg(feature = "gzip")]
        Self::Gzip,
        #[cfg(feature = "zstd")]
        Self::Zstd,
    ];

    /// Its name in the headers.
    pub(super) fn name(self) -> &'static str {
        match self {
            #[cfg(feature = "gzip")]
            Self::Gzip => "gzip",
            #[cfg(feature = "zstd")]
            Self::Zstd => "zstd",
        }
    }

    /// What the header of a peer says: `Ok(None)` for messages that are not compressed, an error for what is not known
    /// here.
    pub(super) fn read(name: &[u8]) -> Result<Option<Self>, Unknown> {
        if name == b"identity" {
            return Ok(None);
        }
        let known = Self::ALL.iter().find(|compression| compression.name().as_bytes() == name);
        known.map(|compression| Some(*compression)).ok_or(Unknown)
    }

    /// Whether it is in this list of a peer.
    pub(super) fn is_in(self, accepted: &[u8]) -> bool {
        accepted.split(|&byte| byte == b',').any(|name| name.trim_ascii() == self.name().as_bytes())
    }

    /// Compresses the one message in this buffer, unless that makes it no shorter.
    pub(super) fn pack(self, message: &mut BytesMut) -> Result<()> {
        if message.len() < PREFIX + SHORTEST {
            return Ok(());
        }
        let packed = self.compress(&message[PREFIX..]);
        let packed =
            packed.map_err(|error| Error::other(format!("a message cannot be compressed: {error}")))?;
        if packed.len() + PREFIX < message.len() {
            message.clear();
            prefix::put_compressed(message, &packed);
        }
        Ok(())
    }

    /// Reads a message that was compressed. At most `limit` bytes come out.
    pub(super) fn unpack(self, message: &[u8], limit: usize) -> Result<Bytes> {
        let mut out = Vec::new();
        // One byte more shows that there are too many. The buffer grows with what is there.
        let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
        let read = self.decompress(message, most, &mut out);
        if out.len() > limit {
            return Err(Error::limit(format!(
                "a compressed message was received that is larger than {limit} bytes (limit max_message_size)"
            )));
        }
        match read {
            Ok(()) => Ok(out.into()),
            Err(error) => {
                let name = self.name();
                Err(Error::protocol(format!("a message was received that is no {name}: {error}")))
            }
        }
    }
}

/// An algorithm that is not known here.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unknown;

/// A message was marked as compressed, and its sender has named no algorithm.
pub(super) fn unnamed() -> Error {
    let text = "a compressed message was received from a peer that has not said how it compresses";
    Error::new(Code::Internal, text)
}

#[cfg(any(feature = "gzip", feature = "zstd"))]
impl Compression {
    fn compress(self, message: &[u8]) -> io::Result<Vec<u8>> {
        match self {
            #[cfg(feature = "gzip")]
            Self::Gzip => gzip::compress(message),
            #[cfg(feature = "zstd")]
            Self::Zstd => zstandard::compress(message),
        }
    }

    fn decompress(self, message: &[u8], most: u64, out: &mut Vec<u8>) -> io::Result<()> {
        match self {
            #[cfg(feature = "gzip")]
            Self::Gzip => flate2::bufread::MultiGzDecoder::new(message).take(most).read_to_end(out),
            #[cfg(feature = "zstd")]
            Self::Zstd => zstandard::reader(message)?.take(most).read_to_end(out),
        }
        .map(drop)
    }
}

#[cfg(not(any(feature = "gzip", feature = "zstd")))]
impl Compression {
    fn compress(self, _: &[u8]) -> std::io::Result<Vec<u8>> {
        match self {}
    }

    fn decompress(self, _: &[u8], _: u64, _: &mut Vec<u8>) -> std::io::Result<()> {
        match self {}
    }
}

#[cfg(feature = "gzip")]
mod gzip {
    use std::io;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    /// The level that most of the gain is at, for a fraction of the work of the usual one.
    const LEVEL: Compression = Compression::fast();

    pub(super) fn compress(message: &[u8]) -> io::Result<Vec<u8>> {
        let mut encoder = GzEncoder::new(Vec::with_capacity(message.len() / 2), LEVEL);
        io::Write::write_all(&mut encoder, message)?;
        encoder.finish()
    }
}

#[cfg(feature = "zstd")]
mod zstandard {
    use std::cell::RefCell;
    use std::io;

    use zstd::bulk::Compressor;
    use zstd::stream::read::Decoder;

    const LEVEL: i32 = 1;
    /// The largest window of a peer, as a power of two: 8 MiB, which is what everybody has to take (RFC 8878, 3.1.1.1.2).
    const LARGEST_WINDOW: u32 = 23;

    thread_local! {
        /// Its tables are most of the work for a short message.
        static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    }

    pub(super) fn compress(message: &[u8]) -> io::Result<Vec<u8>> {
        COMPRESSOR.with_borrow_mut(|compressor| {
            let compressor = match compressor {
                Some(compressor) => compressor,
                none => none.insert(Compressor::new(LEVEL)?),
            };
            compressor.compress(message)
        })
    }

    pub(super) fn reader(message: &[u8]) -> io::Result<Decoder<'static, &[u8]>> {
        let mut decoder = Decoder::with_buffer(message)?;
        decoder.window_log_max(LARGEST_WINDOW)?;
        Ok(decoder)
    }
}

#[cfg(all(test, any(feature = "gzip", feature = "zstd")))]
mod tests {
    use super::*;

    fn packed(compression: Compression, bytes: &[u8]) -> BytesMut {
        let mut message = BytesMut::new();
        let mark = prefix::begin(&mut message);
        message.extend_from_slice(bytes);
        prefix::end(&mut message, mark).unwrap();
        compression.pack(&mut message).unwrap();
        message
    }

    #[test]
    fn what_is_compressed_comes_back_and_is_shorter() {
        for &compression in Compression::ALL {
            let text = b"to and fro ".repeat(1000);
            let message = packed(compression, &text);
            assert!(message.len() < text.len() / 10, "{compression:?}: {}", message.len());
            let (is_compressed, body) = prefix::open(message.freeze());
            assert!(is_compressed);
            assert_eq!(compression.unpack(&body, text.len()).unwrap(), text);
        }
    }

    #[test]
    fn what_gains_nothing_is_left_as_it_is() {
        let mut random = 1_u32;
        let mut noise = || {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (random >> 24) as u8
        };
        let noise: Vec<u8> = std::iter::repeat_with(&mut noise).take(4096).collect();
        for &compression in Compression::ALL {
            for bytes in [&noise[..], &[0; SHORTEST - 1]] {
                let (is_compressed, body) = prefix::open(packed(compression, bytes).freeze());
                assert!(!is_compressed, "{compression:?}");
                assert_eq!(body, bytes);
            }
        }
    }

    #[test]
    fn a_bomb_ends_at_the_limit() {
        let zeros = vec![0; 8 << 20];
        for &compression in Compression::ALL {
            let (_, bomb) = prefix::open(packed(compression, &zeros).freeze());
            assert!(bomb.len() < 100_000, "{}", bomb.len());
            let error = compression.unpack(&bomb, 64 << 10).unwrap_err();
            assert!(
                error.to_string().contains("larger than 65536 bytes (limit max_message_size)"),
                "{error}"
            );
            assert_eq!(compression.unpack(&bomb, zeros.len()).unwrap().len(), zeros.len());
        }
    }

    #[test]
    fn every_prefix_and_every_changed_byte_is_an_error_or_a_message() {
        for &compression in Compression::ALL {
            let text = b"to and fro ".repeat(100);
            let (_, whole) = prefix::open(packed(compression, &text).freeze());
            for end in 0..whole.len() {
                assert!(
                    compression.unpack(&whole[..end], 1 << 20).is_err() || end == 0,
                    "{compression:?} {end}"
                );
            }
            for at in 0..whole.len() {
                for flip in [1, 0x80, 0xff] {
                    let mut changed = whole.to_vec();
                    changed[at] ^= flip;
                    let _either = compression.unpack(&changed, 1 << 20);
                }
            }
        }
    }

    #[test]
    fn names_are_those_of_the_headers() {
        assert_eq!(Compression::read(b"identity"), Ok(None));
        assert_eq!(Compression::read(b"snappy"), Err(Unknown));
        for &compression in Compression::ALL {
            assert_eq!(Compression::read(compression.name().as_bytes()), Ok(Some(compression)));
            assert!(compression.is_in(ACCEPTED.as_bytes()));
            assert!(compression.is_in(format!("identity, {}", compression.name()).as_bytes()));
            assert!(!compression.is_in(b"identity,snappy"));
        }
    }
}
