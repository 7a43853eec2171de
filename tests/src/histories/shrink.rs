//! The shortest history that still goes wrong.

use super::{History, play};

/// Leaves out whatever can be left out of a history that goes wrong, and says how it goes wrong then.
pub fn shrink(mut history: History, mut why: String) -> (History, String) {
    let mut piece = history.ops.len() / 2;
    while piece > 0 {
        let mut from = 0;
        let mut shorter = false;
        while from < history.ops.len() {
            let mut candidate = history.clone();
            candidate.ops.drain(from..(from + piece).min(history.ops.len()));
            match play(&candidate) {
                Err(still) => {
                    (history, why) = (candidate, still);
                    shorter = true;
                }
                Ok(()) => from += piece,
            }
        }
        if !shorter || piece > 1 {
            piece /= 2;
        }
    }
    (history, why)
}
