//! The log lines of a test, as one text.

use std::cell::RefCell;
use std::fmt::{Debug, Write};
use std::sync::Once;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::{Subscriber, set_global_default};
use tracing::{Event, Level, Metadata};

thread_local!(static LINES: RefCell<String> = const { RefCell::new(String::new()) });

/// What was logged on this thread, that is in this test and its current-thread runtime.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Logs;

impl Logs {
    /// Captures what is logged at INFO and above.
    ///
    /// One subscriber serves the whole process: with one for each thread, a line that another thread logs first is
    /// remembered as one that nobody wants.
    pub fn capture() -> Self {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            set_global_default(ToThread).expect("nobody else captures logs");
            tracing::callsite::rebuild_interest_cache();
        });
        Self
    }

    /// Everything so far, and forgets it.
    pub fn take(&self) -> String {
        LINES.take()
    }
}

struct ToThread;

impl Subscriber for ToThread {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::INFO
    }

    fn event(&self, event: &Event<'_>) {
        LINES.with_borrow_mut(|lines| {
            event.record(&mut Line(lines));
            lines.push('\n');
        });
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct Line<'a>(&'a mut String);

impl Visit for Line<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, "{field}={value:?} ").expect("a string takes everything");
    }
}
