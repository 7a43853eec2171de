const _: () = {
    use ::streamx::private::{self as __rt, Reader as _, Writer as _};
    impl __rt::Throws for GetError {
        fn declared() -> ::std::vec::Vec<__rt::Thrown> {
            ::std::vec![__rt::thrown:: < NotFound > (1i16, "not_found")]
        }
        fn put<__W: __rt::Writer>(&self, writer: &mut __W) -> bool {
            match self {
                Self::NotFound(value) => {
                    <NotFound as __rt::Value>::put_variant(value, 1i16, writer)
                }
                Self::Other(_) => return false,
            }
            true
        }
        fn take<__R: __rt::Reader>(
            number: i16,
            kind: __rt::Kind,
            reader: &mut __R,
        ) -> ::core::result::Result<::core::option::Option<Self>, __rt::DecodeError> {
            let mut value = ::core::option::Option::None;
            match number {
                1i16 => {
                    <NotFound as __rt::Value>::take_variant(
                        &mut value,
                        Self::NotFound,
                        kind,
                        reader,
                    )?
                }
                _ => reader.skip(kind)?,
            }
            ::core::result::Result::Ok(value)
        }
        fn into_error(self) -> __rt::Error {
            match self {
                Self::NotFound(value) => <NotFound as __rt::Throws>::into_error(value),
                Self::Other(error) => {
                    let error: __rt::Error = error;
                    error
                }
            }
        }
    }
    impl ::core::convert::From<NotFound> for GetError {
        fn from(value: NotFound) -> Self {
            Self::NotFound(value)
        }
    }
    impl ::core::convert::From<streamx::Error> for GetError {
        fn from(value: streamx::Error) -> Self {
            Self::Other(value)
        }
    }
};
