//! The shell as it is, with paused time: its watches, sweeps, lease and turns, between a Kubernetes API server in memory
//! and the simulated EC2 behind the real SDK. Hours pass in moments, and nothing depends on the machine's speed.

mod api_server;
mod bench;
mod events;
mod incidents;
mod life;
mod misuse;
mod rig;
mod sweeps;
mod weight;
