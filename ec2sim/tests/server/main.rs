//! The server: real sockets, a clock, and a control endpoint that tests steer it by.
#![cfg(feature = "server")]
#![allow(clippy::unwrap_used, reason = "a failed expectation ends the test, in helpers too")]

mod client;
mod control;
mod events;
mod process;
mod serving;
