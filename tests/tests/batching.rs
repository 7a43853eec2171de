//! How many writes messages take: counted, not timed.

use streamx::Placement;
use streamx_tests::batching::{ROUNDS, STREAMS, counted, sixty_four_streams_share_writes};
use streamx_tests::probe::Note;
use streamx_tests::rig::{Rig, Setup, echo, eventually, soon};

#[tokio::test]
async fn sixty_four_streams_take_a_write_for_sixteen_messages_on_the_current_thread_runtime() {
    for placement in [Placement::Connection, Placement::Task, Placement::Adaptive] {
        sixty_four_streams_share_writes(placement).await;
    }
}

async fn one_stream_writes_each_message(placement: Placement) {
    let rig = Setup::placed(placement).start().await;
    let streams = rig.echoes(1).await;
    let ((), cost) = counted(&rig, async {
        let mut streams = streams;
        for number in 0..ROUNDS {
            echo(&mut streams[0], number).await;
        }
        std::mem::forget(streams);
    })
    .await;
    let writes = (cost.client_writes(), cost.server_writes());
    assert_eq!(writes, (ROUNDS.unsigned_abs(), ROUNDS.unsigned_abs()), "{placement:?}");
}

#[tokio::test]
async fn one_stream_takes_exactly_one_write_a_message_on_the_current_thread_runtime() {
    for placement in [Placement::Connection, Placement::Task, Placement::Adaptive] {
        one_stream_writes_each_message(placement).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_stream_takes_exactly_one_write_a_message_on_the_multi_thread_runtime() {
    for placement in [Placement::Connection, Placement::Task, Placement::Adaptive] {
        one_stream_writes_each_message(placement).await;
    }
}

#[tokio::test]
async fn a_server_streaming_call_of_one_request_is_one_write_of_the_client() {
    let rig = Rig::start().await;
    let (stream, cost) = counted(&rig, async {
        let mut stream = rig.client.count(Note::number(0)).await.unwrap();
        assert_eq!(soon(stream.recv()).await.unwrap(), None);
        stream
    })
    .await;
    assert_eq!(cost.client_writes(), 1);
    assert_eq!(cost.client.1.frames_sent - cost.client.0.frames_sent, 3, "header, message and trailer");
    assert_eq!(cost.server_writes(), 1);
    drop(stream);
    rig.at_rest().await;
    assert_eq!(rig.client().writes, cost.client.1.writes, "a call that has ended needs no reset");
}

#[tokio::test]
async fn the_answer_of_a_client_stream_is_one_write_of_four_frames() {
    for placement in [Placement::Connection, Placement::Task] {
        let rig = Setup { placement, ..Setup::default() }.start().await;
        let call = async {
            let mut stream = rig.client.sum().await.unwrap();
            stream.send(Note::of_size(1, 80)).await.unwrap();
            stream.close_and_recv().await.unwrap();
            rig.at_rest().await;
        };
        let ((), cost) = counted(&rig, call).await;
        let frames = cost.server.1.frames_sent - cost.server.0.frames_sent;
        assert_eq!((frames, cost.server_writes()), (4, 1), "{placement:?}: window, header, answer, trailer");
    }
}

#[tokio::test]
async fn a_unary_call_is_one_write_on_each_side() {
    let rig = Rig::start().await;
    let note = Note::number(7);
    let (answer, cost) = counted(&rig, rig.client.ask(note.clone())).await;
    assert_eq!(answer.unwrap(), note);
    assert_eq!((cost.client_writes(), cost.server_writes()), (1, 1));
}

async fn nothing_is_held_back(placement: Placement) {
    let rig = Setup::placed(placement).start().await;
    let mut streams = rig.echoes(STREAMS).await;
    // Receivers that are woken and never come: the messages that others send leave all the same.
    for stream in &mut streams {
        let mut waiting = Box::pin(stream.recv());
        assert!(futures::poll!(&mut waiting).is_pending());
    }
    for stream in &mut streams {
        stream.send(Note::number(1)).await.unwrap();
    }
    let arrived = |at_the_server: usize, at_the_client: usize| {
        let frames = |of_a_stream| u64::try_from(of_a_stream * STREAMS).unwrap();
        let (server, client) = (rig.server().frames_received, rig.client().frames_received);
        (server, client) == (frames(at_the_server), frames(at_the_client))
    };
    // Header and two messages of each stream, and their answers, and the window of the server.
    eventually(|| arrived(3, 4)).await;
    // Now every receiver has been woken and none comes, so that it seems as if all of them were about to send.
    for stream in &mut streams {
        stream.send(Note::number(2)).await.unwrap();
    }
    eventually(|| arrived(4, 5)).await;
    for stream in &mut streams {
        assert_eq!(soon(stream.recv()).await.unwrap(), Some(Note::number(1)));
        assert_eq!(soon(stream.recv()).await.unwrap(), Some(Note::number(2)));
    }
    assert_eq!(rig.client().queued_bytes, 0);
}

#[tokio::test]
async fn no_byte_is_held_back_for_receivers_that_do_not_come() {
    for placement in [Placement::Connection, Placement::Task] {
        nothing_is_held_back(placement).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_byte_is_held_back_on_the_multi_thread_runtime() {
    for placement in [Placement::Connection, Placement::Task] {
        nothing_is_held_back(placement).await;
    }
}
