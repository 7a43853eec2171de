//! Where a handler is polled: by the connection task, or in a task of its own.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{self, Poll, Waker};
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use tokio::time::Sleep;

use super::inbox::Inbox;
use super::link::Link;
use super::lock;
use super::task_waker::{PlaceWaker, TaskWaker, Woken};
use super::turns::Turn;
use crate::call::router::Route;
use crate::call::{Context, Exchange};
use crate::{Error, Result};

/// When polling all woken handlers took longer than this, each poll is timed to find the slow one.
const SLOW_PASS: Duration = Duration::from_micros(100);

/// A call as its handler's runner sees it.
pub(crate) trait Serving: Send + Sync {
    fn link(&self) -> &Link;

    fn inbox(&self) -> &Inbox;

    /// The handler has ended: tells the caller.
    fn end(&self, result: Result<()>);

    /// When this side ends the call by itself, because its caller will wait no longer then.
    fn deadline(&self) -> Option<Instant> {
        None
    }

    /// The deadline has come: tells the caller, who is gone from now on.
    fn expire(&self) {}
}

/// One handler that runs.
pub(crate) struct Running {
    future: Option<BoxFuture<'static, Result<()>>>,
    call: Arc<dyn Serving>,
    route: Arc<Route>,
    /// What wakes this handler where it is polled now is known to its inbox.
    registered: bool,
    context: Option<Context>,
    /// When the caller waits no longer, until that was told.
    deadline: Option<Instant>,
    /// Runs until then, once the handler has had to wait: most end at their first poll.
    time: Option<Pin<Box<Sleep>>>,
    /// The caller is gone, and the handler may find out for itself, or may not.
    grace: Option<Grace>,
}

/// What a handler has left when its caller is gone.
enum Grace {
    None,
    /// One of so many places of the connection, until the time is over.
    Place(Pin<Box<Sleep>>),
}

impl Running {
    pub(crate) fn new(
        call: Arc<dyn Serving>,
        route: Arc<Route>,
        exchange: Exchange,
        context: Context,
    ) -> Self {
        let future = route.method.handler.handle(exchange, context.clone());
        call.link().meter.handlers.add(1);
        route.begins();
        let (deadline, context) = (call.deadline(), Some(context));
        Self {
            future: Some(future),
            call,
            route,
            registered: false,
            context,
            deadline,
            time: None,
            grace: None,
        }
    }

    fn poll(&mut self, cx: &mut task::Context<'_>) -> Poll<()> {
        if !std::mem::replace(&mut self.registered, true) {
            self.call.inbox().register(cx.waker());
        }
        if self.time.is_some() && self.is_overdue(cx) {
            self.call.expire();
        }
        if self.call.inbox().is_gone() && self.is_spent(cx) {
            return self.drop_future();
        }
        let Some(future) = &mut self.future else {
            return Poll::Ready(());
        };
        match catch_unwind(AssertUnwindSafe(|| {
            Context::enter(&mut self.context, || future.as_mut().poll(cx))
        })) {
            Ok(Poll::Pending) => {
                self.watch_time(cx);
                Poll::Pending
            }
            Ok(Poll::Ready(result)) => {
                self.call.end(result);
                self.drop_future()
            }
            Err(panic) => {
                self.call.end(Err(self.panicked(&*panic)));
                self.drop_future()
            }
        }
    }

    /// Whether a handler whose caller is gone has no more time: a method without the context could not know.
    fn is_spent(&mut self, cx: &mut task::Context<'_>) -> bool {
        if !self.route.method.takes_context {
            return true;
        }
        let link = self.call.link();
        let grace = self.grace.get_or_insert_with(|| match link.begin_grace() {
            true => Grace::Place(Box::pin(tokio::time::sleep(link.limits.cancel_grace))),
            false => Grace::None,
        });
        match grace {
            Grace::None => true,
            Grace::Place(time) => time.as_mut().poll(cx).is_ready(),
        }
    }

    /// The handler waits: from now on its time runs.
    fn watch_time(&mut self, cx: &mut task::Context<'_>) {
        let Some(deadline) = self.deadline.filter(|_| self.time.is_none()) else { return };
        self.time = Some(Box::pin(tokio::time::sleep_until(deadline.into())));
        if self.is_overdue(cx) {
            self.call.expire();
            cx.waker().wake_by_ref();
        }
    }

    fn is_overdue(&mut self, cx: &mut task::Context<'_>) -> bool {
        let over = self.time.as_mut().is_some_and(|time| time.as_mut().poll(cx).is_ready());
        if over {
            (self.deadline, self.time) = (None, None);
        }
        over
    }

    /// A value in the future may panic when it is dropped; that must not reach the connection.
    fn drop_future(&mut self) -> Poll<()> {
        let future = self.future.take();
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(future))) {
            self.panicked(&*panic);
        }
        Poll::Ready(())
    }

    /// The text of the panic goes to the log and not to the caller: it may contain anything.
    fn panicked(&self, panic: &(dyn Any + Send)) -> Error {
        let text = panic
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
            .unwrap_or("(no text)");
        let (service, method) = (self.route.service, self.route.method.name);
        tracing::error!(service, method, panic = text, "a handler panicked");
        let text = format!("the handler of {service}.{method} panicked; the log of the server says why");
        Error::new(crate::Code::Internal, text)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(Grace::Place(_)) = self.grace {
            self.call.link().end_grace();
        }
        self.call.link().meter.handlers.sub(1);
        self.route.ends();
    }
}

/// The handlers of one connection that its task polls.
pub(crate) struct Handlers {
    here: Vec<Option<Here>>,
    /// Places in `here` that are free.
    free: Vec<usize>,
    woken: Arc<Woken>,
    /// Those that a pass polls; kept for its memory.
    pass: Vec<usize>,
    /// Handlers that have proved short in tasks of their own and move here.
    moving: Arc<Moving>,
    timed: bool,
}

/// Handlers on their way to the connection task.
struct Moving {
    /// `None` once that task has ended.
    list: Mutex<Option<Vec<Running>>>,
    /// There are some: set after they are in the list, and looked at without its lock.
    any: AtomicBool,
}

impl Moving {
    /// Exchanges the list for an empty one.
    fn take(&self) -> Vec<Running> {
        if !self.any.swap(false, SeqCst) {
            return Vec::new();
        }
        lock(&self.list).as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Adds a handler, unless the connection task has ended.
    fn add(&self, running: &mut Option<Running>) -> bool {
        let mut list = lock(&self.list);
        let Some(list) = list.as_mut() else { return false };
        list.extend(running.take());
        self.any.store(true, SeqCst);
        true
    }
}

impl Handlers {
    pub(crate) fn new(task: Arc<TaskWaker>) -> Self {
        Self {
            here: Vec::new(),
            free: Vec::new(),
            woken: Woken::new(task),
            pass: Vec::new(),
            moving: Arc::new(Moving { list: Mutex::new(Some(Vec::new())), any: AtomicBool::new(false) }),
            timed: false,
        }
    }

    pub(crate) fn start(&mut self, running: Running) {
        if running.route.pace.in_connection() {
            self.keep(running);
        } else {
            self.set_apart(running);
        }
    }

    /// Polls the handlers in these places, which got messages, and every other one that was woken.
    pub(crate) fn poll(&mut self, places: &mut Vec<usize>) {
        if self.moving.any.load(SeqCst) {
            for running in self.moving.take() {
                self.keep(running);
            }
        }
        if places.is_empty() && !self.any_woken() {
            return;
        }
        let start = Instant::now();
        for place in places.drain(..) {
            self.poll_one(place);
        }
        if self.any_woken() {
            let mut pass = std::mem::take(&mut self.pass);
            self.woken.swap(&mut pass);
            for place in pass.drain(..) {
                self.poll_one(place);
            }
            self.pass = pass;
        }
        self.timed = start.elapsed() >= SLOW_PASS;
    }

    /// Whether a handler was woken since the last pass.
    pub(crate) fn any_woken(&self) -> bool {
        self.woken.any()
    }

    /// The connection is lost, and the calls whose callers are gone know it. Their handlers are dropped; the others
    /// (one-way calls) go on in tasks of their own.
    pub(crate) fn disperse(&mut self) {
        let here = std::mem::take(&mut self.here).into_iter().flatten().map(|here| here.running);
        let moving = lock(&self.moving.list).take().into_iter().flatten();
        for mut running in here.chain(moving) {
            running.registered = false;
            self.set_apart(running);
        }
        self.free.clear();
    }

    /// The turn begins now, so that what several new handlers send first shares a write.
    fn set_apart(&self, running: Running) {
        running.call.inbox().set_place(None);
        let turn = running.call.link().turns.begin();
        tokio::spawn(Apart { running: Some(running), moving: Arc::clone(&self.moving), turn });
    }

    fn keep(&mut self, running: Running) {
        let place = self.free.pop().unwrap_or(self.here.len());
        running.call.inbox().set_place(Some(place));
        let known = PlaceWaker::new(place, Arc::clone(&self.woken));
        let waker = Waker::from(Arc::clone(&known));
        waker.wake_by_ref();
        let here = Some(Here { running, known, waker });
        match self.here.get_mut(place) {
            Some(free) => *free = here,
            None => self.here.push(here),
        }
    }

    fn poll_one(&mut self, place: usize) {
        // A waker may outlive its handler.
        let Some(slot) = self.here.get_mut(place) else { return };
        let Some(Here { running, known, waker }) = slot else { return };
        known.begin();
        let start = self.timed.then(Instant::now);
        let ready = running.poll(&mut task::Context::from_waker(waker)).is_ready();
        let slow = || start.is_some_and(|start| running.route.pace.is_slow(start.elapsed()));
        if !ready && !slow() {
            return;
        }
        let here = slot.take();
        self.free.push(place);
        if let Some(Here { mut running, .. }) = here.filter(|_| !ready) {
            running.registered = false;
            self.set_apart(running);
        }
    }
}

/// A handler in the connection task, and what wakes it there.
struct Here {
    running: Running,
    known: Arc<PlaceWaker>,
    /// The same, as the handler gets it.
    waker: Waker,
}

/// A handler in a task of its own. Moves to the connection task when its method has proved short.
struct Apart {
    running: Option<Running>,
    moving: Arc<Moving>,
    /// The turn of the first poll.
    turn: Turn,
}

impl Future for Apart {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let Some(running) = &mut this.running else {
            return Poll::Ready(());
        };
        let start = running.route.pace.is_adaptive().then(Instant::now);
        let call = Arc::clone(&running.call);
        // What is sent during the poll leaves at its end. The connection task needs no turns: it writes at the end of
        // its own poll.
        let mut turn = this.turn.take();
        if turn.is_none() {
            turn = call.inbox().take_turn();
        }
        if turn.is_none() {
            turn = call.link().turns.begin();
        }
        let polled = running.poll(cx);
        call.link().end_turn(turn);
        if polled.is_ready() {
            return Poll::Ready(());
        }
        let Some(start) = start else {
            return Poll::Pending;
        };
        running.route.pace.note(start.elapsed());
        if !running.route.pace.in_connection() {
            return Poll::Pending;
        }
        running.registered = false;
        if !this.moving.add(&mut this.running) {
            return Poll::Pending;
        }
        call.link().wake_task();
        Poll::Ready(())
    }
}
