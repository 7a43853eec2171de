//! The seam in memory, for tests: a line with two ends that says what was done to it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{self, Poll, Waker};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::future::BoxFuture;

use crate::Counters;
use crate::call::child::Children;
use crate::call::context::{Facts, Served};
use crate::call::peer::Peer;
use crate::call::{Context, Encode, Exchange, Format, Incoming, NewCall, Open, Outgoing, Protocol, Service};
use crate::codec::Message;
use crate::metadata::Value;
use crate::{Channel, Error, Metadata, Result, codec};

/// What one side did to the line.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Did {
    Message,
    LastMessage,
    Finish,
    /// With the text and the Kitex code.
    Reset(String, Option<i32>),
}

#[derive(Default)]
struct Direction {
    header: Option<Metadata>,
    messages: VecDeque<Bytes>,
    trailer: Option<Metadata>,
    end: Option<Result<()>>,
    full: bool,
    did: Vec<Did>,
    waker: Option<Waker>,
}

impl Direction {
    fn wait<T>(&mut self, cx: &task::Context<'_>) -> Poll<T> {
        self.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

#[derive(Default)]
struct State {
    /// From the caller to the handler, and back.
    directions: [Direction; 2],
    /// Why the whole call is over; nothing leaves any more.
    over: Option<Error>,
}

/// One call.
#[derive(Clone, Default)]
pub(crate) struct Line(Arc<Mutex<State>>);

/// One end of a line: 0 is the caller, 1 the handler.
#[derive(Clone)]
pub(crate) struct End {
    line: Line,
    side: usize,
}

impl Line {
    pub(crate) fn caller(&self) -> End {
        End { line: self.clone(), side: 0 }
    }

    pub(crate) fn handler(&self) -> End {
        End { line: self.clone(), side: 1 }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }
}

impl End {
    pub(crate) fn exchange(&self) -> Exchange {
        Exchange {
            format: Format::Thrift,
            incoming: Box::new(self.clone()),
            outgoing: Box::new(self.clone()),
        }
    }

    /// Sends a message from this end.
    pub(crate) fn say<M: Message>(&self, message: &M) {
        let mut bytes = BytesMut::new();
        codec::encode(message, &mut bytes).unwrap();
        self.say_bytes(&bytes);
    }

    pub(crate) fn say_bytes(&self, bytes: &[u8]) {
        self.change(|state| state.directions[self.side].messages.push_back(Bytes::copy_from_slice(bytes)));
    }

    /// Ends this direction; the handler's end is the end of the call.
    pub(crate) fn end(&self, end: Result<()>) {
        self.change(|state| {
            state.directions[self.side].end.get_or_insert(end);
            if self.side == 1 {
                state.over.get_or_insert(Error::closed("the server has ended the call"));
            }
        });
    }

    pub(crate) fn say_header(&self, key: &str, value: impl Into<Value>) {
        self.change(|state| state.directions[self.side].header.get_or_insert_default().set(key, value));
    }

    /// To be said before the end it comes with.
    pub(crate) fn say_trailer(&self, key: &str, value: impl Into<Value>) {
        self.change(|state| state.directions[self.side].trailer.get_or_insert_default().set(key, value));
    }

    /// Leaves no room for what the other end sends.
    pub(crate) fn stop_reading(&self, stop: bool) {
        self.change(|state| state.directions[1 - self.side].full = stop);
    }

    /// What the other end did.
    pub(crate) fn saw(&self) -> Vec<Did> {
        self.line.lock().directions[1 - self.side].did.clone()
    }

    /// The oldest message the other end sent.
    pub(crate) fn hear_bytes(&self) -> Bytes {
        self.line.lock().directions[1 - self.side].messages.pop_front().expect("a message was sent")
    }

    pub(crate) fn hear<M: Message>(&self) -> M {
        codec::decode(self.hear_bytes()).unwrap()
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.line.lock();
        change(&mut state);
        for waker in state.directions.iter_mut().filter_map(|direction| direction.waker.take()) {
            waker.wake();
        }
    }

    fn did(&self, did: Did) {
        self.line.lock().directions[self.side].did.push(did);
    }

    fn give_up(&self, error: Error) {
        if self.line.lock().over.is_some() {
            return;
        }
        self.did(Did::Reset(error.message().to_owned(), error.kitex_code()));
        self.change(|state| {
            state.over = Some(error.clone());
            for direction in &mut state.directions {
                direction.end.get_or_insert(Err(error.clone()));
            }
        });
    }
}

impl Outgoing for End {
    fn poll_ready(&mut self, cx: &mut task::Context<'_>) -> Poll<Result<()>> {
        let mut state = self.line.lock();
        if let Some(error) = &state.over {
            return Poll::Ready(Err(error.clone()));
        }
        let direction = &mut state.directions[self.side];
        if direction.full {
            return direction.wait(cx);
        }
        Poll::Ready(Ok(()))
    }

    fn put(&mut self, encode: Encode<'_>, last: bool) -> Result<()> {
        if let Some(error) = &self.line.lock().over {
            return Err(error.clone());
        }
        let mut bytes = BytesMut::new();
        encode(&mut bytes)?;
        self.say_bytes(&bytes);
        self.did(if last { Did::LastMessage } else { Did::Message });
        if last && self.side == 0 {
            self.end(Ok(()));
        }
        Ok(())
    }

    fn finish(&mut self) {
        self.did(Did::Finish);
        if self.side == 0 {
            self.end(Ok(()));
        }
    }

    fn reset(&mut self, error: Error) {
        self.give_up(error);
    }
}

impl Incoming for End {
    fn poll_message(&mut self, cx: &mut task::Context<'_>) -> Poll<Result<Option<Bytes>>> {
        let mut state = self.line.lock();
        let direction = &mut state.directions[1 - self.side];
        if let Some(message) = direction.messages.pop_front() {
            return Poll::Ready(Ok(Some(message)));
        }
        if let Some(end) = &direction.end {
            return Poll::Ready(end.clone().map(|()| None));
        }
        direction.wait(cx)
    }

    fn poll_header(&mut self, cx: &mut task::Context<'_>) -> Poll<Result<Metadata>> {
        let mut state = self.line.lock();
        let direction = &mut state.directions[1 - self.side];
        match (&direction.header, &direction.end) {
            (Some(header), _) => Poll::Ready(Ok(header.clone())),
            (None, Some(end)) => Poll::Ready(end.clone().map(|()| Metadata::default())),
            (None, None) => direction.wait(cx),
        }
    }

    fn poll_trailer(&mut self, cx: &mut task::Context<'_>) -> Poll<Result<Metadata>> {
        let mut state = self.line.lock();
        let direction = &mut state.directions[1 - self.side];
        match (&direction.trailer, &direction.end) {
            (Some(trailer), Some(_)) => Poll::Ready(Ok(trailer.clone())),
            (None, Some(end)) => Poll::Ready(end.clone().map(|()| Metadata::default())),
            (_, None) => direction.wait(cx),
        }
    }

    fn reset(&mut self, error: Error) {
        self.give_up(error);
    }

    fn is_over(&self) -> bool {
        self.line.lock().over.is_some()
    }
}

/// A channel whose calls arrive at the test.
pub(crate) fn scripted() -> (Channel, Calls) {
    let calls = Calls::default();
    (Channel::over(calls.clone()), calls)
}

/// The calls that were opened and not taken yet.
#[derive(Clone, Default)]
pub(crate) struct Calls(Arc<Mutex<VecDeque<(NewCall, End)>>>);

impl Calls {
    /// The handler's end of the oldest call.
    pub(crate) fn accept(&self) -> (NewCall, End) {
        self.0.lock().unwrap().pop_front().expect("a call was opened")
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.lock().unwrap().is_empty()
    }
}

impl Open for Calls {
    fn open(&self, call: NewCall) -> BoxFuture<'static, Result<Exchange>> {
        let line = Line::default();
        self.0.lock().unwrap().push_back((call, line.handler()));
        Box::pin(async move { Ok(line.caller().exchange()) })
    }

    fn counters(&self) -> Counters {
        Counters::default()
    }

    fn shutdown(&self, _timeout: Duration) -> BoxFuture<'static, usize> {
        Box::pin(std::future::ready(0))
    }
}

/// A channel to a service in this process, each handler in a task of its own.
pub(crate) fn to(service: impl Into<Service>) -> Channel {
    Channel::over(Local(service.into()))
}

struct Local(Service);

impl Open for Local {
    fn open(&self, call: NewCall) -> BoxFuture<'static, Result<Exchange>> {
        let Self(service) = self;
        let method = service.methods.iter().find(|method| method.name == call.method).cloned();
        let name = service.schema.name();
        Box::pin(async move {
            let method = method.ok_or_else(|| Error::other("no such method"))?;
            assert_eq!((call.service, call.mode), (name, method.mode));
            let line = Line::default();
            let (caller, handler) = (line.caller(), line.handler());
            let context = context(&call, &handler);
            tokio::spawn(async move {
                let exchange = handler.exchange();
                let serving = entered(context.clone(), method.handler.handle(exchange, context));
                handler.end(serving.await);
            });
            Ok(caller.exchange())
        })
    }

    fn counters(&self) -> Counters {
        Counters::default()
    }

    fn shutdown(&self, _timeout: Duration) -> BoxFuture<'static, usize> {
        Box::pin(std::future::ready(0))
    }
}

/// The context of a call that came as this to this end of its line.
pub(crate) fn context(call: &NewCall, handler: &End) -> Context {
    let strings = |prefix: &str| {
        let mut found = Metadata::default();
        for (key, value) in &call.strings {
            if let Some(key) = key.strip_prefix(prefix) {
                found.set(key, &**value);
            }
        }
        found
    };
    let facts = Facts {
        namespace: call.namespace,
        service: call.service,
        method: call.method,
        protocol: Protocol::TTHeaderStreaming,
        peer: Peer::default(),
        deadline: None,
        persistent: strings("RPC_PERSIST_"),
        transient: strings("RPC_TRANSIT_"),
        metadata: strings(""),
    };
    Context::new(Arc::new(Serving { facts, handler: handler.clone(), children: Children::default() }))
}

/// Polls a future as the handler of that call.
async fn entered<T>(context: Context, future: impl Future<Output = T>) -> T {
    let mut future = Box::pin(future);
    let mut context = Some(context);
    std::future::poll_fn(|cx| Context::enter(&mut context, || future.as_mut().poll(cx))).await
}

struct Serving {
    facts: Facts,
    handler: End,
    children: Children,
}

impl Served for Serving {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn set_header(&self, key: &str, value: Value) -> Result<()> {
        self.handler.say_header(key, value);
        Ok(())
    }

    fn set_trailer(&self, key: &str, value: Value) -> Result<()> {
        self.handler.say_trailer(key, value);
        Ok(())
    }

    fn send_header(&self) -> Result<()> {
        Ok(())
    }

    fn children(&self) -> &Children {
        &self.children
    }

    fn poll_cancelled(&self, cx: &task::Context<'_>) -> Poll<Error> {
        let mut state = self.handler.line.lock();
        match &state.over {
            Some(error) => Poll::Ready(error.clone()),
            None => state.directions[0].wait(cx),
        }
    }
}
