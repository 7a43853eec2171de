//! A chat room over bidirectional streams: what one member says, everybody hears, in the same order.

use streamx::{Bidi, Error, Message, Result, Server};
use tokio::sync::broadcast;

#[derive(Message, Clone, Debug, Default, PartialEq)]
struct Line {
    #[field(1)]
    from: String,
    #[field(2)]
    text: String,
}

#[streamx::service(namespace = "chat")]
trait Chat {
    /// What is sent goes to everybody in the room, the sender included. Closing leaves the room.
    #[bidi]
    async fn join(&self, stream: Bidi<Line, Line>) -> Result<()>;
}

struct Room {
    said: broadcast::Sender<Line>,
}

impl Chat for Room {
    async fn join(&self, mut stream: Bidi<Line, Line>) -> Result<()> {
        let mut heard = self.said.subscribe();
        loop {
            tokio::select! {
                line = stream.recv() => match line? {
                    // Cannot fail: this member listens.
                    Some(line) => drop(self.said.send(line)),
                    None => return Ok(()),
                },
                // Fails when this member is so far behind that lines are lost.
                line = heard.recv() => stream.send(line.map_err(Error::other)?).await?,
            }
        }
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let room = Room { said: broadcast::Sender::new(64) };
    let server = Server::builder().add_service(ChatServer::new(room)).bind("127.0.0.1:0").await?;
    let url = format!("ttheader://{}", server.local_addr());
    tokio::spawn(server.serve());

    let line = |from: &str, text: &str| Line { from: from.to_owned(), text: text.to_owned() };
    let names = ["ann", "bob", "cid"];
    let mut members = Vec::new();
    for name in names {
        let mut member = ChatClient::connect(&url).await?.join().await?;
        member.send(line(name, "hello")).await?;
        // Whoever hears the own hello has joined, and misses nothing from here on.
        assert_eq!(member.recv().await?, Some(line(name, "hello")));
        members.push(member);
    }
    members[0].send(line("ann", "goodbye")).await?;

    for (place, (name, mut member)) in names.iter().zip(members).enumerate() {
        let mut heard = vec![];
        while heard.last() != Some(&line("ann", "goodbye")) {
            heard.extend(member.recv().await?);
        }
        for Line { from, text } in &heard {
            println!("{name} hears {from}: {text}");
        }
        let mut expected: Vec<_> = names[place + 1..].iter().map(|name| line(name, "hello")).collect();
        expected.push(line("ann", "goodbye"));
        assert_eq!(heard, expected);
        member.close_send().await?;
        assert_eq!(member.recv().await?, None);
    }
    Ok(())
}
