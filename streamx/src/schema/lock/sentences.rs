//! What changes of services and names do, in words. Those of values are in `fate.rs`.

use super::{Effect, Who, Wire};

const fn effect(who: Who, wire: Option<Wire>, breaks: bool, text: &'static str) -> Effect {
    Effect { who, wire, breaks, text }
}

pub(super) const NAMES: &[Effect] =
    &[effect(Who::UsersOfNames, None, false, "the declaration changes, and the bytes do not")];
pub(super) const GONE_SERVICE: &[Effect] = &[effect(
    Who::OldClients,
    None,
    true,
    "calls fail with `Unimplemented`, or reach another service that has a method of that name",
)];
pub(super) const GONE_METHOD: &[Effect] =
    &[effect(Who::OldClients, None, true, "calls fail with `Unimplemented`")];
pub(super) const NEW_METHOD: &[Effect] =
    &[effect(Who::NewClients, None, false, "calls fail with `Unimplemented`")];
pub(super) const OTHER_MODE: &[Effect] =
    &[effect(Who::OldClients, None, true, "calls fail"), effect(Who::NewClients, None, true, "calls fail")];
pub(super) const OTHER_PATH: &[Effect] = &[
    effect(Who::OldClients, None, true, OTHER_PATH_TEXT),
    effect(Who::NewClients, None, true, OTHER_PATH_TEXT),
    effect(Who::UsersOfNames, None, false, "the package of the generated code is another one"),
];
const OTHER_PATH_TEXT: &str = "calls over gRPC fail with `Unimplemented`, unless the server is one of streamx or Kitex, which do not look at it";
pub(super) const OTHER_MESSAGE: &[Effect] = &[
    effect(Who::OldClients, Some(Wire::Protobuf), true, OTHER_MESSAGE_TEXT),
    effect(Who::NewClients, Some(Wire::Protobuf), true, OTHER_MESSAGE_TEXT),
];
const OTHER_MESSAGE_TEXT: &str = "a message that is all travels as it is, anything else inside another one: the call fails, or reads something else";
pub(super) const ELDEST: Effect = effect(Who::OldestPeers, None, true, "one is taken for the other");
pub(super) const NO_ANSWER: &str =
    "the exception reads as an answer without a value: streamx fails, Kitex gives nil and no error";
pub(super) const SUCCESS: &str = "the exception reads as success";
pub(super) const ORDINARY: &str = "the exception reads as an ordinary error";
pub(super) const ONE_OF_ALL: &str = "a message without exactly one field fails, or reads as one of them";
pub(super) const UNKNOWN_VARIANT: &str =
    "the variant reads as an absent field, and where there must be one the message fails";

pub(super) const KEEP_SERVICE: &str =
    "serve it beside the new one, or keep its name with `#[streamx::service(name = \"…\")]`";
pub(super) const KEEP_METHOD: &str =
    "keep it until nobody calls it, or keep its name on the wire, as in `#[unary(name = \"…\")]`";
pub(super) const KEEP_TYPE: &str = "leave it as it was, and add another one with a new number";
pub(super) const KEEP_PRESENCE: &str = "leave it as it was, and decide about the value in your code";
pub(super) const OTHER_NUMBER: &str = "take a number that was never used";
pub(super) const OTHER_METHOD: &str = "leave it as it was, and add a method with another name";
