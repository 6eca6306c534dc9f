//! What the cluster tests stand on: a real Kubernetes control plane, ec2sim (or moto) as EC2 and STS, the operator's
//! real binary as its own process, and a proxy that can be cut. All on loopback, all gone when dropped.

// Each test uses its part of this.
#![allow(dead_code)]

mod aws;
mod cli;
mod client;
mod controlplane;
mod ec2sim;
mod helper;
mod moto;
mod operator;
mod proxy;
mod world;

pub use aws::Aws;
pub use cli::Cli;
pub use client::{Call, Fault, OWN_ACCOUNT};
pub use controlplane::ControlPlane;
pub use ec2sim::Ec2sim;
pub use moto::Moto;
pub use operator::{Operator, Options};
pub use proxy::CutProxy;
#[allow(unused_imports)] // each test uses its part of this too
pub use world::{Network, PATIENCE, Team, World, account, condition, peering, policy};

use std::time::{Duration, Instant};

/// Polls until `probe` gives something, or fails saying what was waited for and what was last seen.
#[track_caller]
pub fn eventually<T>(what: &str, timeout: Duration, mut probe: impl FnMut() -> Result<T, String>) -> T {
    let deadline = Instant::now() + timeout;
    loop {
        match probe() {
            Ok(found) => return found,
            Err(seen) if Instant::now() >= deadline => {
                panic!("waited {timeout:?} for {what}; last seen: {seen}")
            }
            Err(_) => std::thread::sleep(Duration::from_millis(100)),
        }
    }
}

/// Whether a process runs. One that ended but was never waited for by its parent does not.
pub fn is_running(pid: u32) -> bool {
    let ps = std::process::Command::new("ps").args(["-o", "stat=", "-p", &pid.to_string()]).output();
    let state = ps.map(|ps| String::from_utf8_lossy(&ps.stdout).trim().to_string()).expect("ps runs");
    !state.is_empty() && !state.starts_with('Z')
}
