//! A client and a server over a network in memory, and the history that is played on them.

use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::FutureExt;
use streamx::testing::Network;
use streamx::{Channel, Counters, Limits, Placement, Service};
use tokio::time::{Instant, sleep, timeout_at};

use super::handles::Handles;
use super::op::{History, LARGEST_IF_TIGHT, Mode, Op, STREAMS, Who};
use super::player::{Begun, HistoryClient, HistoryServer, Player, STREAM};
use super::stream::{Checked, OVERHEAD, Stream, note};
use super::waits::Bell;
use super::wires::Wires;

/// How long after a fault a connection may still be used that is lost.
const FAULT: Duration = Duration::from_secs(3);
/// By when everything is over that was not given up: nothing else takes so long.
const FOREVER: Duration = Duration::from_secs(600);
/// No limit of time ends a connection.
const NEVER: Duration = Duration::from_secs(100_000);
/// How much may wait for receivers where they may be too far behind.
const TIGHT: usize = 4 << 10;

struct World {
    bell: Bell,
    network: Network,
    channel: Channel,
    client: HistoryClient,
    player: Player,
    wires: Arc<Mutex<Wires>>,
    streams: [Option<Stream>; STREAMS],
    tight: bool,
    held: bool,
    /// When the last fault was, or was seen to be.
    fault: Option<Instant>,
    fault_is_held: bool,
    /// A fault may come with any byte.
    armed: bool,
}

/// Plays a history, in a runtime of its own; the violation of an invariant is the error.
pub fn play(history: &History) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let mut world = World::new(history);
        for op in &history.ops {
            world.apply(*op).await?;
            world.pump()?;
            world.sample()?;
        }
        world.wind_up().await
    })
}

impl World {
    fn new(history: &History) -> Self {
        let setting = history.setting;
        let (bell, network) = (Bell::default(), Network::seeded(history.seed));
        let mut limits = Limits::default()
            .stream_send_buffer(2 << 10)
            .connection_send_buffer(4 << 10)
            .lone_stream_receive_buffer(4 << 10)
            .lone_stream_pause(Duration::from_millis(50))
            .cancel_grace(Duration::from_millis(30))
            .first_frame_timeout(NEVER)
            .frame_timeout(NEVER)
            .write_stall_timeout(NEVER);
        if setting.tight {
            limits = limits.stream_receive_buffer(TIGHT / 2).server_receive_buffer(TIGHT);
        }
        network.limits(limits).split(setting.pieces).room(setting.room).delay(Duration::ZERO..=setting.delay);
        let wires = Arc::new(Mutex::new(Wires::default()));
        let seen = Arc::clone(&wires);
        network.tap(move |connection, side, bytes| {
            seen.lock().expect("nobody panics here").see(connection, side, bytes);
        });
        let player = Player::new(&bell);
        let placement = if setting.in_connection { Placement::Connection } else { Placement::Task };
        let service = Service::from(HistoryServer::new(player.clone())).placement(placement);
        let channel = network.channel(service);
        Self {
            bell,
            network,
            client: HistoryClient::new(channel.clone()),
            channel,
            player,
            wires,
            streams: Default::default(),
            tight: setting.tight,
            held: false,
            fault: None,
            fault_is_held: false,
            armed: false,
        }
    }

    async fn apply(&mut self, op: Op) -> Checked {
        match op {
            Op::Open { stream, mode, timeout, recv_timeout, keep_open } => {
                if self.streams[stream].is_none() {
                    self.open(stream, mode, timeout, recv_timeout, keep_open);
                }
            }
            Op::Yield => tokio::task::yield_now().await,
            Op::Pass { millis } => self.pass(Duration::from_millis(millis)).await?,
            Op::Hold => {
                self.held = true;
                self.fault_is_held |= self.is_fault_recent();
                self.network.hold();
            }
            Op::Release => self.release(),
            Op::Cut => {
                self.fault();
                self.network.cut();
            }
            Op::CutAfter { bytes } => {
                self.fault();
                self.armed = true;
                self.network.cut_after(bytes);
            }
            Op::Reset => {
                self.fault();
                self.network.reset();
            }
            Op::Split { stream }
            | Op::Send { stream, .. }
            | Op::GiveUpSend { stream, .. }
            | Op::Recv { stream, .. }
            | Op::GiveUpRecv { stream, .. }
            | Op::CloseSend { stream }
            | Op::Drop { stream, .. }
            | Op::Cancel { stream }
            | Op::SetHeader { stream }
            | Op::SendHeader { stream }
            | Op::SetTrailer { stream }
            | Op::Header { stream }
            | Op::End { stream, .. } => {
                if let Some(open) = &mut self.streams[stream] {
                    open.apply(stream, op)?;
                }
            }
        }
        Ok(())
    }

    /// Lets time pass, and goes on with what is woken in it.
    async fn pass(&mut self, time: Duration) -> Checked {
        let mut time = pin!(sleep(time));
        loop {
            self.pump()?;
            tokio::select! {
                biased;
                () = self.bell.rung() => {}
                () = &mut time => return Ok(()),
            }
        }
    }

    fn open(
        &mut self,
        number: usize,
        mode: Mode,
        timeout: Option<u64>,
        recv_timeout: Option<u64>,
        keep_open: bool,
    ) {
        let (timeout, recv_timeout) =
            (timeout.map(Duration::from_millis), recv_timeout.map(Duration::from_millis));
        macro_rules! opened {
            ($call:expr, $handles:expr) => {{
                let mut call = $call.persistent(STREAM, number.to_string()).keep_open(keep_open);
                if let Some(timeout) = timeout {
                    call = call.timeout(timeout);
                }
                if let Some(timeout) = recv_timeout {
                    call = call.recv_timeout(timeout);
                }
                async move { call.await.map($handles) }.boxed()
            }};
        }
        let opening = match mode {
            Mode::Both => opened!(self.client.both(), Handles::Bidi),
            Mode::Plain => opened!(self.client.plain(), Handles::Bidi),
            Mode::Up => opened!(self.client.up(), Handles::Up),
            Mode::Down => opened!(self.client.down(note(number, 0, 0)), |rx| Handles::Halves(None, Some(rx))),
        };
        let exposed = self.armed || self.fault_is_held || self.is_fault_recent();
        let mut stream = Stream::new(&self.bell, mode, Handles::Opening(opening), self.tight, exposed);
        stream.limit(timeout, recv_timeout, keep_open);
        self.streams[number] = Some(stream);
    }

    fn fault(&mut self) {
        self.fault = Some(Instant::now());
        self.fault_is_held |= self.held;
        for stream in self.streams.iter_mut().flatten() {
            stream.exposed = true;
        }
    }

    fn is_fault_recent(&self) -> bool {
        self.fault.is_some_and(|fault| fault.elapsed() < FAULT)
    }

    fn release(&mut self) {
        self.held = false;
        self.network.release();
        if std::mem::take(&mut self.fault_is_held) {
            self.fault = Some(Instant::now());
        }
    }

    /// Takes over what handlers have begun, and polls what was woken, until nothing is.
    fn pump(&mut self) -> Checked {
        loop {
            for Begun { stream, handles, context, returns } in self.player.begun() {
                let Some(stream) = self.streams[stream].as_mut().filter(|stream| !stream.has_begun()) else {
                    return Err("invariant 3: a second handler has begun for one call".to_owned());
                };
                stream.begun(handles, context, returns);
            }
            let mut any = false;
            for (number, stream) in self.streams.iter_mut().enumerate() {
                if let Some(stream) = stream {
                    any |= stream.pump(number).map_err(|why| format!("stream {number}: {why}"))?;
                }
            }
            if !any {
                return Ok(());
            }
        }
    }

    /// What must be so at any time.
    fn sample(&self) -> Checked {
        let (client, server) = (self.channel.counters(), self.network.server_counters());
        let under_way: usize = self.streams.iter().flatten().map(Stream::under_way).sum();
        // A message may come while any room is left.
        let limit = if self.tight { under_way.min(TIGHT + LARGEST_IF_TIGHT + OVERHEAD) } else { under_way };
        for queued in [client.queued_bytes, server.queued_bytes] {
            if queued > limit as u64 {
                return Err(format!("invariant 6: {queued} bytes are queued, of {limit} that may be"));
            }
        }
        let (started, ended) = self.player.counts();
        if started - ended > usize::try_from(server.handlers).unwrap_or(usize::MAX) {
            let counted = server.handlers;
            return Err(format!(
                "invariant 3: {started} handlers have begun, {ended} ended, {counted} are counted"
            ));
        }
        if let Some(violation) = self.wires.lock().expect("nobody panics here").violation() {
            return Err(format!("invariant 7: {violation}"));
        }
        for (number, stream) in self.streams.iter().enumerate() {
            if let Some(stream) = stream {
                stream.check_time().map_err(|why| format!("stream {number}: {why}"))?;
            }
        }
        Ok(())
    }

    /// Ends whatever is not over, and looks what is left.
    async fn wind_up(mut self) -> Checked {
        self.release();
        let forever = Instant::now() + FOREVER;
        loop {
            self.pump()?;
            self.sample()?;
            let mut over = true;
            for (number, stream) in self.streams.iter_mut().enumerate() {
                if let Some(stream) = stream {
                    over &= stream.wind_up(number).map_err(|why| format!("stream {number}: {why}"))?;
                }
            }
            let (started, ended) = self.player.counts();
            if over && started == ended && self.is_at_rest() {
                break;
            }
            let rung = async {
                tokio::select! {
                    biased;
                    () = self.bell.rung() => {}
                    // Nobody rings when the last byte has arrived.
                    () = sleep(Duration::from_secs(10)) => {}
                }
            };
            if timeout_at(forever, rung).await.is_err() {
                return Err(format!("invariants 3 and 5: it does not end: {}", self.state()));
            }
        }
        for (number, stream) in self.streams.iter_mut().enumerate() {
            if let Some(stream) = stream {
                stream.check_end(number).map_err(|why| format!("stream {number}: {why}"))?;
            }
        }
        let Self { network, channel, client, streams, wires, .. } = self;
        drop((streams, client, channel));
        sleep(FOREVER).await;
        if let Some(violation) = wires.lock().expect("nobody panics here").violation() {
            return Err(format!("invariant 7: {violation}"));
        }
        match network.server_counters().connections {
            0 => Ok(()),
            left => Err(format!("invariant 3: {left} connections are left")),
        }
    }

    /// No stream, no handler and no queued byte is left on either side.
    fn is_at_rest(&self) -> bool {
        let rest = |now: Counters| (now.streams, now.handlers, now.queued_bytes) == (0, 0, 0);
        rest(self.channel.counters()) && rest(self.network.server_counters())
    }

    fn state(&self) -> String {
        let waits = self.streams.iter().enumerate().filter_map(|(number, stream)| {
            let stream = stream.as_ref()?;
            let waits = [Who::Client, Who::Handler].map(|who| stream.waits(who));
            Some(format!("stream {number} waits {waits:?}, handler ended {:?}", stream.ended))
        });
        let waits: Vec<_> = waits.collect();
        let (client, server) = (self.channel.counters(), self.network.server_counters());
        format!(
            "{waits:?}, handlers {:?}; streams {} and {}, handlers {}, queued {} and {}",
            self.player.counts(),
            client.streams,
            server.streams,
            server.handlers,
            client.queued_bytes,
            server.queued_bytes,
        )
    }
}
