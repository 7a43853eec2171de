//! What a message of 100 bytes allocates once a stream has settled: nothing beyond its decoded value.
//!
//! Client, server and test are on one thread, and allocations are counted per thread, so the numbers are exact.

use streamx::Placement;
use streamx_tests::rig::{Load, Setup};

const ROUNDS: u64 = 500;

fn allocations(placement: Placement, streams: usize) -> u64 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (rig, load) = runtime.block_on(async {
        let rig = Setup::placed(placement).start().await;
        let load = Load::start(&rig, streams).await;
        load.run(ROUNDS).await;
        (rig, load)
    });
    let before = rig.server().frames_received;
    let counted = allocation_counter::measure(|| runtime.block_on(load.run(ROUNDS)));
    // What the test itself costs: entering the runtime.
    let entering = allocation_counter::measure(|| runtime.block_on(tokio::task::yield_now()));
    let frames = rig.server().frames_received - before;
    let credits = 1;
    assert_eq!(
        frames,
        (ROUNDS + credits) * u64::try_from(streams).unwrap(),
        "messages, and credits for them"
    );
    counted.count_total - entering.count_total
}

#[track_caller]
fn nothing(placement: Placement, streams: usize) {
    let counted = allocations(placement, streams);
    assert_eq!(counted, 0, "{placement:?}, {streams} streams, {ROUNDS} messages each way");
}

#[test]
fn one_stream_polled_by_the_connection_allocates_nothing() {
    nothing(Placement::Connection, 1);
}

#[test]
fn one_stream_in_a_task_of_its_own_allocates_nothing() {
    nothing(Placement::Task, 1);
}

#[test]
fn sixty_four_streams_polled_by_the_connection_allocate_nothing() {
    nothing(Placement::Connection, 64);
}

#[test]
fn sixty_four_streams_in_tasks_of_their_own_allocate_nothing() {
    nothing(Placement::Task, 64);
}
