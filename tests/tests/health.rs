//! What a server says of its health, to whoever asks and whoever watches.

use std::time::Duration;

use streamx::client::Streaming;
use streamx::health::{
    HealthCheckRequest, HealthCheckResponse, HealthClient, HealthListRequest, HealthReporter, ServingStatus,
};
use streamx::{Channel, Code, Server};
use streamx_tests::rig::{eventually, soon};

use ServingStatus::{NotServing, ServiceUnknown, Serving, Unknown};

fn client(reporter: &HealthReporter) -> HealthClient {
    HealthClient::new(Channel::in_process(reporter.service()))
}

fn of(service: &str) -> HealthCheckRequest {
    HealthCheckRequest { service: service.to_owned() }
}

async fn next(watch: &mut Streaming<HealthCheckResponse>) -> ServingStatus {
    soon(watch.recv()).await.unwrap().unwrap().status
}

#[tokio::test]
async fn the_server_is_serving_and_nothing_else_is_known() {
    let reporter = HealthReporter::new();
    let client = client(&reporter);
    assert_eq!(client.check(of("")).await.unwrap().status, Serving);
    let error = client.check(of("echo.Echo")).await.unwrap_err();
    assert_eq!(error.code(), Code::NotFound);
    assert!(error.to_string().contains("nothing is known of the health of this service"), "{error}");
    assert_eq!(reporter.status("echo.Echo"), None);
}

#[tokio::test]
async fn a_status_that_is_set_is_told() {
    let reporter = HealthReporter::new();
    let client = client(&reporter);
    let check = async |service| client.check(of(service)).await.unwrap().status;
    reporter.set_serving("a");
    reporter.set_not_serving("b");
    reporter.clone().set_status("c", Unknown);
    assert_eq!((check("a").await, check("b").await, check("c").await), (Serving, NotServing, Unknown));
    let statuses = client.list(HealthListRequest {}).await.unwrap().statuses;
    let statuses: Vec<_> = statuses.iter().map(|(name, status)| (&**name, status.status)).collect();
    assert_eq!(statuses, [("", Serving), ("a", Serving), ("b", NotServing), ("c", Unknown)]);
    reporter.clear_status("a");
    assert_eq!(client.check(of("a")).await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn at_most_a_hundred_services_are_listed() {
    let reporter = HealthReporter::new();
    (1..100).for_each(|number| reporter.set_serving(format!("service{number}")));
    assert_eq!(client(&reporter).list(HealthListRequest {}).await.unwrap().statuses.len(), 100);
    reporter.set_serving("one more");
    let error = client(&reporter).list(HealthListRequest {}).await.unwrap_err();
    assert_eq!(error.code(), Code::ResourceExhausted);
}

#[tokio::test]
async fn whoever_watches_sees_each_change_once() {
    let reporter = HealthReporter::new();
    let mut watch = client(&reporter).watch(of("a")).await.unwrap();
    assert_eq!(next(&mut watch).await, ServiceUnknown);
    reporter.set_serving("a");
    assert_eq!(next(&mut watch).await, Serving);
    reporter.set_serving("a");
    reporter.set_not_serving("b");
    reporter.set_not_serving("a");
    assert_eq!(next(&mut watch).await, NotServing, "neither the same again nor that of another");
    reporter.clear_status("a");
    assert_eq!(next(&mut watch).await, ServiceUnknown);
}

#[tokio::test]
async fn after_a_shutdown_nothing_is_serving_until_it_is_taken_back() {
    let reporter = HealthReporter::new();
    let client = client(&reporter);
    reporter.set_serving("a");
    let mut watch = client.watch(of("a")).await.unwrap();
    assert_eq!(next(&mut watch).await, Serving);
    reporter.shutdown();
    assert_eq!(next(&mut watch).await, NotServing);
    reporter.set_serving("a");
    reporter.set_serving("b");
    assert_eq!(
        (reporter.status("a"), reporter.status(""), reporter.status("b")),
        (Some(NotServing), Some(NotServing), None)
    );
    reporter.resume();
    assert_eq!(next(&mut watch).await, Serving, "the stream goes on");
    reporter.set_not_serving("a");
    assert_eq!(next(&mut watch).await, NotServing);
}

/// Its drain timeout is an hour: a stream that stayed would hold it up.
#[tokio::test]
async fn a_server_that_ends_says_so_and_no_stream_of_watch_holds_it_up() {
    for scheme in ["ttheader", "grpc"] {
        let reporter = HealthReporter::new();
        let server =
            Server::builder().add_service(reporter.service()).drain_timeout(Duration::from_secs(3600));
        let server = server.bind("127.0.0.1:0").await.unwrap();
        let shutdown = server.shutdown_handle();
        let client = HealthClient::connect(format!("{scheme}://{}", server.local_addr())).await.unwrap();
        let serving = tokio::spawn(server.serve());
        let mut watch = client.watch(of("")).await.unwrap();
        assert_eq!(next(&mut watch).await, Serving);
        shutdown.drain();
        assert_eq!(next(&mut watch).await, NotServing);
        let error = soon(watch.recv()).await.unwrap_err();
        assert_eq!(error.code(), Code::Unavailable);
        assert!(error.to_string().contains("the server is shutting down"), "{error}");
        soon(serving).await.unwrap().unwrap();
        assert!(shutdown.cut_off().is_empty());
    }
}

#[tokio::test]
async fn a_name_that_is_too_long_is_not_watched() {
    let client = client(&HealthReporter::new());
    assert_eq!(next(&mut client.watch(of(&"a".repeat(1024))).await.unwrap()).await, ServiceUnknown);
    let error = client.watch(of(&"a".repeat(1025))).await.unwrap().recv().await.unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn whoever_stops_watching_leaves_nothing_behind() {
    for scheme in ["ttheader", "grpc"] {
        let reporter = HealthReporter::new();
        let server = Server::builder().add_service(reporter.service()).bind("127.0.0.1:0").await.unwrap();
        let counters = server.counters();
        let client = HealthClient::connect(format!("{scheme}://{}", server.local_addr())).await.unwrap();
        tokio::spawn(server.serve());
        let mut watch = client.watch(of("")).await.unwrap();
        assert_eq!(next(&mut watch).await, Serving);
        assert_eq!(counters().streams, 1);
        drop(watch);
        eventually(|| counters().streams == 0).await;
    }
}
