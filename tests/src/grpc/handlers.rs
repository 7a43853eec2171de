use std::time::Duration;

use bytes::{Bytes, BytesMut};
use streamx::codec::protobuf;
use streamx::well_known::Any;
use streamx::{Bidi, Code, Context, Error, Result, Sender, Streaming};
use tokio::sync::watch;

use super::orca::{OrcaLoadReport, PER_CALL};
use super::test_service::{
    EchoStatus, Empty, Payload, PayloadType, ResponseParameters, SimpleRequest, SimpleResponse,
    StreamingInputCallRequest, StreamingInputCallResponse, StreamingOutputCallRequest,
    StreamingOutputCallResponse, TestService,
};

/// The header that comes back as one.
pub(super) const INITIAL: &str = "x-grpc-test-echo-initial";
/// The header that comes back as a trailer.
pub(super) const TRAILING: &str = "x-grpc-test-echo-trailing-bin";

/// The text of a status that is to have itself as a detail.
const WITH_DETAILS: &str = "with details";

/// The largest payload that a caller may ask for.
const LARGEST: usize = 8 << 20;

/// The service as a user of streamx writes it.
#[derive(Clone, Debug, Default)]
pub struct Handlers {
    /// What a caller has said this server reports of its load.
    pub(super) load: watch::Sender<OrcaLoadReport>,
}

impl TestService for Handlers {
    async fn empty_call(&self, empty: Empty) -> Result<Empty> {
        Ok(empty)
    }

    async fn unary_call(&self, ctx: Context, request: SimpleRequest) -> Result<SimpleResponse> {
        echo_metadata(&ctx)?;
        end_with(request.response_status)?;
        if let Some(report) = request.orca_per_query_report {
            let mut bytes = BytesMut::new();
            protobuf::encode(&OrcaLoadReport::from(report), &mut bytes)?;
            ctx.set_trailer_bin(PER_CALL, bytes)?;
        }
        let payload = Some(payload(request.response_type, request.response_size)?);
        let server_id = if request.fill_server_id { std::process::id().to_string() } else { String::new() };
        Ok(SimpleResponse { payload, server_id, ..SimpleResponse::default() })
    }

    async fn streaming_output_call(
        &self,
        request: StreamingOutputCallRequest,
        mut stream: Sender<StreamingOutputCallResponse>,
    ) -> Result<()> {
        end_with(request.response_status)?;
        for wanted in request.response_parameters {
            stream.send(response(request.response_type, &wanted).await?).await?;
        }
        Ok(())
    }

    async fn streaming_input_call(
        &self,
        mut stream: Streaming<StreamingInputCallRequest>,
    ) -> Result<StreamingInputCallResponse> {
        let mut size = 0;
        while let Some(request) = stream.recv().await? {
            size += request.payload.map_or(0, |payload| payload.body.len());
        }
        Ok(StreamingInputCallResponse { aggregated_payload_size: i32::try_from(size).map_err(Error::other)? })
    }

    async fn full_duplex_call(
        &self,
        ctx: Context,
        mut stream: Bidi<StreamingOutputCallRequest, StreamingOutputCallResponse>,
    ) -> Result<()> {
        echo_metadata(&ctx)?;
        while let Some(request) = stream.recv().await? {
            end_with(request.response_status)?;
            if let Some(report) = request.orca_oob_report {
                self.load.send_replace(report.into());
            }
            for wanted in request.response_parameters {
                stream.send(response(request.response_type, &wanted).await?).await?;
            }
        }
        Ok(())
    }

    async fn half_duplex_call(
        &self,
        mut stream: Bidi<StreamingOutputCallRequest, StreamingOutputCallResponse>,
    ) -> Result<()> {
        let mut requests = Vec::new();
        while let Some(request) = stream.recv().await? {
            requests.push(request);
        }
        for request in requests {
            for wanted in request.response_parameters {
                stream.send(response(request.response_type, &wanted).await?).await?;
            }
        }
        Ok(())
    }
}

fn echo_metadata(ctx: &Context) -> Result<()> {
    if let Some(value) = ctx.metadata().get(INITIAL) {
        ctx.set_header(INITIAL, value)?;
    }
    if let Some(value) = ctx.metadata().get_bin(TRAILING) {
        ctx.set_trailer_bin(TRAILING, value.to_vec())?;
    }
    Ok(())
}

fn end_with(status: Option<EchoStatus>) -> Result<()> {
    match status {
        Some(status) if status.code != 0 => {
            let error = Error::new(Code::from_i32(status.code), status.message.clone());
            Err(match &*status.message {
                WITH_DETAILS => error.with_detail(Any::pack("grpc.testing.EchoStatus", &status)?),
                _ => error,
            })
        }
        _ => Ok(()),
    }
}

async fn response(kind: PayloadType, wanted: &ResponseParameters) -> Result<StreamingOutputCallResponse> {
    if let Ok(interval @ 1..) = u64::try_from(wanted.interval_us) {
        tokio::time::sleep(Duration::from_micros(interval)).await;
    }
    Ok(StreamingOutputCallResponse { payload: Some(payload(kind, wanted.size)?) })
}

fn payload(kind: PayloadType, size: i32) -> Result<Payload> {
    let refused = |what: String| Error::new(Code::InvalidArgument, what);
    if kind != PayloadType::Compressable {
        return Err(refused(format!("there are no payloads of the type {kind:?}")));
    }
    let size = usize::try_from(size).ok().filter(|&size| size <= LARGEST);
    let size = size.ok_or_else(|| refused(format!("a payload has 0 to {LARGEST} bytes")))?;
    Ok(Payload { kind, body: Bytes::from(vec![0; size]) })
}
