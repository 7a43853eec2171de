//! A call whose caller is a test: what both know of it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::{Bytes, BytesMut};

use crate::call::child::Children;
use crate::call::context::{Facts, Served, add};
use crate::call::{Encode, Exchange, Format, Incoming, Outgoing};
use crate::metadata::Value;
use crate::{Error, Metadata, Result, Side};

#[derive(Default)]
pub(super) struct Call {
    state: Mutex<State>,
    children: Children,
}

#[derive(Default)]
struct State {
    requests: VecDeque<Bytes>,
    /// Behind the requests.
    end: Option<Result<()>>,
    responses: VecDeque<Bytes>,
    header: Metadata,
    header_sent: bool,
    trailer: Metadata,
    /// The handler has no sender any more.
    silent: bool,
    /// The caller takes no response.
    full: bool,
    /// Why the call is over for its handler.
    over: Option<Error>,
    waiting: Vec<Waker>,
}

impl State {
    fn wait<T>(&mut self, cx: &Context<'_>) -> Poll<T> {
        if !self.waiting.iter().any(|waker| waker.will_wake(cx.waker())) {
            self.waiting.push(cx.waker().clone());
        }
        Poll::Pending
    }
}

/// What the test does.
impl Call {
    pub(super) fn request(&self, message: Bytes) {
        self.change(|state| {
            assert!(
                state.end.is_none(),
                "the caller sends no more: it has closed, failed or cancelled the call"
            );
            state.requests.push_back(message);
        });
    }

    /// Behind the requests; the first end counts.
    pub(super) fn end_requests(&self, end: Result<()>) {
        self.change(|state| _ = state.end.get_or_insert(end));
    }

    /// The caller is gone: requests that were not taken are dropped.
    pub(super) fn abandon(&self, reason: &Error) {
        self.change(|state| {
            if state.over.is_none() {
                state.requests.clear();
                state.end = Some(Err(reason.clone()));
                state.over = Some(reason.clone());
            }
        });
        self.end_children(reason);
    }

    /// The handler has returned.
    pub(super) fn returned(&self) {
        let over = Error::closed("the handler has returned").with_kitex_code(12012).with_side(Side::Server);
        self.change(|state| {
            state.silent = true;
            state.header_sent = true;
            if state.over.is_none() {
                state.end = Some(Err(over.clone()));
                state.over = Some(over.clone());
            }
        });
        self.end_children(&over);
    }

    pub(super) fn stop_reading(&self, stop: bool) {
        self.change(|state| state.full = stop);
    }

    pub(super) fn poll_response(&self, cx: &Context<'_>) -> Poll<Option<Bytes>> {
        let mut state = self.lock();
        match state.responses.pop_front() {
            Some(message) => Poll::Ready(Some(message)),
            None if state.silent => Poll::Ready(None),
            None => state.wait(cx),
        }
    }

    pub(super) fn take_responses(&self) -> VecDeque<Bytes> {
        std::mem::take(&mut self.lock().responses)
    }

    pub(super) fn header(&self) -> Metadata {
        self.lock().header.clone()
    }

    pub(super) fn has_header(&self) -> bool {
        self.lock().header_sent
    }

    pub(super) fn trailer(&self) -> Metadata {
        self.lock().trailer.clone()
    }

    /// Both directions, as the handler holds them.
    pub(super) fn exchange(self: &Arc<Self>) -> Exchange {
        let (incoming, outgoing) = (Requests(Arc::clone(self)), Responses(Arc::clone(self)));
        Exchange { format: Format::Thrift, incoming: Box::new(incoming), outgoing: Box::new(outgoing) }
    }

    pub(super) fn context(self: &Arc<Self>, facts: Facts) -> crate::Context {
        crate::Context::new(Arc::new(InCall { call: Arc::clone(self), facts }))
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.lock();
        change(&mut state);
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        for waker in waiting {
            waker.wake();
        }
    }

    fn end_children(&self, reason: &Error) {
        for child in self.children.end(reason) {
            child.cancel(reason);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What arrives at the handler.
struct Requests(Arc<Call>);

impl Incoming for Requests {
    fn poll_message(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>>> {
        let mut state = self.0.lock();
        if let Some(message) = state.requests.pop_front() {
            return Poll::Ready(Ok(Some(message)));
        }
        match state.end.clone() {
            Some(end) => Poll::Ready(end.map(|()| None)),
            None => state.wait(cx),
        }
    }

    fn poll_header(&mut self, _: &mut Context<'_>) -> Poll<Result<Metadata>> {
        Poll::Ready(Ok(Metadata::default()))
    }

    fn poll_trailer(&mut self, _: &mut Context<'_>) -> Poll<Result<Metadata>> {
        Poll::Ready(Ok(Metadata::default()))
    }

    /// A handler gives up a call by returning.
    fn reset(&mut self, _: Error) {}

    fn is_over(&self) -> bool {
        let state = self.0.lock();
        state.end.is_some() && state.requests.is_empty()
    }
}

/// What leaves the handler.
struct Responses(Arc<Call>);

impl Outgoing for Responses {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let mut state = self.0.lock();
        match &state.over {
            Some(error) => Poll::Ready(Err(error.clone())),
            None if state.full => state.wait(cx),
            None => Poll::Ready(Ok(())),
        }
    }

    fn put(&mut self, encode: Encode<'_>, _last: bool) -> Result<()> {
        if let Some(error) = self.0.lock().over.clone() {
            return Err(error);
        }
        let mut message = BytesMut::new();
        encode(&mut message)?;
        self.0.change(|state| {
            state.header_sent = true;
            state.responses.push_back(message.freeze());
        });
        Ok(())
    }

    fn finish(&mut self) {}

    fn reset(&mut self, _: Error) {}
}

impl Drop for Responses {
    fn drop(&mut self) {
        self.0.change(|state| state.silent = true);
    }
}

/// The call as its context shows it.
struct InCall {
    call: Arc<Call>,
    facts: Facts,
}

impl Served for InCall {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn set_header(&self, key: &str, value: Value) -> Result<()> {
        let mut state = self.call.lock();
        if state.header_sent {
            return Err(Error::closed(
                "the header has left already; `set_header` comes before the first message",
            ));
        }
        add(&mut state.header, key, value)
    }

    fn set_trailer(&self, key: &str, value: Value) -> Result<()> {
        add(&mut self.call.lock().trailer, key, value)
    }

    fn send_header(&self) -> Result<()> {
        let mut state = self.call.lock();
        if state.over.is_some() {
            return Err(Error::closed("cannot send the header: the call is over"));
        }
        if std::mem::replace(&mut state.header_sent, true) {
            return Err(Error::closed("the header has left already"));
        }
        Ok(())
    }

    fn children(&self) -> &Children {
        &self.call.children
    }

    fn poll_cancelled(&self, cx: &Context<'_>) -> Poll<Error> {
        let mut state = self.call.lock();
        match &state.over {
            Some(error) => Poll::Ready(error.clone()),
            None => state.wait(cx),
        }
    }
}
