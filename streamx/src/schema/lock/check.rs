//! The lock file in a test.

use std::fmt::{self, Debug, Display, Formatter};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use super::{Change, Lock, compare};
use crate::schema::ServiceSchema;

/// Compares the schemas in this program with the lock file at `path`, which is made by the first run and committed with the
/// code. Call it in a test:
///
/// ```no_run
/// # use streamx::{Message, Result};
/// # #[derive(Message, Clone, Debug, Default)]
/// # struct Request {}
/// # #[streamx::service(namespace = "echo")]
/// # trait TestService {
/// #     async fn ping_pong(&self, req: Request) -> Result<Request>;
/// # }
/// #[test]
/// fn peers_still_understand_us() -> Result<(), streamx::schema::CheckError> {
///     streamx::schema::check("echo.schema.lock", &[TestServiceServer::<()>::schema()])
/// }
/// ```
///
/// A relative `path` begins at the current folder, which `cargo test` makes that of the package.
///
/// Fails when anything differs, and says of each change whom it breaks and what to do instead. The environment variable
/// `STREAMX_SCHEMA` lets it write the file anew in place of failing: `update` when no change breaks anybody, `break`
/// whatever the changes are. Numbers that were in use are remembered in the file when they are gone, so that they are not
/// used again for something else.
///
/// Order, documentation and Rust names that are not names of the schema do not count.
pub fn check(path: impl AsRef<Path>, services: &[&ServiceSchema]) -> Result<(), CheckError> {
    let permission = match std::env::var("STREAMX_SCHEMA").as_deref() {
        Err(std::env::VarError::NotPresent) => Permission::Compare,
        Ok("update") => Permission::Update,
        Ok("break") => Permission::Break,
        _ => return Err(CheckError::saying("STREAMX_SCHEMA is neither `update` nor `break`".into())),
    };
    check_with(permission, path.as_ref(), services)
}

/// What may be done to the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Permission {
    Compare,
    Update,
    Break,
}

pub(super) fn check_with(
    permission: Permission,
    path: &Path,
    services: &[&ServiceSchema],
) -> Result<(), CheckError> {
    let shown = path.display();
    let code = Lock::of(services).map_err(|clash| CheckError::saying(clash.to_string()))?;
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound && permission != Permission::Compare => {
            return write(path, &code);
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(CheckError::saying(format!(
                "there is no lock file {shown} yet: run the test once with STREAMX_SCHEMA=update, and commit the file"
            )));
        }
        Err(error) => {
            return Err(CheckError::saying(format!("the lock file {shown} cannot be read: {error}")));
        }
    };
    let lock = Lock::parse(&text)
        .map_err(|error| CheckError::saying(format!("the lock file {shown} is damaged: {error}")))?;
    let (changes, pairs) = compare::changes(&lock, &code);
    let code = Lock::remembering(code, &lock, &pairs);
    if code == lock {
        return Ok(());
    }
    let breaking = changes.iter().filter(|change| change.is_breaking()).count();
    match permission {
        Permission::Break => write(path, &code),
        Permission::Update if breaking == 0 => write(path, &code),
        _ => Err(CheckError { text: report(&shown.to_string(), &changes, breaking), changes }),
    }
}

fn write(path: &Path, lock: &Lock) -> Result<(), CheckError> {
    let failed =
        |error| CheckError::saying(format!("the lock file {} cannot be written: {error}", path.display()));
    fs::write(path, lock.to_string()).map_err(failed)
}

fn report(path: &str, changes: &[Change], breaking: usize) -> String {
    let list = |title: &str, breaks: bool| {
        let changes: Vec<_> = changes
            .iter()
            .filter(|change| change.is_breaking() == breaks)
            .map(|change| format!("\n  {}\n", change.to_string().replace('\n', "\n  ")))
            .collect();
        if changes.is_empty() { String::new() } else { format!("\n{title}\n{}", changes.concat()) }
    };
    let advice = if breaking == 0 {
        "Nobody is broken. Run the test once with STREAMX_SCHEMA=update, and commit the file with the change."
    } else {
        "If no peer and no stored message needs what breaks any more, run the test once with STREAMX_SCHEMA=break, and \
         commit the file with the change."
    };
    format!(
        "the schema is not the one in {path}\n{}{}\n{advice}",
        list("What breaks:", true),
        list(if breaking == 0 { "What changed:" } else { "What else changed:" }, false)
    )
}

/// Why [`check`] failed. Both `Display` and `Debug` are the text for people.
#[derive(Clone, PartialEq, Eq)]
pub struct CheckError {
    text: String,
    changes: Vec<Change>,
}

impl CheckError {
    fn saying(text: String) -> Self {
        Self { text, changes: Vec::new() }
    }

    /// What changed since the lock file was written; nothing if there was no file to compare with.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }
}

impl Display for CheckError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A test that returns it, or unwraps it, shows it by this.
impl Debug for CheckError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Display::fmt(self, f)
    }
}

impl std::error::Error for CheckError {}
