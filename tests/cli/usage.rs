//! Whatever is wrong with how a command is called: exit code 1, nothing on stdout, and what to do on stderr.

use crate::stage::{ACCOUNTS, Stage, peering};

const VPCS: (&str, &str) = ("vpc-0a1b2c3d4e5f60789", "vpc-0fedcba9876543210");

#[test]
fn wrong_usage_is_no_plan() {
    let stage = Stage::sim();
    for args in [
        &["plan"][..],
        &["plan", "-f", ".", "--output", "xml"],
        &["plan", "-f", ".", "--owner-id", "a/b"],
        &["plan", "-f", ".", "--aws-endpoint-url", "127.0.0.1:4566"],
        &["nothing"],
    ] {
        let said = stage.run(args);
        assert_eq!((said.code, said.out.as_str()), (1, ""), "{args:?}");
        assert!(said.err.contains("error: "), "{args:?}: {}", said.err);
    }
    stage.write("peering.yaml", &peering(VPCS.0, VPCS.1));
    let mut command = stage.command(&["plan", "-f", "."]);
    let said =
        stage.said(command.env("AWS_ENDPOINT_URL", "127.0.0.1:4566").output().expect("the binary runs"));
    assert_eq!((said.code, said.out.as_str(), said.err.lines().count()), (1, "", 1), "{}", said.err);
    assert!(said.err.contains("127.0.0.1:4566 has no scheme"), "{}", said.err);
    let help = stage.run(&["plan", "--help"]);
    assert_eq!((help.code, help.err.as_str()), (0, ""));
    assert!(help.out.contains("Exit code: 0"), "{}", help.out);
}

#[test]
fn all_that_is_wrong_with_manifests_is_told_at_once_and_aws_is_not_asked() {
    let mut stage = Stage::sim();
    let good = peering(VPCS.0, VPCS.1);
    let bad = good.replace("eu-west-1", "eu-west").replace("tags:", "tagz:").replace("prod-shared", "Prod");
    stage.write("a.yaml", &format!("{bad}---\nx: [\n"));
    stage.write("b.yaml", &ACCOUNTS.replace("\"111122223333\"", "111122223333"));
    let said = stage.run(&["plan", "-f", "a.yaml", "-f", "b.yaml", "-f", "absent.yaml"]);
    assert_eq!((said.code, said.out.as_str()), (1, ""));
    insta::assert_snapshot!("bad_manifests", said.err);
    assert!(stage.aws.calls().is_empty(), "nothing is asked before the manifests are right");
}

/// What the page shows is what the commands say.
#[test]
fn the_page_shows_real_output() {
    let page = include_str!("../../docs/cli.md");
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/snapshots");
    for name in [
        "usage__bad_manifests",
        "plan__new_text",
        "plan__deleted",
        "plan__drifted_markdown",
        "apply__applied",
        "graph__lost_mermaid",
        "check__in_place",
        "import__imported",
        "import__imported_plan",
        "import__left_out",
        "explain__lost_id",
    ] {
        let snapshot = std::fs::read_to_string(folder.join(format!("cli__{name}.snap"))).expect(name);
        let said = snapshot.splitn(3, "---\n").nth(2).expect("a head and a body");
        assert!(page.contains(said.trim_end()), "docs/cli.md does not show {name} as it is");
    }
}
