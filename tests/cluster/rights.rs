//! What the operator needs of a cluster, and what it leaves alone: a whole life with the installed rights, silence when
//! there is nothing to do, and patience with CRDs that are older than itself.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::stage::{NAMESPACE, PATIENCE, Stage};
use crate::support::{ControlPlane, Operator, eventually};

const OPERATOR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/operator");
const SYSTEM: &str = "peerkeeper-system";
const CRDS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/crds");

/// Create, nothing to do, lose, restore, delete, across accounts: with the ServiceAccount that is installed.
#[tokio::test(flavor = "multi_thread")]
async fn a_whole_life_with_the_installed_rights_and_nothing_written_in_between() {
    let cluster = ControlPlane::start();
    cluster.kubectl_ok(&["apply", "--server-side", "--kustomize", OPERATOR]);
    cluster.kubectl_ok(&["wait", "crd", "--all", "--for=condition=Established", "--timeout=30s"]);
    cluster.apply_ok("{apiVersion: coordination.k8s.io/v1, kind: Lease, metadata: {name: peerkeeper, namespace: peerkeeper-system}}");
    let mut stage = Stage::on(cluster, "444455556666").await;
    let mut options = stage.options("a");
    options.kubeconfig =
        stage.cluster.service_account_kubeconfig(SYSTEM, "peerkeeper", stage.cluster.address());
    options.lease_namespace = SYSTEM.to_owned();
    let mut operator = Operator::start(options);
    operator.wait_ready();
    let (pair, first) = stage.declare("life").await;

    assert_writes_nothing(&mut stage);

    // Somebody revokes the role's sessions: new ones are asked for.
    stage.aws.sim().world(|ec2| ec2.end_sessions());
    stage.lose(&first).await;
    let second = stage.restored(&pair, &first);
    stage.assert_whole(&pair, &second).await;
    for reason in ["PeeringCreated", "DeletedUnexpectedly", "Restored"] {
        eventually("its Events", PATIENCE, || match stage.events(&pair, reason).len() {
            0 => Err(format!("no {reason}")),
            _ => Ok(()),
        });
    }

    stage.cluster.kubectl_ok(&["delete", "--namespace", NAMESPACE, "vpcp", &pair.name, "--timeout=60s"]);
    assert!(stage.live(&pair).await.is_empty());
    for side in 0..2 {
        assert!(stage.targets(&pair, side).await.is_empty(), "routes of side {side}");
    }
    stage.cluster.kubectl_ok(&["delete", "awsaccounts", "--all", "--timeout=60s"]);
    operator.terminate();
    assert_eq!(operator.wait(Duration::from_secs(20)), 0);
    let log = operator.log();
    assert!(!log.to_lowercase().contains("forbidden"), "{log}");
}

/// Idle and in sync, over several sweeps: no write but the Lease's, to Kubernetes or to AWS.
fn assert_writes_nothing(stage: &mut Stage) {
    // What the last transition still had to tell is told.
    sweeps(stage, 2);
    let before = versions(&stage.cluster);
    assert!(before.keys().any(|key| key.starts_with("VpcPeering ")) && before.len() > 5, "{before:?}");
    let lease = lease_version(&stage.cluster);
    stage.aws.forget_calls();
    sweeps(stage, 4);
    assert_eq!(versions(&stage.cluster), before);
    assert_ne!(lease_version(&stage.cluster), lease, "the Lease is renewed all the while");
    let writes: Vec<_> = stage.aws.log().into_iter().filter(|call| call.is_write()).collect();
    assert!(writes.is_empty(), "{writes:?}");
}

/// Waits for so many more sweeps of both Regions.
fn sweeps(stage: &mut Stage, count: u64) {
    let read = |stage: &mut Stage| stage.aws.calls().get("DescribeRouteTables").copied().unwrap_or_default();
    let wanted = read(stage) + 2 * count;
    eventually("sweeps", PATIENCE, || {
        let seen = read(stage);
        if seen >= wanted { Ok(()) } else { Err(seen.to_string()) }
    });
}

/// The resourceVersion of everything that the operator may write, its Lease apart.
fn versions(cluster: &ControlPlane) -> BTreeMap<String, String> {
    let kinds = "vpcpeerings,awsaccounts,peeringpolicies,namespaces,crd,events.events.k8s.io";
    let list = cluster.get(&[kinds, "--all-namespaces"]);
    let objects = list["items"].as_array().expect("a list has items").iter();
    objects
        .map(|object| {
            let text = |pointer: &str| object.pointer(pointer).and_then(|v| v.as_str()).unwrap_or_default();
            let name = ["/kind", "/metadata/namespace", "/metadata/name"].map(text).join(" ");
            (name, text("/metadata/resourceVersion").to_owned())
        })
        .collect()
}

fn lease_version(cluster: &ControlPlane) -> String {
    cluster.get(&["lease", "peerkeeper", "--namespace", SYSTEM])["metadata"]["resourceVersion"].to_string()
}

/// One status field that the cluster does not know would fail every status: the operator waits, says for what, and does
/// not take the lease from one that could work.
#[tokio::test(flavor = "multi_thread")]
async fn with_a_crd_that_is_too_old_it_waits_unready_and_without_the_lease() {
    let stage = Stage::start().await;
    let path = "/spec/versions/0/schema/openAPIV3Schema/properties/status/properties/inventory";
    let older = format!(r#"[{{"op": "remove", "path": "{path}"}}]"#);
    stage.cluster.kubectl_ok(&[
        "patch",
        "crd",
        "vpcpeerings.peerkeeper.dev",
        "--type=json",
        "--patch",
        &older,
    ]);

    let mut operator = Operator::start(stage.options("a"));
    let said = eventually("it to say what it waits for", PATIENCE, || match operator.http_get("/readyz") {
        Ok((503, said)) if said.contains("lacks") => Ok(said),
        other => Err(format!("{other:?}")),
    });
    assert!(said.contains("vpcpeerings.peerkeeper.dev lacks .status.inventory"), "{said}");
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(stage.leader(), "", "a free Lease is left for one that can work");
    assert_eq!(operator.http_get("/livez").map(|(code, _)| code), Ok(200), "a restart would not help");

    stage.cluster.kubectl_ok(&["apply", "--server-side", "--force-conflicts", "--kustomize", CRDS]);
    operator.wait_ready();
    stage.wait_leader("a");
    stage.declare("fresh").await;
}
