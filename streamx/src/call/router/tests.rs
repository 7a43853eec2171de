use super::*;
use crate::call::{Context, Exchange, Handler, Mode};
use futures::future::BoxFuture;

struct Nothing;

impl Handler for Nothing {
    fn handle(&self, _: Exchange, _: Context) -> BoxFuture<'static, Result<()>> {
        Box::pin(async { Ok(()) })
    }
}

fn service_in(namespace: Option<&'static str>, name: &'static str, methods: &[&'static str]) -> Service {
    let method = |&name| Method { name, mode: Mode::Unary, takes_context: false, handler: Arc::new(Nothing) };
    let schema = ServiceSchema::new(name, namespace, "", &[]);
    Service::new(schema, methods.iter().map(method).collect())
}

fn service(name: &'static str, methods: &[&'static str]) -> Service {
    service_in(Some("a.b"), name, methods)
}

fn router() -> Router {
    serving([service("A", &["Both", "OnlyA"]), service("B", &["Both", "OnlyB"])])
}

fn serving<const N: usize>(services: [Service; N]) -> Router {
    let mut router = Router::default();
    services.into_iter().for_each(|service| router.add(service).unwrap());
    router
}

/// Two versions of a service, each with a method of its own.
fn versions() -> Router {
    let v1 = service_in(Some("echo.v1"), "Echo", &["Say", "Shout"]);
    serving([v1, service_in(Some("echo.v2"), "Echo", &["Say", "Sing"])])
}

type Found<'a> = Result<&'a Arc<Route>, NoRoute>;

/// The namespace of the service that was found, or what is said instead.
fn place(router: &Router, found: Found<'_>) -> String {
    let route = match found {
        Ok(route) => route,
        Err(none) => return format!("{}: {}", none.exception, none.error.message()),
    };
    let is_its = |routes: &&Routes| routes.methods.values().any(|each| Arc::ptr_eq(each, route));
    router.services.iter().find(is_its).unwrap().namespace.to_owned()
}

#[test]
fn names_are_found_as_kitex_finds_them() {
    let router = router();
    let found = |service, method| router.find(service, None, method).map(|route| route.service).ok();
    assert_eq!(found("B", "Both"), Some("B"));
    assert_eq!(found("", "Both"), Some("A"), "without a service name the first one wins");
    assert_eq!(found("Gone", "OnlyB"), Some("B"), "an unknown service with a unique method");
    assert_eq!(found("Gone", "Both"), None);
    assert_eq!(found("A", "OnlyB"), None);
    let named = router.find("B", Some("not.there"), "Both").unwrap();
    assert_eq!(named.service, "B", "the namespace only tells apart what the name does not");
}

#[cfg(feature = "grpc")]
#[test]
fn grpc_wants_the_whole_name() {
    let router = router();
    let found = |package, service, method| {
        router.find_exact(package, service, method).map(|route| route.service).ok()
    };
    assert_eq!(found("a.b", "A", "OnlyA"), Some("A"));
    assert_eq!(found("a.b", "B", "Both"), Some("B"));
    assert_eq!(found("demo", "B", "Both"), None);
    assert_eq!(found("", "A", "OnlyA"), Some("A"), "of a `.proto` without a package, and no other A");
    assert_eq!(found("", "Gone", "OnlyA"), None);
    assert_eq!(found("a.b", "Gone", "OnlyB"), None);
    assert_eq!(found("", "", "Both"), None);
    assert_eq!(found("a.b", "A", "OnlyB"), None);
    assert_eq!(
        place(&router, router.find_exact("demo", "B", "Both")),
        "20: unknown service demo.B, method Both; this server has a.b.A, a.b.B; the package is part of the name"
    );
    assert_eq!(
        place(&router, router.find_exact("", "C", "Both")),
        "20: unknown service C, method Both; this server has a.b.A, a.b.B"
    );
}

#[cfg(feature = "grpc")]
#[test]
fn grpc_finds_a_service_without_a_namespace_in_any_package() {
    let router = serving([service_in(None, "Echo", &["Say"]), service_in(Some("v1"), "Echo", &["Say"])]);
    for (package, namespace) in [("", ""), ("v1", "v1"), ("v2", "")] {
        let found = place(&router, router.find_exact(package, "Echo", "Say"));
        assert_eq!(found, namespace, "{package}");
    }
}

#[cfg(feature = "grpc")]
#[test]
fn grpc_with_thrift_looks_at_a_package_only_where_it_must() {
    let router = router();
    for package in ["", "demo", "a.b", "b"] {
        assert_eq!(router.find_thrift(package, "A", "OnlyA").unwrap().service, "A", "{package}");
    }
    assert!(router.find_thrift("a.b", "Gone", "OnlyB").is_err(), "not by the method alone");

    let router = versions();
    let found = |package, method| place(&router, router.find_thrift(package, "Echo", method));
    assert_eq!(found("echo.v2", "Say"), "echo.v2");
    assert_eq!(found("v1", "Say"), "echo.v1", "what Kitex makes of a namespace");
    assert_eq!(found("v2", "Say"), "echo.v2");
    assert_eq!(found("v2", "Shout"), "1: unknown method Shout (service echo.v2.Echo); it has Say, Sing");
    assert_eq!(found("demo", "Shout"), "echo.v1", "only one has it");
    assert!(found("demo", "Say").starts_with("20: the call of Echo.Say may be for one of "));
}

#[test]
fn services_of_one_bare_name_are_told_apart_as_far_as_a_call_says() {
    let router = versions();
    let found = |service, namespace, method| place(&router, router.find(service, namespace, method));
    assert_eq!(found("Echo", Some("echo.v1"), "Say"), "echo.v1");
    assert_eq!(found("Echo", Some("echo.v2"), "Say"), "echo.v2");
    assert_eq!(found("echo.v2.Echo", None, "Say"), "echo.v2");
    assert_eq!(found("Echo", None, "Sing"), "echo.v2", "only one has it");
    assert_eq!(found("", None, "Say"), "echo.v1", "without a service name the first one wins");
    assert_eq!(
        found("Echo", None, "Say"),
        "20: the call of Echo.Say may be for one of echo.v1.Echo, echo.v2.Echo: nothing in it says for which; calls over \
         gRPC with the whole namespace as their package do, and those of streamx clients over TTHeader"
    );
    assert_eq!(found("Echo", Some("echo.v3"), "Say"), found("Echo", None, "Say"));
    assert_eq!(
        found("Echo", None, "Nope"),
        "1: unknown method Nope (service Echo); none of echo.v1.Echo, echo.v2.Echo has it"
    );
}

#[test]
fn a_bare_name_is_the_whole_name_of_a_service_without_a_namespace() {
    let router = serving([service_in(Some("v1"), "Echo", &["Say"]), service_in(None, "Echo", &["Say"])]);
    let found = |namespace| place(&router, router.find("Echo", namespace, "Say"));
    assert_eq!(found(None), "");
    assert_eq!(found(Some("v1")), "v1");
    assert_eq!(found(Some("v2")), "");
}

#[test]
fn a_service_may_be_found_by_its_full_name_only() {
    let mut router = router();
    router.add(service("A", &["OnlyA", "OnlyC"]).in_namespace("c").only_by_full_name()).unwrap();
    let found = |service, method| router.find(service, None, method).map(|route| route.method.name).ok();
    assert_eq!(found("a.b.B", "OnlyB"), Some("OnlyB"));
    assert_eq!(found("c.A", "OnlyC"), Some("OnlyC"));
    assert_eq!(found("c.A", "Both"), None);
    assert_eq!(router.find("A", Some("c"), "OnlyC").unwrap().method.name, "OnlyC");
    assert_eq!(found("A", "OnlyC"), None, "it has no other name");
    assert_eq!(found("", "OnlyC"), None, "nor is it found without one");
}

#[test]
fn what_is_not_found_is_named_with_what_there_is() {
    let router = router();
    let method = router.find("A", None, "Nope").unwrap_err();
    assert_eq!((method.exception, method.error.code()), (1, Code::Unimplemented));
    assert_eq!(method.error.to_string(), "unknown method Nope (service a.b.A); it has Both, OnlyA");
    let service = router.find("C", None, "Nope").unwrap_err();
    assert_eq!(service.exception, 20);
    assert_eq!(service.error.to_string(), "unknown service C, method Nope; this server has a.b.A, a.b.B");
}

#[test]
fn a_full_name_can_be_taken_once() {
    let mut router = router();
    router.add(service_in(Some("a.c"), "A", &[])).unwrap();
    router.add(service_in(None, "A", &[])).unwrap();
    for (namespace, name, first) in [(Some("a.b"), "a.b.A", 1), (Some("a.c"), "a.c.A", 3), (None, "A", 4)] {
        let error = router.add(service_in(namespace, "A", &[])).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "two services are called {name}, number {first} and number 5 in the order they were added; give one of \
                 them another name or another namespace"
            )
        );
    }
    let error = Router::default().add(service("C", &["M", "M"])).unwrap_err();
    assert_eq!(error.to_string(), "service a.b.C has two methods with the wire name M");
}
