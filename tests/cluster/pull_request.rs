//! A pull request, from the change to the operator's work: manifests in a folder as in Git, a plan as its comment, the merge,
//! and everything as declared.

use serde_json::{Value, json};

use crate::support::{Cli, World, account, condition, peering, policy};

const OF_FILES: [&str; 5] = ["plan", "-f", ".", "--owner-id", "test"];
/// What the pipeline of a pull request says.
const COMMENT: [&str; 10] =
    ["plan", "--kube", "-f", ".", "-n", "merged", "--owner-id", "test", "--output", "markdown"];

/// What a GitOps tool does with a merged folder.
fn merge(world: &World, cli: &Cli) {
    let folder = cli.folder.path().display().to_string();
    world.cluster.kubectl_ok(&["apply", "--server-side", "-f", &folder]);
}

/// Waits until the operator has done what this generation declares.
fn until_done(world: &World, namespace: &str, name: &str) -> Value {
    let generation = world.peering(namespace, name)["metadata"]["generation"].clone();
    world.until_status(namespace, name, &format!("generation {generation} done"), |status| {
        let ready = condition(status, "Ready");
        ready["status"] == "True" && ready["observedGeneration"] == generation
    })
}

#[track_caller]
fn assert_in_sync(cli: &Cli, namespace: &str) {
    for args in [&OF_FILES[..], &COMMENT, &["plan", "--kube", "-n", namespace, "--owner-id", "test"]] {
        let said = cli.run(args);
        assert_eq!((said.code, said.err.as_str()), (0, ""), "{args:?}: {}", said.out);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_request_is_commented_merged_and_applied() {
    let world = World::shared();
    let (one, other) = ("111111111154", "222222222254");
    let prod = world.network(one, "eu-west-1", "10.1.0.0/16").await;
    let shared = world.network(other, "us-east-1", "10.2.0.0/16").await;
    let old = world.network(one, "eu-west-1", "10.3.0.0/16").await;
    // AWS sets the option only where the other VPC has them too.
    prod.set_dns_hostnames(true).await;
    shared.set_dns_hostnames(true).await;
    let mut cli = Cli::new(world);
    for (network, name) in [(&prod, "prod"), (&shared, "shared"), (&old, "old")] {
        cli.name(&network.vpc, &format!("vpc-{name}"));
        cli.name(&network.table, &format!("rtb-{name}-private"));
        cli.name(&network.main, &format!("rtb-{name}-main"));
    }

    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "merged", "labels": {"team": "merged"}}});
    let mut declared = peering("merged", "prod-shared", ("merged-prod", &prod), ("merged-shared", &shared));
    let leaving = peering("merged", "prod-old", ("merged-prod", &prod), ("merged-prod", &old));
    for (file, object) in [
        ("0-namespace.yaml", &namespace),
        ("1-prod.yaml", &account("merged-prod", one, "merged")),
        ("1-shared.yaml", &account("merged-shared", other, "merged")),
        ("2-policy.yaml", &policy("merged", "default", "Restore")),
        ("peering.yaml", &declared),
        ("old.yaml", &leaving),
    ] {
        cli.write(file, &object.to_string());
    }
    merge(world, &cli);
    let status = until_done(world, "merged", "prod-shared");
    cli.name(status["peeringId"].as_str().expect("an id"), "pcx-made");
    let status = until_done(world, "merged", "prod-old");
    cli.name(status["peeringId"].as_str().expect("an id"), "pcx-old");
    assert_in_sync(&cli, "merged");

    // The change: another route, an option, a narrower destination.
    let spec = &mut declared["spec"];
    spec["requester"]["allowDnsResolutionFromRemoteVpc"] = json!(true);
    let more =
        json!({"name": "main", "routeTables": {"select": "Main"}, "destinations": {"peerCidrs": "All"}});
    spec["requester"]["routes"].as_array_mut().expect("routes").push(more);
    spec["accepter"]["routes"][0]["destinations"] = json!({"cidrs": ["10.1.128.0/17"]});
    cli.write("peering.yaml", &declared.to_string());
    let comment = cli.run(&COMMENT);
    assert_eq!((comment.code, comment.err.as_str()), (2, ""), "{}", comment.out);
    insta::assert_snapshot!("comment", comment.out);
    let (cut, first) = (comment.out.find("**Cuts traffic**"), comment.out.find("####"));
    assert!(cut.is_some() && cut < first, "what cuts comes first: {}", comment.out);
    let before = shared.routes().await;
    assert!(
        before.contains_key(&(shared.main.clone(), "10.1.0.0/16".to_owned())),
        "nothing is done yet: {before:?}"
    );

    merge(world, &cli);
    until_done(world, "merged", "prod-shared");
    assert_in_sync(&cli, "merged");
    let after: Vec<String> = shared.routes().await.into_keys().map(|(_, to)| to).collect();
    assert_eq!(after, ["10.1.128.0/17"]);
    assert_eq!(prod.routes().await.keys().filter(|(_, to)| to == "10.2.0.0/16").count(), 2);

    // A manifest is removed: merged, the object goes, and with it what was made for it.
    std::fs::remove_file(cli.folder.path().join("old.yaml")).expect("it was there");
    world.cluster.kubectl_ok(&["delete", "vpcp", "prod-old", "-n", "merged", "--timeout=120s"]);
    assert_in_sync(&cli, "merged");
    assert_eq!(old.live_peerings().await, [""; 0]);
    assert!(old.routes().await.is_empty());
}
