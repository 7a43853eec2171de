//! A service whose handlers do what the tests of the runtime need, and count themselves.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use streamx::{Bidi, Error, Message, Result, Sender, Streaming};
use tokio::sync::watch;

/// The one message of these tests: a number and as many bytes as wanted.
#[derive(Message, Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Note {
    #[field(1)]
    pub number: i64,
    #[field(2)]
    pub body: Bytes,
}

impl Note {
    /// A note without a body.
    pub fn number(number: i64) -> Self {
        Self { number, body: Bytes::new() }
    }

    /// A note of so many bytes.
    pub fn of_size(number: i64, size: usize) -> Self {
        Self { number, body: vec![0x5a; size].into() }
    }
}

#[streamx::service(namespace = "probe")]
pub trait Probe {
    /// Answers with its argument.
    async fn ask(&self, note: Note) -> Result<Note>;

    /// Answers with its argument once the gate is open.
    async fn wait(&self, note: Note) -> Result<Note>;

    /// Sends every message back.
    #[bidi]
    async fn echo(&self, stream: Bidi<Note, Note>) -> Result<()>;

    /// The sum of the numbers.
    #[client_stream]
    async fn sum(&self, stream: Streaming<Note>) -> Result<Note>;

    /// The note, as often as its number says.
    #[server_stream]
    async fn count(&self, note: Note, stream: Sender<Note>) -> Result<()>;

    /// Reads nothing before the gate is open; then says how many messages there were.
    #[bidi]
    async fn hold(&self, stream: Bidi<Note, Note>) -> Result<()>;

    /// Never reads and never ends by itself.
    #[client_stream]
    async fn ignore(&self, stream: Streaming<Note>) -> Result<Note>;

    /// Sends the note for ever.
    #[server_stream]
    async fn flood(&self, note: Note, stream: Sender<Note>) -> Result<()>;

    /// Ends as its first message says: one of the constants of [`End`].
    #[bidi]
    async fn end(&self, stream: Bidi<Note, Note>) -> Result<()>;

    /// Sends notes 0 to 99 and fails.
    #[bidi]
    async fn burst_and_fail(&self, stream: Bidi<Note, Note>) -> Result<()>;

    /// Answers with the first message and reads no other one; fails if its number is negative.
    #[client_stream]
    async fn first(&self, stream: Streaming<Note>) -> Result<Note>;
}

/// How [`Probe::end`] ends.
#[derive(Debug)]
#[non_exhaustive]
pub struct End;

impl End {
    pub const WELL: i64 = 0;
    pub const FAILED: i64 = 1;
    pub const PANICKED: i64 = 2;
}

/// What the handlers of one server share with the test.
#[derive(Clone, Debug)]
pub struct Handlers(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    alive: AtomicUsize,
    begun: AtomicUsize,
    gate: watch::Sender<bool>,
    failures: Mutex<Vec<Error>>,
}

/// One handler that is alive.
struct Alive(Handlers);

impl Default for Handlers {
    fn default() -> Self {
        let (alive, begun) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Self(Arc::new(Shared { alive, begun, gate: watch::Sender::new(false), failures: Mutex::default() }))
    }
}

impl Handlers {
    /// How many run at this moment.
    pub fn alive(&self) -> usize {
        self.0.alive.load(SeqCst)
    }

    /// How many have begun so far.
    pub fn begun(&self) -> usize {
        self.0.begun.load(SeqCst)
    }

    /// Lets go on what waits at the gate.
    pub fn open_gate(&self) {
        self.0.gate.send_replace(true);
    }

    /// Makes wait at the gate what comes to it from now on.
    pub fn close_gate(&self) {
        self.0.gate.send_replace(false);
    }

    /// What the handlers of `hold` have been told instead of a message.
    pub fn failures(&self) -> Vec<Error> {
        self.0.failures.lock().expect("no handler panics here").clone()
    }

    fn note_failure(&self, error: &Error) {
        self.0.failures.lock().expect("no handler panics here").push(error.clone());
    }

    fn enter(&self) -> Alive {
        self.0.alive.fetch_add(1, SeqCst);
        self.0.begun.fetch_add(1, SeqCst);
        Alive(self.clone())
    }

    async fn gate(&self) {
        let mut gate = self.0.gate.subscribe();
        let _open = gate.wait_for(|open| *open).await;
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.0.alive.fetch_sub(1, SeqCst);
    }
}

impl Probe for Handlers {
    async fn ask(&self, note: Note) -> Result<Note> {
        let _alive = self.enter();
        Ok(note)
    }

    async fn wait(&self, note: Note) -> Result<Note> {
        let _alive = self.enter();
        self.gate().await;
        Ok(note)
    }

    async fn echo(&self, mut stream: Bidi<Note, Note>) -> Result<()> {
        let _alive = self.enter();
        while let Some(note) = stream.recv().await? {
            stream.send(note).await?;
        }
        Ok(())
    }

    async fn sum(&self, mut stream: Streaming<Note>) -> Result<Note> {
        let _alive = self.enter();
        let mut sum = 0;
        while let Some(note) = stream.recv().await? {
            sum += note.number;
        }
        Ok(Note::number(sum))
    }

    async fn count(&self, note: Note, mut stream: Sender<Note>) -> Result<()> {
        let _alive = self.enter();
        for _ in 0..note.number {
            stream.send(&note).await?;
        }
        Ok(())
    }

    async fn hold(&self, mut stream: Bidi<Note, Note>) -> Result<()> {
        let _alive = self.enter();
        self.gate().await;
        let mut count = 0;
        while stream.recv().await.inspect_err(|error| self.note_failure(error))?.is_some() {
            count += 1;
        }
        stream.send(Note::number(count)).await
    }

    async fn ignore(&self, stream: Streaming<Note>) -> Result<Note> {
        let _alive = self.enter();
        std::future::pending::<()>().await;
        drop(stream);
        Ok(Note::default())
    }

    async fn flood(&self, note: Note, mut stream: Sender<Note>) -> Result<()> {
        let _alive = self.enter();
        loop {
            stream.send(&note).await?;
        }
    }

    async fn end(&self, mut stream: Bidi<Note, Note>) -> Result<()> {
        let _alive = self.enter();
        let note = stream.recv().await?.unwrap_or_default();
        match note.number {
            End::WELL => Ok(()),
            End::PANICKED => panic!("as the test asked"),
            _ => Err(disk_full()),
        }
    }

    async fn burst_and_fail(&self, mut stream: Bidi<Note, Note>) -> Result<()> {
        let _alive = self.enter();
        for number in 0..100 {
            stream.send(Note::number(number)).await?;
        }
        Err(disk_full())
    }

    async fn first(&self, mut stream: Streaming<Note>) -> Result<Note> {
        let _alive = self.enter();
        let note = stream.recv().await?.unwrap_or_default();
        if note.number < 0 { Err(disk_full()) } else { Ok(note) }
    }
}

fn disk_full() -> Error {
    Error::other("the disk is full")
}
