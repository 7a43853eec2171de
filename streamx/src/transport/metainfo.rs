//! What a call brings besides its messages, as it travels: the keys of Kitex's metainfo (spec 7, "Unary" 3).

use std::time::{Duration, Instant};

use crate::Metadata;
use crate::call::Protocol;
use crate::call::context::Facts;
use crate::call::peer::Peer;
use crate::call::router::Route;
use crate::wire::ttheader::header::Strings;

/// Travels the whole chain of calls.
const PERSISTENT: &str = "RPC_PERSIST_";
/// Travels one hop.
const TRANSIENT: &str = "RPC_TRANSIT_";
/// What a caller of the caller meant for one hop; seen by nobody here. Begins as the one above, so it is looked for
/// first.
const STALE: &str = "RPC_TRANSIT_UPSTREAM_";

/// What is known of a call when it begins.
pub(super) fn facts(
    route: &Route,
    protocol: Protocol,
    peer: Peer,
    strings: Strings,
    timeout: Option<Duration>,
) -> Facts {
    let (mut persistent, mut transient, mut metadata) = (Strings::new(), Strings::new(), Strings::new());
    for (key, value) in strings {
        let (kind, key): (_, Box<str>) = if key.starts_with(STALE) {
            continue;
        } else if let Some(key) = key.strip_prefix(PERSISTENT) {
            (&mut persistent, Box::from(key))
        } else if let Some(key) = key.strip_prefix(TRANSIENT) {
            (&mut transient, Box::from(key))
        } else {
            metadata.push((key, value));
            continue;
        };
        // Kitex knows neither empty keys nor empty values.
        if !key.is_empty() && !value.is_empty() {
            kind.push((key, value));
        }
    }
    Facts {
        namespace: route.namespace,
        service: route.service,
        method: route.method.name,
        protocol,
        peer,
        deadline: timeout.and_then(after),
        persistent: Metadata::from(persistent),
        transient: Metadata::from(transient),
        metadata: Metadata::from(metadata),
    }
}

/// By the clock of the runtime, which tests can stop.
pub(super) fn after(timeout: Duration) -> Option<Instant> {
    tokio::time::Instant::now().into_std().checked_add(timeout)
}
