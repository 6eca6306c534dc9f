//! The container image, without a container engine.

use super::root;
use std::process::Command;

#[test]
fn the_binary_runs_with_what_the_image_holds() {
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let checked = Command::new(&python)
        .arg(root("tools/check-image.py"))
        .arg(env!("CARGO_BIN_EXE_peerkeeper"))
        .output()
        .unwrap_or_else(|error| panic!("{python} does not start: {error}"));
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    // Says what was skipped, if anything was, even where the test passes: with --nocapture.
    print!("{}", String::from_utf8_lossy(&checked.stdout));
}
