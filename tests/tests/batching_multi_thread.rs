//! How many writes messages take on the multi-thread runtime. In a program of its own: a core that another test takes away
//! in the middle of a batch breaks the batch.

use streamx::Placement;
use streamx_tests::batching::{sixty_four_grpc_streams_share_writes, sixty_four_streams_share_writes};

/// One test, because those of one program run beside each other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_streams_take_a_write_for_sixteen_messages() {
    for placement in [Placement::Connection, Placement::Task, Placement::Adaptive] {
        sixty_four_streams_share_writes(placement).await;
        for scheme in ["grpc", "grpc+thrift"] {
            sixty_four_grpc_streams_share_writes(scheme, placement).await;
        }
    }
}
