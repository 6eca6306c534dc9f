//! Incidents as they change, one line each. A watch that is dropped is taken up again.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::pin::pin;

use futures::TryStreamExt;
use kube::Api;
use kube::api::DynamicObject;
use kube::core::ApiResource;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event, watcher};

use super::{IncidentsError, Output};
use crate::api::{PeeringIncident, Timestamp};
use crate::cli::kube::{Kube, KubeError, Scope};
use crate::cli::show::incidents::{IncidentRow, IncidentTable, sorted};

/// The API server ends each watch after so long, before the connection counts as silent.
const WATCH_S: u32 = 20;

type Key = (String, String);

/// Tells what is there, then what changes, until nobody reads any more.
pub async fn follow(
    kube: &Kube,
    scope: &Scope,
    rows: Vec<IncidentRow>,
    output: Output,
) -> Result<(), IncidentsError> {
    let table = IncidentTable::new(&rows, Timestamp::now(), *scope == Scope::All);
    let mut told = Told { rows: BTreeMap::new(), table, output, listing: None };
    if output == Output::Text && !put(told.table.text())? {
        return Ok(());
    }
    for row in rows {
        if output == Output::Json && !put(&told.line(&row)?)? {
            return Ok(());
        }
        told.rows.insert(key(&row), row);
    }
    let resource = ApiResource::erase::<PeeringIncident>(&());
    let api: Api<DynamicObject> = match scope {
        Scope::One(namespace) => Api::namespaced_with(kube.client().clone(), namespace, &resource),
        Scope::All => Api::all_with(kube.client().clone(), &resource),
    };
    let mut events = pin!(watcher(api, watcher::Config::default().timeout(WATCH_S)).default_backoff());
    let mut last_trouble = None;
    loop {
        let lines = match events.try_next().await {
            Ok(Some(event)) => {
                last_trouble = None;
                told.heard(event)?
            }
            Ok(None) => return Ok(()),
            Err(error) => {
                trouble(kube, scope, &error, &mut last_trouble)?;
                continue;
            }
        };
        for line in lines {
            if !put(&line)? {
                return Ok(());
            }
        }
    }
}

/// What was told last of each, so that what did not change is not told again.
struct Told {
    rows: BTreeMap<Key, IncidentRow>,
    table: IncidentTable,
    output: Output,
    /// What a list that is under way has shown so far.
    listing: Option<Vec<IncidentRow>>,
}

impl Told {
    fn heard(&mut self, event: Event<DynamicObject>) -> Result<Vec<String>, IncidentsError> {
        let changed = match event {
            Event::Init => {
                self.listing = Some(Vec::new());
                Vec::new()
            }
            Event::InitApply(object) => {
                let row = row(object);
                self.listing.get_or_insert_default().extend(row);
                Vec::new()
            }
            Event::InitDone => self.listed(),
            Event::Apply(object) => row(object).into_iter().collect(),
            Event::Delete(object) => row(object).map(gone).into_iter().collect(),
        };
        let mut lines = Vec::new();
        for row in changed {
            if self.rows.get(&key(&row)) != Some(&row) {
                lines.push(self.line(&row)?);
            }
            if row.phase == GONE {
                self.rows.remove(&key(&row));
            } else {
                self.rows.insert(key(&row), row);
            }
        }
        Ok(lines)
    }

    /// What was deleted while nobody watched is missing from the list.
    fn listed(&mut self) -> Vec<IncidentRow> {
        let listed = sorted(self.listing.take().unwrap_or_default());
        let is_listed = |row: &IncidentRow| listed.iter().any(|other| key(other) == key(row));
        let gone: Vec<_> = self.rows.values().filter(|row| !is_listed(row)).cloned().map(gone).collect();
        listed.into_iter().chain(gone).collect()
    }

    fn line(&self, row: &IncidentRow) -> Result<String, IncidentsError> {
        Ok(match self.output {
            Output::Text => self.table.row(row, Timestamp::now()),
            Output::Json => format!("{}\n", serde_json::to_string(row)?),
        })
    }
}

const GONE: &str = "Deleted";

fn gone(row: IncidentRow) -> IncidentRow {
    IncidentRow { phase: GONE.to_owned(), next: "nothing: it is deleted".to_owned(), to_decide: false, ..row }
}

fn key(row: &IncidentRow) -> Key {
    (row.namespace.clone(), row.name.clone())
}

/// One that can't be read hides none of the others.
fn row(object: DynamicObject) -> Option<IncidentRow> {
    let name = object.metadata.name.clone().unwrap_or_default();
    let parsed = serde_json::to_value(object).and_then(serde_json::from_value::<PeeringIncident>);
    match parsed {
        Ok(object) => Some(IncidentRow::new(&object)),
        Err(why) => {
            eprintln!("peerkeeper: PeeringIncident {name} can't be read: {why}");
            None
        }
    }
}

/// A watch that ended is asked for again; each new trouble is said once. What another try can't cure ends the command.
fn trouble(
    kube: &Kube,
    scope: &Scope,
    error: &watcher::Error,
    last: &mut Option<String>,
) -> Result<(), IncidentsError> {
    let status = match error {
        watcher::Error::WatchError(status) => Some(status),
        watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status))
        | watcher::Error::WatchFailed(kube::Error::Api(status)) => Some(status),
        _ => None,
    };
    match status.map(|status| status.code) {
        // A version that the API server forgot: everything is listed anew.
        Some(410) => return Ok(()),
        Some(401 | 403) => {
            let why = status.map(|status| status.message.clone()).unwrap_or_default();
            return Err(IncidentsError::Kube(KubeError::Forbidden {
                server: kube.server().to_owned(),
                verb: "watch",
                resource: "peeringincidents.peerkeeper.dev".to_owned(),
                scope: scope.clone(),
                why,
            }));
        }
        _ => {}
    }
    let said = error.to_string();
    if last.as_ref() != Some(&said) {
        eprintln!("peerkeeper: the watch was dropped and is asked for again: {said}");
        *last = Some(said);
    }
    Ok(())
}

/// Whether somebody still reads.
fn put(text: &str) -> io::Result<bool> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(name: &str, phase: &str) -> DynamicObject {
        serde_json::from_value(serde_json::json!({
            "apiVersion": "peerkeeper.dev/v1alpha1", "kind": "PeeringIncident",
            "metadata": {"name": name, "namespace": "network"},
            "spec": {"peeringRef": {"name": "prod-shared", "uid": "u"}, "peeringId": "pcx-0123456789abcdef0"},
            "status": {"phase": phase},
        }))
        .unwrap()
    }

    /// A new list after a version that the API server forgot: what is as it was is not told again, and what went is told.
    #[test]
    fn a_new_list_tells_what_changed_and_what_went_and_nothing_else() {
        let table = IncidentTable::new(&[], Timestamp::UNIX_EPOCH, false);
        let mut told = Told { rows: BTreeMap::new(), table, output: Output::Json, listing: None };
        for name in ["same", "changed", "went"] {
            assert_eq!(told.heard(Event::Apply(object(name, "Flagged"))).unwrap().len(), 1);
        }
        let mut lines = told.heard(Event::Init).unwrap();
        for (name, phase) in [("same", "Flagged"), ("changed", "Restored"), ("new", "Flagged")] {
            lines.extend(told.heard(Event::InitApply(object(name, phase))).unwrap());
        }
        assert_eq!(lines, [""; 0], "half a list tells nothing");
        let lines = told.heard(Event::InitDone).unwrap();
        let told_of = |name: &str, phase: &str| {
            let (name, phase) = (format!("\"name\":\"{name}\""), format!("\"phase\":\"{phase}\""));
            lines.iter().filter(|line| line.contains(&name) && line.contains(&phase)).count()
        };
        assert_eq!(lines.len(), 3, "{lines:#?}");
        assert_eq!(
            (told_of("changed", "Restored"), told_of("new", "Flagged"), told_of("went", GONE)),
            (1, 1, 1)
        );
        assert_eq!(told.heard(Event::Apply(object("same", "Flagged"))).unwrap(), [""; 0]);
    }
}
