//! Which connection of a group takes a call.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use crate::call::{Exchange, Mode, NewCall};
use crate::client::Pool;
use crate::client::group::{Group, Lease, Pooled, Sharing};
use crate::stream::fake::Line;
use crate::{Code, Error, Result};

const CALL: NewCall = NewCall {
    namespace: "",
    service: "Test",
    method: "Call",
    mode: Mode::Unary,
    strings: Vec::new(),
    binary: Vec::new(),
    parent: None,
    timeout: None,
    wait_for_ready: false,
};

/// A connection that exists in the mind only.
#[derive(Clone, Default)]
struct Fake(Rc<State>);

#[derive(Default)]
struct State {
    calls: Cell<usize>,
    opened: Cell<usize>,
    leases: RefCell<Vec<Lease>>,
    shared: Cell<bool>,
    lost: Cell<bool>,
    /// It ends when it gets a call.
    refuses: Cell<bool>,
    /// The call is at fault.
    objects: Cell<bool>,
    retired: Cell<bool>,
}

impl Pooled for Fake {
    fn is_open(&self) -> bool {
        !self.0.lost.get()
    }

    fn calls(&self) -> usize {
        self.0.calls.get()
    }

    fn is_free(&self) -> bool {
        self.calls() == 0
    }

    fn is_shared(&self) -> bool {
        self.0.shared.get()
    }

    fn open(&self, _call: &NewCall, lease: Lease) -> Result<Exchange> {
        if self.0.objects.get() {
            return Err(Error::new(Code::InvalidArgument, "no connection takes such a call"));
        }
        if self.0.refuses.get() {
            self.0.lost.set(true);
            return Err(Error::closed("it has just ended"));
        }
        self.0.opened.set(self.0.opened.get() + 1);
        self.0.leases.borrow_mut().push(lease);
        Ok(Line::default().caller().exchange())
    }

    fn retire(&self) {
        self.0.retired.set(true);
    }
}

fn group(sharing: Sharing, connections: usize) -> (Group<Fake>, Vec<Fake>) {
    let fakes: Vec<_> = std::iter::repeat_with(Fake::default).take(connections).collect();
    let mut group = Group::new(sharing);
    for fake in &fakes {
        group.add(fake.clone(), &Pool::default(), false);
    }
    (group, fakes)
}

fn opens(group: &mut Group<Fake>) -> bool {
    group.open(&Pool::default(), 4, false, &CALL).is_some_and(|opened| opened.is_ok())
}

fn opened<const N: usize>(fakes: &[Fake]) -> [usize; N] {
    std::array::from_fn(|index| fakes[index].0.opened.get())
}

#[test]
fn a_connection_that_was_made_for_a_call_is_taken_before_any_other() {
    for sharing in [Sharing::Turns(3), Sharing::One, Sharing::Learned, Sharing::Never] {
        let (mut group, fakes) = group(sharing, 2);
        let made = Fake::default();
        let used = group.add(made.clone(), &Pool::default(), true);
        assert!(!used.get());
        assert!(opens(&mut group) && used.get());
        assert_eq!((made.0.opened.get(), opened(&fakes)), (1, [0, 0]));
        // The one that is not used twice is not kept.
        assert_eq!((group.is_empty(), made.0.retired.get()), (sharing == Sharing::Never, group.is_empty()));
    }
}

#[test]
fn a_connection_is_taken_until_its_lease_is_given_back_though_no_call_is_seen_on_it() {
    for sharing in [Sharing::One, Sharing::Learned] {
        let (mut group, fakes) = group(sharing, 2);
        assert!(opens(&mut group) && opens(&mut group));
        assert_eq!(opened(&fakes), [1, 1]);
        assert!(!opens(&mut group));
        fakes[0].0.leases.borrow_mut().clear();
        assert!(opens(&mut group));
        assert_eq!(opened(&fakes), [2, 1]);
        // Nor is it free as long as a call is seen that nobody waits for any more.
        fakes[0].0.leases.borrow_mut().clear();
        fakes[0].0.calls.set(1);
        assert!(!opens(&mut group));
    }
}

#[test]
fn calls_that_are_about_to_begin_count_as_those_that_run() {
    let (mut group, fakes) = group(Sharing::Turns(1), 2);
    for _ in 0..6 {
        assert!(opens(&mut group));
    }
    assert_eq!(opened(&fakes), [4, 2]);
    for _ in 0..2 {
        assert!(opens(&mut group));
    }
    assert!(!opens(&mut group), "each carries four");
}

#[test]
fn the_first_connection_that_turns_out_to_be_shared_carries_all() {
    let (mut group, fakes) = group(Sharing::Learned, 3);
    assert!(opens(&mut group));
    assert_eq!(opened(&fakes), [0, 0, 1]);
    fakes[1].0.shared.set(true);
    fakes[2].0.shared.set(true);
    for _ in 0..3 {
        assert!(opens(&mut group));
    }
    assert_eq!(opened(&fakes), [0, 3, 1]);
}

#[test]
fn a_call_that_no_connection_would_take_fails_and_leaves_the_connection() {
    let (mut group, fakes) = group(Sharing::Turns(1), 1);
    fakes[0].0.objects.set(true);
    let opened = group.open(&Pool::default(), 4, false, &CALL).expect("a connection is there");
    assert_eq!(opened.err().map(|error| error.code()), Some(Code::InvalidArgument));
    fakes[0].0.objects.set(false);
    assert!(opens(&mut group));
}

#[test]
fn a_connection_that_is_lost_is_forgotten_and_one_that_ends_just_now_too() {
    let (mut group, fakes) = group(Sharing::Turns(2), 3);
    fakes[0].0.lost.set(true);
    fakes[1].0.refuses.set(true);
    assert!(!opens(&mut group) && !group.is_complete(), "two are wanted");
    assert!(
        group.open(&Pool::default(), 4, true, &CALL).is_some_and(|opened| opened.is_ok()),
        "one that is there serves"
    );
    assert_eq!(opened(&fakes), [0, 0, 1]);
    group.add(Fake::default(), &Pool::default(), false);
    assert!(group.is_complete() && opens(&mut group));
    assert!(!fakes.iter().any(|fake| fake.0.retired.get()));
}

#[test]
fn free_connections_above_the_number_are_closed_and_others_kept() {
    let pool = Pool::long().max_idle(1);
    let (mut group, fakes) = group(Sharing::One, 4);
    fakes[0].0.calls.set(1);
    assert!(group.open(&pool, 4, false, &CALL).is_some_and(|opened| opened.is_ok()));
    let retired: Vec<_> = fakes.iter().map(|fake| fake.0.retired.get()).collect();
    assert_eq!(retired, [false, true, true, false]);
    assert_eq!(opened(&fakes), [0, 0, 0, 1]);
}

#[tokio::test(start_paused = true)]
async fn ages_differ_by_a_tenth_at_most() {
    let pool = Pool::mux(1).max_age(Duration::from_secs(100)).idle_timeout(Duration::MAX);
    let (mut group, _) = group(Sharing::Turns(1), 0);
    let fakes: Vec<_> = std::iter::repeat_with(Fake::default).take(50).collect();
    for fake in &fakes {
        group.add(fake.clone(), &pool, false);
    }
    let retired = || fakes.iter().filter(|fake| fake.0.retired.get()).count();
    tokio::time::advance(Duration::from_secs(90)).await;
    group.look(&pool);
    assert_eq!(retired(), 0);
    tokio::time::advance(Duration::from_secs(5)).await;
    group.look(&pool);
    assert!((1..50).contains(&retired()), "{}", retired());
    tokio::time::advance(Duration::from_secs(5)).await;
    assert!(group.open(&pool, 4, true, &CALL).is_none(), "without a look before");
    assert_eq!(retired(), 50);
}

#[tokio::test(start_paused = true)]
async fn those_that_share_calls_are_kept_and_the_further_ones_close_when_idle() {
    let pool = Pool::default();
    for (sharing, want) in [
        (Sharing::Turns(1), [false, true, true]),
        (Sharing::Learned, [true, false, true]),
        (Sharing::One, [true, true, true]),
    ] {
        let (mut group, fakes) = group(sharing, 3);
        fakes[1].0.shared.set(true);
        fakes[2].0.shared.set(true);
        for _ in 0..6 {
            tokio::time::advance(pool.look_every()).await;
            group.look(&pool);
        }
        let retired: Vec<_> = fakes.iter().map(|fake| fake.0.retired.get()).collect();
        assert_eq!(retired, want, "{sharing:?}");
    }
}
