//! A server's connection from its first byte: which protocol does the client speak?

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;
use tokio::time::Instant;

use super::connection::Connection;
#[cfg(feature = "grpc")]
use super::grpc;
use super::link::Link;
use super::secure::Accept;
use super::socket::Socket;
use super::task_waker::TaskWaker;
use super::{link, ttheader, unary};
use crate::call::router::Router;
use crate::counters::Meter;
use crate::wire::detect::{Detected, Protocol as Spoken, detect};
use crate::{Code, Error, Limits, Result, Side};

/// How long a peer may take to read why its calls were cut off, or why it is not served.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// How many of the first bytes are read at once; a usual first frame fits.
const FIRST_READ: usize = 4 << 10;

/// What a client of HTTP/1 gets to read.
#[cfg(feature = "grpc")]
const NO_HTTP_1: &str = "This port serves TTHeader, Thrift (framed and buffered), and gRPC over HTTP/2. It does not serve HTTP/1.\n";
#[cfg(not(feature = "grpc"))]
const NO_HTTP_1: &str =
    "This port serves TTHeader and Thrift (framed and buffered). It does not serve HTTP/1.\n";

/// What every connection of a server needs.
#[derive(Clone)]
pub(crate) struct Serve {
    pub(crate) router: Arc<Router>,
    pub(crate) limits: Arc<Limits>,
    pub(crate) meter: Arc<Meter>,
    pub(crate) stop: watch::Receiver<Stop>,
    /// Every connection begins with its handshake, if there is one.
    pub(crate) tls: Option<Arc<dyn Accept>>,
    #[cfg(feature = "grpc")]
    pub(crate) grpc: grpc::ServerSettings,
}

/// How far the shutdown of a server has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// It serves.
    No,
    /// No new call is accepted; a connection ends when its last call has.
    Drain,
    /// Every connection ends now.
    Now,
}

/// Serves one connection until it ends.
pub(crate) async fn serve(socket: Socket, serve: Serve) {
    let born = Instant::now();
    let limit = serve.limits.first_frame_timeout;
    let mut stop = serve.stop.clone();
    let mut missing = "finished its TLS handshake";
    let begin = begin(socket, &serve, &mut missing);
    let begun = tokio::select! {
        biased;
        _ = stop.wait_for(|stop| *stop != Stop::No) => return,
        begun = tokio::time::timeout(limit, begin) => begun,
    };
    match begun {
        Ok(Ok(Some(Begun { spoken: Spoken::Streaming, reader, link, input }))) => {
            let protocol = ttheader::Server::new(&link, Arc::clone(&serve.router));
            let connection = Connection::new(Arc::clone(&link), protocol, reader, input, born);
            run(&serve, &link, connection).await;
        }
        Ok(Ok(Some(Begun { spoken: Spoken::Unary, reader, link, input }))) => {
            let protocol = unary::Server::new(&link, Arc::clone(&serve.router));
            let connection = Connection::new(Arc::clone(&link), protocol, reader, input, born);
            run(&serve, &link, connection).await;
        }
        #[cfg(feature = "grpc")]
        Ok(Ok(Some(Begun { spoken: Spoken::Grpc, reader, link, input }))) => {
            let connection = grpc::server(&link, Arc::clone(&serve.router), serve.grpc, reader, input, born);
            run(&serve, &link, connection).await;
        }
        Ok(Ok(None)) => {}
        Ok(Err(error)) => tracing::info!(%error, "closed a connection"),
        Err(_) => tracing::info!(?limit, "closed a connection that has not {missing} in time"),
    }
}

/// A connection that has shown its protocol.
struct Begun {
    spoken: Spoken,
    reader: Box<dyn AsyncRead + Send + Unpin>,
    link: Arc<Link>,
    input: BytesMut,
}

/// Makes the connection a secure one where that is wanted, and reads until the protocol is clear; `missing` says what
/// it waits for. `None` when the client closed the connection without a word.
async fn begin(socket: Socket, serve: &Serve, missing: &mut &str) -> Result<Option<Begun>> {
    let socket = match &serve.tls {
        Some(tls) => tls.accept(socket).await?,
        None => Some(socket),
    };
    let Some(socket) = socket else { return Ok(None) };
    *missing = "shown its protocol";
    let peer = socket.peer();
    let (mut reader, writer) = socket.split();
    let mut input = BytesMut::with_capacity(FIRST_READ);
    match recognise(&mut reader, &mut input).await? {
        Detected::Is(spoken) => {
            let socket = Socket::Made(reader, writer, peer);
            let (reader, link) = link(socket, Arc::clone(&serve.limits), Arc::clone(&serve.meter));
            Ok(Some(Begun { spoken, reader, link, input }))
        }
        Detected::Http1 => {
            tracing::info!("closed a connection: its client speaks HTTP/1, which is not served on this port");
            refuse_http1(tokio::io::join(reader, writer), input.starts_with(b"HEAD ")).await;
            Ok(None)
        }
        Detected::Nothing(reason) => Err(Error::protocol(reason)),
        Detected::Need => Ok(None),
    }
}

/// Reads until the protocol is clear. Otherwise the client has closed the connection without a word.
async fn recognise(reader: &mut (impl AsyncRead + Unpin), input: &mut BytesMut) -> Result<Detected> {
    loop {
        let detected = detect(input);
        if detected != Detected::Need {
            return Ok(detected);
        }
        match reader.read_buf(input).await {
            Ok(0) => return Ok(detected),
            Ok(_) => {}
            Err(error) => return Err(Error::transport(error.to_string()).with_source(error)),
        }
    }
}

/// Tells a client of HTTP/1, which may be a browser, what it has come to. The answer to HEAD has no body.
async fn refuse_http1(mut socket: impl AsyncRead + AsyncWrite + Unpin, is_head: bool) {
    let body = if is_head { "" } else { NO_HTTP_1 };
    let answer = format!(
        "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        NO_HTTP_1.len()
    );
    if let Ok(Ok(())) = tokio::time::timeout(LAST_WORDS, socket.write_all(answer.as_bytes())).await {
        linger(socket).await;
    }
}

/// Closes a connection whose client was told why, once it has had time to read that: closed with bytes of the client
/// unread, TCP would tell it that the connection was reset, and lose the reason.
pub(crate) async fn linger(mut socket: impl AsyncRead + AsyncWrite + Unpin) {
    let closed = async {
        socket.shutdown().await?;
        tokio::io::copy(&mut socket, &mut tokio::io::sink()).await
    };
    let _gone = tokio::time::timeout(LAST_WORDS, closed).await;
}

async fn run(serve: &Serve, link: &Arc<Link>, connection: impl Future<Output = ()>) {
    let bell = Arc::new(Bell { rung: AtomicBool::new(true), task: Arc::clone(&link.waker) });
    let waker = Waker::from(Arc::clone(&bell));
    let mut stopping = pin!(stopping(serve.stop.clone(), link));
    let mut connection = pin!(connection);
    poll_fn(|cx| {
        // Both are one task, and the connection is polled for every read: the other only when it has something to say.
        if bell.rung.load(SeqCst) && bell.rung.swap(false, SeqCst) {
            let _never_ready = stopping.as_mut().poll(&mut Context::from_waker(&waker));
        }
        let ended = connection.as_mut().poll(cx);
        if ended.is_pending() && bell.rung.load(SeqCst) {
            // It rang while the connection was polled, which took that for its own.
            cx.waker().wake_by_ref();
        }
        ended
    })
    .await;
}

/// Tells the connection that the server is shut down.
async fn stopping(mut stop: watch::Receiver<Stop>, link: &Link) {
    // An error means that the server itself was dropped.
    if stop.wait_for(|stop| *stop != Stop::No).await.is_ok() {
        link.shut_down();
        if stop.wait_for(|stop| *stop == Stop::Now).await.is_ok() {
            let text = "the server was shut down before the call had ended";
            link.cut(Error::new(Code::Unavailable, text).with_kitex_code(12013).with_side(Side::Server));
            tokio::time::sleep(LAST_WORDS).await;
        }
    }
    link.close(Error::transport("the server was shut down"));
    std::future::pending().await
}

/// Wakes the task of a connection for what else runs in it.
struct Bell {
    rung: AtomicBool,
    task: Arc<TaskWaker>,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.rung.store(true, SeqCst);
        self.task.wake_task();
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    /// What a server says to these bytes, which arrive in two reads, and how long it takes.
    async fn answer(request: &[u8], split: usize) -> (String, Duration) {
        let (far, mut near) = duplex(4 << 10);
        let began = Instant::now();
        let stop = watch::Sender::new(Stop::No);
        let serve = Serve {
            router: Arc::default(),
            limits: Arc::default(),
            meter: Arc::default(),
            stop: stop.subscribe(),
            tls: None,
            #[cfg(feature = "grpc")]
            grpc: grpc::ServerSettings::default(),
        };
        let serving = tokio::spawn(super::serve(Socket::Memory(far), serve));
        near.write_all(&request[..split]).await.unwrap();
        tokio::task::yield_now().await;
        near.write_all(&request[split..]).await.unwrap();
        let mut answer = String::new();
        near.read_to_string(&mut answer).await.unwrap();
        let took = began.elapsed();
        drop(near);
        serving.await.unwrap();
        (answer, took)
    }

    #[tokio::test(start_paused = true)]
    async fn http_1_is_refused_in_its_own_words_however_it_arrives() {
        let head = format!(
            "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            NO_HTTP_1.len()
        );
        for method in ["GET", "PUT", "HEAD", "POST", "PATCH", "TRACE", "DELETE", "OPTIONS", "CONNECT"] {
            let request = format!("{method} / HTTP/1.1\r\nHost: localhost\r\n\r\n");
            let body = if method == "HEAD" { "" } else { NO_HTTP_1 };
            for split in 0..=request.len() {
                let (answer, _) = answer(request.as_bytes(), split).await;
                assert_eq!(answer, format!("{head}{body}"), "{method}, {split}");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_has_said_enough_is_not_left_waiting() {
        for (request, begins) in [("GET /", "HTTP/1.1 400 "), ("HEAD ", "HTTP/1.1 400 "), ("hello", "")] {
            for split in 0..=request.len() {
                let (answer, took) = answer(request.as_bytes(), split).await;
                assert!(answer.starts_with(begins), "{request}, {split}: {answer}");
                assert_eq!(answer.is_empty(), begins.is_empty(), "{request}, {split}: {answer}");
                assert_eq!(took, Duration::ZERO, "{request}, {split}");
            }
        }
    }
}
