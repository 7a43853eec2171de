::core::compile_error! {
    "field `message` of `Request` needs a number: write `#[field(n)]` before it, with an n of its own"
}
::core::compile_error! {
    "a field number is a whole number from 1 to 32767"
}
const _: () = {
    use ::streamx::private::{self as __rt, Reader as _, Writer as _};
    impl __rt::Value for Request {
        const KIND: __rt::Kind = __rt::Kind::Struct;
        fn schema() -> __rt::Type {
            ::core::unreachable!()
        }
        fn encode<__W: __rt::Writer>(&self, _: &mut __W) {
            ::core::unreachable!()
        }
        fn decode<__R: __rt::Reader>(
            _: &mut __R,
        ) -> ::core::result::Result<Self, __rt::DecodeError> {
            ::core::unreachable!()
        }
    }
    impl __rt::Message for Request {
        const DESCRIPTION: &'static __rt::StructDescription = &__rt::StructDescription {
            name: "",
            doc: "",
            rust: __rt::RustType::of::<Self>(),
            shape: __rt::Shape::Struct,
            import: ::core::option::Option::None,
            arguments: &[],
            fields: &[],
        };
    }
};
