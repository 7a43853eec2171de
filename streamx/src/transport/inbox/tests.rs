use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use super::*;

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wakes {
    fn get(&self) -> usize {
        self.0.load(SeqCst)
    }
}

impl task::Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

/// A waker, and how often it was used.
fn counted() -> (Arc<Wakes>, Waker) {
    let wakes = Arc::new(Wakes::default());
    (Arc::clone(&wakes), wakes.into())
}

#[test]
fn a_message_is_charged_before_anybody_can_take_it() {
    let inbox = Inbox::default();
    let mut charged = Vec::new();
    for _ in 0..2 {
        inbox.push(Bytes::from_static(b"a note"), &Turns::new(), |cost, queued| {
            assert!(inbox.state.try_lock().is_err(), "a receiver has to wait");
            charged.push((cost, queued));
        });
    }
    let cost = 6 + OVERHEAD;
    assert_eq!(charged, [(cost, 0), (cost, cost)]);
}

#[test]
fn a_receiver_that_has_taken_the_last_message_waits_for_the_next_without_a_lock() {
    let (inbox, turns, mut receiver) = (Inbox::default(), Turns::new(), Receiver::default());
    let (wakes, waker) = counted();
    let cx = &task::Context::from_waker(&waker);
    inbox.push(Bytes::new(), &turns, |_, _| {});
    assert!(inbox.poll(&mut receiver, cx).is_ready());
    let locked = inbox.state.lock().unwrap();
    assert!(inbox.poll(&mut receiver, cx).is_pending());
    drop(locked);
    inbox.push(Bytes::new(), &turns, |_, _| unreachable!("it is handed to the one who waits"));
    assert_eq!(wakes.get(), 1);
    assert!(turns.any(), "who waits gets a turn");
    assert!(inbox.poll(&mut receiver, cx).is_ready());
}

#[test]
fn a_receiver_that_is_busy_is_woken_but_nobody_waits_for_it() {
    let (inbox, turns, mut receiver) = (Inbox::default(), Turns::new(), Receiver::default());
    let (wakes, waker) = counted();
    let cx = &task::Context::from_waker(&waker);
    assert!(inbox.poll(&mut receiver, cx).is_pending());
    inbox.push(Bytes::new(), &turns, |_, _| {});
    let Poll::Ready(received) = inbox.poll(&mut receiver, cx) else { panic!("there was a message") };
    turns.end(received.turn);
    let mut charged = 0;
    inbox.push(Bytes::new(), &turns, |cost, _| charged = cost);
    assert_eq!((wakes.get(), charged), (2, OVERHEAD));
    assert!(!turns.any());
    assert!(inbox.poll(&mut receiver, cx).is_ready());
}

#[test]
fn a_receiver_that_comes_with_another_waker_is_woken_by_that() {
    let (inbox, turns, mut receiver) = (Inbox::default(), Turns::new(), Receiver::default());
    let [(before, first), (after, second)] = [counted(), counted()];
    inbox.push(Bytes::new(), &turns, |_, _| {});
    assert!(inbox.poll(&mut receiver, &task::Context::from_waker(&first)).is_ready());
    assert!(inbox.poll(&mut receiver, &task::Context::from_waker(&second)).is_pending());
    inbox.push(Bytes::new(), &turns, |_, _| {});
    assert_eq!((before.get(), after.get()), (0, 1));
}
