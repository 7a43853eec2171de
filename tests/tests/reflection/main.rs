//! What a server tells of itself, held against the `.proto` files that are printed, as protoc compiles them.

use std::collections::BTreeMap;

use prost::Message as _;
use prost_reflect::DescriptorPool;
use prost_types::{FileDescriptorProto, FileDescriptorSet};
use streamx::client::Bidi;
use streamx::codec::Value;
use streamx::health::HealthReporter;
use streamx::private;
use streamx::reflection::{
    ExtensionRequest, MessageRequest, MessageResponse, ServerReflectionClient, ServerReflectionRequest,
    ServerReflectionResponse,
};
use streamx::schema::{Describe, Mode, ServiceSchema, proto_idl};
use streamx::well_known::{Any, Empty, JsonValue, Timestamp};
use streamx::{Channel, Code, Message, Result, Server, Service};
use streamx_tests::schema::{Described, SERVICE, method};
use streamx_tests::structs::Inner;

mod published;

use published::compiled;

/// A stream of questions.
struct Asking(Bidi<ServerReflectionRequest, ServerReflectionResponse>);

impl Asking {
    async fn ask(&mut self, question: MessageRequest) -> MessageResponse {
        let request = ServerReflectionRequest { host: "here".into(), message_request: Some(question) };
        self.0.send(&request).await.unwrap();
        let response = self.0.recv().await.unwrap().unwrap();
        assert_eq!((&*response.valid_host, response.original_request), ("here", Some(request)));
        response.message_response.unwrap()
    }

    /// The names of the files of an answer.
    async fn files(&mut self, question: MessageRequest) -> Vec<String> {
        self.descriptors(question).await.into_iter().map(|file| file.name.unwrap()).collect()
    }

    async fn descriptors(&mut self, question: MessageRequest) -> Vec<FileDescriptorProto> {
        match self.ask(question).await {
            MessageResponse::FileDescriptorResponse(response) => {
                let files = response.file_descriptor_proto.into_iter();
                files.map(|file| FileDescriptorProto::decode(file).unwrap()).collect()
            }
            other => panic!("{other:?}"),
        }
    }

    async fn services(&mut self) -> Vec<String> {
        match self.ask(MessageRequest::ListServices(String::new())).await {
            MessageResponse::ListServicesResponse(list) => {
                list.service.into_iter().map(|service| service.name).collect()
            }
            other => panic!("{other:?}"),
        }
    }

    async fn refusal(&mut self, question: MessageRequest) -> String {
        match self.ask(question).await {
            MessageResponse::ErrorResponse(error) => {
                assert_eq!(error.error_code, 5);
                error.error_message
            }
            other => panic!("{other:?}"),
        }
    }
}

fn named(name: &str) -> MessageRequest {
    MessageRequest::FileByFilename(name.to_owned())
}

fn symbol(name: &str) -> MessageRequest {
    MessageRequest::FileContainingSymbol(name.to_owned())
}

/// A channel to a server of services without handlers.
async fn channel(schemas: &[ServiceSchema]) -> Channel {
    channel_by("ttheader", schemas).await
}

async fn channel_by(scheme: &str, schemas: &[ServiceSchema]) -> Channel {
    // What is added after it is told, too.
    let mut server = Server::builder().reflection();
    for &schema in schemas {
        server = server.add_service(Service::new(schema, vec![]));
    }
    let server = server.bind("127.0.0.1:0").await.unwrap();
    let channel = Channel::connect(format!("{scheme}://{}", server.local_addr())).await.unwrap();
    tokio::spawn(server.serve());
    channel
}

async fn asking(schemas: &[ServiceSchema]) -> Asking {
    let client = ServerReflectionClient::new(channel(schemas).await);
    Asking(client.server_reflection_info().await.unwrap())
}

/// The older version, which is called by its full name.
static V1ALPHA: private::Bidi<streamx::Bidi<ServerReflectionRequest, ServerReflectionResponse>, Result<()>> =
    private::Bidi::new(
        private::names("grpc.reflection.v1alpha.ServerReflection", "ServerReflectionInfo", ""),
        private::bidi(),
        private::nothing(),
    );

/// What others have defined, and somebody else.
#[derive(Message, Debug, Default, PartialEq)]
struct Foreign {
    #[field(1)]
    at: Option<Timestamp>,
    #[field(2)]
    parts: Vec<Any>,
    #[field(3)]
    by_name: BTreeMap<String, JsonValue>,
    #[field(4)]
    date: Option<Date>,
}

#[derive(Message, Debug, Default, PartialEq)]
#[message(import = "acme/calendar/date.proto")]
struct Date {
    #[field(1)]
    year: i32,
    #[field(2)]
    zone: Option<Zone>,
}

/// In the same file, but used by no service.
#[derive(Message, Debug, Default, PartialEq)]
#[message(import = "acme/calendar/date.proto")]
struct Zone {
    #[field(1)]
    name: String,
    #[field(2)]
    since: Option<Timestamp>,
    #[field(3)]
    place: Option<Place>,
}

#[derive(Message, Debug, Default, PartialEq)]
#[message(import = "acme/place.proto")]
struct Place {
    #[field(1)]
    name: String,
}

static FOREIGN: ServiceSchema = ServiceSchema::new(
    "Importing",
    Some("a.b"),
    "",
    &[&Described(|| method("Get", Mode::Unary, &[("it", Foreign::schema)], Some(Empty::schema)))
        as &dyn Describe],
);

/// With the message of another service of its namespace.
static BESIDE: ServiceSchema = ServiceSchema::new(
    "Beside",
    Some("structs"),
    "",
    &[
        &Described(|| method("Beside", Mode::Unary, &[("it", Inner::schema)], Some(Inner::schema)))
            as &dyn Describe,
        &Described(|| method("Nothing", Mode::Unary, &[], None)),
    ],
);

mod other {
    /// Another message of this name.
    #[derive(streamx::Message, Debug, Default, PartialEq)]
    pub(super) struct Inner {
        #[field(1)]
        pub(super) text: String,
    }
}

static CLASHING: ServiceSchema = ServiceSchema::new(
    "Clashing",
    Some("structs"),
    "",
    &[&Described(|| method("Clash", Mode::Unary, &[("it", other::Inner::schema)], None)) as &dyn Describe],
);

/// Everything that has a form of its own.
#[derive(Message, Debug, Default, PartialEq)]
struct Formed {
    #[field(1, proto = "sint32", default = 3)]
    zigzag: i32,
    #[field(2, proto = "fixed64")]
    fixed: Option<i64>,
    #[field(3, proto = "unpacked uint32")]
    unpacked: Vec<i32>,
    #[field(4, proto = "map<sfixed32, float>")]
    floats_by_number: BTreeMap<i32, f64>,
    #[field(5, proto = "oneof")]
    body: Option<Body>,
    #[field(6)]
    by_bytes: BTreeMap<Vec<u8>, Vec<i64>>,
}

#[derive(Message, Debug, PartialEq)]
enum Body {
    #[field(11)]
    Text(String),
    #[field(12)]
    Body(Vec<bool>),
}

static NAMELESS: ServiceSchema = ServiceSchema::new(
    "Nameless",
    None,
    "",
    &[&Described(|| method("by_form", Mode::Oneway, &[("a", Formed::schema), ("b", i32::schema)], None))
        as &dyn Describe],
);

#[tokio::test]
async fn every_service_is_listed_reflection_and_health_included() {
    let health = HealthReporter::new();
    let server = Server::builder().add_service(Service::new(SERVICE, vec![])).reflection();
    let server = server.add_service(health.service()).bind("127.0.0.1:0").await.unwrap();
    let url = format!("ttheader://{}", server.local_addr());
    tokio::spawn(server.serve());
    let client = ServerReflectionClient::connect(url).await.unwrap();
    let mut asking = Asking(client.server_reflection_info().await.unwrap());
    let services = [
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
        "grpc.reflection.v1alpha.ServerReflection",
        "structs.Structs",
    ];
    assert_eq!(asking.services().await, services);
    for (service, file) in services.iter().zip([
        "grpc/health/v1/health.proto",
        "grpc/reflection/v1/reflection.proto",
        "grpc/reflection/v1alpha/reflection.proto",
        "structs.proto",
    ]) {
        assert_eq!(asking.files(symbol(service)).await, [file]);
    }
}

#[tokio::test]
async fn what_is_told_is_what_protoc_makes_of_what_is_printed() {
    let mut asking = asking(&[SERVICE, FOREIGN, NAMELESS]).await;
    for (schema, name) in [(SERVICE, "structs.proto"), (FOREIGN, "a/b.proto"), (NAMELESS, "services.proto")] {
        let mut sources = imported();
        sources.push((name.to_owned(), proto_idl(&schema)));
        let expected = compiled(&[name], sources);
        let told = asking.descriptors(named(name)).await;
        assert_eq!(told[0], *expected.last().unwrap());
    }
}

fn imported() -> Vec<(String, String)> {
    vec![("acme/calendar/date.proto".into(), DATE.into()), ("acme/place.proto".into(), PLACE.into())]
}

/// As much of it as is used here.
const DATE: &str = "\
syntax = \"proto3\";
package acme.calendar;
import \"acme/place.proto\";
import \"google/protobuf/timestamp.proto\";
message Zone {
  string name = 1;
  google.protobuf.Timestamp since = 2;
  acme.Place place = 3;
}
message Date {
  int32 year = 1;
  Zone zone = 2;
}
";

const PLACE: &str = "\
syntax = \"proto3\";
package acme;
message Place {
  string name = 1;
}
";

#[tokio::test]
async fn a_file_comes_with_all_that_it_imports_once_on_a_stream() {
    let mut asking = asking(&[FOREIGN]).await;
    let mut files = asking.descriptors(symbol("a.b.Importing")).await;
    assert_eq!(files[0].name(), "a/b.proto");
    files.sort_by(|one, other| one.name().cmp(other.name()));
    let names: Vec<_> = files.iter().map(FileDescriptorProto::name).collect();
    let expected = [
        "a/b.proto",
        "acme/calendar/date.proto",
        "acme/place.proto",
        "google/protobuf/any.proto",
        "google/protobuf/empty.proto",
        "google/protobuf/struct.proto",
        "google/protobuf/timestamp.proto",
    ];
    assert_eq!(names, expected);
    let mut compiled = compiled(&expected[1..], imported());
    compiled.sort_by(|one, other| one.name().cmp(other.name()));
    assert_eq!(files[1..], compiled);
    let pool = DescriptorPool::from_file_descriptor_set(FileDescriptorSet { file: files }).unwrap();
    let message = pool.get_message_by_name("a.b.Foreign").unwrap();
    assert_eq!(message.get_field_by_name("at").unwrap().kind().as_message().unwrap().name(), "Timestamp");

    assert_eq!(asking.files(symbol("a.b.Importing")).await, ["a/b.proto"]);
    assert_eq!(asking.files(named("google/protobuf/any.proto")).await, ["google/protobuf/any.proto"]);
}

#[tokio::test]
async fn services_of_one_namespace_share_a_file_unless_they_clash() {
    let mut asking = asking(&[SERVICE, CLASHING, BESIDE]).await;
    let [told] = &*asking.descriptors(symbol("structs.Beside.Beside")).await else { panic!("not one file") };
    assert_eq!(told.name(), "structs.proto");
    let services: Vec<_> = told.service.iter().map(|service| service.name()).collect();
    assert_eq!(services, ["Structs", "Beside"]);
    let printed = ("beside.proto".to_owned(), proto_idl(&BESIDE));
    let printed = compiled(&["beside.proto"], vec![printed]).pop().unwrap();
    assert!(printed.message_type.iter().all(|message| told.message_type.contains(message)));
    let pool = DescriptorPool::from_file_descriptor_set(FileDescriptorSet { file: vec![told.clone()] });
    assert!(pool.unwrap().get_service_by_name("structs.Structs").is_some());

    let told = asking.descriptors(symbol("structs.Clashing")).await;
    let printed = ("structs_2.proto".to_owned(), proto_idl(&CLASHING));
    assert_eq!(told, compiled(&["structs_2.proto"], vec![printed]));
}

#[tokio::test]
async fn symbols_are_services_methods_messages_and_enums() {
    let mut asking = asking(&[SERVICE]).await;
    for name in
        ["structs.Structs", "structs.Structs.Talk", "structs.Inner", "structs.Color", "structs.Maps.MslEntry"]
    {
        assert_eq!(asking.files(symbol(name)).await, ["structs.proto"], "{name}");
    }
    let health = "grpc.health.v1.HealthCheckResponse.ServingStatus";
    assert_eq!(asking.files(symbol(health)).await, ["grpc/health/v1/health.proto"]);
    for name in ["", "structs", "Structs", "structs.Structs.Gone", "structs.Inner.", ".structs.Inner"] {
        assert_eq!(asking.refusal(symbol(name)).await, "nothing has this name", "{name}");
    }
    assert_eq!(asking.refusal(named("gone.proto")).await, "there is no file of this name");
}

#[tokio::test]
async fn there_are_no_extensions() {
    let mut asking = asking(&[SERVICE]).await;
    let numbers = MessageRequest::AllExtensionNumbersOfType("structs.Inner".into());
    let MessageResponse::AllExtensionNumbersResponse(numbers) = asking.ask(numbers).await else { panic!() };
    assert_eq!((&*numbers.base_type_name, &*numbers.extension_number), ("structs.Inner", &[][..]));
    let gone = MessageRequest::AllExtensionNumbersOfType("structs.Gone".into());
    assert_eq!(asking.refusal(gone).await, "nothing has this name");
    let extension = ExtensionRequest { containing_type: "structs.Inner".into(), extension_number: 100 };
    let extension = MessageRequest::FileContainingExtension(extension);
    assert_eq!(asking.refusal(extension).await, "there are no extensions");
}

#[tokio::test]
async fn a_service_without_a_proto_file_is_listed_and_the_reason_told() {
    static CLASH: ServiceSchema = ServiceSchema::new(
        "Inner",
        Some("clash"),
        "",
        &[&Described(|| method("Get", Mode::Unary, &[("it", Inner::schema)], None)) as &dyn Describe],
    );
    let mut asking = asking(&[CLASH, SERVICE]).await;
    assert!(asking.services().await.contains(&"clash.Inner".to_owned()));
    let reason = asking.refusal(symbol("clash.Inner")).await;
    assert!(reason.starts_with("two things are called `Inner` in this schema: the service and"), "{reason}");
    assert_eq!(asking.files(symbol("structs.Inner")).await, ["structs.proto"], "the others are there");
}

#[tokio::test]
async fn the_older_version_answers_the_same() {
    for scheme in ["grpc", "grpc+thrift"] {
        let channel = channel_by(scheme, &[SERVICE]).await;
        let client = ServerReflectionClient::new(channel.clone());
        let mut new = Asking(client.server_reflection_info().await.unwrap());
        let mut old = Asking(V1ALPHA.call(&channel).await.unwrap());
        assert_eq!(new.services().await, old.services().await);
        let question = || symbol("structs.Structs.Talk");
        assert_eq!(new.descriptors(question()).await, old.descriptors(question()).await);
    }
}

#[tokio::test]
async fn what_is_no_question_ends_the_stream() {
    let channel = channel(&[]).await;
    let client = ServerReflectionClient::new(channel);
    let long = "a".repeat(4096);
    for (request, text) in [
        (ServerReflectionRequest::default(), "the request asks for nothing that this server knows"),
        (
            ServerReflectionRequest { host: "b".into(), message_request: Some(symbol(&long)) },
            "the names in a request have at most 4096 bytes",
        ),
    ] {
        let mut stream = client.server_reflection_info().await.unwrap();
        stream.send(request).await.unwrap();
        let error = stream.recv().await.unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument);
        assert!(error.to_string().contains(text), "{error}");
    }
    let mut asking = Asking(client.server_reflection_info().await.unwrap());
    let long = "a".repeat(4096 - "here".len());
    assert_eq!(asking.refusal(symbol(&long)).await, "nothing has this name");
}
