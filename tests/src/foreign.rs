//! A gRPC client of another make: HTTP/2 and bytes that were made by hand.

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Request, StatusCode};
use tokio::net::TcpStream;

use crate::rig::soon;

/// What it is answered with.
#[derive(Debug)]
#[non_exhaustive]
pub struct Answer {
    pub status: StatusCode,
    /// The header and the trailers.
    pub headers: HeaderMap,
    /// The messages with their prefixes.
    pub body: Bytes,
}

impl Answer {
    /// A header in ASCII, empty if there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("ASCII"))
    }
}

/// Calls a method on a connection of its own.
pub async fn answer(address: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let socket = TcpStream::connect(address).await.expect("the server listens");
    let (mut client, connection) = h2::client::handshake(socket).await.expect("HTTP/2");
    let driver = tokio::spawn(connection);
    let mut request = Request::post(format!("http://{address}{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(()).expect("a request");
    let (response, mut send) = client.send_request(request, false).expect("a stream");
    send.send_data(Bytes::copy_from_slice(body), true).expect("a body");
    let response = soon(response).await.expect("a response");
    let (status, mut headers) = (response.status(), response.headers().clone());
    let (mut recv, mut body) = (response.into_body(), BytesMut::new());
    while let Some(piece) = soon(recv.data()).await {
        let piece = piece.expect("a body");
        recv.flow_control().release_capacity(piece.len()).expect("it was received");
        body.extend_from_slice(&piece);
    }
    headers.extend(soon(recv.trailers()).await.expect("an end").unwrap_or_default());
    driver.abort();
    Answer { status, headers, body: body.freeze() }
}
