//! Names to services.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::Method;
use super::middleware::{Middlewares, Surrounded};
use super::placement::{Pace, Placement};
use crate::schema::ServiceSchema;
use crate::{Code, Error, Result};

/// An implementation of a service, ready to be served: what `TestServiceServer::new(…)` turns into.
#[derive(Clone)]
pub struct Service {
    pub(crate) schema: ServiceSchema,
    pub(crate) methods: Vec<Method>,
    placement: Placement,
    only_by_full_name: bool,
    pub(crate) on_drain: Option<OnDrain>,
}

/// What a service does when its server stops taking calls.
pub(crate) type OnDrain = Arc<dyn Fn() + Send + Sync>;

/// All services of one server.
#[derive(Debug, Default)]
pub(crate) struct Router {
    /// In the order of registration: without a service name the first one that has the method wins.
    services: Vec<Routes>,
}

#[derive(Debug)]
struct Routes {
    name: &'static str,
    /// With the namespace.
    full_name: String,
    only_by_full_name: bool,
    methods: HashMap<&'static str, Arc<Route>>,
}

/// One method of one server.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) service: &'static str,
    pub(crate) method: Method,
    pub(crate) pace: Pace,
    running: AtomicUsize,
}

/// Nothing serves what was asked for. `exception` is the type of the exception Kitex uses for it.
#[derive(Debug)]
pub(crate) struct NoRoute {
    pub(crate) exception: i32,
    pub(crate) error: Error,
}

impl Service {
    /// A service with the name of this schema and these methods.
    #[doc(hidden)]
    pub fn new(schema: ServiceSchema, methods: Vec<Method>) -> Self {
        Self { schema, methods, placement: Placement::default(), only_by_full_name: false, on_drain: None }
    }

    /// Fixes where the handlers of this service are polled.
    #[must_use]
    pub fn placement(mut self, placement: Placement) -> Self {
        self.placement = placement;
        self
    }

    /// The same service under the name it has in another namespace, and under no other: so that it can stand beside one of
    /// the same name.
    pub(crate) fn only_in(mut self, namespace: &'static str) -> Self {
        self.schema = self.schema.in_namespace(namespace);
        self.only_by_full_name = true;
        self
    }

    /// Has this done once when a server of this service stops taking calls.
    pub(crate) fn on_drain(mut self, action: impl Fn() + Send + Sync + 'static) -> Self {
        self.on_drain = Some(Arc::new(action));
        self
    }

    /// Without the placement that looks at the real clock, so that a test of it repeats.
    pub(crate) fn by_no_clock(self) -> Self {
        if self.placement == Placement::Adaptive { self.placement(Placement::Task) } else { self }
    }

    /// The service with these around its handlers.
    pub(crate) fn surrounded(mut self, middlewares: &Arc<Middlewares>) -> Self {
        if middlewares.is_empty() {
            return self;
        }
        for method in &mut self.methods {
            let (handler, mode) = (Arc::clone(&method.handler), method.mode);
            let middlewares = Arc::clone(middlewares);
            method.handler = Arc::new(Surrounded { handler, mode, middlewares });
        }
        self
    }
}

impl Router {
    /// Adds a service. Fails when the name is taken or two methods have one wire name.
    pub(crate) fn add(&mut self, service: Service) -> Result<()> {
        let Service { schema, methods, placement, only_by_full_name, on_drain: _ } = service;
        let (name, full_name) = (schema.name(), schema.full_name());
        let clash = |routes: &Routes| {
            let bare = routes.name == name && !only_by_full_name && !routes.only_by_full_name;
            bare || routes.full_name == full_name
        };
        if self.services.iter().any(clash) {
            return Err(invalid(format!("two services are called {name}; give one of them another name")));
        }
        let mut routes = HashMap::with_capacity(methods.len());
        for method in methods {
            let wire = method.name;
            let route =
                Route { service: name, method, pace: Pace::new(placement), running: AtomicUsize::new(0) };
            if routes.insert(wire, Arc::new(route)).is_some() {
                return Err(invalid(format!("service {name} has two methods with the wire name {wire}")));
            }
        }
        self.services.push(Routes { name, full_name, only_by_full_name, methods: routes });
        Ok(())
    }

    /// Finds a method as Kitex does (`server/service.go`, v0.16.3): by both names; without a service name, or with
    /// one that is not known, by the method alone where it is unambiguous. The name may have its namespace before it.
    pub(crate) fn find(&self, service: &str, method: &str) -> Result<&Arc<Route>, NoRoute> {
        if let Some(routes) = self.services.iter().find(|routes| routes.is_called(service)) {
            return routes.methods.get(method).ok_or_else(|| no_method(routes, method));
        }
        let by_method = self.services.iter().filter(|routes| !routes.only_by_full_name);
        let mut found = by_method.filter_map(|routes| routes.methods.get(method));
        match (found.next(), found.next()) {
            (Some(route), None) => Ok(route),
            (Some(route), Some(_)) if service.is_empty() => Ok(route),
            _ => Err(self.no_service(service, method)),
        }
    }

    /// Finds a method by both names, as a gRPC server does; the service may have the name without its package.
    #[cfg(feature = "grpc")]
    pub(crate) fn find_exact(&self, service: &str, bare: &str, method: &str) -> Result<&Arc<Route>, NoRoute> {
        let find = |name| self.services.iter().find(|routes| routes.is_called(name));
        let routes = find(service).or_else(|| find(bare)).ok_or_else(|| self.no_service(bare, method))?;
        routes.methods.get(method).ok_or_else(|| no_method(routes, method))
    }

    /// Every method.
    pub(crate) fn routes(&self) -> impl Iterator<Item = &Route> {
        self.services.iter().flat_map(|routes| routes.methods.values().map(|route| &**route))
    }

    fn no_service(&self, service: &str, method: &str) -> NoRoute {
        let known = list(self.services.iter().map(|routes| routes.name));
        let text = if service.is_empty() {
            format!(
                "unknown method {}: no service of this server has it; the services are {known}",
                shown(method)
            )
        } else {
            format!("unknown service {}, method {}; this server has {known}", shown(service), shown(method))
        };
        NoRoute { exception: 20, error: unimplemented(text) }
    }
}

impl Routes {
    fn is_called(&self, service: &str) -> bool {
        self.full_name == service || (self.name == service && !self.only_by_full_name)
    }
}

impl Route {
    /// A handler of this method has begun.
    pub(crate) fn begins(&self) {
        self.running.fetch_add(1, Relaxed);
    }

    /// A handler of this method is gone.
    pub(crate) fn ends(&self) {
        self.running.fetch_sub(1, Relaxed);
    }

    /// How many handlers of this method there are.
    pub(crate) fn running(&self) -> usize {
        self.running.load(Relaxed)
    }
}

fn no_method(routes: &Routes, method: &str) -> NoRoute {
    let known = list(routes.methods.keys().copied());
    let text = format!("unknown method {} (service {}); it has {known}", shown(method), routes.name);
    NoRoute { exception: 1, error: unimplemented(text) }
}

fn unimplemented(text: String) -> Error {
    Error::new(Code::Unimplemented, text).retryable()
}

fn invalid(text: String) -> Error {
    Error::new(Code::InvalidArgument, text)
}

/// A name a peer sent, cut to what a sentence can hold.
fn shown(name: &str) -> String {
    match name.char_indices().nth(100) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_owned(),
    }
}

fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut names: Vec<_> = names.collect();
    names.sort_unstable();
    let more = names.len().saturating_sub(20);
    names.truncate(20);
    let mut text = names.join(", ");
    if text.is_empty() {
        text.push_str("none");
    }
    if more > 0 {
        text.push_str(&format!(" and {more} more"));
    }
    text
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service")
            .field("name", &self.schema.full_name())
            .field("methods", &self.methods)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::{Context, Exchange, Handler, Mode};
    use futures::future::BoxFuture;

    struct Nothing;

    impl Handler for Nothing {
        fn handle(&self, _: Exchange, _: Context) -> BoxFuture<'static, Result<()>> {
            Box::pin(async { Ok(()) })
        }
    }

    fn service(name: &'static str, methods: &[&'static str]) -> Service {
        let method =
            |&name| Method { name, mode: Mode::Unary, takes_context: false, handler: Arc::new(Nothing) };
        let schema = ServiceSchema::new(name, Some("a.b"), "", &[]);
        Service::new(schema, methods.iter().map(method).collect())
    }

    fn router() -> Router {
        let mut router = Router::default();
        router.add(service("A", &["Both", "OnlyA"])).unwrap();
        router.add(service("B", &["Both", "OnlyB"])).unwrap();
        router
    }

    #[test]
    fn names_are_found_as_kitex_finds_them() {
        let router = router();
        let found = |service, method| router.find(service, method).map(|route| route.service).ok();
        assert_eq!(found("B", "Both"), Some("B"));
        assert_eq!(found("", "Both"), Some("A"), "without a service name the first one wins");
        assert_eq!(found("Gone", "OnlyB"), Some("B"), "an unknown service with a unique method");
        assert_eq!(found("Gone", "Both"), None);
        assert_eq!(found("A", "OnlyB"), None);
    }

    #[cfg(feature = "grpc")]
    #[test]
    fn grpc_wants_both_names_and_no_package() {
        let router = router();
        let found =
            |service, bare, method| router.find_exact(service, bare, method).map(|route| route.service).ok();
        assert_eq!(found("demo.B", "B", "Both"), Some("B"));
        assert_eq!(found("a.b.A", "A", "OnlyA"), Some("A"));
        assert_eq!(found("A", "A", "OnlyA"), Some("A"));
        assert_eq!(found("Gone", "Gone", "OnlyB"), None);
        assert_eq!(found("", "", "Both"), None);
        assert_eq!(found("A", "A", "OnlyB"), None);
    }

    #[test]
    fn a_service_may_be_called_with_its_namespace() {
        let mut router = router();
        router.add(service("A", &["OnlyA", "OnlyC"]).only_in("c")).unwrap();
        let found = |service, method| router.find(service, method).map(|route| route.method.name).ok();
        assert_eq!(found("a.b.B", "OnlyB"), Some("OnlyB"));
        assert_eq!(found("c.A", "OnlyC"), Some("OnlyC"));
        assert_eq!(found("c.A", "Both"), None);
        assert_eq!(found("A", "OnlyC"), None, "it has no other name");
        assert_eq!(found("", "OnlyC"), None, "nor is it found without one");
        assert!(router.add(service("D", &[]).only_in("c")).is_ok());
        let error = router.add(service("A", &[]).only_in("c")).unwrap_err();
        assert_eq!(error.to_string(), "two services are called A; give one of them another name");
    }

    #[test]
    fn what_is_not_found_is_named_with_what_there_is() {
        let router = router();
        let method = router.find("A", "Nope").unwrap_err();
        assert_eq!((method.exception, method.error.code()), (1, Code::Unimplemented));
        assert_eq!(method.error.to_string(), "unknown method Nope (service A); it has Both, OnlyA");
        let service = router.find("C", "Nope").unwrap_err();
        assert_eq!(service.exception, 20);
        assert_eq!(service.error.to_string(), "unknown service C, method Nope; this server has A, B");
    }

    #[test]
    fn a_name_can_be_taken_once() {
        let error = router().add(service("A", &[])).unwrap_err();
        assert_eq!(error.to_string(), "two services are called A; give one of them another name");
        let error = Router::default().add(service("C", &["M", "M"])).unwrap_err();
        assert_eq!(error.to_string(), "service C has two methods with the wire name M");
    }
}
