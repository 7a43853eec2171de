//! Ending a server from elsewhere, and what that has cut off.

use std::fmt;
use std::sync::{Arc, OnceLock};

use tokio::sync::watch;

use crate::call::Mode;
use crate::call::router::Router;

/// Ends a server, from anywhere and at any time: what
/// [`BoundServer::shutdown_handle`](super::BoundServer::shutdown_handle) gives. Cheap to clone.
///
/// ```no_run
/// # #[derive(streamx::Message, Clone, Debug, Default)]
/// # struct Line { #[field(1)] text: String }
/// # #[streamx::service]
/// # trait Echo { async fn echo(&self, line: Line) -> streamx::Result<Line>; }
/// # struct Parrot;
/// # impl Echo for Parrot { async fn echo(&self, line: Line) -> streamx::Result<Line> { Ok(line) } }
/// # #[tokio::main]
/// # async fn main() -> streamx::Result<()> {
/// use streamx::Server;
///
/// let server = Server::builder().add_service(EchoServer::new(Parrot)).bind("127.0.0.1:0").await?;
/// let shutdown = server.shutdown_handle();
/// let signals = shutdown.clone();
/// tokio::spawn(async move {
///     let _first = tokio::signal::ctrl_c().await;
///     signals.drain();
///     let _second = tokio::signal::ctrl_c().await;
///     signals.cut();
/// });
/// server.serve().await?;
/// for cut in shutdown.cut_off() {
///     eprintln!("cut off {cut}");
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Dropping
///
/// Does nothing.
#[derive(Clone)]
pub struct ShutdownHandle(Arc<Shared>);

struct Shared {
    asked: watch::Sender<Asked>,
    cut_off: OnceLock<Vec<CutOff>>,
}

/// How far the server was asked to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Asked {
    Serve,
    Drain,
    Cut,
}

/// The calls of one method that were running when a server was cut off. Displays as `Service.Method: 3 calls`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CutOff {
    /// The wire name of the service.
    pub service: &'static str,
    /// The wire name of the method.
    pub method: &'static str,
    /// How many calls; at least 1.
    pub calls: usize,
}

impl ShutdownHandle {
    pub(super) fn new() -> Self {
        Self(Arc::new(Shared { asked: watch::Sender::new(Asked::Serve), cut_off: OnceLock::new() }))
    }

    /// Begins what [`serve_with_shutdown`](super::BoundServer::serve_with_shutdown) describes: the port closes, no new
    /// call is accepted, running ones go on for at most the drain timeout. Nothing happens the second time.
    pub fn drain(&self) {
        self.ask(Asked::Drain);
    }

    /// Ends running calls now, whatever is left of the drain timeout; their callers are told. It is for the second
    /// signal; without a [`drain`](Self::drain) before it nothing is drained.
    pub fn cut(&self) {
        self.ask(Asked::Cut);
    }

    /// The calls that were cut off, by method: empty before that, and if all have ended in time. A one-way call is
    /// never cut off: its handler goes on as long as the process does.
    pub fn cut_off(&self) -> &[CutOff] {
        self.0.cut_off.get().map_or(&[], |cut_off| cut_off)
    }

    /// Waits until the server was asked to go so far.
    pub(super) async fn asked(&self, far: Asked) {
        let mut asked = self.0.asked.subscribe();
        // Never an error: the sender is here.
        let _asked = asked.wait_for(|asked| *asked >= far).await;
    }

    /// Takes down which calls run, which are about to be cut off.
    pub(super) fn note(&self, router: &Router) -> &[CutOff] {
        self.0.cut_off.get_or_init(|| {
            let routes = router.routes().filter(|route| route.method.mode != Mode::Oneway);
            let running = routes.map(|route| CutOff {
                service: route.service,
                method: route.method.name,
                calls: route.running(),
            });
            let mut running: Vec<_> = running.filter(|cut| cut.calls > 0).collect();
            running.sort_unstable_by_key(|cut| (cut.service, cut.method));
            running
        })
    }

    fn ask(&self, far: Asked) {
        self.0.asked.send_if_modified(|asked| {
            let further = far > *asked;
            *asked = far.max(*asked);
            further
        });
    }
}

impl fmt::Debug for ShutdownHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShutdownHandle").field("asked", &*self.0.asked.borrow()).finish_non_exhaustive()
    }
}

impl fmt::Display for CutOff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { service, method, calls } = self;
        write!(f, "{service}.{method}: {calls} call{}", if *calls == 1 { "" } else { "s" })
    }
}
