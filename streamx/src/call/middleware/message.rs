//! A message whose type is asked for.

use std::any::{Any, type_name};
use std::fmt;

use crate::{Code, Error, Result};

/// A message, as a middleware sees it: of any type, which [`downcast_ref`](Self::downcast_ref) asks for.
///
/// The message of a stream is the type in its handle. The request of a unary method with one argument is that
/// argument, with another number of them the tuple of them: `(i64, Option<i64>)`. The response is what the method
/// returns in its `Result`, `()` for a `#[oneway]` method.
///
/// ```
/// use streamx::middleware::AnyMessage;
///
/// let message = AnyMessage::new(String::from("hello"));
/// assert_eq!(message.downcast_ref::<String>().unwrap(), "hello");
/// assert!(message.downcast_ref::<i64>().is_none());
/// ```
///
/// # Dropping
///
/// Drops the message, or the reference to one that its sender keeps. It is not sent, or not received.
pub struct AnyMessage<'a> {
    held: Held<'a>,
    name: &'static str,
}

enum Held<'a> {
    Owned(Box<dyn Any + Send + Sync>),
    Lent(&'a (dyn Any + Send + Sync)),
}

impl AnyMessage<'static> {
    /// A message that takes the place of another. Where it goes on, its type must be that of the one it replaces.
    pub fn new<T: Any + Send + Sync>(message: T) -> Self {
        Self { held: Held::Owned(Box::new(message)), name: type_name::<T>() }
    }
}

impl<'a> AnyMessage<'a> {
    /// A message that somebody else keeps.
    pub(crate) fn of<T: Any + Send + Sync>(message: &'a T) -> Self {
        Self { held: Held::Lent(message), name: type_name::<T>() }
    }

    /// The message, if it is a `T`.
    pub fn downcast_ref<T: Any>(&self) -> Option<&T> {
        self.any().downcast_ref()
    }

    /// The message itself, if it is a `T` and nobody else keeps it. One that was sent by reference is kept by its
    /// sender, one from [`lend`](Self::lend) by whoever lends it; those can be read and replaced only.
    ///
    /// # Errors
    ///
    /// The message as it was.
    pub fn downcast<T: Any>(self) -> Result<T, Self> {
        let Self { held, name } = self;
        match held {
            Held::Owned(message) => match message.downcast() {
                Ok(message) => Ok(*message),
                Err(message) => Err(Self { held: Held::Owned(message), name }),
            },
            held @ Held::Lent(_) => Err(Self { held, name }),
        }
    }

    /// The same message for one who only looks at it: so that it can be handed on twice.
    pub fn lend(&self) -> AnyMessage<'_> {
        AnyMessage { held: Held::Lent(self.any()), name: self.name }
    }

    /// The name of its type, for a log.
    pub fn type_name(&self) -> &'static str {
        self.name
    }

    /// The message as what it must be where it goes on.
    pub(crate) fn read<T: Any>(&self) -> Result<&T> {
        self.downcast_ref().ok_or_else(|| replaced::<T>(self.name))
    }

    /// As [`read`](Self::read), for one who keeps it.
    pub(crate) fn take<T: Any>(self) -> Result<T> {
        self.downcast().map_err(|message: AnyMessage<'_>| {
            if message.downcast_ref::<T>().is_none() {
                return replaced::<T>(message.name);
            }
            let name = message.name;
            Error::new(
                Code::Internal,
                format!(
                    "a middleware lent the `{name}` to a handler, which keeps its request: hand on the message \
                     itself, or `AnyMessage::new` of another"
                ),
            )
        })
    }

    fn any(&self) -> &(dyn Any + Send + Sync) {
        match &self.held {
            Held::Owned(message) => &**message,
            Held::Lent(message) => *message,
        }
    }
}

fn replaced<T>(name: &str) -> Error {
    let wanted = type_name::<T>();
    Error::new(Code::Internal, format!("a middleware put a `{name}` in the place of a `{wanted}`"))
}

impl fmt::Debug for AnyMessage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AnyMessage").field(&format_args!("{}", self.name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_taken_as_what_it_is_only() {
        assert_eq!(AnyMessage::new(7_i64).downcast::<i64>().unwrap(), 7);
        let message = AnyMessage::new(7_i64).downcast::<String>().unwrap_err();
        assert_eq!(message.downcast_ref(), Some(&7_i64));
    }

    #[test]
    fn a_message_that_is_lent_can_be_read_but_not_taken() {
        let message = AnyMessage::new(7_i64);
        assert_eq!(message.lend().downcast_ref(), Some(&7_i64));
        assert!(message.lend().downcast::<i64>().is_err());
        assert!(message.lend().take::<i64>().unwrap_err().to_string().contains("lent the `i64`"));
        assert_eq!(message.take::<i64>().unwrap(), 7);
    }

    #[test]
    fn a_message_of_another_type_is_named() {
        let error = AnyMessage::new(7_i64).take::<u8>().unwrap_err();
        assert_eq!(error.to_string(), "a middleware put a `i64` in the place of a `u8`");
    }
}
