//! Services in unusual spellings, which must compile without a warning.

#![deny(warnings)]
#![allow(
    unnameable_types,
    unreachable_pub,
    unused_qualifications,
    reason = "a user's crate has other lints than this workspace"
)]

mod aliases {
    use streamx::Bidi;

    #[derive(streamx::Message, Clone, Debug, Default, PartialEq)]
    pub struct Page<T: streamx::codec::Value + Default> {
        #[field(1)]
        pub items: Vec<T>,
    }

    pub type Answer<T> = std::result::Result<T, streamx::Error>;
    type Pages = Page<i64>;
    type Both = Bidi<Pages, Page<String>>;

    #[streamx::service]
    pub trait Aliases {
        async fn unary(&self, pages: Pages) -> Answer<Page<Page<String>>>;
        async fn standard(&self) -> std::result::Result<(), streamx::Error>;
        #[bidi]
        async fn both(&self, stream: Both) -> Answer<()>;
    }
}

/// A trait called `T`, a module called `rt`, methods with the names of Rust.
mod names {
    pub mod rt {
        #[derive(streamx::Message, Clone, Debug, Default, PartialEq)]
        pub struct Send {
            #[field(1)]
            pub r#type: String,
        }
    }

    #[streamx::service(name = "Types", namespace = "a.b", rename_all = "snake_case")]
    pub trait T {
        async fn r#type(&self, r#fn: rt::Send, service: i32, channel: bool) -> streamx::Result<rt::Send>;
        async fn clone(&self) -> streamx::Result<()>;
        async fn call(&self) -> streamx::Result<()>;
        async fn service(&self) -> streamx::Result<()>;
        async fn handler(&self, #[field(7)] _server: i32, methods: i32) -> streamx::Result<()>;
    }

    pub struct Implementation;

    impl T for Implementation {
        async fn r#type(&self, r#fn: rt::Send, _service: i32, _channel: bool) -> streamx::Result<rt::Send> {
            Ok(r#fn)
        }
        async fn clone(&self) -> streamx::Result<()> {
            Ok(())
        }
        async fn call(&self) -> streamx::Result<()> {
            Ok(())
        }
        async fn service(&self) -> streamx::Result<()> {
            Ok(())
        }
        async fn handler(&self, _server: i32, _methods: i32) -> streamx::Result<()> {
            Ok(())
        }
    }
}

mod conditions {
    #[streamx::service]
    #[cfg(any())]
    pub trait Nowhere {
        async fn read(&self, path: Missing) -> streamx::Result<()>;
    }

    /// Has methods that are not there.
    #[streamx::service]
    pub trait Sometimes {
        #[cfg(any())]
        async fn never(&self, path: Missing) -> streamx::Result<()>;
        #[cfg(not(any()))]
        async fn read(&self) -> streamx::Result<()>;
        #[cfg(any())]
        #[bidi(name = "Read")]
        async fn other(&self, path: Missing) -> streamx::Result<()>;
        #[deprecated = "use `read`"]
        async fn old(&self) -> streamx::Result<()>;
    }

    pub struct Implementation;

    impl Sometimes for Implementation {
        async fn read(&self) -> streamx::Result<()> {
            Ok(())
        }
        async fn old(&self) -> streamx::Result<()> {
            Ok(())
        }
    }
}

mod defaults {
    use streamx::{Error, Result, Sender};

    #[derive(streamx::Message, Clone, Debug, Default, PartialEq)]
    pub struct Number {
        #[field(1)]
        pub value: i64,
    }

    #[streamx::service]
    pub trait Defaults: std::fmt::Debug {
        async fn half(&self, mut number: Number) -> Result<Number> {
            if number.value % 2 == 1 {
                return Err(Error::other("odd"));
            }
            number.value /= 2;
            self.same(number).await
        }
        async fn same(&self, number: Number) -> Result<Number> {
            let number = Some(number).ok_or_else(|| Error::other("none"))?;
            Ok(number)
        }
        #[server_stream]
        async fn once(&self, number: Number, mut stream: Sender<Number>) -> Result<()> {
            stream.send(&number).await
        }
        #[oneway]
        async fn ignore(&self, _number: Number) {}
    }

    #[derive(Debug)]
    pub struct Implementation;

    impl Defaults for Implementation {}
}

mod private {
    #[streamx::service]
    trait Private {
        async fn read(&self) -> streamx::Result<()>;
    }

    struct Implementation;

    impl Private for Implementation {
        async fn read(&self) -> streamx::Result<()> {
            Ok(())
        }
    }

    pub fn serve() -> streamx::private::Service {
        PrivateServer::new(Implementation).into()
    }
}

/// The context of the call, under several names and in every mode.
mod contexts {
    use streamx::{Bidi, Context, Result, Sender, Streaming};

    #[derive(streamx::Message, Clone, Debug, Default, PartialEq)]
    pub struct Word {
        #[field(1)]
        pub text: String,
    }

    type Call = Context;

    #[streamx::service]
    pub trait Contexts {
        async fn none(&self, ctx: Context) -> Result<()>;
        async fn unary(&self, _: streamx::Context, a: i64, #[field(7)] b: i64) -> Result<i64>;
        #[client_stream]
        async fn join(&self, #[context] call: Call, words: Streaming<Word>) -> Result<Word>;
        #[server_stream]
        async fn split(&self, ctx: ::streamx::Context, word: Word, words: Sender<Word>) -> Result<()>;
        #[bidi]
        async fn talk(&self, mut ctx: Context, words: Bidi<Word, Word>) -> Result<()> {
            ctx = ctx.clone();
            drop((ctx, words));
            Ok(())
        }
        #[oneway]
        async fn log(&self, #[context] call: Call, word: Word);
    }

    pub struct Implementation;

    impl Contexts for Implementation {
        async fn none(&self, _: Context) -> Result<()> {
            Ok(())
        }
        async fn unary(&self, _: Context, a: i64, b: i64) -> Result<i64> {
            Ok(a - b)
        }
        async fn join(&self, _: Context, _: Streaming<Word>) -> Result<Word> {
            Ok(Word::default())
        }
        async fn split(&self, _: Context, _: Word, _: Sender<Word>) -> Result<()> {
            Ok(())
        }
        async fn log(&self, _: Context, _: Word) {}
    }
}

/// This crate under another name.
mod renamed {
    pub mod deep {
        pub use streamx as rpc;
    }

    #[deep::rpc::service(crate = deep::rpc)]
    pub trait Renamed {
        async fn read(&self) -> deep::rpc::Result<()>;
    }
}

/// Made by a macro, and inside a function.
mod made {
    macro_rules! made {
        ($name:ident, $function:ident, $argument:ty, $answer:ty) => {
            #[streamx::service]
            pub trait $name {
                async fn $function(&self, argument: $argument) -> streamx::Result<$answer>;
                #[bidi]
                async fn stream(&self, stream: streamx::Bidi<$answer, $answer>) -> streamx::Result<()>;
            }
        };
    }

    pub fn schema() -> String {
        #[derive(streamx::Message, Clone, Debug, Default, PartialEq)]
        pub struct Local {
            #[field(1)]
            pub value: i64,
        }

        made!(Made, read, Option<String>, Local);
        MadeServer::<()>::thrift_idl()
    }
}

#[tokio::test]
async fn services_in_every_spelling() {
    assert!(made::schema().contains("Local Read(1: string argument)"), "{}", made::schema());
    drop(names::TClient::in_process(names::Implementation).clone());
    let _ = conditions::SometimesClient::in_process(conditions::Implementation);
    let _ = defaults::DefaultsServer::new(defaults::Implementation);
    let _ = aliases::AliasesClient::new;
    drop(renamed::RenamedClient::connect(""));
    assert_eq!(contexts::ContextsClient::in_process(contexts::Implementation).unary(5, 3).await.unwrap(), 2);
    let idl = contexts::ContextsServer::<contexts::Implementation>::thrift_idl();
    assert!(idl.contains("i64 Unary(1: i64 a, 7: i64 b)") && idl.contains("void None()"), "{idl}");
    assert!(format!("{:?}", private::serve()).contains("Private"));
    assert!(names::TServer::<names::Implementation>::thrift_idl().contains("service Types"));
}
