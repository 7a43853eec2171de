const _: () = {
    use ::streamx::private::{self as __rt, Reader as _, Writer as _};
    impl __rt::Value for NotFound {
        const KIND: __rt::Kind = __rt::Kind::Struct;
        fn schema() -> __rt::Type {
            __rt::Type::Struct(<Self as __rt::Message>::DESCRIPTION)
        }
        fn encode<__W: __rt::Writer>(&self, writer: &mut __W) {
            if writer.struct_begin() {
                <String as __rt::Field>::put(&self.key, 1i16, writer);
                writer.struct_end();
            }
        }
        fn decode<__R: __rt::Reader>(
            reader: &mut __R,
        ) -> ::core::result::Result<Self, __rt::DecodeError> {
            let mut f1 = <String as __rt::Field>::begin(reader);
            __rt::read_message(
                <Self as __rt::Message>::DESCRIPTION,
                reader,
                |number, kind, reader| match number {
                    1i16 => <String as __rt::Field>::take(&mut f1, kind, reader),
                    _ => reader.skip(kind),
                },
            )?;
            ::core::result::Result::Ok(Self { key: __rt::or_absent(f1) })
        }
        fn merge_fields<__R: __rt::Reader>(
            &mut self,
            reader: &mut __R,
        ) -> ::core::result::Result<(), __rt::DecodeError> {
            __rt::read_message(
                <Self as __rt::Message>::DESCRIPTION,
                reader,
                |number, kind, reader| match number {
                    1i16 => <String as __rt::Field>::merge(&mut self.key, kind, reader),
                    _ => reader.skip(kind),
                },
            )
        }
    }
    __rt::apache_thrift! {
        [] [NotFound] []
    }
    impl __rt::Message for NotFound {
        const DESCRIPTION: &'static __rt::StructDescription = &__rt::StructDescription {
            name: "NotFound",
            doc: "",
            rust: __rt::RustType::of::<Self>(),
            shape: __rt::Shape::Exception,
            import: ::core::option::Option::None,
            arguments: &[],
            fields: &[
                __rt::FieldDescription {
                    number: 1i16,
                    name: "key",
                    doc: "",
                    schema: <String as __rt::Field>::schema,
                    presence: __rt::Presence::of(
                        false,
                        <String as __rt::Field>::OPTIONAL,
                    ),
                    form: __rt::Form::PLAIN,
                    default: ::core::option::Option::None,
                },
            ],
        };
    }
    impl __rt::Throws for NotFound {
        fn declared() -> ::std::vec::Vec<__rt::Thrown> {
            ::std::vec![__rt::thrown:: < Self > (1, "not_found")]
        }
        fn put<__W: __rt::Writer>(&self, writer: &mut __W) -> bool {
            <Self as __rt::Value>::put_variant(self, 1, writer);
            true
        }
        fn take<__R: __rt::Reader>(
            number: i16,
            kind: __rt::Kind,
            reader: &mut __R,
        ) -> ::core::result::Result<::core::option::Option<Self>, __rt::DecodeError> {
            let mut value = ::core::option::Option::None;
            match number {
                1 => <Self as __rt::Field>::take(&mut value, kind, reader)?,
                _ => reader.skip(kind)?,
            }
            ::core::result::Result::Ok(value)
        }
        fn into_error(self) -> __rt::Error {
            __rt::exception(self)
        }
    }
};
