//! Trails: they decide whether EventBridge is told of calls. The history of LookupEvents needs none.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Cx, Place, State};
use crate::error::AwsError;
use crate::ids::{AccountId, Region};
use crate::request::{Caller, ReadWriteType};
use crate::view::{Response, TrailStatus, TrailView};

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Trail {
    multi_region: bool,
    logging: bool,
    /// Its selector takes management events that write.
    sees_writes: bool,
    /// By the virtual clock.
    started_ms: Option<i64>,
    stopped_ms: Option<i64>,
}

/// By account and home Region, and name.
#[derive(Clone, Default, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Trails(Arc<BTreeMap<Place, BTreeMap<String, Trail>>>);

impl Trails {
    /// EventBridge is told of calls made here.
    pub(crate) fn log_at(&self, caller: &Caller) -> bool {
        let here = |place: &Place, trail: &Trail| {
            place.0 == caller.account
                && (place.1 == caller.region || trail.multi_region)
                && trail.logging
                && trail.sees_writes
        };
        self.0.iter().any(|(place, trails)| trails.values().any(|trail| here(place, trail)))
    }

    fn get(&self, place: &Place, name: &str) -> Option<&Trail> {
        self.0.get(place)?.get(name)
    }

    /// Counts from this moment on: an event of the past lies before time zero.
    pub(crate) fn start_at(&mut self, now_ms: u64) {
        if self.0.is_empty() {
            return;
        }
        let now_ms = i64::try_from(now_ms).unwrap_or(i64::MAX);
        for trail in Arc::make_mut(&mut self.0).values_mut().flat_map(BTreeMap::values_mut) {
            for time in [&mut trail.started_ms, &mut trail.stopped_ms].into_iter().flatten() {
                *time = time.saturating_sub(now_ms);
            }
        }
    }
}

fn arn(account: &AccountId, region: &Region, name: &str) -> String {
    format!("arn:{}:cloudtrail:{region}:{account}:trail/{name}", region.partition())
}

fn no_trail(name: &str) -> AwsError {
    AwsError::new("TrailNotFoundException", format!("Unknown trail: {name}"))
}

impl State {
    /// Where a trail of the caller's account is at home, and its name. It is changed from there alone.
    fn trail_from_home(&self, cx: &mut Cx<'_>, named: &str) -> Result<(Place, String), AwsError> {
        let (place, name) = self.find_trail(cx, named)?;
        if place.1 != cx.caller.region {
            let message = format!("Trail {name} must be changed in its home Region, {}", place.1);
            return Err(AwsError::new("InvalidHomeRegionException", message));
        }
        Ok((place, name))
    }

    /// Seen here: at home, or a shadow of one of several Regions.
    fn find_trail(&self, cx: &mut Cx<'_>, named: &str) -> Result<(Place, String), AwsError> {
        cx.touch(named);
        let caller = cx.caller;
        let name = named.rsplit_once(":trail/").map_or(named, |(_, name)| name);
        let fits = |place: &Place, trail: &Trail| {
            place.0 == caller.account && (place.1 == caller.region || trail.multi_region)
        };
        let found = self.trails.0.iter().find_map(|(place, trails)| {
            let trail = trails.get(name).filter(|trail| fits(place, trail))?;
            let whole = named == name || named == arn(&place.0, &place.1, name);
            (whole && fits(place, trail)).then(|| (place.clone(), name.to_owned()))
        });
        found.ok_or_else(|| no_trail(named))
    }

    fn change_trail(&mut self, (place, name): (Place, String), change: impl FnOnce(&mut Trail)) {
        let trails = Arc::make_mut(&mut self.trails.0);
        if let Some(trail) = trails.get_mut(&place).and_then(|trails| trails.get_mut(&name)) {
            change(trail);
        }
    }

    pub(crate) fn create_trail(
        &mut self,
        cx: &mut Cx<'_>,
        name: &str,
        multi_region: bool,
    ) -> Result<Response, AwsError> {
        let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if !(3..=128).contains(&name.len()) || !name.chars().all(fine) {
            let message = format!("Trail name '{name}' must have 3 to 128 letters, digits, '.', '_' or '-'.");
            return Err(AwsError::new("InvalidTrailNameException", message));
        }
        if self.find_trail(cx, name).is_ok() {
            let (account, region) = (&cx.caller.account, &cx.caller.region);
            let message = format!("Trail {} already exists", arn(account, region, name));
            return Err(AwsError::new("TrailAlreadyExistsException", message));
        }
        let trail =
            Trail { multi_region, logging: false, sees_writes: true, started_ms: None, stopped_ms: None };
        let place = (cx.caller.account.clone(), cx.caller.region.clone());
        Arc::make_mut(&mut self.trails.0).entry(place).or_default().insert(name.to_owned(), trail);
        Ok(Response::Done)
    }

    pub(crate) fn delete_trail(&mut self, cx: &mut Cx<'_>, name: &str) -> Result<Response, AwsError> {
        let (place, name) = self.trail_from_home(cx, name)?;
        let trails = Arc::make_mut(&mut self.trails.0);
        if let Some(here) = trails.get_mut(&place) {
            here.remove(&name);
        }
        trails.retain(|_, here| !here.is_empty());
        Ok(Response::Done)
    }

    pub(crate) fn set_logging(
        &mut self,
        cx: &mut Cx<'_>,
        name: &str,
        on: bool,
    ) -> Result<Response, AwsError> {
        let trail = self.trail_from_home(cx, name)?;
        let now_ms = i64::try_from(self.now_ms).unwrap_or(i64::MAX);
        self.change_trail(trail, |trail| {
            trail.logging = on;
            *(if on { &mut trail.started_ms } else { &mut trail.stopped_ms }) = Some(now_ms);
        });
        Ok(Response::Done)
    }

    pub(crate) fn put_event_selectors(
        &mut self,
        cx: &mut Cx<'_>,
        name: &str,
        read_write_type: ReadWriteType,
        management_events: bool,
    ) -> Result<Response, AwsError> {
        let trail = self.trail_from_home(cx, name)?;
        let sees_writes = management_events && read_write_type != ReadWriteType::ReadOnly;
        self.change_trail(trail, |trail| trail.sees_writes = sees_writes);
        Ok(Response::Done)
    }

    /// Names that are not found are left out, as AWS leaves them out.
    pub(crate) fn describe_trails(&self, cx: &mut Cx<'_>, names: &[String]) -> Result<Response, AwsError> {
        let caller = cx.caller;
        let mut found = Vec::new();
        for (place, trails) in self.trails.0.iter().filter(|(place, _)| place.0 == caller.account) {
            for (name, trail) in trails {
                let arn = arn(&place.0, &place.1, name);
                let here = place.1 == caller.region || trail.multi_region;
                if here && (names.is_empty() || names.contains(name) || names.contains(&arn)) {
                    let multi_region = trail.multi_region;
                    found.push(TrailView {
                        name: name.clone(),
                        arn,
                        home_region: place.1.clone(),
                        multi_region,
                    });
                }
            }
        }
        Ok(Response::Trails(found))
    }

    pub(crate) fn trail_status(&self, cx: &mut Cx<'_>, name: &str) -> Result<Response, AwsError> {
        let (place, found) = self.find_trail(cx, name)?;
        let trail = self.trails.get(&place, &found).ok_or_else(|| no_trail(name))?;
        let wall = |at_ms: i64| self.epoch.0.saturating_add(at_ms);
        Ok(Response::TrailStatus(TrailStatus {
            is_logging: trail.logging,
            started_ms: trail.started_ms.map(wall),
            stopped_ms: trail.stopped_ms.map(wall),
        }))
    }
}
