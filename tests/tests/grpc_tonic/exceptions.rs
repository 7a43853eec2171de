//! `TestService` with a declared exception: the message that tonic's server sends as a detail.

use streamx::{Bidi, Message, Result};
use streamx_tests::grpc::test_service::{SimpleRequest, SimpleResponse};

#[derive(Message, Clone, Debug, Default, PartialEq)]
#[message(exception, rename = "EchoStatus")]
pub(crate) struct OwnStatus {
    #[field(1)]
    code: i32,
    #[field(2)]
    message: String,
}

#[streamx::service(name = "TestService", namespace = "grpc.testing")]
pub(crate) trait Failing {
    async fn unary_call(&self, request: SimpleRequest) -> Result<SimpleResponse, OwnStatus>;

    #[bidi]
    async fn full_duplex_call(&self, stream: Bidi<SimpleRequest, SimpleResponse>) -> Result<(), OwnStatus>;
}

/// Its methods fail with [`own`].
pub(crate) struct Always;

impl Failing for Always {
    async fn unary_call(&self, _request: SimpleRequest) -> Result<SimpleResponse, OwnStatus> {
        Err(own())
    }

    async fn full_duplex_call(
        &self,
        mut stream: Bidi<SimpleRequest, SimpleResponse>,
    ) -> Result<(), OwnStatus> {
        _ = stream.recv().await;
        Err(own())
    }
}

pub(crate) fn own() -> OwnStatus {
    OwnStatus { code: 5, message: "with details".to_owned() }
}
