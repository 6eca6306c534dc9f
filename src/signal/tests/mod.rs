//! The room with the real SDK and paused time, on the simulated AWS in this process.

mod history;
mod queue;
mod rig;
