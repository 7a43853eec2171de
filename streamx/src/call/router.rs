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
    /// Empty if it has none.
    namespace: &'static str,
    /// With the namespace. No other service has it.
    full_name: String,
    only_by_full_name: bool,
    methods: HashMap<&'static str, Arc<Route>>,
}

/// One method of one server.
#[derive(Debug)]
pub(crate) struct Route {
    /// Empty if the service has none.
    pub(crate) namespace: &'static str,
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

    /// The same service under the name it has in another namespace.
    pub(crate) fn in_namespace(mut self, namespace: &'static str) -> Self {
        self.schema = self.schema.in_namespace(namespace);
        self
    }

    /// Found by its full name only: its methods take nothing from other services.
    pub(crate) fn only_by_full_name(mut self) -> Self {
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
    /// Adds a service. Fails when the full name is taken or two methods have one wire name.
    pub(crate) fn add(&mut self, service: Service) -> Result<()> {
        let Service { schema, methods, placement, only_by_full_name, on_drain: _ } = service;
        let (name, full_name) = (schema.name(), schema.full_name());
        if let Some(first) = self.services.iter().position(|routes| routes.full_name == full_name) {
            let (first, second) = (first + 1, self.services.len() + 1);
            return Err(invalid(format!(
                "two services are called {full_name}, number {first} and number {second} in the order they were added; \
                 give one of them another name or another namespace"
            )));
        }
        let mut routes = HashMap::with_capacity(methods.len());
        for method in methods {
            let wire = method.name;
            let (pace, running) = (Pace::new(placement), AtomicUsize::new(0));
            let route = Route { namespace: schema.namespace(), service: name, method, pace, running };
            if routes.insert(wire, Arc::new(route)).is_some() {
                return Err(invalid(format!(
                    "service {full_name} has two methods with the wire name {wire}"
                )));
            }
        }
        let namespace = schema.namespace();
        self.services.push(Routes { name, namespace, full_name, only_by_full_name, methods: routes });
        Ok(())
    }

    /// Finds a method as Kitex does (`server/service.go`, v0.16.3): by both names; without a service name, or with
    /// one that is not known, by the method alone where it is unambiguous. The name may have its namespace before it;
    /// a streamx client says that beside the name.
    pub(crate) fn find(
        &self,
        service: &str,
        namespace: Option<&str>,
        method: &str,
    ) -> Result<&Arc<Route>, NoRoute> {
        let is_of = |routes: &Routes| namespace.is_some_and(|namespace| routes.namespace == namespace);
        let whole = service.rsplit_once('.').or_else(|| Some((namespace?, service)));
        let whole = whole.and_then(|(namespace, name)| self.get(namespace, name));
        let routes = match whole {
            Some(routes) => Some(routes),
            None => self.called(service, method, is_of)?,
        };
        if let Some(routes) = routes {
            return routes.method(method);
        }
        let by_method = self.services.iter().filter(|routes| !routes.only_by_full_name);
        let mut found = by_method.filter_map(|routes| routes.methods.get(method));
        match (found.next(), found.next()) {
            (Some(route), None) => Ok(route),
            (Some(route), Some(_)) if service.is_empty() => Ok(route),
            _ => Err(self.no_service(service, method)),
        }
    }

    /// Finds a method by both names, as every gRPC server does. A service without a namespace is found in any package. A
    /// call without a package, which Kitex makes for a `.proto` that has none, is for the only service of that name.
    #[cfg(feature = "grpc")]
    pub(crate) fn find_exact(
        &self,
        package: &str,
        service: &str,
        method: &str,
    ) -> Result<&Arc<Route>, NoRoute> {
        let routes = match self.get(package, service).or_else(|| self.get("", service)) {
            None if package.is_empty() => self.called(service, method, |_| false)?,
            found => found,
        };
        routes.ok_or_else(|| self.not_in(package, service, method))?.method(method)
    }

    /// Finds a method as Kitex does over gRPC with Thrift. It ignores the package, and sends the last part of the
    /// namespace in lower case in its place (spec 2.1), so that is looked at only where services share a name.
    #[cfg(feature = "grpc")]
    pub(crate) fn find_thrift(
        &self,
        package: &str,
        service: &str,
        method: &str,
    ) -> Result<&Arc<Route>, NoRoute> {
        let last = |namespace: &'static str| namespace.rsplit_once('.').map_or(namespace, |(_, last)| last);
        let is_of =
            |routes: &Routes| !package.is_empty() && last(routes.namespace).eq_ignore_ascii_case(package);
        let routes = match self.get(package, service) {
            Some(routes) => Some(routes),
            None => self.called(service, method, is_of)?,
        };
        routes.ok_or_else(|| self.not_in(package, service, method))?.method(method)
    }

    /// Every method.
    pub(crate) fn routes(&self) -> impl Iterator<Item = &Route> {
        self.services.iter().flat_map(|routes| routes.methods.values().map(|route| &**route))
    }

    fn get(&self, namespace: &str, name: &str) -> Option<&Routes> {
        self.services.iter().find(|routes| routes.name == name && routes.namespace == namespace)
    }

    /// The service with this bare name. Of several it is the one that `is_of` says, or the one without a namespace, whose
    /// full name it is, or the only one that has the method.
    fn called(
        &self,
        name: &str,
        method: &str,
        is_of: impl Fn(&Routes) -> bool,
    ) -> Result<Option<&Routes>, NoRoute> {
        let called =
            || self.services.iter().filter(|routes| routes.name == name && !routes.only_by_full_name);
        let mut found = called();
        let first = found.next();
        if found.next().is_none() {
            return Ok(first);
        }
        let mut left: Vec<_> = called().collect();
        let has_method = |routes: &Routes| routes.methods.contains_key(method);
        let is_bare = |routes: &Routes| routes.namespace.is_empty();
        for fits in [&is_of as &dyn Fn(&Routes) -> bool, &is_bare, &has_method] {
            let fitting: Vec<_> = left.iter().copied().filter(|routes| fits(routes)).collect();
            match *fitting {
                [] => {}
                [one] => return Ok(Some(one)),
                _ => left = fitting,
            }
        }
        Err(ambiguous(&left, name, method))
    }

    /// What is not found by the package that a gRPC client has put before the name of the service.
    #[cfg(feature = "grpc")]
    fn not_in(&self, package: &str, service: &str, method: &str) -> NoRoute {
        let dot = if package.is_empty() { "" } else { "." };
        let mut none = self.no_service(&format!("{package}{dot}{service}"), method);
        if self.services.iter().any(|routes| routes.name == service) {
            let text = format!("{}; the package is part of the name", none.error.message());
            none.error = unimplemented(text);
        }
        none
    }

    fn no_service(&self, service: &str, method: &str) -> NoRoute {
        let known = list(self.services.iter().map(|routes| &*routes.full_name));
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
    fn method(&self, method: &str) -> Result<&Arc<Route>, NoRoute> {
        self.methods.get(method).ok_or_else(|| {
            let (known, service) = (list(self.methods.keys().copied()), &self.full_name);
            let text = format!("unknown method {} (service {service}); it has {known}", shown(method));
            NoRoute { exception: 1, error: unimplemented(text) }
        })
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

/// Several services are called so, and nothing says which one is meant.
fn ambiguous(services: &[&Routes], name: &str, method: &str) -> NoRoute {
    let names = list(services.iter().map(|routes| &*routes.full_name));
    let has_method = services.iter().any(|routes| routes.methods.contains_key(method));
    let (name, method) = (shown(name), shown(method));
    if has_method {
        let text = format!(
            "the call of {name}.{method} may be for one of {names}: nothing in it says for which; calls over gRPC with \
             the whole namespace as their package do, and those of streamx clients over TTHeader"
        );
        return NoRoute { exception: 20, error: unimplemented(text) };
    }
    let text = format!("unknown method {method} (service {name}); none of {names} has it");
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
mod tests;
