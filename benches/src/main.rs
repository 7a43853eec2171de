//! A pair of scales: what a streamed message costs with streamx, with Kitex, with nothing but tokio, and at least.
//!
//! ```text
//! cargo run --release -p streamx-bench [-- OPTIONS]
//!   --placement adaptive|connection|task   where streamx polls the handlers (adaptive)
//!   --repetitions N                        how often everything is measured (9)
//!   --window MILLISECONDS                  how long one measurement takes (700)
//!   --core N                               the core all processes share (0)
//!   --other PROGRAM                        measures streamx of another build of this program too
//! ```
//!
//! Server and client are processes of their own, both on one core, so that no wake-up crosses cores: what is measured
//! is the work. A figure is the CPU time of both processes together per round trip of a message of 100 bytes, with
//! one message in flight per stream, all streams on one connection. All contestants are measured once per repetition,
//! in shuffled order, and the ratios are formed within a repetition; of the repetitions the median counts.
//!
//! ```text
//! streamx-bench cancel [--runs 1000] [--threads 2]
//! ```
//!
//! measures instead how long it takes until a handler learns that its caller is gone, over one hop and over three.
//!
//! To look into one process, start it by hand and keep its input open:
//!
//! ```text
//! streamx-bench serve floor|bare|streamx [--threads 2] [--placement P]      prints its address
//! streamx-bench drive floor|bare|streamx ADDRESS STREAMS SIZE [--threads 2]
//! ```

mod bare;
mod cancel;
mod contest;
mod control;
mod echo;
mod floor;
mod kitex;
mod process;
mod report;

use std::env;
use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;

use contest::Contest;
use echo::Runtime;
use streamx::Placement;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("streamx-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> io::Result<()> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["serve", "floor"] => floor::serve(),
        ["serve", "bare"] => bare::serve(),
        ["serve", "streamx", ref options @ ..] => {
            let options = Options::parse(options)?;
            echo::serve(options.runtime, options.placement()?)
        }
        ["cancel", ref options @ ..] => {
            let options = Options::parse(options)?;
            cancel::measure(options.runtime, options.runs)
        }
        ["drive", "floor", address, streams, size] => {
            floor::drive(parse("ADDRESS", address)?, parse("STREAMS", streams)?, parse("SIZE", size)?)
        }
        ["drive", "bare", address, streams, size] => {
            bare::drive(parse("ADDRESS", address)?, parse("STREAMS", streams)?, parse("SIZE", size)?)
        }
        ["drive", "streamx", address, streams, size, ref options @ ..] => {
            let address: SocketAddr = parse("ADDRESS", address)?;
            let runtime = Options::parse(options)?.runtime;
            echo::drive(runtime, address, parse("STREAMS", streams)?, parse("SIZE", size)?)
        }
        ref options => {
            let options = Options::parse(options)?;
            options.placement()?;
            let figures = options.contest.run(&options.placement)?;
            print!("{}", report::text(&figures));
            Ok(())
        }
    }
}

struct Options {
    contest: Contest,
    placement: String,
    runtime: Runtime,
    runs: usize,
}

impl Options {
    fn parse(words: &[&str]) -> io::Result<Self> {
        let mut options = Self {
            contest: Contest::default(),
            placement: "adaptive".to_owned(),
            runtime: Runtime::CurrentThread,
            runs: 1000,
        };
        let (pairs, rest) = words.as_chunks::<2>();
        for &[name, value] in pairs {
            match name {
                "--placement" => options.placement = value.to_owned(),
                "--threads" => options.runtime = Runtime::Threads(parse(name, value)?),
                "--runs" => options.runs = parse(name, value)?,
                "--repetitions" => options.contest.repetitions = parse(name, value)?,
                "--window" => options.contest.window_millis = parse(name, value)?,
                "--other" => options.contest.other = Some(value.into()),
                "--core" => options.contest.core = parse(name, value)?,
                _ => return Err(io::Error::other(format!("unknown argument {name}"))),
            }
        }
        match rest {
            [] => Ok(options),
            [name, ..] => Err(io::Error::other(format!("{name} needs a value"))),
        }
    }

    fn placement(&self) -> io::Result<Placement> {
        match &*self.placement {
            "adaptive" => Ok(Placement::Adaptive),
            "connection" => Ok(Placement::Connection),
            "task" => Ok(Placement::Task),
            other => Err(io::Error::other(format!("--placement {other}: not adaptive, connection or task"))),
        }
    }
}

fn parse<T: std::str::FromStr>(name: &str, value: &str) -> io::Result<T> {
    value.parse().map_err(|_| io::Error::other(format!("{name}: not understood: {value}")))
}
