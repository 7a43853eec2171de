//! A peer made of bytes: it writes what a test tells it, and nothing else.

use std::io::ErrorKind;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::rig::soon;

/// The kinds of the frames of TTHeader Streaming, as their header says them.
pub const HEADER: &str = "2";
pub const DATA: &str = "3";
pub const TRAILER: &str = "4";
pub const RESET: &str = "5";

/// The bytes of one frame of TTHeader Streaming.
pub fn frame(id: i32, kind: &str, method: &str, payload: &[u8]) -> Vec<u8> {
    ttheader(0x0002, id, &[(9, method), (27, kind)], &[("isn", "Probe")], payload)
}

/// The bytes of one message with a TTHeader.
pub fn ttheader(
    flags: u16,
    sequence: i32,
    ints: &[(u16, &str)],
    strings: &[(&str, &str)],
    payload: &[u8],
) -> Vec<u8> {
    let mut area = vec![0, 0, 0x10];
    put_u16(&mut area, ints.len());
    for (key, value) in ints {
        area.extend_from_slice(&key.to_be_bytes());
        put_text(&mut area, value);
    }
    area.push(0x01);
    put_u16(&mut area, strings.len());
    for (key, value) in strings {
        put_text(&mut area, key);
        put_text(&mut area, value);
    }
    area.resize(area.len().next_multiple_of(4), 0);
    let mut out = Vec::new();
    put_u32(&mut out, 10 + area.len() + payload.len());
    out.extend_from_slice(&[0x10, 0x00]);
    out.extend_from_slice(&flags.to_be_bytes());
    out.extend_from_slice(&sequence.to_be_bytes());
    put_u16(&mut out, area.len() / 4);
    out.extend_from_slice(&area);
    out.extend_from_slice(payload);
    out
}

/// The bytes of a Framed Thrift message; `kind` is 1 for a call, 2 for a reply, 3 for an exception, 4 for one-way.
pub fn framed(kind: u8, method: &str, sequence: i32, body: &[u8]) -> Vec<u8> {
    let message = buffered(kind, method, sequence, body);
    let mut out = Vec::new();
    put_u32(&mut out, message.len());
    out.extend_from_slice(&message);
    out
}

/// The bytes of a Buffered one.
pub fn buffered(kind: u8, method: &str, sequence: i32, body: &[u8]) -> Vec<u8> {
    let mut out = vec![0x80, 0x01, 0x00, kind];
    put_u32(&mut out, method.len());
    out.extend_from_slice(method.as_bytes());
    out.extend_from_slice(&sequence.to_be_bytes());
    out.extend_from_slice(body);
    out
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put_u16(out, text.len());
    out.extend_from_slice(text.as_bytes());
}

fn put_u16(out: &mut Vec<u8>, number: usize) {
    out.extend_from_slice(&u16::try_from(number).expect("a small number").to_be_bytes());
}

fn put_u32(out: &mut Vec<u8>, number: usize) {
    out.extend_from_slice(&u32::try_from(number).expect("a small number").to_be_bytes());
}

/// One end of a TCP connection.
#[derive(Debug)]
pub struct Raw(pub(crate) TcpStream);

impl Raw {
    pub async fn connect(address: &str) -> Self {
        Self(TcpStream::connect(address).await.expect("the server listens"))
    }

    /// The other end of a connection that was accepted.
    pub fn accepted(stream: TcpStream) -> Self {
        Self(stream)
    }

    pub async fn write(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.expect("the connection is open");
    }

    /// What arrives next; nothing when the peer has closed the connection.
    pub async fn read(&mut self) -> Vec<u8> {
        let mut bytes = vec![0; 64 << 10];
        let read = match soon(self.0.read(&mut bytes)).await {
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::ConnectionReset => 0,
            Err(error) => panic!("{error}"),
        };
        bytes.truncate(read);
        bytes
    }

    /// What has arrived; nothing when that is nothing.
    pub fn read_some(&mut self) -> Vec<u8> {
        let mut bytes = vec![0; 64 << 10];
        let read = self.0.try_read(&mut bytes).unwrap_or(0);
        bytes.truncate(read);
        bytes
    }

    /// One whole Framed message, without its length.
    pub async fn read_framed(&mut self) -> Vec<u8> {
        let size = soon(self.0.read_u32()).await.expect("a length");
        let mut bytes = vec![0; size.try_into().expect("a small number")];
        soon(self.0.read_exact(&mut bytes)).await.expect("a message");
        bytes
    }

    /// The socket itself.
    pub fn into_inner(self) -> TcpStream {
        self.0
    }

    /// Whether the peer has closed the connection, as far as has arrived.
    pub fn is_closed(&self) -> bool {
        let mut byte = [0; 4096];
        loop {
            match self.0.try_read(&mut byte) {
                Ok(0) => return true,
                Ok(_) => {}
                Err(error) => return error.kind() != ErrorKind::WouldBlock,
            }
        }
    }
}
