//! What a message of 100 bytes allocates once a stream has settled: nothing beyond its decoded value, unless there are
//! middlewares around it.
//!
//! Client, server and test are on one thread, and allocations are counted per thread, so the numbers are exact.

use streamx::Placement;
use streamx::client::ChannelBuilder;
use streamx::middleware::{AnyMessage, BoxFuture, Opening, RecvNext, SendNext};
use streamx::server::ServerBuilder;
use streamx_tests::rig::{Load, Setup};

const ROUNDS: u64 = 500;

fn allocations(placement: Placement, streams: usize) -> u64 {
    allocations_around(placement, streams, |server| server, |channel| channel)
}

fn allocations_around(
    placement: Placement,
    streams: usize,
    server: impl FnOnce(ServerBuilder) -> ServerBuilder,
    channel: impl FnOnce(ChannelBuilder) -> ChannelBuilder,
) -> u64 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (rig, load) = runtime.block_on(async {
        let rig = Setup::placed(placement).start_around(server, channel).await;
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

#[test]
fn middlewares_around_calls_allocate_nothing_for_their_messages() {
    let counted = allocations_around(
        Placement::Connection,
        1,
        |server| {
            let server = server.stream_middleware(|call, next| Box::pin(async move { next.run(call).await }));
            server.unary_middleware(|call, request, next| {
                Box::pin(async move { next.run(call, request).await })
            })
        },
        |channel| {
            let channel =
                channel.stream_middleware(|call, next| Box::pin(async move { next.run(call).await }));
            channel.unary_middleware(|call, request, next| {
                Box::pin(async move { next.run(call, request).await })
            })
        },
    );
    assert_eq!(counted, 0);
}

#[test]
fn observers_allocate_nothing() {
    struct Silent;
    impl streamx::middleware::Observer for Silent {}
    let counted = allocations_around(
        Placement::Connection,
        1,
        |server| server.observer(Silent),
        |channel| channel.observer(Silent),
    );
    assert_eq!(counted, 0);
}

fn send<'a>(
    _: &'a Opening,
    message: AnyMessage<'a>,
    next: SendNext<'a>,
) -> BoxFuture<'a, streamx::Result<()>> {
    Box::pin(async move { next.run(message).await })
}

fn recv<'a>(
    _: &'a Opening,
    next: RecvNext<'a>,
) -> BoxFuture<'a, streamx::Result<Option<AnyMessage<'static>>>> {
    Box::pin(async move { next.run().await })
}

#[test]
fn a_middleware_around_a_message_allocates_once_and_the_message_once_or_twice_more() {
    let around_channel = |channel: fn(ChannelBuilder) -> ChannelBuilder| {
        allocations_around(Placement::Connection, 1, |server| server, channel)
    };
    let sent = around_channel(|channel| channel.stream_send_middleware(send));
    assert_eq!(sent, 2 * ROUNDS);
    let sent = around_channel(|channel| channel.stream_send_middleware(send).stream_send_middleware(send));
    assert_eq!(sent, 3 * ROUNDS);
    let received = around_channel(|channel| channel.stream_recv_middleware(recv));
    assert_eq!(received, 3 * ROUNDS);
    let received =
        around_channel(|channel| channel.stream_recv_middleware(recv).stream_recv_middleware(recv));
    assert_eq!(received, 4 * ROUNDS);
}
