//! What a handler does, against a caller in memory.

use std::sync::Arc;

use futures::{FutureExt, SinkExt, StreamExt};

use super::fake::context;
use super::fake::{Did, End, Line};
use super::sample::{Calculator, Knowing, KnownServer, Number, SumsServer, number};
use crate::call::Format;
use crate::call::middleware::Middlewares;
use crate::call::{Mode, NewCall, Service};
use crate::middleware::{AnyMessage, SendMiddleware, SendNext, async_trait};
use crate::{Error, Result};

/// A handler that was started, and the caller's end of its call.
fn start(method: &str) -> (impl Future<Output = Result<()>>, End) {
    serve(&SumsServer::new(Calculator).into(), method, &[])
}

/// As [`start`], with a method that knows its caller.
fn start_known(method: &str, strings: &[(&str, &str)]) -> (impl Future<Output = Result<()>> + use<>, End) {
    serve(&KnownServer::new(Knowing).into(), method, strings)
}

fn serve(
    service: &Service,
    method: &str,
    strings: &[(&str, &str)],
) -> (impl Future<Output = Result<()>> + use<>, End) {
    let method = service.methods.iter().find(|found| found.name == method).unwrap();
    let strings = strings.iter().map(|&(key, value)| (key.into(), value.into())).collect();
    let call = NewCall {
        namespace: "",
        service: service.schema.name(),
        method: method.name,
        mode: method.mode,
        strings,
        binary: Vec::new(),
        parent: None,
        timeout: None,
        wait_for_ready: false,
    };
    let (handler, caller) = {
        let line = Line::default();
        (line.handler(), line.caller())
    };
    (method.handler.handle(handler.exchange(), context(&call, &handler)), caller)
}

fn now<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("ready without waiting")
}

#[test]
fn a_service_lists_its_methods_under_their_wire_names() {
    let service = Service::from(SumsServer::new(Calculator));
    assert_eq!(service.schema.name(), "Sums");
    let methods: Vec<_> = service.methods.iter().map(|method| (method.name, method.mode)).collect();
    assert_eq!(methods[0], ("Add", Mode::Unary));
    assert_eq!(
        methods[4..],
        [
            ("log_number", Mode::Oneway),
            ("Sum", Mode::ClientStream),
            ("Count", Mode::ServerStream),
            ("Double", Mode::Bidi),
        ]
    );
}

#[test]
fn the_arguments_of_a_call_have_the_numbers_of_the_trait() {
    let (handler, caller) = start("Add");
    // 1: i64 = 2, 5: i64 = 3, and a field of a newer caller
    caller.say_bytes(&[10, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2, 10, 0, 5, 0, 0, 0, 0, 0, 0, 0, 3, 2, 0, 9, 1, 0]);
    now(handler).unwrap();
    assert_eq!(caller.saw(), [Did::LastMessage]);
    assert_eq!(caller.hear_bytes().as_ref(), [10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0]);
}

#[test]
fn an_absent_argument_is_an_error_that_names_it() {
    let (handler, caller) = start("Add");
    caller.say_bytes(&[0]);
    let error = now(handler).unwrap_err();
    assert!(error.to_string().contains("Add.a"), "{error}");
    assert_eq!(caller.saw(), []);
}

#[test]
fn void_and_none_are_an_empty_result() {
    for method in ["Ping", "Find"] {
        let (handler, caller) = start(method);
        // 1: Number { 1: 1 }
        caller.say_bytes(&[12, 0, 1, 10, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0]);
        now(handler).unwrap();
        assert_eq!(caller.hear_bytes().as_ref(), [0]);
    }
}

#[test]
fn a_declared_exception_is_an_answer_and_an_ordinary_error_is_none() {
    let (handler, caller) = start("Root");
    caller.say_bytes(&[12, 0, 1, 10, 0, 1, 255, 255, 255, 255, 255, 255, 255, 255, 0, 0]);
    now(handler).unwrap();
    let exception = [12, 0, 1, 10, 0, 1, 255, 255, 255, 255, 255, 255, 255, 255, 0, 0];
    assert_eq!(caller.hear_bytes().as_ref(), exception);

    let (handler, caller) = start("Add");
    caller.say_bytes(&[10, 0, 1, 127, 255, 255, 255, 255, 255, 255, 255, 0]);
    assert_eq!(now(handler).unwrap_err().to_string(), "too large");
    assert_eq!(caller.saw(), []);
}

#[test]
fn a_call_without_a_request_is_an_error() {
    for method in ["Add", "log_number", "Count"] {
        let (handler, caller) = start(method);
        caller.end(Ok(()));
        let error = now(handler).unwrap_err();
        assert_eq!(error.to_string(), "the caller ended the call without a request");
    }
}

#[test]
fn a_server_stream_starts_with_its_request_and_ignores_what_follows() {
    let (handler, caller) = start("Count");
    caller.say(&number(2));
    caller.say(&number(9));
    now(handler).unwrap();
    assert_eq!(caller.saw(), [Did::Message, Did::Message]);
}

#[test]
fn a_declared_exception_at_the_end_of_a_stream_is_the_error_of_the_handler() {
    let (handler, caller) = start("Count");
    caller.say(&number(-1));
    let error = now(handler).unwrap_err();
    assert!(error.exception::<super::sample::Negative>().is_some());
    let field = [0, 1, 10, 0, 1, 255, 255, 255, 255, 255, 255, 255, 255, 0];
    assert_eq!(error.declared_bytes().map(AsRef::as_ref), Some(&field[..]));
}

#[test]
fn the_answer_of_a_client_stream_is_its_last_message() {
    let (handler, caller) = start("Sum");
    caller.say(&number(2));
    caller.say(&number(3));
    caller.end(Ok(()));
    now(handler).unwrap();
    assert_eq!(caller.saw(), [Did::LastMessage]);
    assert_eq!(caller.hear::<Number>(), number(5));
}

#[test]
fn a_handler_waits_for_room_for_its_answer() {
    let (handler, caller) = start("Sum");
    let mut handler = Box::pin(handler);
    caller.end(Ok(()));
    caller.stop_reading(true);
    assert!((&mut handler).now_or_never().is_none());
    caller.stop_reading(false);
    now(handler).unwrap();
}

/// The handles of a handler on their own.
fn bidi() -> (crate::Bidi<Number, Number>, End) {
    use super::method::{IsBidi, bidi};
    let line = Line::default();
    let exchange = line.handler().exchange();
    let (requests, responses) = bidi();
    (
        IsBidi::over(
            exchange,
            (requests.codecs.of(Format::Thrift), responses.codecs.of(Format::Thrift)),
            None,
        ),
        line.caller(),
    )
}

#[test]
fn dropping_the_handles_of_a_handler_does_nothing_to_the_call() {
    let (stream, caller) = bidi();
    let (tx, rx) = stream.split();
    drop((tx, rx));
    assert_eq!(caller.saw(), []);
}

#[test]
fn closing_the_sink_of_a_handler_only_flushes() {
    let (mut stream, caller) = bidi();
    now(SinkExt::close(&mut stream)).unwrap();
    now(stream.send(Arc::new(number(1)))).unwrap();
    let (mut tx, _rx) = stream.split();
    now(SinkExt::close(&mut tx)).unwrap();
    now(tx.send(&number(2))).unwrap();
    assert_eq!(caller.saw(), [Did::Message, Did::Message]);
}

#[test]
fn a_handler_sees_the_end_and_a_failure_again_and_again() {
    let (stream, caller) = bidi();
    caller.say(&number(1));
    caller.end(Ok(()));
    let (_tx, mut rx) = stream.split();
    assert_eq!(now(rx.recv()).unwrap(), Some(number(1)));
    assert_eq!(now(rx.recv()).unwrap(), None);
    assert_eq!(now(rx.recv()).unwrap(), None);

    let (mut stream, caller) = bidi();
    caller.end(Err(Error::other("gone")));
    assert!(now(stream.recv()).is_err());
    assert_eq!(now(stream.recv()).unwrap_err().to_string(), "gone");
    assert!(now(stream.next()).is_none());
}

#[test]
fn bytes_that_do_not_decode_fail_the_handlers_recv_and_reset_nothing() {
    let (mut stream, caller) = bidi();
    caller.say_bytes(&[0xff]);
    caller.say(&number(1));
    let error = now(stream.recv()).unwrap_err();
    assert_eq!(now(stream.recv()).unwrap_err().to_string(), error.to_string());
    assert_eq!(caller.saw(), []);
}

#[test]
fn a_service_knows_which_methods_take_the_context() {
    let known = Service::from(KnownServer::new(Knowing));
    assert!(known.methods.iter().all(|method| method.takes_context));
    let sums = Service::from(SumsServer::new(Calculator));
    assert!(sums.methods.iter().all(|method| !method.takes_context));
}

#[test]
fn the_context_is_no_argument_that_travels() {
    let (handler, caller) = start_known("Who", &[("RPC_PERSIST_user", "7"), ("RPC_TRANSIT_attempt", "1")]);
    // 1: string = "hi", 2: i64 = 3
    caller.say_bytes(&[11, 0, 1, 0, 0, 0, 2, b'h', b'i', 10, 0, 2, 0, 0, 0, 0, 0, 0, 0, 3, 0]);
    now(handler).unwrap();
    let answer = br#"hi Some("7") Some("1")"#;
    assert_eq!(&caller.hear_bytes()[7..][..answer.len()], answer);
    let idl = KnownServer::<Knowing>::thrift_idl();
    assert!(idl.contains("string Who(1: string greeting, 2: i64 times)"), "{idl}");
    assert!(!idl.to_lowercase().contains("ctx"), "{idl}");
}

#[test]
fn a_handler_with_the_context_learns_that_its_caller_is_gone() {
    let (handler, caller) = start_known("Double", &[]);
    let mut handler = Box::pin(handler);
    assert!((&mut handler).now_or_never().is_none());
    caller.exchange().outgoing.reset(Error::other("gone"));
    assert_eq!(now(handler).unwrap_err().to_string(), "gone");
}

struct Pass;

#[async_trait]
impl SendMiddleware for Pass {
    async fn around(
        &self,
        _: &crate::middleware::Opening,
        message: AnyMessage<'_>,
        next: SendNext<'_>,
    ) -> Result<()> {
        next.run(message).await
    }
}

#[test]
fn a_response_behind_middlewares_is_still_the_last_message_and_its_end_that_of_the_handler() {
    let middlewares = Middlewares { send: vec![Arc::new(Pass)], ..Middlewares::default() };
    let service = Service::from(SumsServer::new(Calculator)).surrounded(&Arc::new(middlewares));
    let (handler, caller) = serve(&service, "Sum", &[]);
    caller.say(&number(1));
    caller.end(Ok(()));
    now(handler).unwrap();
    assert_eq!(caller.saw(), [Did::LastMessage]);
}
