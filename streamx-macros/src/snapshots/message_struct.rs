const _: () = {
    use ::streamx::private::{self as __rt, Reader as _, Writer as _};
    impl __rt::Value for Request {
        const KIND: __rt::Kind = __rt::Kind::Struct;
        fn schema() -> __rt::Type {
            __rt::Type::Struct(<Self as __rt::Message>::DESCRIPTION)
        }
        fn encode<__W: __rt::Writer>(&self, writer: &mut __W) {
            if writer.struct_begin() {
                <String as __rt::Field>::put(&self.message, 1i16, writer);
                <Option<i32> as __rt::Field>::put(&self.retries, 2i16, writer);
                <i64 as __rt::Field>::put(&self.id, 3i16, writer);
                <i32 as __rt::Field>::put(&self.limit, 4i16, writer);
                writer.struct_end();
            }
        }
        fn decode<__R: __rt::Reader>(
            reader: &mut __R,
        ) -> ::core::result::Result<Self, __rt::DecodeError> {
            let mut f1: ::core::option::Option<String> = ::core::option::Option::None;
            let mut f2: ::core::option::Option<Option<i32>> = ::core::option::Option::None;
            let mut f3: ::core::option::Option<i64> = ::core::option::Option::None;
            let mut f4: ::core::option::Option<i32> = ::core::option::Option::None;
            __rt::read_message(
                <Self as __rt::Message>::DESCRIPTION,
                reader,
                |number, kind, reader| match number {
                    1i16 => <String as __rt::Field>::take(&mut f1, kind, reader),
                    2i16 => <Option<i32> as __rt::Field>::take(&mut f2, kind, reader),
                    3i16 => <i64 as __rt::Field>::take(&mut f3, kind, reader),
                    4i16 => <i32 as __rt::Field>::take(&mut f4, kind, reader),
                    _ => reader.skip(kind),
                },
            )?;
            ::core::result::Result::Ok(Self {
                message: __rt::or_absent(f1),
                retries: __rt::or_absent(f2),
                id: __rt::required(f3, "requestId")?,
                limit: f4
                    .unwrap_or_else(|| {
                        let value: i32 = 10;
                        value
                    }),
            })
        }
    }
    __rt::apache_thrift! {
        [] [Request] []
    }
    impl __rt::Message for Request {
        const DESCRIPTION: &'static __rt::StructDescription = &__rt::StructDescription {
            name: "Request",
            doc: "A request.",
            rust: __rt::RustType::of::<Self>(),
            shape: __rt::Shape::Struct,
            arguments: &[],
            fields: &[
                __rt::FieldDescription {
                    number: 1i16,
                    name: "message",
                    doc: "",
                    schema: <String as __rt::Field>::schema,
                    presence: __rt::Presence::of(
                        false,
                        <String as __rt::Field>::OPTIONAL,
                    ),
                    default: ::core::option::Option::None,
                },
                __rt::FieldDescription {
                    number: 2i16,
                    name: "retries",
                    doc: "",
                    schema: <Option<i32> as __rt::Field>::schema,
                    presence: __rt::Presence::of(
                        false,
                        <Option<i32> as __rt::Field>::OPTIONAL,
                    ),
                    default: ::core::option::Option::None,
                },
                __rt::FieldDescription {
                    number: 3i16,
                    name: "requestId",
                    doc: "",
                    schema: <i64 as __rt::Field>::schema,
                    presence: __rt::Presence::of(true, <i64 as __rt::Field>::OPTIONAL),
                    default: ::core::option::Option::None,
                },
                __rt::FieldDescription {
                    number: 4i16,
                    name: "limit",
                    doc: "",
                    schema: <i32 as __rt::Field>::schema,
                    presence: __rt::Presence::of(false, <i32 as __rt::Field>::OPTIONAL),
                    default: ::core::option::Option::Some(|| __rt::literal::<
                        i32,
                    >(
                        &{
                            let value: i32 = 10;
                            value
                        },
                    )),
                },
            ],
        };
    }
};
