//! The error type of a method: which exceptions it declares, and how they travel.

use super::{DecodeError, Kind, Message, Reader, Value, Writer, literal};
use crate::Error;
use crate::schema::Thrown;

/// The `E` of a method that returns `Result<_, E>`.
///
/// [`Error`] declares nothing; a struct marked `#[message(exception)]` declares itself, as field 1; an enum marked
/// `#[message(exception)]` declares each variant under its number. The derive implements it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the error of a method",
    label = "not a declared exception",
    note = "return `streamx::Result<_>`, or as the error a struct or an enum that derives `streamx::Message` and is marked \
            `#[message(exception)]`"
)]
pub trait Throws: Sized + Send + Sync + 'static {
    /// The exceptions it declares.
    fn declared() -> Vec<Thrown>;

    /// Writes a declared exception as its field of the struct of results; `false` if it is none, and then nothing is
    /// written.
    fn put<W: Writer>(&self, writer: &mut W) -> bool;

    /// Reads the exception with this field number; `None` if it is none of ours, and then the field was skipped.
    fn take<R: Reader>(number: i16, kind: Kind, reader: &mut R) -> Result<Option<Self>, DecodeError>;

    /// The error of the call, which keeps a declared exception: `error.exception::<NotFound>()`. For an enum of exceptions
    /// it keeps what the variant holds, not the enum.
    fn into_error(self) -> Error;
}

impl Throws for Error {
    fn declared() -> Vec<Thrown> {
        Vec::new()
    }

    fn put<W: Writer>(&self, _: &mut W) -> bool {
        false
    }

    fn take<R: Reader>(_: i16, kind: Kind, reader: &mut R) -> Result<Option<Self>, DecodeError> {
        reader.skip(kind).map(|()| None)
    }

    fn into_error(self) -> Error {
        self
    }
}

/// The description of one declared exception.
#[doc(hidden)]
pub fn thrown<E: Value>(number: i16, name: &'static str) -> Thrown {
    Thrown { number, name, schema: E::schema() }
}

/// The error of a call that ended with a declared exception. Its text shows the exception as the schema spells values.
#[doc(hidden)]
pub fn exception<E: Message>(exception: E) -> Error {
    const LONGEST: usize = 200;
    let shown = literal(&exception).and_then(|literal| literal.in_thrift(&E::schema())).unwrap_or_default();
    let shown: String = shown.chars().take(LONGEST).collect();
    Error::declared(format!("declared exception {} {shown}", E::DESCRIPTION.name), exception)
}
