//! Bare tokio: the frames of the floor between tasks of tokio, and nothing else that a framework does. A client has a
//! task per stream, woken through a lock; a server polls the future of a stream where it reads; all that comes of one
//! read leaves with one write. No codec, no limits, no cancelling, no counters: what streamx is built on, at least.

use std::collections::HashMap;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};

use crate::control;
use crate::echo::Runtime;
use crate::floor::{DATA, array, frame, frame_length, stream_of};

/// What one read may bring.
const READ: usize = 32 << 10;

/// A frame on its way to a task, and what wakes that.
#[derive(Default)]
struct Slot(Mutex<(Option<Bytes>, Option<Waker>)>);

/// What leaves with the next write.
#[derive(Default)]
struct Outbox(Mutex<BytesMut>);

/// Answers every frame with itself.
pub(crate) fn serve() -> io::Result<()> {
    Runtime::CurrentThread.build()?.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        control::listening(listener.local_addr()?);
        loop {
            let (connection, _) = listener.accept().await?;
            tokio::spawn(answer(connection));
        }
    })
}

/// Keeps one frame per stream in flight, each with the number of its round trip in it.
pub(crate) fn drive(address: SocketAddr, streams: u32, size: usize) -> io::Result<()> {
    Runtime::CurrentThread.build()?.block_on(async {
        let mut connection = TcpStream::connect(address).await?;
        connection.set_nodelay(true)?;
        let (outbox, round_trips) = (Arc::new(Outbox::default()), Arc::new(AtomicU64::new(0)));
        let exchange = |stream| {
            let slot = Arc::new(Slot::default());
            let round_trips = Arc::clone(&round_trips);
            tokio::spawn(exchange(frame(stream, size), Arc::clone(&slot), Arc::clone(&outbox), round_trips));
            slot
        };
        let slots: Vec<Arc<Slot>> = (0..streams).map(exchange).collect();
        control::ready(Arc::clone(&round_trips));
        let mut read = BytesMut::new();
        loop {
            // The tasks that were woken run first.
            tokio::task::yield_now().await;
            outbox.write(&connection).await?;
            receive(&mut connection, &mut read).await?;
            while let Some(length) = frame_length(&read) {
                let frame = read.split_to(length).freeze();
                let slot = slots.get(stream_of(&frame) as usize).ok_or(io::ErrorKind::InvalidData)?;
                if let Some(waker) = slot.put(frame) {
                    waker.wake();
                }
            }
        }
    })
}

async fn exchange(mut frame: Vec<u8>, slot: Arc<Slot>, outbox: Arc<Outbox>, round_trips: Arc<AtomicU64>) {
    for made in 0_u64.. {
        frame[DATA..DATA + 8].copy_from_slice(&made.to_be_bytes());
        outbox.put(&frame);
        let answer = slot.take().await;
        assert_eq!(array(&answer[DATA..]), made.to_be_bytes(), "the answer is not the echo of the message");
        round_trips.fetch_add(1, Relaxed);
    }
}

async fn answer(mut connection: TcpStream) -> io::Result<()> {
    connection.set_nodelay(true)?;
    let outbox = Arc::new(Outbox::default());
    let mut streams = HashMap::new();
    let (mut read, mut woken) = (BytesMut::new(), Vec::new());
    loop {
        receive(&mut connection, &mut read).await?;
        while let Some(length) = frame_length(&read) {
            let frame = read.split_to(length).freeze();
            let stream = stream_of(&frame);
            let (slot, _) = streams.entry(stream).or_insert_with(|| {
                let slot = Arc::new(Slot::default());
                (Arc::clone(&slot), Box::pin(echo(slot, Arc::clone(&outbox))))
            });
            slot.put(frame);
            woken.push(stream);
        }
        for stream in woken.drain(..) {
            if let Some((_, handler)) = streams.get_mut(&stream) {
                let _endless = handler.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            }
        }
        outbox.write(&connection).await?;
    }
}

async fn echo(slot: Arc<Slot>, outbox: Arc<Outbox>) {
    loop {
        outbox.put(&slot.take().await);
    }
}

async fn receive(connection: &mut TcpStream, read: &mut BytesMut) -> io::Result<()> {
    read.reserve(READ);
    match connection.read_buf(read).await? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(()),
    }
}

impl Slot {
    /// Gives a frame to the task, and who is to be woken.
    fn put(&self, frame: Bytes) -> Option<Waker> {
        let state = &mut *lock(&self.0);
        state.0 = Some(frame);
        state.1.take()
    }

    async fn take(&self) -> Bytes {
        poll_fn(|cx| {
            let state = &mut *lock(&self.0);
            match state.0.take() {
                Some(frame) => Poll::Ready(frame),
                None => {
                    state.1 = Some(cx.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }
}

impl Outbox {
    fn put(&self, frame: &[u8]) {
        lock(&self.0).extend_from_slice(frame);
    }

    async fn write(&self, connection: &TcpStream) -> io::Result<()> {
        poll_fn(|cx| {
            let out = &mut *lock(&self.0);
            while !out.is_empty() {
                match connection.try_write(out) {
                    Ok(written) => out.advance(written),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        ready!(connection.poll_write_ready(cx))?;
                    }
                    Err(error) => return Poll::Ready(Err(error)),
                }
            }
            Poll::Ready(Ok(()))
        })
        .await
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
