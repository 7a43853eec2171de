//! The headers of HTTP/2 that begin and end a call.

use std::sync::Arc;
use std::time::Duration;

use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, TE};
use http::{Request, Response, Uri, Version};

use super::ClientSettings;
use super::compression::{ACCEPTED, Compression};
use crate::call::context::Facts;
use crate::call::peer::Peer;
use crate::call::router::Route;
use crate::call::{Format, NewCall, Protocol};
use crate::transport::metainfo;
use crate::wire::grpc::metadata::{self, Received};
use crate::wire::grpc::{self, path, timeout};
use crate::{Code, Error, Metadata, Result};

/// How this side calls itself.
const USER_AGENT: &str = concat!("streamx/", env!("CARGO_PKG_VERSION"));

/// What the calls of a client go to.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) format: Format,
    /// Whether there is TLS below.
    pub(crate) is_secure: bool,
    /// The name under which the server is called.
    pub(crate) authority: Arc<str>,
    pub(crate) settings: ClientSettings,
}

/// What opens a call.
pub(super) fn request(call: &NewCall, target: &Target, caller: &str) -> Result<Request<()>> {
    let Target { format, is_secure, authority, settings } = target;
    let path = path::write(call.namespace, call.service, call.method);
    let scheme = if *is_secure { "https" } else { "http" };
    let uri = Uri::builder().scheme(scheme).authority(&**authority).path_and_query(path).build();
    let uri = uri.map_err(|error| {
        let (service, method) = (call.service, call.method);
        let text = format!("{service}.{method} at {authority} cannot be the address of a gRPC call: {error}");
        Error::new(Code::InvalidArgument, text)
    })?;
    let mut request = Request::post(uri).version(Version::HTTP_2).body(()).unwrap_or_default();
    let headers = request.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type(*format)));
    headers.insert(http::header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
    headers.insert(TE, HeaderValue::from_static("trailers"));
    headers.insert(grpc::ACCEPT_ENCODING, HeaderValue::from_static(ACCEPTED));
    if let Some(compression) = settings.compression {
        headers.insert(grpc::ENCODING, HeaderValue::from_static(compression.name()));
    }
    if let Some(timeout) = call.timeout {
        insert(headers, grpc::TIMEOUT, timeout::write(timeout).as_bytes());
    }
    if !caller.is_empty() {
        insert(headers, grpc::CALLER, caller.as_bytes());
    }
    let strings = call.strings.iter().map(|(key, value)| (key, value.as_bytes()));
    let binary = call.binary.iter().map(|(key, value)| (key, &**value));
    for (key, value) in strings.chain(binary) {
        // Metainfo that others have set must not fail a call; Kitex leaves out what cannot travel, too.
        if !put(headers, key, value) && !metadata::is_metainfo(key) {
            return Err(unfit(key));
        }
    }
    Ok(request)
}

/// The header of a server.
pub(super) fn response(format: Format, compression: Option<Compression>, pairs: &Metadata) -> Response<()> {
    let mut response = Response::new(());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type(format)));
    if let Some(compression) = compression {
        headers.insert(grpc::ENCODING, HeaderValue::from_static(compression.name()));
    }
    put_all(headers, pairs);
    response
}

/// The end of a call that has no header of its own.
pub(super) fn trailers_only(format: Format, trailers: HeaderMap) -> Response<()> {
    let mut response = Response::new(());
    *response.headers_mut() = trailers;
    let content_type = HeaderValue::from_static(content_type(format));
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    // The encoding of the request may be why.
    response.headers_mut().insert(grpc::ACCEPT_ENCODING, HeaderValue::from_static(ACCEPTED));
    response
}

fn content_type(format: Format) -> &'static str {
    match format {
        Format::Thrift => grpc::THRIFT,
        Format::Protobuf => grpc::PROTOBUF,
    }
}

/// Whether a pair that a handler has set can travel.
pub(super) fn check(key: &str, value: &[u8]) -> Result<()> {
    if put(&mut HeaderMap::new(), key, value) { Ok(()) } else { Err(unfit(key)) }
}

/// Adds pairs that were checked.
pub(super) fn put_all(headers: &mut HeaderMap, pairs: &Metadata) {
    for (key, value) in pairs.iter_bin() {
        put(headers, key, value);
    }
}

/// Adds a header whose name and value belong to the protocol; nothing if a header cannot hold the value.
pub(super) fn insert(headers: &mut HeaderMap, name: &'static str, value: &[u8]) {
    if let Ok(value) = HeaderValue::from_bytes(value) {
        headers.insert(HeaderName::from_static(name), value);
    }
}

/// The pairs of a server's header or trailer.
pub(super) fn pairs(headers: &HeaderMap) -> Metadata {
    let mut pairs = Metadata::default();
    for (name, value) in headers {
        let name = name.as_str();
        if !metadata::is_reserved(name) {
            metadata::read_value(name, value.as_bytes())
                .into_iter()
                .for_each(|value| pairs.receive(name, value));
        }
    }
    pairs
}

/// What a client has sent before its first message.
pub(super) fn facts(route: &Route, peer: Peer, headers: &HeaderMap, timeout: Option<Duration>) -> Facts {
    let (mut persistent, mut transient, mut others) =
        (Metadata::default(), Metadata::default(), Metadata::default());
    for (name, value) in headers {
        let name = name.as_str();
        // Kitex drops what it cannot decode (spec 2.7).
        let Some(value) = metadata::read_value(name, value.as_bytes()) else { continue };
        match metadata::read_name(name) {
            Received::Reserved => {}
            Received::Metadata => others.receive(name, value),
            _ if value.is_empty() => {}
            Received::Persistent(key) => persistent.receive(&key, value),
            Received::Transient(key) => transient.receive(&key, value),
        }
    }
    Facts {
        namespace: route.namespace,
        service: route.service,
        method: route.method.name,
        protocol: Protocol::Grpc,
        peer,
        deadline: timeout.and_then(metainfo::after),
        persistent,
        transient,
        metadata: others,
    }
}

/// Adds a pair. False if it cannot travel.
fn put(headers: &mut HeaderMap, key: &str, value: &[u8]) -> bool {
    pair(key, value).map(|(name, value)| headers.insert(name, value)).is_some()
}

/// A pair as a header, if it can travel.
pub(super) fn pair(key: &str, value: &[u8]) -> Option<(HeaderName, HeaderValue)> {
    let name = metadata::write_name(key)?;
    let value = metadata::write_value(&name, value)?;
    Some((HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_bytes(&value).ok()?))
}

fn unfit(key: &str) -> Error {
    let shown: String = key.chars().take(40).collect();
    let text = format!(
        "the pair with the key `{shown}` cannot travel over gRPC: keys are ASCII letters, digits, `-`, `_` and `.` that do \
         not belong to the protocol, and values have no control characters"
    );
    Error::new(Code::InvalidArgument, text)
}
