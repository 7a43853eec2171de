//! The lock file: what is said of a change, whether that is true, and what is said of a file that is damaged.

mod calls;
mod damaged;
mod files;
mod truth;
mod words;
