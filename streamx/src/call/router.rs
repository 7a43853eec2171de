//! Names to services.

use std::fmt;

use super::Method;

/// An implementation of a service, ready to be served: what `TestServiceServer` turns into.
#[derive(Clone)]
pub struct Service {
    pub(crate) name: &'static str,
    pub(crate) methods: Vec<Method>,
}

impl Service {
    /// A service with this wire name and these methods.
    #[doc(hidden)]
    pub fn new(name: &'static str, methods: Vec<Method>) -> Self {
        Self { name, methods }
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service").field("name", &self.name).field("methods", &self.methods).finish()
    }
}
