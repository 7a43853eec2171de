//! Servers of gRPC of another make, which do to a call what no server of ours would.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, RecvStream};
use http::{HeaderMap, Request, Response};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::rig::soon;

/// Sends back what it gets, after it has refused some calls.
#[derive(Clone, Debug)]
#[allow(clippy::exhaustive_structs, reason = "tests fill in what they need")]
pub struct Echo {
    /// So many calls are refused first,
    pub refused: usize,
    /// each of them when so many bytes of it have come,
    pub after: usize,
    /// and with this a header goes before it.
    pub answers: bool,
    /// The others are answered with a header of so many bytes.
    pub header: usize,
}

impl Echo {
    /// Serves every connection that comes. The address, and how many calls there were.
    pub async fn start(self) -> (String, Arc<AtomicUsize>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound").to_string();
        (address, self.serve(listener))
    }

    /// As [`start`](Self::start), for what comes to a listener from now on.
    pub fn serve(self, listener: TcpListener) -> Arc<AtomicUsize> {
        let seen = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (echo, counted) = (self.clone(), Arc::clone(&counted));
                tokio::spawn(async move {
                    let Ok(mut connection) = h2::server::handshake(socket).await else { return };
                    while let Some(Ok((request, respond))) = connection.accept().await {
                        let refused = counted.fetch_add(1, SeqCst) < echo.refused;
                        tokio::spawn(echo.clone().answer(refused, request, respond));
                    }
                });
            }
        });
        seen
    }

    async fn answer(self, refused: bool, request: Request<RecvStream>, mut respond: SendResponse<Bytes>) {
        let mut body = request.into_body();
        let response = Response::builder().header("content-type", "application/grpc");
        let response = response.header("large", "x".repeat(self.header));
        let response = response.body(()).expect("a response");
        if refused {
            let mut come = 0;
            while come < self.after {
                let Some(Ok(piece)) = body.data().await else { break };
                body.flow_control().release_capacity(piece.len()).expect("it was received");
                come += piece.len();
            }
            if !self.answers {
                return respond.send_reset(Reason::REFUSED_STREAM);
            }
            let mut send = respond.send_response(response, false).expect("it is open");
            // The header is not to be lost for the reset.
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            return send.send_reset(Reason::REFUSED_STREAM);
        }
        let Ok(mut send) = respond.send_response(response, false) else { return };
        while let Some(Ok(piece)) = body.data().await {
            body.flow_control().release_capacity(piece.len()).expect("it was received");
            let _gone = send.send_data(piece, false);
        }
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", "0".parse().expect("a value"));
        let _gone = send.send_trailers(trailers);
    }
}

/// A connection of a server that is made of frames.
#[derive(Debug)]
pub struct Scripted(TcpStream);

impl Scripted {
    pub const DATA: u8 = 0;
    pub const HEADERS: u8 = 1;
    const SETTINGS: u8 = 4;
    const GOAWAY: u8 = 7;

    /// The next connection, which says nothing by itself.
    pub async fn accept(listener: &TcpListener) -> Self {
        let mut socket = soon(listener.accept()).await.expect("a client").0;
        let mut preface = [0; 24];
        soon(socket.read_exact(&mut preface)).await.expect("a preface");
        Self(socket)
    }

    /// Waits for a frame of this kind; the stream it belongs to.
    pub async fn next(&mut self, wanted: u8) -> u32 {
        loop {
            let mut head = [0; 9];
            soon(self.0.read_exact(&mut head)).await.expect("a frame");
            let [l0, l1, l2, kind, _, stream @ ..] = head;
            let mut payload = vec![0; u32::from_be_bytes([0, l0, l1, l2]) as usize];
            soon(self.0.read_exact(&mut payload)).await.expect("a payload");
            if kind == wanted {
                return u32::from_be_bytes(stream);
            }
        }
    }

    /// What a server says first.
    pub async fn greet(&mut self) {
        self.write(Self::SETTINGS, 0, 0, &[]).await;
    }

    /// It goes, and has begun no call after this one.
    pub async fn go_away(&mut self, last: u32, reason: Reason) {
        let payload = [last.to_be_bytes(), u32::from(reason).to_be_bytes()].concat();
        self.write(Self::GOAWAY, 0, 0, &payload).await;
    }

    /// Ends a call well, with this body.
    pub async fn answer(&mut self, stream: u32, body: &[u8]) {
        // `:status` and the name `content-type` are 8 and 31 in the table of HPACK.
        self.write(Self::HEADERS, 4, stream, b"\x88\x0f\x10\x10application/grpc").await;
        self.write(Self::DATA, 0, stream, body).await;
        self.write(Self::HEADERS, 5, stream, b"\0\x0bgrpc-status\x010").await;
    }

    async fn write(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let length = u32::try_from(payload.len()).expect("a small frame").to_be_bytes();
        let frame = [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat();
        self.0.write_all(&frame).await.expect("the client listens");
    }
}
