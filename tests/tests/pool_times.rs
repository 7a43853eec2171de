//! How long the connections of a channel live.

use futures::future::join_all;
use streamx::Pool;
use streamx_tests::place::{SECOND, finish, pass, place, port};
use streamx_tests::probe::Note;
use streamx_tests::rig::{echo, soon};

#[tokio::test(start_paused = true)]
async fn connections_close_when_their_idle_time_is_over() {
    for pool in [Pool::long(), Pool::mux(1), Pool::default()] {
        let place = place(pool.idle_timeout(8 * SECOND)).await;
        echo(&mut place.probe.echo().await.unwrap(), 1).await;
        place.probe.ask(Note::number(1)).await.unwrap();
        place.at_rest().await;
        assert_eq!(place.connections(), 2);
        pass(7 * SECOND).await;
        assert_eq!(place.connections(), 2);
        pass(5 * SECOND).await;
        place.comes_to(0).await;
        // It was not lost, so it is not made again before a call needs one.
        pass(60 * SECOND).await;
        assert_eq!((place.connections(), place.made()), (0, 2));
        echo(&mut soon(place.probe.echo()).await.unwrap(), 1).await;
        assert_eq!(soon(place.probe.ask(Note::number(1))).await.unwrap(), Note::number(1));
        assert_eq!(place.made(), 4);
        place.at_rest().await;
        pass(13 * SECOND).await;
        place.comes_to(0).await;
        place.ends().await;
    }
}

#[tokio::test(start_paused = true)]
async fn by_default_only_connections_of_one_call_at_a_time_close_when_they_are_idle() {
    for (pool, kept) in [(Pool::long(), 0), (Pool::mux(2), 2), (Pool::default(), 2)] {
        let place = place(pool).await;
        echo(&mut place.probe.echo().await.unwrap(), 1).await;
        place.probe.ask(Note::number(1)).await.unwrap();
        place.at_rest().await;
        pass(59 * SECOND).await;
        assert_eq!(place.connections(), 2);
        pass(31 * SECOND).await;
        place.comes_to(kept).await;
        place.ends().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_with_a_call_is_not_idle() {
    for pool in [Pool::long(), Pool::mux(1)] {
        let place = place(pool.idle_timeout(4 * SECOND)).await;
        let (mut stream, first) = place.stream().await;
        let calls = place.waiting(1).await;
        pass(30 * SECOND).await;
        assert_eq!(place.connections(), 2);
        assert_eq!(port(&mut stream).await, first);
        place.handlers.open_gate();
        for call in soon(join_all(calls)).await {
            call.unwrap().unwrap();
        }
        finish(&mut stream).await;
        let (next, port) = place.stream().await;
        assert_eq!(port, first, "it was not given up");
        drop(next);
        pass(7 * SECOND).await;
        place.comes_to(0).await;
        place.ends().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_too_old_takes_no_new_stream_and_ends_with_its_last() {
    let place = place(Pool::mux(1).max_age(20 * SECOND)).await;
    let (mut old, first) = place.stream().await;
    pass(17 * SECOND).await;
    let (mut also_old, port_then) = place.stream().await;
    assert_eq!(port_then, first, "its age is not reached");
    pass(3 * SECOND).await;
    let (new, second) = place.stream().await;
    assert_ne!(second, first);
    assert_eq!(port(&mut old).await, first);
    assert_eq!((place.connections(), place.made()), (2, 2));
    finish(&mut old).await;
    assert_eq!(port(&mut also_old).await, first);
    finish(&mut also_old).await;
    // The handles are there, the streams are not.
    place.comes_to(1).await;
    drop((old, also_old, new));
    // Nobody asks for one: an old connection closes by itself, and is not made again.
    pass(26 * SECOND).await;
    place.comes_to(0).await;
    assert_eq!(place.made(), 2);
    place.ends().await;
}
