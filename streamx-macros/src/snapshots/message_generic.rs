const _: () = {
    use my::streamx::private::{self as __rt, Reader as _, Writer as _};
    impl<T: Clone + __rt::Value> __rt::Value for Page<T>
    where
        T: __rt::Absent,
    {
        const KIND: __rt::Kind = __rt::Kind::Struct;
        fn schema() -> __rt::Type {
            __rt::Type::Struct(<Self as __rt::Message>::DESCRIPTION)
        }
        fn encode<__W: __rt::Writer>(&self, writer: &mut __W) {
            if writer.struct_begin() {
                <T as __rt::Field>::put(&self.first, 1i16, writer);
                writer.struct_end();
            }
        }
        fn decode<__R: __rt::Reader>(
            reader: &mut __R,
        ) -> ::core::result::Result<Self, __rt::DecodeError> {
            let mut f1 = <T as __rt::Field>::begin(reader);
            __rt::read_message(
                <Self as __rt::Message>::DESCRIPTION,
                reader,
                |number, kind, reader| match number {
                    1i16 => <T as __rt::Field>::take(&mut f1, kind, reader),
                    _ => reader.skip(kind),
                },
            )?;
            ::core::result::Result::Ok(Self { first: __rt::or_absent(f1) })
        }
        fn merge_fields<__R: __rt::Reader>(
            &mut self,
            reader: &mut __R,
        ) -> ::core::result::Result<(), __rt::DecodeError> {
            __rt::read_message(
                <Self as __rt::Message>::DESCRIPTION,
                reader,
                |number, kind, reader| match number {
                    1i16 => <T as __rt::Field>::merge(&mut self.first, kind, reader),
                    _ => reader.skip(kind),
                },
            )
        }
    }
    __rt::apache_thrift! {
        [< T : Clone + __rt::Value >] [Page < T >] [where T : __rt::Absent]
    }
    impl<T: Clone + __rt::Value> __rt::Message for Page<T>
    where
        T: __rt::Absent,
    {
        const DESCRIPTION: &'static __rt::StructDescription = &__rt::StructDescription {
            name: "PageOf",
            doc: "",
            rust: __rt::RustType::of::<Self>(),
            shape: __rt::Shape::Struct,
            import: ::core::option::Option::None,
            arguments: &[<T as __rt::Value>::schema],
            fields: &[
                __rt::FieldDescription {
                    number: 1i16,
                    name: "first",
                    doc: "",
                    schema: <T as __rt::Field>::schema,
                    presence: __rt::Presence::of(false, <T as __rt::Field>::OPTIONAL),
                    form: __rt::Form::PLAIN,
                    default: ::core::option::Option::None,
                },
            ],
        };
    }
};
