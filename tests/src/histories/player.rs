//! The service of the histories: its handlers give their handles to whoever plays the history, and return when told.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use streamx::{Bidi, Context, Error, Result, Sender, Streaming};
use tokio::sync::oneshot;

use super::handles::Handles;
use super::op::How;
use super::stream::{BUSINESS, FAILED, note};
use super::waits::Bell;
use crate::probe::Note;

/// Which stream a call is.
pub(super) const STREAM: &str = "stream";

#[streamx::service]
pub(super) trait History {
    #[bidi]
    async fn both(&self, ctx: Context, notes: Bidi<Note, Note>) -> Result<()>;
    #[bidi]
    async fn plain(&self, notes: Bidi<Note, Note>) -> Result<()>;
    #[client_stream]
    async fn up(&self, ctx: Context, notes: Streaming<Note>) -> Result<Note>;
    #[server_stream]
    async fn down(&self, ctx: Context, request: Note, notes: Sender<Note>) -> Result<()>;
}

/// A handler that has begun.
pub(super) struct Begun {
    pub(super) stream: usize,
    pub(super) handles: Handles,
    pub(super) context: Option<Context>,
    pub(super) returns: oneshot::Sender<How>,
}

#[derive(Clone, Default)]
pub(super) struct Player(Arc<Shared>);

#[derive(Default)]
struct Shared {
    begun: Mutex<Vec<Begun>>,
    started: AtomicUsize,
    ended: AtomicUsize,
    bell: Bell,
}

/// One handler that is alive.
struct Alive(Player);

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.0.ended.fetch_add(1, SeqCst);
        self.0.0.bell.ring();
    }
}

impl Player {
    pub(super) fn new(bell: &Bell) -> Self {
        Self(Arc::new(Shared { bell: bell.clone(), ..Shared::default() }))
    }

    /// Those that have begun since this was called last.
    pub(super) fn begun(&self) -> Vec<Begun> {
        std::mem::take(&mut self.0.begun.lock().expect("nobody panics here"))
    }

    /// How many have begun, and how many of them are over.
    pub(super) fn counts(&self) -> (usize, usize) {
        (self.0.started.load(SeqCst), self.0.ended.load(SeqCst))
    }

    async fn play(&self, stream: usize, handles: Handles, context: Option<Context>) -> Result<()> {
        self.0.started.fetch_add(1, SeqCst);
        let _alive = Alive(self.clone());
        let (returns, told) = oneshot::channel();
        self.0.begun.lock().expect("nobody panics here").push(Begun { stream, handles, context, returns });
        self.0.bell.ring();
        match told.await.unwrap_or(How::Well) {
            How::Well => Ok(()),
            How::Failed => Err(Error::other(FAILED)),
            How::Business => Err(Error::biz(BUSINESS, "no paper")),
            // Without the hook, which would print thousands of them.
            How::Panicked => std::panic::resume_unwind(Box::new("as the history says")),
        }
    }
}

fn stream_of(ctx: &Context) -> usize {
    ctx.persistent(STREAM).and_then(|stream| stream.parse().ok()).expect("the number of a stream")
}

impl History for Player {
    async fn both(&self, ctx: Context, notes: Bidi<Note, Note>) -> Result<()> {
        let stream = stream_of(&ctx);
        let mut handles = Handles::Served(notes);
        if stream % 2 == 1 {
            handles.split();
        }
        self.play(stream, handles, Some(ctx)).await
    }

    async fn plain(&self, notes: Bidi<Note, Note>) -> Result<()> {
        self.play(0, Handles::Served(notes), None).await
    }

    async fn up(&self, ctx: Context, notes: Streaming<Note>) -> Result<Note> {
        let stream = stream_of(&ctx);
        self.play(stream, Handles::ServedHalves(None, Some(notes)), Some(ctx)).await?;
        Ok(note(stream, 0, 0))
    }

    async fn down(&self, ctx: Context, request: Note, notes: Sender<Note>) -> Result<()> {
        let stream = stream_of(&ctx);
        assert_eq!(request, note(stream, 0, 0));
        self.play(stream, Handles::ServedHalves(Some(notes), None), Some(ctx)).await
    }
}
