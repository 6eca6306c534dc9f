//! `peerkeeper plan --kube`: what is declared in a cluster, and what its objects remember, against AWS.

use std::net::{Ipv4Addr, SocketAddr};

use serde_json::json;

use crate::support::{Call, Cli, ControlPlane, World};

const HERE: [&str; 5] = ["plan", "--kube", "--owner-id", "test", "-n"];
const DAYS_MS: u64 = 24 * 3_600_000;

fn here<'a>(namespace: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    HERE.iter().copied().chain([namespace]).chain(more.iter().copied()).collect()
}

/// What status remembers is evidence: a loss that AWS itself has forgotten is known by it, and so is what was decided about it.
#[tokio::test(flavor = "multi_thread")]
async fn a_plan_of_a_cluster_goes_by_what_its_objects_remember() {
    let world = World::start();
    let mut operator = world.operator(&[]);
    let team = world.team("plan", 51, "Flag").await;
    let ns = team.namespace.as_str();
    world.cluster.apply_ok(&team.peering("pair").to_string());
    let ready = world.until_ready(ns, "pair");
    let lost = ready["peeringId"].as_str().expect("an id").to_owned();
    let mut cli = Cli::new(&world);
    for (network, name) in [(&team.a, "prod"), (&team.b, "shared")] {
        cli.name(&network.vpc, &format!("vpc-{name}"));
        cli.name(&network.table, &format!("rtb-{name}-private"));
        cli.name(&network.main, &format!("rtb-{name}-main"));
    }
    cli.name(&lost, "pcx-lost");
    world.aws().forget_calls();
    let kept = cli.run(&here(ns, &[]));
    assert_eq!((kept.code, kept.err.as_str()), (0, ""), "{}", kept.out);
    assert!(kept.out.starts_with(&format!("VpcPeering {ns}/pair: in sync (the cluster)\n")), "{}", kept.out);
    let writes = |world: &World| -> Vec<Call> {
        world
            .aws()
            .log()
            .into_iter()
            .filter(|call| call.is_write() && call.action != "GetServiceQuota")
            .collect()
    };
    assert!(writes(&world).is_empty(), "{:?}", writes(&world));

    team.a.delete_peering(&lost).await;
    world.until(ns, "pair", "UnexpectedlyDeleted", "True", "");
    world.cluster.apply_ok(&team.peering("pair").to_string());
    operator.kill();
    world.aws().sim().pass(3 * DAYS_MS);
    world.aws().forget_calls();
    let flagged = cli.run(&here(ns, &[]));
    assert_eq!((flagged.code, flagged.err.as_str()), (2, ""), "{}", flagged.out);
    assert!(flagged.out.contains(": held (the cluster)"), "{}", flagged.out);
    insta::assert_snapshot!("flagged", flagged.out);
    let page = include_str!("../../docs/cli.md");
    assert!(page.contains(&flagged.out), "docs/cli.md does not show it as it is");
    // Files alone tell nothing of it.
    cli.write("peering.json", &team.peering("pair").to_string());
    for (name, id, account) in
        [("a", &team.a.account, &team.accounts[0]), ("b", &team.b.account, &team.accounts[1])]
    {
        let object = crate::support::account(account, id, ns);
        cli.write(&format!("{name}.json"), &object.to_string());
    }
    let namespace =
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": ns, "labels": {"team": ns}}});
    cli.write("namespace.json", &namespace.to_string());
    let forgetful = cli.run(&["plan", "-f", "."]);
    assert_eq!((forgetful.code, forgetful.err.as_str()), (2, ""), "{}", forgetful.out);
    assert!(forgetful.out.contains("create a peering connection"), "{}", forgetful.out);

    let told = world.cluster.get(&["peeringincidents", "-n", ns, &format!("pair-{lost}")]);
    let digest = &told["status"]["plan"]["digest"];
    let patch = json!({"spec": {"decision": {"verdict": "Approve", "planDigest": digest}}}).to_string();
    let name = format!("pair-{lost}");
    world.cluster.kubectl_ok(&["patch", "peeringincidents", &name, "-n", ns, "--type=merge", "-p", &patch]);
    let approved = cli.run(&here(ns, &[]));
    assert_eq!((approved.code, approved.err.as_str()), (2, ""), "{}", approved.out);
    assert!(approved.out.contains(": to change (the cluster)"), "{}", approved.out);
    assert!(approved.out.contains("1. + create a peering connection"), "{}", approved.out);
    assert!(writes(&world).is_empty(), "{:?}", writes(&world));
}

/// What would change if these files were merged: the cluster's objects with the files laid over them.
#[tokio::test(flavor = "multi_thread")]
async fn files_laid_over_a_cluster_keep_what_its_objects_remember() {
    let world = World::shared();
    let team = world.team("overlay", 52, "Restore").await;
    let ns = team.namespace.as_str();
    world.cluster.apply_ok(&team.peering("pair").to_string());
    let ready = world.until_ready(ns, "pair");
    let id = ready["peeringId"].as_str().expect("an id").to_owned();
    let cli = Cli::new(world);
    // The accounts and the policy are in the cluster alone.
    let mut changed = team.peering("pair");
    cli.write("peering.json", &changed.to_string());
    let same = cli.run(&["plan", "--kube", "-f", ".", "--owner-id", "test"]);
    assert_eq!((same.code, same.err.as_str()), (0, ""), "{}", same.out);
    assert!(same.out.contains("(./peering.json:1)"), "{}", same.out);

    changed["spec"]["accepter"]["routes"][0]["destinations"] = json!({"cidrs": ["10.1.128.0/17"]});
    cli.write("peering.json", &changed.to_string());
    let narrower = cli.run(&["plan", "--kube", "-f", ".", "--owner-id", "test"]);
    assert_eq!((narrower.code, narrower.err.as_str()), (2, ""), "{}", narrower.out);
    // That the wider route is ours, and goes, only memory knows.
    assert!(
        narrower.out.contains(&format!("remove route 10.1.0.0/16 to {id} from {}", team.b.main)),
        "{}",
        narrower.out
    );
    assert!(narrower.out.contains("CUTS TRAFFIC: 10.1.0.0/16"), "{}", narrower.out);
    assert!(
        narrower.out.contains(&format!("route 10.1.128.0/17 in {} to {id}", team.b.main)),
        "{}",
        narrower.out
    );

    changed["spec"]["accepter"]["vpcId"] = json!("vpc-0fedcba9876543210");
    cli.write("peering.json", &changed.to_string());
    let another = cli.run(&["plan", "--kube", "-f", ".", "--owner-id", "test"]);
    assert_eq!((another.code, another.out.as_str()), (1, ""), "{}", another.err);
    assert!(another.err.contains("./peering.json:1: VpcPeering overlay/pair: "), "{}", another.err);
    assert!(another.err.contains("vpcId can't be changed"), "{}", another.err);
}

/// Deleted, and the operator is away: what it will take down is told, and what that cuts.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_deletion_will_cut_is_told_before_it_is_done() {
    let world = World::start();
    let mut operator = world.operator(&[]);
    let team = world.team("going", 53, "Restore").await;
    let ns = team.namespace.as_str();
    world.cluster.apply_ok(&team.peering("pair").to_string());
    let ready = world.until_ready(ns, "pair");
    let id = ready["peeringId"].as_str().expect("an id").to_owned();
    operator.kill();
    world.cluster.kubectl_ok(&["delete", "vpcp", "pair", "-n", ns, "--wait=false"]);
    let cli = Cli::new(&world);
    let going = cli.run(&here(ns, &[]));
    assert_eq!((going.code, going.err.as_str()), (2, ""), "{}", going.out);
    assert!(going.out.contains(": to change (the cluster)"), "{}", going.out);
    assert!(going.out.contains(&format!("CUTS TRAFFIC: all traffic over {id}")), "{}", going.out);
    assert_eq!(going.out.matches("its VpcPeering is being deleted").count(), 3, "{}", going.out);
    // Another's deletion is nothing that this namespace's plan shows.
    let all = cli.run(&["plan", "--kube", "--owner-id", "test", "-A"]);
    assert_eq!((all.code, all.out.as_str()), (2, going.out.as_str()), "{}", all.err);
    let other = cli.run(&here("default", &[]));
    assert_eq!((other.code, other.err.as_str()), (0, ""), "{}", other.out);
    assert!(other.out.contains("Plan: 0 peerings"), "{}", other.out);
}

/// Everything that can be wrong with a cluster is said with what to do about it, and nothing of AWS is asked.
#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_can_not_be_asked_is_an_error_that_says_what_to_do() {
    let world = World::shared();
    let cli = Cli::new(world);
    let says = |cli: &Cli, args: &[&str], words: &[&str]| {
        let said = cli.run(args);
        assert_eq!((said.code, said.out.as_str()), (1, ""), "{args:?}: {}", said.err);
        for word in words {
            assert!(said.err.contains(word), "{args:?}: {word} is not in {}", said.err);
        }
    };
    says(
        &cli.with("/nonexistent/config".into()),
        &["plan", "--kube"],
        &[
            "no cluster is known: failed to read kubeconfig from '\"/nonexistent/config\"': No such file",
            "; give --kubeconfig",
        ],
    );
    says(&cli, &["plan", "--kube", "--kubeconfig", "absent"], &["absent", "--kubeconfig"]);
    says(&cli, &["plan", "--kube", "--context", "nobodys"], &["nobodys", "--context"]);
    says(&cli, &["plan", "-f", ".", "--context", "nobodys"], &["say --kube too"]);
    says(&cli, &["plan", "-A", "-f", "."], &["--kube"]);
    let nobody = world.cluster.kubeconfig_through(SocketAddr::from((Ipv4Addr::LOCALHOST, 9)));
    says(&cli.with(nobody), &["plan", "--kube"], &["https://127.0.0.1:9 can't be reached", "--context"]);

    let bare = ControlPlane::start();
    says(
        &cli.with(bare.kubeconfig()),
        &["plan", "--kube"],
        &["does not serve vpcpeerings.peerkeeper.dev", "peerkeeper crd | kubectl apply --server-side -f -"],
    );

    world.namespace("reader", "reader", "Flag");
    world.cluster.apply_ok(&json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "eve", "namespace": "reader"}}).to_string());
    let eve = world.cluster.service_account_kubeconfig("reader", "eve", world.cluster.address());
    let eve = cli.with(eve);
    let plan = ["plan", "--kube", "-n", "reader", "--owner-id", "test"];
    says(
        &eve,
        &plan,
        &[
            "may not list vpcpeerings.peerkeeper.dev in namespace reader",
            "ClusterRole peerkeeper-view gives it",
        ],
    );
    world.cluster.kubectl_ok(&[
        "apply",
        "--server-side",
        "-f",
        concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/operator/rbac-users.yaml"),
    ]);
    let bind = |kind: &str, role: &str, more: &[&str]| {
        let (clusterrole, user) = (format!("--clusterrole={role}"), "--serviceaccount=reader:eve");
        let args = ["create", kind, &format!("eve-{role}"), &clusterrole, user];
        world.cluster.kubectl_ok(&[&args, more].concat());
    };
    bind("rolebinding", "peerkeeper-view", &["-n", "reader"]);
    says(
        &eve,
        &plan,
        &[
            "may not list awsaccounts.peerkeeper.dev in all namespaces",
            "ClusterRole peerkeeper-account-viewer gives it",
        ],
    );
    bind("clusterrolebinding", "peerkeeper-account-viewer", &[]);
    let said = eve.run(&plan);
    assert_eq!((said.code, said.err.as_str()), (0, ""), "{}", said.out);
    assert!(said.out.contains("only the objects of this namespace may be read"), "{}", said.out);
}
