//! The Apache `thrift` crate as the other side, over its buffered and framed transports, strict and not.

use std::net::{TcpListener, TcpStream};
use std::thread;

use streamx::{Channel, Error, Pool, Result, Server};
use thrift::protocol::{
    TBinaryInputProtocol, TBinaryOutputProtocol, TFieldIdentifier, TInputProtocol, TMessageIdentifier,
    TMessageType, TOutputProtocol, TStructIdentifier, TType,
};
use thrift::transport::{
    TBufferedReadTransport, TBufferedWriteTransport, TFramedReadTransport, TFramedWriteTransport, TIoChannel,
    TTcpChannel,
};

#[streamx::service]
trait Sums {
    async fn add(&self, a: i64, b: i64) -> Result<i64>;
}

struct Adds;

impl Sums for Adds {
    async fn add(&self, a: i64, b: i64) -> Result<i64> {
        a.checked_add(b).ok_or_else(|| Error::other("too large"))
    }
}

struct Apache {
    input: Box<dyn TInputProtocol>,
    output: Box<dyn TOutputProtocol>,
}

impl Apache {
    /// `strict` is for both ways: what is written has a version or not, and what is read has to.
    fn over(stream: TcpStream, framed: bool, strict: bool) -> Self {
        let (reader, writer) = TTcpChannel::with_stream(stream).split().unwrap();
        if framed {
            let (reader, writer) = (TFramedReadTransport::new(reader), TFramedWriteTransport::new(writer));
            Self {
                input: Box::new(TBinaryInputProtocol::new(reader, strict)),
                output: Box::new(TBinaryOutputProtocol::new(writer, strict)),
            }
        } else {
            let (reader, writer) =
                (TBufferedReadTransport::new(reader), TBufferedWriteTransport::new(writer));
            Self {
                input: Box::new(TBinaryInputProtocol::new(reader, strict)),
                output: Box::new(TBinaryOutputProtocol::new(writer, strict)),
            }
        }
    }

    fn write(
        &mut self,
        kind: TMessageType,
        method: &str,
        sequence: i32,
        fields: &[(i16, i64)],
    ) -> thrift::Result<()> {
        let output = &mut self.output;
        output.write_message_begin(&TMessageIdentifier::new(method, kind, sequence))?;
        output.write_struct_begin(&TStructIdentifier::new("fields"))?;
        for (id, value) in fields {
            output.write_field_begin(&TFieldIdentifier::new("field", TType::I64, *id))?;
            output.write_i64(*value)?;
            output.write_field_end()?;
        }
        output.write_field_stop()?;
        output.write_struct_end()?;
        output.write_message_end()?;
        output.flush()
    }

    /// The head of a message, and its fields that are numbers.
    fn read(&mut self) -> thrift::Result<(TMessageIdentifier, Vec<i64>)> {
        let input = &mut self.input;
        let head = input.read_message_begin()?;
        if head.message_type == TMessageType::Exception {
            let error = thrift::Error::read_application_error_from_in_protocol(input.as_mut())?;
            input.read_message_end()?;
            return Err(thrift::Error::Application(error));
        }
        input.read_struct_begin()?;
        let mut values = Vec::new();
        loop {
            let field = input.read_field_begin()?;
            match field.field_type {
                TType::Stop => break,
                TType::I64 => values.push(input.read_i64()?),
                other => input.skip(other)?,
            }
            input.read_field_end()?;
        }
        input.read_struct_end()?;
        input.read_message_end()?;
        Ok((head, values))
    }

    fn call(&mut self, method: &str, sequence: i32, fields: &[(i16, i64)]) -> thrift::Result<i64> {
        self.write(TMessageType::Call, method, sequence, fields)?;
        let (head, values) = self.read()?;
        assert_eq!((head.message_type, head.name.as_str()), (TMessageType::Reply, method));
        assert_eq!(head.sequence_number, sequence);
        Ok(values[0])
    }
}

const WAYS: [(bool, bool); 4] = [(false, true), (false, false), (true, true), (true, false)];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn its_clients_call_a_server_of_streamx() {
    let server = Server::builder().add_service(SumsServer::new(Adds)).bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr().to_string();
    tokio::spawn(server.serve());
    for (framed, strict) in WAYS {
        let stream = TcpStream::connect(&address).unwrap();
        let calls = thread::spawn(move || {
            let mut apache = Apache::over(stream, framed, strict);
            for sequence in 0..20 {
                let (a, b) = (i64::from(sequence), -7);
                assert_eq!(apache.call("Add", sequence, &[(1, a), (2, b)]).unwrap(), a + b);
            }
            // Another order, and a field that the server does not know.
            assert_eq!(apache.call("Add", 20, &[(9, 9), (2, 2), (1, 1)]).unwrap(), 3);
            for (method, text) in [("Add", "too large"), ("Sub", "unknown")] {
                let error = apache.call(method, 30, &[(1, i64::MAX), (2, 1)]).unwrap_err();
                assert!(
                    matches!(&error, thrift::Error::Application(error) if error.message.contains(text)),
                    "{error}"
                );
            }
            assert_eq!(apache.call("Add", 40, &[(1, 1), (2, 1)]).unwrap(), 2, "the connection goes on");
        });
        tokio::task::spawn_blocking(|| calls.join()).await.unwrap().unwrap();
    }
}

/// Adds, for one connection.
fn serve(stream: TcpStream, framed: bool, strict: bool) {
    // What is read is strict, whatever is written: that is what ours send.
    let mut apache = Apache::over(stream, framed, strict);
    while let Ok((head, values)) = apache.read() {
        let sum = values.iter().sum();
        apache.write(TMessageType::Reply, &head.name, head.sequence_number, &[(0, sum)]).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_of_streamx_call_its_servers() {
    for (framed, strict) in WAYS {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                thread::spawn(move || serve(stream, framed, strict));
            }
        });
        let scheme = if framed { "framed" } else { "buffered" };
        for pool in [Pool::default(), Pool::long(), Pool::short(), Pool::mux(1)] {
            let channel =
                Channel::builder(format!("{scheme}://{address}")).pool(pool).connect_lazy().unwrap();
            let client = SumsClient::new(channel);
            for number in 0..5 {
                assert_eq!(client.add(number, 10).await.unwrap(), number + 10);
            }
        }
    }
}
