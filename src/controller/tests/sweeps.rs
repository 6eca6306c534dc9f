//! What wakes an object that is in sync: every change, whichever reading shows it.

use std::time::Duration;

use ec2sim::RouteTableId;
use ec2sim::sdk::Fate;

use super::rig::*;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

/// One route of the hub's, and whether it is there.
struct Watched {
    table: RouteTableId,
    destination: String,
}

impl Watched {
    fn of(rig: &Rig) -> Self {
        let declared = &rig.peerings[0];
        let id = rig.live(declared).unwrap();
        rig.aws.with_world(|world| {
            let mut tables = world.route_tables().filter(|table| table.vpc == declared.hub);
            let found = tables.find_map(|table| {
                let route = table.routes.iter().find(|route| route.target.as_str() == id.as_str())?;
                Some((table.id.clone(), route.destination.to_string()))
            });
            let (table, destination) = found.unwrap();
            Self { table, destination }
        })
    }

    fn delete(&self, rig: &Rig) {
        rig.aws.with_world(|world| world.delete_route(&self.table, &self.destination)).unwrap();
    }

    fn is_there(&self, rig: &Rig) -> bool {
        rig.aws.with_world(|world| {
            world.route_table(&self.table).is_some_and(|table| table.route(&self.destination).is_some())
        })
    }
}

/// In sync for so long that only a change wakes it.
async fn quiet() -> (Rig, Replica, Watched) {
    let rig = Rig::in_sync(1);
    let replica = rig.start(rig.options()).await;
    rig.until("it to be ready", 5 * MINUTE, Rig::all_ready).await;
    tokio::time::sleep(10 * MINUTE).await;
    let watched = Watched::of(&rig);
    (rig, replica, watched)
}

/// The route tables were read, and the VPCs could not be: the sweep failed. The one after it shows the same tables.
#[tokio::test(start_paused = true)]
async fn a_change_that_only_a_failed_sweep_showed_is_acted_upon() {
    let (rig, _replica, watched) = quiet().await;
    rig.aws.twist(|seen, fate| match seen.action {
        "DescribeVpcs" if seen.caller.account.as_str() == PROD.0 => Fate::Reset,
        _ => fate,
    });
    watched.delete(&rig);
    // Long enough for one sweep to fail with all its tries, and for another.
    tokio::time::sleep(3 * MINUTE).await;
    rig.aws.untwist();
    rig.until("the repair", 5 * MINUTE, |rig| watched.is_there(rig)).await;
}

/// A missing route was repaired, which the repairing turn read back by itself; then it was gone again before the next
/// sweep, which thus showed what the one before had shown.
#[tokio::test(start_paused = true)]
async fn drift_between_two_sweeps_that_are_alike_is_acted_upon() {
    let (rig, _replica, watched) = quiet().await;
    watched.delete(&rig);
    let repaired = |rig: &Rig| watched.is_there(rig) && rig.all_ready();
    rig.until("the repair", 70 * SECOND, repaired).await;
    // It was read back, and is told.
    tokio::time::sleep(5 * SECOND).await;
    watched.delete(&rig);
    rig.until("the second repair", 3 * MINUTE, |rig| watched.is_there(rig)).await;
}
