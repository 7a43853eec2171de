//! The floor: blocking sockets, a thread per connection, and nothing between them and the bytes. Everything that one
//! read brought is answered with one write. The bytes are the data frames of TTHeader Streaming as streamx and Kitex
//! send them, of the same size.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;

use crate::control;

const LENGTH: usize = 4;
const BUFFER: usize = 64 << 10;
/// Where the identity of a stream is in its frames.
const STREAM: usize = 8;
/// Where the bytes of the message are: after the header of the frame and that of the field.
pub(crate) const DATA: usize = 34 + 7;

/// Answers every frame with itself.
pub(crate) fn serve() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    control::listening(listener.local_addr()?);
    for connection in listener.incoming() {
        let connection = connection?;
        thread::spawn(move || answer(connection, |_| Ok(())));
    }
    Ok(())
}

/// Keeps one frame per stream in flight, each with the number of its round trip in it.
pub(crate) fn drive(address: SocketAddr, streams: u32, size: usize) -> io::Result<()> {
    let mut connection = TcpStream::connect(address)?;
    let first: Vec<u8> = (0..streams).flat_map(|stream| frame(stream, size)).collect();
    connection.write_all(&first)?;
    let round_trips = Arc::new(AtomicU64::new(0));
    control::ready(Arc::clone(&round_trips));
    let mut made = vec![0_u64; streams as usize];
    answer(connection, |frame| {
        let made = made.get_mut(stream_of(frame) as usize).ok_or(io::ErrorKind::InvalidData)?;
        let number = &mut frame[DATA..DATA + 8];
        if u64::from_be_bytes(array(number)) != *made {
            return Err(io::Error::other("the answer is not the echo of the message"));
        }
        *made += 1;
        number.copy_from_slice(&made.to_be_bytes());
        round_trips.store(round_trips.load(Relaxed) + 1, Relaxed);
        Ok(())
    })
}

/// Sends all whole frames of a read back at once, each as `turn` has left it.
fn answer(mut connection: TcpStream, mut turn: impl FnMut(&mut [u8]) -> io::Result<()>) -> io::Result<()> {
    connection.set_nodelay(true)?;
    let mut buffer = vec![0; BUFFER];
    let mut filled = 0;
    loop {
        let read = connection.read(&mut buffer[filled..])?;
        if read == 0 {
            return Ok(());
        }
        filled += read;
        let mut whole = 0;
        while let Some(length) = frame_length(&buffer[whole..filled]) {
            turn(&mut buffer[whole..whole + length])?;
            whole += length;
        }
        connection.write_all(&buffer[..whole])?;
        buffer.copy_within(whole..filled, 0);
        filled -= whole;
    }
}

/// The length of the frame at the start, when it is whole.
pub(crate) fn frame_length(bytes: &[u8]) -> Option<usize> {
    let length = LENGTH + u32::from_be_bytes(*bytes.first_chunk::<LENGTH>()?) as usize;
    (bytes.len() >= length).then_some(length)
}

/// The identity of the stream of a frame.
pub(crate) fn stream_of(frame: &[u8]) -> u32 {
    u32::from_be_bytes(array(&frame[STREAM..]))
}

/// A data frame with a struct whose field 1 is `size` bytes, for the method `Echo`.
pub(crate) fn frame(stream: u32, size: usize) -> Vec<u8> {
    let size_on_wire = u32::try_from(size).unwrap_or(u32::MAX);
    let mut frame = vec![0; LENGTH];
    frame.extend_from_slice(&[0x10, 0x00, 0x00, 0x02]);
    frame.extend_from_slice(&stream.to_be_bytes());
    frame.extend_from_slice(b"\0\x05\x10\0\x10\0\x02\0\x1b\0\x013\0\x09\0\x04Echo\0\0");
    frame.extend_from_slice(b"\x0b\0\x01");
    frame.extend_from_slice(&size_on_wire.to_be_bytes());
    frame.resize(frame.len() + size + 1, 0);
    let length = u32::try_from(frame.len() - LENGTH).unwrap_or(u32::MAX);
    frame[..LENGTH].copy_from_slice(&length.to_be_bytes());
    frame
}

pub(crate) fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    std::array::from_fn(|at| bytes[at])
}
