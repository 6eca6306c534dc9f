//! The audit log: each change of an incident's phase as one line of JSON, written out before anything is done about it.
//!
//! It repeats what the incidents say, in a place that whoever may change incidents may not be able to change. A log that
//! can't be written stops nothing: it is said in the process's log, counted, and told by the incident.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use kube::ResourceExt;
use serde_json::{Value, json};

use crate::api::{PeeringIncident, PeeringIncidentStatus, Timestamp};

/// A disk that hangs must not hang what is written about.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where the lines go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuditLog {
    Stdout,
    File(PathBuf),
}

impl AuditLog {
    /// From `--audit-log`: `-` is standard output.
    pub fn at(path: &str) -> Self {
        if path == "-" { Self::Stdout } else { Self::File(path.into()) }
    }

    /// Returns once the line is out: flushed, and of a file on the disk.
    pub async fn write(&self, line: &Value) -> Result<(), String> {
        let mut text = line.to_string();
        text.push('\n');
        let log = self.clone();
        let written = tokio::task::spawn_blocking(move || log.write_now(text.as_bytes()));
        match tokio::time::timeout(PATIENCE, written).await {
            Ok(Ok(Ok(()))) => Ok(()),
            Ok(Ok(Err(error))) => Err(format!("{}: {error}", self.name())),
            Ok(Err(error)) => Err(format!("{}: {error}", self.name())),
            Err(_) => Err(format!("{}: not written within {} s", self.name(), PATIENCE.as_secs())),
        }
    }

    fn name(&self) -> String {
        match self {
            Self::Stdout => "standard output".to_owned(),
            Self::File(path) => path.display().to_string(),
        }
    }

    /// A file is opened anew each time: whoever rotates it needs to tell nobody.
    fn write_now(&self, line: &[u8]) -> io::Result<()> {
        match self {
            Self::Stdout => {
                let mut out = io::stdout().lock();
                out.write_all(line)?;
                out.flush()
            }
            Self::File(path) => {
                let mut file = OpenOptions::new().create(true).append(true).open(path)?;
                // One call for the whole line: others may append to the same file.
                file.write_all(line)?;
                file.sync_data()
            }
        }
    }
}

/// The line that tells an incident's status.
pub fn line(incident: &PeeringIncident, status: &PeeringIncidentStatus, now: Timestamp) -> Value {
    json!({
        "time": now.to_string(),
        "namespace": incident.namespace(),
        "incident": incident.name_any(),
        "incidentUid": incident.uid(),
        "vpcPeering": incident.spec.peering_ref.name,
        "vpcPeeringUid": incident.spec.peering_ref.uid,
        "peeringId": incident.spec.peering_id,
        "phase": status.phase,
        "decision": incident.spec.decision,
        "status": status,
    })
}
