//! Who is measured, how often, and in which order.

use std::env;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crate::kitex;
use crate::process::Process;

/// The bytes of a message.
const SIZE: usize = 100;
/// How many streams a client has.
pub(crate) const STREAMS: [usize; 2] = [1, 64];
/// Work before a measurement, so that everything has its place: handlers, buffers, caches.
const WARM_UP: Duration = Duration::from_millis(200);

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Contestant {
    Floor,
    /// Tasks of tokio that exchange the frames of the floor.
    Bare,
    Streamx,
    /// streamx on a multi-thread runtime with two workers.
    StreamxThreads,
    Kitex,
    /// streamx as another build of this program has it, to see what a change brings.
    Other,
}

/// How to measure.
pub(crate) struct Contest {
    pub(crate) repetitions: usize,
    pub(crate) window_millis: u64,
    pub(crate) core: usize,
    /// Another build of this program.
    pub(crate) other: Option<PathBuf>,
}

/// All that was measured: a repetition is a list of figures.
pub(crate) type Figures = Vec<Vec<Figure>>;

/// One measurement.
#[derive(Clone, Copy)]
pub(crate) struct Figure {
    pub(crate) contestant: Contestant,
    pub(crate) streams: usize,
    /// Microseconds of CPU of client and server together, per round trip.
    pub(crate) cpu: f64,
}

impl Default for Contest {
    fn default() -> Self {
        Self { repetitions: 9, window_millis: 700, core: 0, other: None }
    }
}

impl Contest {
    /// Measures everybody. `placement` is passed on to streamx.
    pub(crate) fn run(&self, placement: &str) -> io::Result<Figures> {
        let this = env::current_exe()?;
        let mut programs = vec![
            (Contestant::Floor, &this),
            (Contestant::Bare, &this),
            (Contestant::Streamx, &this),
            (Contestant::StreamxThreads, &this),
        ];
        let kitex = kitex::build()?;
        programs.extend(kitex.iter().map(|program| (Contestant::Kitex, program)));
        programs.extend(self.other.iter().map(|program| (Contestant::Other, program)));
        let mut order: Vec<_> =
            programs.iter().flat_map(|&program| STREAMS.map(|streams| (program, streams))).collect();
        let mut repetitions = Vec::new();
        for _ in 0..self.repetitions {
            fastrand::shuffle(&mut order);
            let figure = |&((contestant, program), streams): &((Contestant, &PathBuf), usize)| {
                let cpu = self.measure(program, contestant, streams, placement)?;
                Ok(Figure { contestant, streams, cpu })
            };
            repetitions.push(order.iter().map(figure).collect::<io::Result<_>>()?);
        }
        Ok(repetitions)
    }

    fn measure(
        &self,
        program: &Path,
        contestant: Contestant,
        streams: usize,
        placement: &str,
    ) -> io::Result<f64> {
        let mut serve = contestant.words("serve");
        if matches!(contestant, Contestant::Streamx | Contestant::StreamxThreads | Contestant::Other) {
            serve.extend(["--placement", placement].map(str::to_owned));
        }
        serve.extend(contestant.threads());
        let mut server = Process::start(self.core, program, &serve)?;
        let line = server.line()?;
        let address = line.strip_prefix("listening ").ok_or_else(|| io::Error::other("no address"))?;

        let mut drive = contestant.words("drive");
        drive.extend([address.to_owned(), streams.to_string(), SIZE.to_string()]);
        drive.extend(contestant.threads());
        let mut client = Process::start(self.core, program, &drive)?;
        client.line()?;
        thread::sleep(WARM_UP);

        let trips = client.round_trips()?;
        let cpu = server.cpu()? + client.cpu()?;
        thread::sleep(Duration::from_millis(self.window_millis));
        let trips = client.round_trips()? - trips;
        let cpu = server.cpu()? + client.cpu()? - cpu;
        if trips == 0 {
            return Err(io::Error::other(format!("{contestant:?} made no round trip")));
        }
        Ok(cpu.as_secs_f64() * 1e6 / trips as f64)
    }
}

impl Contestant {
    fn words(self, role: &str) -> Vec<String> {
        let name = match self {
            Self::Floor => Some("floor"),
            Self::Bare => Some("bare"),
            Self::Streamx | Self::StreamxThreads | Self::Other => Some("streamx"),
            Self::Kitex => None,
        };
        [role].into_iter().chain(name).map(str::to_owned).collect()
    }

    fn threads(self) -> Vec<String> {
        match self {
            Self::StreamxThreads => ["--threads", "2"].map(str::to_owned).to_vec(),
            _ => Vec::new(),
        }
    }
}
