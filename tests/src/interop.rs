//! The service that streamx and Kitex offer each other. `interop.thrift` and `interop.proto` in `tests/kitex/idl` are its schema.

#![allow(
    clippy::exhaustive_enums,
    clippy::exhaustive_structs,
    missing_docs,
    reason = "messages of a test: written out in literals by every test"
)]

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use streamx::{Bidi, Context, Message, Result, Sender, Streaming};

mod act;
mod calls;
mod handlers;
pub mod samples;
pub mod stranger;

pub use handlers::Handlers;

#[derive(Message, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(i32)]
pub enum Color {
    #[default]
    Red = 0,
    Green = 1,
    Blue = -7,
    #[other]
    Unknown(i32),
}

#[derive(Message, Clone, Debug, Default, PartialEq)]
pub struct Inner {
    #[field(1)]
    pub name: String,
    #[field(2)]
    pub weight: i32,
}

#[derive(Message, Clone, Debug, PartialEq)]
pub enum Choice {
    #[field(1)]
    Text(String),
    #[field(2)]
    Number(i64),
    #[field(3)]
    Inner(Inner),
}

/// Every type that Thrift has.
#[allow(clippy::use_self, reason = "written as the page of a user would write it")]
#[derive(Message, Clone, Debug, Default, PartialEq)]
pub struct Everything {
    #[field(1)]
    pub flag: bool,
    #[field(2)]
    pub tiny: i8,
    #[field(3)]
    pub small: i16,
    #[field(4)]
    pub medium: i32,
    #[field(5)]
    pub large: i64,
    #[field(6)]
    pub ratio: f64,
    #[field(7)]
    pub text: String,
    #[field(8)]
    pub blob: Bytes,
    #[field(9)]
    pub color: Color,
    #[field(10)]
    pub inner: Inner,
    #[field(11)]
    pub choice: Option<Choice>,
    #[field(12)]
    pub numbers: Vec<i32>,
    #[field(13)]
    pub words: Vec<String>,
    #[field(14)]
    pub inners: Vec<Inner>,
    #[field(15)]
    pub unique: BTreeSet<i32>,
    #[field(16)]
    pub counts: BTreeMap<String, i64>,
    #[field(17)]
    pub by_number: BTreeMap<i32, Inner>,
    #[field(18)]
    pub grid: Vec<Vec<i32>>,
    #[field(19)]
    pub maybe_number: Option<i32>,
    #[field(20)]
    pub maybe_text: Option<String>,
    #[field(21)]
    pub maybe_inner: Option<Inner>,
    #[field(22, default = 10)]
    pub limit: i32,
    #[field(23, required)]
    pub id: i64,
    #[field(24)]
    pub parent: Option<Box<Everything>>,
}

#[derive(Message, Clone, Debug, Default, PartialEq)]
pub struct Packet {
    #[field(1)]
    pub number: i64,
    #[field(2)]
    pub body: Bytes,
    #[field(3)]
    pub text: String,
}

#[derive(Message, Clone, Debug, Default, PartialEq)]
pub struct Command {
    #[field(1)]
    pub what: String,
    #[field(2)]
    pub count: i64,
    #[field(3)]
    pub size: i64,
}

#[derive(Message, Clone, Debug, Default, PartialEq)]
#[message(exception)]
pub struct NotFound {
    #[field(1)]
    pub key: String,
    #[field(2)]
    pub code: i32,
}

/// Every mode of a call, and a method that misbehaves on command.
#[streamx::service(namespace = "interop")]
pub trait Interop {
    async fn mirror(&self, value: Everything) -> Result<Everything>;

    async fn ping(&self, packet: Packet) -> Result<Packet>;

    /// Knows every key but `missing`.
    async fn get(&self, key: String) -> Result<Packet, NotFound>;

    async fn add(&self, a: i64, b: i64) -> Result<i64>;

    async fn nothing(&self) -> Result<()>;

    #[oneway]
    async fn note(&self, text: String);

    /// What was noted so far.
    async fn notes(&self) -> Result<Vec<String>>;

    /// Fails with `boom` on `error`, with a business error on `biz`, panics on `panic`; on `hold` it answers once the number
    /// `count` is noted; notes it on `release`.
    async fn fail(&self, command: Command) -> Result<Packet>;

    /// The metainfo that came with the call, sorted: `persistent [k=v,...] transient [k=v,...]`.
    async fn told(&self, ctx: Context) -> Result<String>;

    /// How many milliseconds the caller has for this call, -1 if it has not said so.
    async fn left(&self, ctx: Context) -> Result<i64>;

    #[bidi]
    async fn echo(&self, stream: Bidi<Packet, Packet>) -> Result<()>;

    #[bidi]
    async fn mirror_all(&self, stream: Bidi<Everything, Everything>) -> Result<()>;

    /// Answers with the number of packets and their total size; a packet with the text `enough` is answered at once. A
    /// server whose language lets it forget the answer does so after a packet with the text `forget`.
    #[client_stream]
    async fn upload(&self, stream: Streaming<Packet>) -> Result<Packet>;

    /// Answers with the number of packets and the answer of Told, and sets the header `h1` to `v1` and the trailer `t1` to
    /// `v1`. After a packet with the text `hold` it sends the header and waits until the caller is gone.
    #[client_stream]
    async fn gather(&self, ctx: Context, stream: Streaming<Packet>) -> Result<Packet>;

    /// Sends `count` packets of `size` bytes, numbered from 0. On `told` it sends the answer of Told before; on `headers`
    /// it sets the header `h1` to `v1` and the trailer `t1` to `v1`; on `talk` it does both; on `wait` it goes on until the
    /// caller is gone.
    #[server_stream]
    async fn download(&self, ctx: Context, command: Command, stream: Sender<Packet>) -> Result<()>;

    /// Behaves as the first command says:
    ///
    /// * `return`: return at once, whatever else the client sends
    /// * `fail`: fail with `boom`
    /// * `fail-after`: send `count` packets of `size` bytes, then fail with `boom`
    /// * `biz`: fail with a business error
    /// * `biz-after`: send `count` packets of `size` bytes, then fail with a business error
    /// * `panic`: panic
    /// * `finish-first`: send `count` packets of `size` bytes and return, although the client has not closed
    /// * `wait`: send one packet, then wait until the caller is gone
    /// * `count`: once `count` handlers have been cancelled and `size` are alive, send how many were and are, and beside
    ///   the first number why the last one was
    /// * `told`: send the answer of Told
    /// * `headers`: set the header `h1` to `v1` and `h2` to `v2`, send it, set the trailer `t1` to `v1`, receive one command
    ///   more
    /// * `headers-biz`: do as for `headers`, then fail with a business error
    /// * `talk`: set the header `h1` to `v1` and the trailer `t1` to `v1`, send the answer of Told, then the `count` of each
    ///   further command
    /// * `listen`: send `count` packets of `size` bytes, then receive until the caller has closed or is gone
    /// * `eof`: receive until the caller has closed, and fail with `EOF`
    /// * `relay`: send `wait` to Act of the next server and pass on what comes
    #[bidi]
    async fn act(&self, ctx: Context, stream: Bidi<Command, Packet>) -> Result<()>;
}
