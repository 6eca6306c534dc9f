//! `peerkeeper graph --kube`: what is declared in a cluster, drawn.

use crate::support::{Cli, World};

#[tokio::test(flavor = "multi_thread")]
async fn a_graph_of_a_cluster_marks_what_was_lost() {
    let world = World::shared();
    let team = world.team("graph", 58, "Flag").await;
    let ns = team.namespace.as_str();
    world.cluster.apply_ok(&team.peering("pair").to_string());
    let ready = world.until_ready(ns, "pair");
    let id = ready["peeringId"].as_str().expect("an id").to_owned();
    let cli = Cli::new(world);
    let args = ["graph", "--kube", "-n", ns, "--owner-id", "test"];
    let label = |state: &str, routes: &str| format!("|\"{ns}/pair<br/>{state}<br/>{id}<br/>{routes}\"|");
    // Whose it is does not change what is there.
    for args in [&args[..], &args[..4]] {
        let live = cli.run(args);
        assert_eq!((live.code, live.err.as_str()), (0, ""), "{}", live.out);
        assert!(live.out.contains(&label("live", "routes 2 alive, 0 dead, 0 missing")), "{}", live.out);
    }
    team.a.delete_peering(&id).await;
    world.until(ns, "pair", "UnexpectedlyDeleted", "True", "");
    let lost = cli.run(&args);
    assert_eq!((lost.code, lost.err.as_str()), (0, ""), "{}", lost.out);
    assert!(lost.out.contains(&label("LOST: deleted", "routes 0 alive, 2 dead, 0 missing")), "{}", lost.out);
}
