const _: () = {
    use ::streamx::private::{self as __rt, Reader as _, Writer as _};
    impl __rt::Value for Body {
        const KIND: __rt::Kind = __rt::Kind::Struct;
        fn schema() -> __rt::Type {
            __rt::Type::Struct(<Self as __rt::Message>::DESCRIPTION)
        }
        fn encode<__W: __rt::Writer>(&self, writer: &mut __W) {
            if writer.struct_begin() {
                match self {
                    Self::Text(value) => {
                        <String as __rt::Value>::put_variant(value, 1i16, writer)
                    }
                    Self::Tag(value) => {
                        <Tag as __rt::Value>::put_variant(value, 2i16, writer)
                    }
                }
                writer.struct_end();
            }
        }
        fn decode<__R: __rt::Reader>(
            reader: &mut __R,
        ) -> ::core::result::Result<Self, __rt::DecodeError> {
            <Self as __rt::Value>::decode_known(reader)?
                .ok_or_else(|| __rt::DecodeError::new(__rt::Fault::UnknownVariant))
        }
        fn decode_known<__R: __rt::Reader>(
            reader: &mut __R,
        ) -> ::core::result::Result<::core::option::Option<Self>, __rt::DecodeError> {
            let mut value = ::core::option::Option::None;
            __rt::read_message(
                <Self as __rt::Message>::DESCRIPTION,
                reader,
                |number, kind, reader| match number {
                    1i16 => {
                        <String as __rt::Value>::take_variant(
                            &mut value,
                            Self::Text,
                            kind,
                            reader,
                        )
                    }
                    2i16 => {
                        <Tag as __rt::Value>::take_variant(
                            &mut value,
                            Self::Tag,
                            kind,
                            reader,
                        )
                    }
                    _ => reader.skip(kind),
                },
            )?;
            ::core::result::Result::Ok(value)
        }
    }
    __rt::apache_thrift! {
        [] [Body] []
    }
    impl __rt::Message for Body {
        const DESCRIPTION: &'static __rt::StructDescription = &__rt::StructDescription {
            name: "Body",
            doc: "",
            rust: __rt::RustType::of::<Self>(),
            shape: __rt::Shape::Union,
            import: ::core::option::Option::None,
            arguments: &[],
            fields: &[
                __rt::FieldDescription {
                    number: 1i16,
                    name: "text",
                    doc: "",
                    schema: <String as __rt::Value>::schema,
                    presence: __rt::Presence::Optional,
                    form: __rt::Form::PLAIN,
                    default: ::core::option::Option::None,
                },
                __rt::FieldDescription {
                    number: 2i16,
                    name: "tag",
                    doc: "",
                    schema: <Tag as __rt::Value>::schema,
                    presence: __rt::Presence::Optional,
                    form: __rt::Form::PLAIN,
                    default: ::core::option::Option::None,
                },
            ],
        };
    }
    impl __rt::Union for Body {}
};
