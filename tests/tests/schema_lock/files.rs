//! The file beside the code: made, compared and written anew as `STREAMX_SCHEMA` says. Each check runs in a process of its
//! own, which has that variable.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use streamx::schema::check;
use streamx::{Message, Result};

#[derive(Message, Clone, Debug, Default, PartialEq)]
#[message(rename = "Order")]
struct First {
    #[field(1)]
    item: String,
    #[field(2)]
    amount: i32,
}

#[streamx::service(name = "Shop", namespace = "shop")]
trait FirstShop {
    async fn buy(&self, order: First) -> Result<()>;
}

/// With another field, and one less.
#[derive(Message, Clone, Debug, Default, PartialEq)]
#[message(rename = "Order")]
struct Second {
    #[field(1)]
    item: String,
    #[field(3)]
    note: Option<String>,
}

#[streamx::service(name = "Shop", namespace = "shop")]
trait SecondShop {
    async fn buy(&self, order: Second) -> Result<()>;
}

/// Takes the number of the field that is gone.
#[derive(Message, Clone, Debug, Default, PartialEq)]
#[message(rename = "Order")]
struct Third {
    #[field(1)]
    item: String,
    #[field(2)]
    user: String,
    #[field(3)]
    note: Option<String>,
}

#[streamx::service(name = "Shop", namespace = "shop")]
trait ThirdShop {
    async fn buy(&self, order: Third) -> Result<()>;
}

#[test]
#[ignore = "the tests below run it"]
fn one_check() {
    let service = match &*env::var("SHOP").unwrap() {
        "first" => FirstShopServer::<()>::schema(),
        "second" => SecondShopServer::<()>::schema(),
        _ => ThirdShopServer::<()>::schema(),
    };
    check(env::var_os("LOCK").unwrap(), &[service]).unwrap();
}

/// What a check of this service says, as `cargo test` shows it; nothing when it passes.
fn checked(lock: &Path, shop: &str, permission: &str) -> String {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--ignored", "--exact", "files::one_check", "--nocapture"]);
    command.env("LOCK", lock).env("SHOP", shop).env("RUST_BACKTRACE", "0").env_remove("STREAMX_SCHEMA");
    if !permission.is_empty() {
        command.env("STREAMX_SCHEMA", permission);
    }
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    match said.split_once("value: ") {
        Some((_, said)) if !output.status.success() => {
            said.split("\nnote: run with").next().unwrap().to_owned()
        }
        _ => {
            assert!(output.status.success(), "{said}");
            String::new()
        }
    }
}

/// A file that is gone when the test is over.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let place = env::temp_dir().join(format!("streamx-{}-{name}.lock", std::process::id()));
        let _ = fs::remove_file(&place);
        Self(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[test]
fn a_file_grows_with_the_schema_and_remembers_what_is_gone() {
    let place = Place::new("grows");
    let path = &*place.0;
    let shown = path.display();
    assert_eq!(
        checked(path, "first", ""),
        format!(
            "there is no lock file {shown} yet: run the test once with STREAMX_SCHEMA=update, and commit the file"
        )
    );
    assert_eq!(checked(path, "first", "update"), "");
    assert_eq!(checked(path, "first", ""), "");

    assert_eq!(
        checked(path, "second", ""),
        format!(
            "\
the schema is not the one in {shown}

What changed:

  Order.amount: field 2, `i32`, is gone, and its number stays taken

  Order.note: field 3 is new: `optional string`

Nobody is broken. Run the test once with STREAMX_SCHEMA=update, and commit the file with the change."
        )
    );
    assert_eq!(checked(path, "second", "update"), "");
    let written = fs::read_to_string(path).unwrap();
    let lock = "\
streamx schema lock 1
# What peers of this program rely on. A test compares it with the code (streamx::schema::check);
# STREAMX_SCHEMA=update cargo test writes it anew. It belongs into version control.

service Shop in shop
  unary Buy
    argument 1 order: Order

struct Order
  1 item: string
  3 note: optional string
  removed 2 amount: i32
";
    assert_eq!(written, lock);

    let refused = format!(
        "\
the schema is not the one in {shown}

What breaks:

  Order.user: field 2 is new: `string`, and 2 was `amount: i32` until that was removed
      breaks peers from before the removal: one is taken for the other
      instead: take a number that was never used

If no peer and no stored message needs what breaks any more, run the test once with STREAMX_SCHEMA=break, and commit the \
         file with the change."
    );
    assert_eq!(checked(path, "third", ""), refused);
    assert_eq!(checked(path, "third", "update"), refused);
    assert_eq!(fs::read_to_string(path).unwrap(), lock, "what breaks is not written by an update");
    assert_eq!(checked(path, "third", "break"), "");
    assert_eq!(checked(path, "third", ""), "");
}

#[test]
fn what_is_no_lock_file_is_left_alone() {
    let place = Place::new("damaged");
    let path = &*place.0;
    let shown = path.display();
    fs::write(path, "streamx schema lock 1\n<<<<<<< HEAD\n").unwrap();
    for permission in ["", "update", "break"] {
        let said = checked(path, "first", permission);
        assert!(
            said.starts_with(&format!("the lock file {shown} is damaged: line 2: `<<<<<<<` is not")),
            "{said}"
        );
    }
    assert_eq!(checked(path, "first", "yes"), "STREAMX_SCHEMA is neither `update` nor `break`");
    let folder = env::temp_dir();
    let said = checked(&folder, "first", "update");
    assert!(said.starts_with(&format!("the lock file {} cannot be read: ", folder.display())), "{said}");
}
