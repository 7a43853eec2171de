//! What messages of 100 bytes allocate on the multi-thread runtime: at most once for 16 of them, because a read buffer
//! may still be looked at by another thread when it is needed again.
//!
//! Allocations of all threads are counted, so this is the only test of its program.

use std::alloc::System;

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use streamx::Placement;
use streamx_tests::rig::{Load, Setup};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const ROUNDS: u64 = 500;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixteen_messages_allocate_at_most_once() {
    for placement in [Placement::Connection, Placement::Task] {
        for streams in [1, 64] {
            let rig = Setup::placed(placement).start().await;
            let load = Load::start(&rig, streams).await;
            load.run(ROUNDS).await;
            let region = Region::new(ALLOCATOR);
            load.run(ROUNDS).await;
            let change = region.change();
            let allocations = change.allocations + change.reallocations;
            let messages = 2 * ROUNDS * u64::try_from(streams).unwrap();
            println!("{placement:?}, {streams} streams: {allocations} allocations for {messages} messages");
            assert!(
                allocations as u64 * 16 <= messages,
                "{placement:?}, {streams} streams: {allocations} allocations for {messages} messages"
            );
        }
    }
}
