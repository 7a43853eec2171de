//! The expansion as a person reads it. `UPDATE_SNAPSHOTS=1` rewrites the files of `src/snapshots`.

use std::path::Path;

use proc_macro2::TokenStream;

fn expand(arguments: &str, item: &str) -> TokenStream {
    super::expand(arguments.parse().unwrap(), item.parse().unwrap())
}

fn pretty(expansion: TokenStream) -> String {
    prettyplease::unparse(&syn::parse2(expansion).unwrap())
}

#[track_caller]
fn snapshot(name: &str, actual: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/snapshots").join(name);
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&path, actual).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(actual == expected, "{name} has changed; UPDATE_SNAPSHOTS=1 rewrites it. It is now:\n{actual}");
}

const FOUR_METHODS: &str = r#"
    /// Echo in every mode.
    pub trait TestService {
        /// A normal method.
        async fn ping_pong(&self, req: Request) -> Result<Response, NotFound>;
        /// Answers each message.
        #[bidi]
        async fn echo(&self, stream: Bidi<Request, Response>) -> Result<()>;
        /// Answers the last message.
        #[client_stream]
        async fn echo_client(&self, stream: Streaming<Request>) -> Result<Response>;
        /// Answers three times.
        #[server_stream]
        async fn echo_server(&self, req: Request, stream: Sender<Response>) -> Result<()>;
    }
"#;

#[test]
fn four_methods() {
    let text = pretty(expand("namespace = \"echo\"", FOUR_METHODS));
    snapshot("service_four_methods.rs", &text);
    let trait_lines = text.lines().position(|line| line == "}").unwrap() + 1;
    let generated = text.lines().count() - trait_lines;
    assert!(generated <= 121, "{generated} lines beside the trait");
}

#[test]
fn attributes_and_options() {
    let item = r#"
        #[cfg(feature = "files")]
        #[deprecated]
        trait Files {
            #[cfg(unix)]
            #[deprecated = "use `list`"]
            #[must_use]
            #[unary(name = "readAll")]
            async fn read(&self, #[field(2)] r#type: i32, _path: String) -> Result<Vec<u8>>;
            #[oneway]
            async fn touch(&self);
            async fn exists(&self, path: String) -> Result<bool> {
                Ok(!path.is_empty())
            }
        }
    "#;
    let arguments = r#"name = "FileService", rename_all = "camelCase", crate = my::streamx"#;
    snapshot("service_attributes.rs", &pretty(expand(arguments, item)));
}

#[test]
fn a_context_is_no_argument_of_the_client() {
    let item = r#"
        trait Watched {
            async fn read(&self, ctx: Context, path: String) -> Result<String>;
            #[server_stream]
            async fn watch(&self, #[context] ctx: Caller, path: Path, changes: Sender<Change>) -> Result<()>;
        }
    "#;
    snapshot("service_context.rs", &pretty(expand("", item)));
}

#[test]
fn mistakes() {
    let item = r#"
        pub trait Broken {
            fn forgotten(&self, req: Request) -> Result<Response>;
            #[bidi]
            async fn two_arguments(&self, a: Request, b: Response) -> Result<()>;
            async fn fine(&self) -> Result<()>;
        }
    "#;
    snapshot("service_mistakes.rs", &pretty(expand("nmae = \"x\"", item)));
}

#[test]
fn a_half_written_trait_is_put_back_and_the_rest_generated() {
    let expansion =
        expand("", "trait T { async fn a(&self) -> Result<()>; async fn b(&self x) -> }").to_string();
    assert!(expansion.contains("async fn b (& self x) ->"), "{expansion}");
    assert!(expansion.contains("static A :"));
    assert!(expansion.contains("compile_error"));
}
