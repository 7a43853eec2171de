//! The details of an error: messages that travel beside its text, over gRPC, in a `google.rpc.Status`.

use bytes::{Bytes, BytesMut};

use super::well_known::Any;
use super::{decode, encode};
use crate::error::BizError;
use crate::{Code, Error, Message};

/// `google.rpc.Status`, the value of `grpc-status-details-bin`.
#[derive(Message, Clone, Debug, Default, PartialEq)]
#[message(crate = crate)]
struct Status {
    #[field(1)]
    code: i32,
    #[field(2)]
    message: String,
    #[field(3)]
    details: Vec<Any>,
}

impl Error {
    /// Adds a message that says more than the text can: what other makes of gRPC call a detail of the status (grpc-go:
    /// `WithDetails`, tonic: `Status::details`). It reaches callers over gRPC alone, as long as all of them with the text
    /// have at most 16 KiB; more is left out, and the text of the error says so.
    ///
    /// ```
    /// use streamx::well_known::Any;
    /// use streamx::{Code, Error, Message};
    ///
    /// #[derive(Message, Clone, Debug, Default, PartialEq)]
    /// struct ErrorInfo {
    ///     #[field(1)]
    ///     reason: String,
    /// }
    ///
    /// # fn main() -> streamx::Result<()> {
    /// let info = ErrorInfo { reason: "STOCKOUT".to_owned() };
    /// let error = Error::new(Code::Unavailable, "no biscuits").with_detail(Any::pack("google.rpc.ErrorInfo", &info)?);
    ///
    /// let found = error.details()[0].unpack::<ErrorInfo>("google.rpc.ErrorInfo")?;
    /// assert_eq!(found, Some(info));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_detail(self, detail: Any) -> Self {
        let mut details = self.details();
        details.push(detail);
        // Code and text stand in the status, too.
        let usual = if self.as_biz().is_some() { Code::Internal } else { self.code() };
        let code = self.grpc_status().unwrap_or(usual as i32);
        let message = self.own_text().to_owned();
        match written(&Status { code, message, details }) {
            Some(bytes) => self.with_status_details(bytes),
            None => self,
        }
    }

    /// The details, which a peer has sent over gRPC or [`with_detail`](Self::with_detail) has added, in that order; none if
    /// what the peer has sent is malformed. They are read anew each time.
    pub fn details(&self) -> Vec<Any> {
        self.status_details().and_then(read).map(|status| status.details).unwrap_or_default()
    }

    /// The status with its details, as it is sent beside this text.
    #[cfg(feature = "grpc")]
    pub(crate) fn details_of_status(&self, text: &str) -> Option<Bytes> {
        let bytes = self.status_details()?;
        if text == self.own_text() {
            return Some(bytes.clone());
        }
        written(&Status { message: text.to_owned(), ..read(bytes)? })
    }

    fn own_text(&self) -> &str {
        self.as_biz().map_or(self.message(), BizError::message)
    }
}

/// None above 2 GiB.
fn written(status: &Status) -> Option<Bytes> {
    let mut bytes = BytesMut::new();
    encode(status, &mut bytes).ok()?;
    Some(bytes.freeze())
}

fn read(bytes: &Bytes) -> Option<Status> {
    decode(bytes.clone()).ok()
}
