/// What kind of failure an [`Error`](crate::Error) is, in the words and numbers of gRPC.
///
/// `code as i32` is the gRPC number. A number outside 0 to 16 that a peer sent is `Unknown`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(i32)]
#[non_exhaustive]
pub enum Code {
    /// Not an error. Never the code of an [`Error`](crate::Error) that this crate makes.
    Ok = 0,
    /// The call was cancelled, by the caller or because the caller is gone.
    Cancelled = 1,
    /// Nothing more is known, or the code is one this enum does not have.
    #[default]
    Unknown = 2,
    /// The caller sent something that can never work.
    InvalidArgument = 3,
    /// A time limit passed.
    DeadlineExceeded = 4,
    /// The thing asked for does not exist.
    NotFound = 5,
    /// The thing to be made exists already.
    AlreadyExists = 6,
    /// The caller is known and may not do this.
    PermissionDenied = 7,
    /// A limit was reached: streams, message size, queued bytes.
    ResourceExhausted = 8,
    /// The system is not in the state the call needs.
    FailedPrecondition = 9,
    /// The call lost a race with another one; trying it again from the start may work.
    Aborted = 10,
    /// Past the valid range.
    OutOfRange = 11,
    /// The server does not have this service or this method.
    Unimplemented = 12,
    /// A handler failed, panicked, or a peer broke the protocol.
    Internal = 13,
    /// The peer cannot be reached or the connection to it is lost.
    Unavailable = 14,
    /// Data is lost or corrupt.
    DataLoss = 15,
    /// The caller is not known.
    Unauthenticated = 16,
}

impl Code {
    /// The code with this gRPC number; `Unknown` for a number gRPC does not have.
    pub fn from_i32(number: i32) -> Self {
        match number {
            0 => Self::Ok,
            1 => Self::Cancelled,
            3 => Self::InvalidArgument,
            4 => Self::DeadlineExceeded,
            5 => Self::NotFound,
            6 => Self::AlreadyExists,
            7 => Self::PermissionDenied,
            8 => Self::ResourceExhausted,
            9 => Self::FailedPrecondition,
            10 => Self::Aborted,
            11 => Self::OutOfRange,
            12 => Self::Unimplemented,
            13 => Self::Internal,
            14 => Self::Unavailable,
            15 => Self::DataLoss,
            16 => Self::Unauthenticated,
            _ => Self::Unknown,
        }
    }
}
