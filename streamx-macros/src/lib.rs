//! The macros of `streamx`. Use them through the `streamx` crate.

mod attributes;
mod errors;
mod fallback;
mod message;
mod names;
mod service;

use proc_macro::TokenStream;

/// Makes a service of a trait: the trait, a client that calls it, and a server that serves it.
///
/// ```
/// use streamx::{Bidi, Message, Result, Sender, Streaming};
///
/// #[derive(Message, Clone, Debug, Default)]
/// pub struct Line {
///     #[field(1)]
///     pub text: String,
/// }
///
/// /// Text, in every mode.
/// #[streamx::service(namespace = "chat")]
/// pub trait Chat {
///     /// One request, one response. Any number of arguments, of any type a field can have.
///     async fn repeat(&self, line: Line, times: i32) -> Result<Line>;
///
///     /// Many requests, one response.
///     #[client_stream]
///     async fn join(&self, lines: Streaming<Line>) -> Result<Line>;
///
///     /// One request, many responses.
///     #[server_stream]
///     async fn split(&self, line: Line, words: Sender<Line>) -> Result<()>;
///
///     /// Many requests, many responses.
///     #[bidi]
///     async fn talk(&self, lines: Bidi<Line, Line>) -> Result<()>;
///
///     /// One request, no response.
///     #[oneway]
///     async fn log(&self, line: Line);
/// }
/// ```
///
/// # What is generated
///
/// * The trait, as it was written but for one thing: each `async fn` becomes the function that promises a `Send` future. An
///   `impl` still says `async fn`. A method with a default body asks for `Self: Sync`.
/// * `ChatClient`: `new(Channel)`, `connect(url).await`, `in_process(implementation)`, and for each method one of the same
///   name that returns a `client::Call`.
/// * `ChatServer<T>`: `new(implementation)`, `serve(address).await`, `thrift_idl()`, `proto_idl()`. It is what `add_service` of a server
///   takes.
///
/// Doc comments, `#[cfg]`, `#[deprecated]` and `#[allow]` of a method are on the client's method too; all other attributes stay in
/// the trait. The code is short and calls into the crate; this is all there is of `talk`:
///
/// ```text
/// static TALK: __rt::Bidi<Bidi<Line, Line>, Result<()>> = __rt::Bidi::new(
///     __rt::names("Chat", "Talk", "Many requests, many responses."),
///     __rt::bidi(),
///     __rt::nothing(),
/// );
/// …
///     /// Many requests, many responses.
///     pub fn talk(&self) -> __rt::Call<__rt::FarBidi<Bidi<Line, Line>>> {
///         TALK.call(&self.channel)
///     }
/// …
///         TALK.handler(&server.service, <__T as Chat>::talk),
/// ```
///
/// # Methods
///
/// | marked | signature | the client gets |
/// |---|---|---|
/// | not, or `#[unary]` | any number of arguments, `-> Result<T>` or `-> Result<T, E>` | `T` |
/// | `#[oneway]` | any number of arguments, no answer | `()` |
/// | `#[client_stream]` | `Streaming<In>`, `-> Result<Out>` | `client::ClientStream<In, Out>` |
/// | `#[server_stream]` | `In, Sender<Out>`, `-> Result<()>` | `client::Streaming<Out>` |
/// | `#[bidi]` | `Bidi<In, Out>`, `-> Result<()>` | `client::Bidi<In, Out>` |
///
/// Any of them may take the `streamx::Context` of its call first.
/// The client's method does not have it, and it is not in the schema. It is recognised by its spelling, `Context` behind
/// any path, or by `#[context]` before it, which an alias needs; that it is one is checked.
///
/// All other types are checked, not recognised: aliases work. Arguments are numbered 1, 2, … in the struct that travels; `#[field(n)]` before one
/// gives it another number, and those after it continue from there. `E` is a declared exception: a struct or an enum that
/// derives `Message` and is marked `#[message(exception)]`. In the streaming modes it ends the call as an error.
///
/// # Options
///
/// * `name = "…"`: the name of the service on the wire, the trait's otherwise. `#[unary(name = "…")]`, `#[bidi(name = "…")]` and
///   so on do the same for a method.
/// * `namespace = "…"`: the namespace in the schema.
/// * `rename_all = "…"`: how the names of methods become names on the wire: `"PascalCase"` (otherwise), `"camelCase"` or
///   `"snake_case"`.
/// * `crate = path`: where the crate is, if not at `::streamx`.
#[proc_macro_attribute]
pub fn service(arguments: TokenStream, item: TokenStream) -> TokenStream {
    service::expand(arguments.into(), item.into()).into()
}

/// Makes a message of a struct or an enum; see the trait of the same name.
#[proc_macro_derive(Message, attributes(field, message, other))]
pub fn message(item: TokenStream) -> TokenStream {
    message::expand(item.into()).into()
}
