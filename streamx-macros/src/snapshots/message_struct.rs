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
                <i64 as __rt::Field>::put_as(
                    &self.id,
                    3i16,
                    __rt::Form::EXPLICIT,
                    writer,
                );
                <i32 as __rt::Field>::put_as(
                    &self.limit,
                    4i16,
                    __rt::Form::EXPLICIT,
                    writer,
                );
                writer.struct_end();
            }
        }
        fn decode<__R: __rt::Reader>(
            reader: &mut __R,
        ) -> ::core::result::Result<Self, __rt::DecodeError> {
            let mut f1 = <String as __rt::Field>::begin(reader);
            let mut f2 = <Option<i32> as __rt::Field>::begin(reader);
            let mut f3 = <i64 as __rt::Field>::begin_as(__rt::Form::EXPLICIT, reader);
            let mut f4 = <i32 as __rt::Field>::begin_as(__rt::Form::EXPLICIT, reader);
            __rt::read_message(
                <Self as __rt::Message>::DESCRIPTION,
                reader,
                |number, kind, reader| match number {
                    1i16 => <String as __rt::Field>::take(&mut f1, kind, reader),
                    2i16 => <Option<i32> as __rt::Field>::take(&mut f2, kind, reader),
                    3i16 => {
                        <i64 as __rt::Field>::take_as(
                            &mut f3,
                            __rt::Form::EXPLICIT,
                            kind,
                            reader,
                        )
                    }
                    4i16 => {
                        <i32 as __rt::Field>::take_as(
                            &mut f4,
                            __rt::Form::EXPLICIT,
                            kind,
                            reader,
                        )
                    }
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
        fn merge_fields<__R: __rt::Reader>(
            &mut self,
            reader: &mut __R,
        ) -> ::core::result::Result<(), __rt::DecodeError> {
            __rt::read_message(
                <Self as __rt::Message>::DESCRIPTION,
                reader,
                |number, kind, reader| match number {
                    1i16 => {
                        <String as __rt::Field>::merge(&mut self.message, kind, reader)
                    }
                    2i16 => {
                        <Option<
                            i32,
                        > as __rt::Field>::merge(&mut self.retries, kind, reader)
                    }
                    3i16 => {
                        <i64 as __rt::Field>::merge_as(
                            &mut self.id,
                            __rt::Form::EXPLICIT,
                            kind,
                            reader,
                        )
                    }
                    4i16 => {
                        <i32 as __rt::Field>::merge_as(
                            &mut self.limit,
                            __rt::Form::EXPLICIT,
                            kind,
                            reader,
                        )
                    }
                    _ => reader.skip(kind),
                },
            )
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
            import: ::core::option::Option::None,
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
                    form: __rt::Form::PLAIN,
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
                    form: __rt::Form::PLAIN,
                    default: ::core::option::Option::None,
                },
                __rt::FieldDescription {
                    number: 3i16,
                    name: "requestId",
                    doc: "",
                    schema: <i64 as __rt::Field>::schema,
                    presence: __rt::Presence::of(true, <i64 as __rt::Field>::OPTIONAL),
                    form: __rt::Form::EXPLICIT,
                    default: ::core::option::Option::None,
                },
                __rt::FieldDescription {
                    number: 4i16,
                    name: "limit",
                    doc: "",
                    schema: <i32 as __rt::Field>::schema,
                    presence: __rt::Presence::of(false, <i32 as __rt::Field>::OPTIONAL),
                    form: __rt::Form::EXPLICIT,
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
