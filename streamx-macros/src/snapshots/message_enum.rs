const _: () = {
    use ::streamx::private::{self as __rt, Reader as _, Writer as _};
    const __N0: i32 = 3;
    const __N1: i32 = __N0 + 1;
    impl __rt::Value for Level {
        const KIND: __rt::Kind = __rt::Kind::I32;
        fn schema() -> __rt::Type {
            __rt::Type::Enum(
                &__rt::EnumDescription {
                    name: "Level",
                    doc: "",
                    rust: const { __rt::RustType::of::<Level>() },
                    variants: &[
                        __rt::VariantDescription {
                            name: "Info",
                            doc: "",
                            number: __N0,
                        },
                        __rt::VariantDescription {
                            name: "Warn",
                            doc: "",
                            number: __N1,
                        },
                    ],
                },
            )
        }
        fn encode<__W: __rt::Writer>(&self, writer: &mut __W) {
            writer
                .i32(
                    match self {
                        Self::Info => __N0,
                        Self::Warn => __N1,
                        Self::Unknown(number) => {
                            let number: &i32 = number;
                            *number
                        }
                    },
                );
        }
        fn decode<__R: __rt::Reader>(
            reader: &mut __R,
        ) -> ::core::result::Result<Self, __rt::DecodeError> {
            ::core::result::Result::Ok(
                match reader.i32()? {
                    __N0 => Self::Info,
                    __N1 => Self::Warn,
                    number => Self::Unknown(number),
                },
            )
        }
    }
    __rt::apache_thrift! {
        [] [Level] []
    }
};
