//! A place on the way between a client and a server, where bytes are counted.

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// The address of a place before this server, for one connection. When that is closed, the task has counted the bytes to the
/// server, and those back.
pub async fn before(server: String) -> (String, JoinHandle<(u64, u64)>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address").to_string();
    let counting = tokio::spawn(async move {
        let mut client = listener.accept().await.expect("a client").0;
        let mut server = TcpStream::connect(server).await.expect("the server listens");
        copy_bidirectional(&mut client, &mut server).await.expect("both sides close")
    });
    (address, counting)
}
