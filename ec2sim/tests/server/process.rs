//! The program.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::client::{Client, US, first};

fn start(arguments: &[&str]) -> (Child, Value) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_ec2sim"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let ready = serde_json::from_str(&line).unwrap();
    (child, ready)
}

fn ends(child: &mut Child) -> bool {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(20) {
        if let Some(status) = child.try_wait().unwrap() {
            return status.success();
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let _ = child.kill();
    false
}

#[test]
fn it_says_where_it_listens_and_ends_when_its_leash_is_let_go() {
    let (mut child, ready) = start(&["--leash", "--seed", "7", "--speed=0"]);
    assert_eq!((&ready["event"], ready["pid"].as_u64()), (&"ready".into(), Some(child.id().into())));
    let mut client = Client::at(ready["endpoint"].as_str().unwrap(), US);
    let id = first(&client.ec2("CreateVpc", "&CidrBlock=10.1.0.0/16").1, "vpcId");
    assert!(id.starts_with("vpc-"));
    assert_eq!(client.look("clock")["speed"], 0.0);
    assert!(!client.look("weather")["delays_up_to_ms"].as_object().unwrap().is_empty());
    drop(child.stdin.take());
    assert!(ends(&mut child));
}

#[test]
fn without_a_leash_it_outlives_its_input_and_ends_on_sigterm() {
    let (mut child, ready) = start(&[]);
    drop(child.stdin.take());
    let mut client = Client::at(ready["endpoint"].as_str().unwrap(), US);
    assert_eq!(client.ec2("DescribeVpcs", "").0, 200);
    let killed = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(killed.success() && ends(&mut child));
}

#[test]
fn wrong_arguments_are_named() {
    for (arguments, named) in [
        (&["--prot", "1"][..], "--prot"),
        (&["--port"], "needs a value"),
        (&["--port", "99999"], "--port: 99999"),
        (&["--speed", "-1"], "--speed"),
        (&["--leash=yes"], "takes no value"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_ec2sim")).args(arguments).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && error.contains(named), "{arguments:?}: {error}");
    }
    let help = Command::new(env!("CARGO_BIN_EXE_ec2sim")).arg("--help").output().unwrap();
    assert!(help.status.success() && String::from_utf8(help.stdout).unwrap().contains("--leash"));
}
