//! Section 2: a service, in every mode.

use super::messages::*;

use streamx::{Bidi, Context, Result, Sender, Streaming};

/// Echo in every streaming mode.
#[streamx::service(namespace = "echo")]
pub trait TestService {
    /// A normal method.
    async fn ping_pong(&self, req: Request) -> Result<Response>;

    #[bidi]
    async fn echo(&self, stream: Bidi<Request, Response>) -> Result<()>;

    #[client_stream]
    async fn echo_client(&self, stream: Streaming<Request>) -> Result<Response>;

    #[server_stream]
    async fn echo_server(&self, req: Request, stream: Sender<Response>) -> Result<()>;

    /// Any method may take the context of the call first; the client's method does not have it.
    #[server_stream]
    async fn watch(&self, ctx: Context, req: Request, stream: Sender<Response>) -> Result<()>;

    /// A declared exception travels typed, in a unary method and at the end of a stream. The client gets a
    /// `streamx::Error`; `error.exception::<NotFound>()` is the value. Several: an enum marked `#[message(exception)]`,
    /// with a number per variant.
    async fn get(&self, req: Request) -> Result<Response, NotFound>;

    #[oneway]
    async fn notify(&self, req: Request);
}
