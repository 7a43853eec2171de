//! A client of streamx against the real Kitex.

use streamx_tests::cases::Peer;

streamx_tests::every_case!(Peer::kitex, "current_thread");
