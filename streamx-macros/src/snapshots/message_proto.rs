const _: () = {
    use ::streamx::private::{self as __rt, Reader as _, Writer as _};
    impl __rt::Value for Request {
        const KIND: __rt::Kind = __rt::Kind::Struct;
        fn schema() -> __rt::Type {
            __rt::Type::Struct(<Self as __rt::Message>::DESCRIPTION)
        }
        fn encode<__W: __rt::Writer>(&self, writer: &mut __W) {
            if writer.struct_begin() {
                <i64 as __rt::Field>::put_as(
                    &self.id,
                    1i16,
                    __rt::form_of::<Self>(0usize),
                    writer,
                );
                <HashMap<
                    i32,
                    String,
                > as __rt::Field>::put_as(
                    &self.names,
                    2i16,
                    __rt::form_of::<Self>(1usize),
                    writer,
                );
                <Option<
                    Body,
                > as __rt::Field>::put_as(
                    &self.body,
                    3i16,
                    __rt::form_of::<Self>(2usize),
                    writer,
                );
                writer.struct_end();
            }
        }
        fn decode<__R: __rt::Reader>(
            reader: &mut __R,
        ) -> ::core::result::Result<Self, __rt::DecodeError> {
            let mut f1 = <i64 as __rt::Field>::begin_as(
                __rt::form_of::<Self>(0usize),
                reader,
            );
            let mut f2 = <HashMap<
                i32,
                String,
            > as __rt::Field>::begin_as(__rt::form_of::<Self>(1usize), reader);
            let mut f3 = <Option<
                Body,
            > as __rt::Field>::begin_as(__rt::form_of::<Self>(2usize), reader);
            __rt::read_message(
                <Self as __rt::Message>::DESCRIPTION,
                reader,
                |number, kind, reader| match number {
                    1i16 => {
                        <i64 as __rt::Field>::take_as(
                            &mut f1,
                            __rt::form_of::<Self>(0usize),
                            kind,
                            reader,
                        )
                    }
                    2i16 => {
                        <HashMap<
                            i32,
                            String,
                        > as __rt::Field>::take_as(
                            &mut f2,
                            __rt::form_of::<Self>(1usize),
                            kind,
                            reader,
                        )
                    }
                    3i16 => {
                        <Option<
                            Body,
                        > as __rt::Field>::take_as(
                            &mut f3,
                            __rt::form_of::<Self>(2usize),
                            kind,
                            reader,
                        )
                    }
                    _ if __rt::is_variant::<Option<Body>, _>(number, reader) => {
                        <Option<
                            Body,
                        > as __rt::Field>::take_as(
                            &mut f3,
                            __rt::form_of::<Self>(2usize),
                            kind,
                            reader,
                        )
                    }
                    _ => reader.skip(kind),
                },
            )?;
            ::core::result::Result::Ok(Self {
                id: __rt::or_absent(f1),
                names: __rt::or_absent(f2),
                body: __rt::or_absent(f3),
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
                        <i64 as __rt::Field>::merge_as(
                            &mut self.id,
                            __rt::form_of::<Self>(0usize),
                            kind,
                            reader,
                        )
                    }
                    2i16 => {
                        <HashMap<
                            i32,
                            String,
                        > as __rt::Field>::merge_as(
                            &mut self.names,
                            __rt::form_of::<Self>(1usize),
                            kind,
                            reader,
                        )
                    }
                    3i16 => {
                        <Option<
                            Body,
                        > as __rt::Field>::merge_as(
                            &mut self.body,
                            __rt::form_of::<Self>(2usize),
                            kind,
                            reader,
                        )
                    }
                    _ if __rt::is_variant::<Option<Body>, _>(number, reader) => {
                        <Option<
                            Body,
                        > as __rt::Field>::merge_as(
                            &mut self.body,
                            __rt::form_of::<Self>(2usize),
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
            doc: "",
            rust: __rt::RustType::of::<Self>(),
            shape: __rt::Shape::Struct,
            import: ::core::option::Option::None,
            arguments: &[],
            fields: &[
                __rt::FieldDescription {
                    number: 1i16,
                    name: "id",
                    doc: "",
                    schema: <i64 as __rt::Field>::schema,
                    presence: __rt::Presence::of(false, <i64 as __rt::Field>::OPTIONAL),
                    form: __rt::form::<i64, __rt::proto::sint64>(),
                    default: ::core::option::Option::None,
                },
                __rt::FieldDescription {
                    number: 2i16,
                    name: "names",
                    doc: "",
                    schema: <HashMap<i32, String> as __rt::Field>::schema,
                    presence: __rt::Presence::of(
                        false,
                        <HashMap<i32, String> as __rt::Field>::OPTIONAL,
                    ),
                    form: __rt::form::<
                        HashMap<i32, String>,
                        __rt::proto::map<__rt::proto::fixed32, __rt::proto::any>,
                    >(),
                    default: ::core::option::Option::None,
                },
                __rt::FieldDescription {
                    number: 3i16,
                    name: "body",
                    doc: "",
                    schema: <Option<Body> as __rt::Field>::schema,
                    presence: __rt::Presence::of(
                        false,
                        <Option<Body> as __rt::Field>::OPTIONAL,
                    ),
                    form: const { __rt::oneof_form::<Option<Body>>(&[1i16, 2i16]) },
                    default: ::core::option::Option::None,
                },
            ],
        };
    }
};
