//! Mistakes of users, and what the compiler says: one folder for each class of mistake.
//!
//! `TRYBUILD=overwrite cargo test -p streamx-tests --test ui` writes the texts anew; read them before they are kept.

#[test]
fn every_mistake_is_explained_at_the_users_tokens() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/**/*.rs");
}
