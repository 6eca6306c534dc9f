//! The world's rules, each with the test that would notice its absence.

mod lifecycle;
mod rig;
