//! What stands for the API server: objects as JSON, admitted by their schemas, with generations, versions, finalizers.

use std::collections::BTreeMap;
use std::rc::Rc;

use peerkeeper::api::{AwsAccount, PeeringIncident, PeeringPolicy, VpcPeering};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::schema::{Kind, Schema, kind_of, schemas};

pub const NAMESPACE: &str = "net";

/// The kind and the name: there is one namespace.
pub type Name = (Kind, String);

pub fn name_of(object: &Value) -> Name {
    (kind_of(object), object["metadata"]["name"].as_str().expect("a name").to_owned())
}

pub struct Cluster {
    schemas: Rc<BTreeMap<Kind, Schema>>,
    objects: BTreeMap<Name, Value>,
    versions: u64,
    uids: u64,
}

thread_local! {
    /// Compiling the rules takes longer than a test.
    static SCHEMAS: Rc<BTreeMap<Kind, Schema>> = Rc::new(schemas());
}

pub fn shared_schemas() -> Rc<BTreeMap<Kind, Schema>> {
    SCHEMAS.with(Rc::clone)
}

impl Cluster {
    pub fn new() -> Self {
        Self { schemas: shared_schemas(), objects: BTreeMap::new(), versions: 0, uids: 0 }
    }

    pub fn names(&self) -> Vec<Name> {
        self.objects.keys().cloned().collect()
    }

    pub fn raw(&self, name: &Name) -> Option<&Value> {
        self.objects.get(name)
    }

    fn parsed<T: DeserializeOwned>(&self, kind: Kind, name: &str) -> Option<T> {
        let object = self.objects.get(&(kind, name.to_owned()))?;
        let parsed = serde_json::from_value(object.clone());
        Some(
            parsed
                .unwrap_or_else(|error| panic!("the schema admits what can't be read: {error}\n{object:#}")),
        )
    }

    pub fn peering(&self, name: &str) -> Option<VpcPeering> {
        self.parsed(Kind::VpcPeering, name)
    }

    pub fn policy(&self, name: &str) -> Option<PeeringPolicy> {
        self.parsed(Kind::PeeringPolicy, name)
    }

    pub fn incident(&self, name: &str) -> Option<PeeringIncident> {
        self.parsed(Kind::PeeringIncident, name)
    }

    pub fn account(&self, name: &str) -> Option<AwsAccount> {
        self.parsed(Kind::AwsAccount, name)
    }

    /// What `kubectl apply` comes to: the whole spec is replaced. True if anything changed.
    pub fn apply(&mut self, object: &Value, now: &str) -> Result<bool, Vec<String>> {
        let name = name_of(object);
        let old = self.objects.get(&name);
        let mut wanted = object.clone();
        match old {
            Some(old) => {
                wanted["metadata"] = old["metadata"].clone();
                if let Some(status) = old.get("status") {
                    wanted["status"] = status.clone();
                }
            }
            None => {
                self.uids += 1;
                wanted["metadata"] = json!({
                    "name": name.1, "uid": format!("uid-{}", self.uids), "generation": 0, "creationTimestamp": now,
                });
                if name.0 != Kind::AwsAccount {
                    wanted["metadata"]["namespace"] = json!(NAMESPACE);
                }
            }
        }
        let mut stored = self.admit(&name, &wanted, old)?;
        if old.is_some_and(|old| old["spec"] == stored["spec"]) {
            return Ok(false);
        }
        let generation = stored["metadata"]["generation"].as_i64().expect("a generation");
        stored["metadata"]["generation"] = json!(generation + 1);
        self.store(&name, stored);
        Ok(true)
    }

    /// What would become of it, without storing anything.
    pub fn dry_run(&self, object: &Value) -> Result<Value, Vec<String>> {
        let name = name_of(object);
        self.admit(&name, object, self.objects.get(&name))
    }

    fn admit(&self, name: &Name, object: &Value, old: Option<&Value>) -> Result<Value, Vec<String>> {
        let admitted = self.schemas[&name.0].admit(object, old);
        admitted.map_err(|refused| refused.iter().map(ToString::to_string).collect())
    }

    fn store(&mut self, name: &Name, mut object: Value) -> String {
        self.versions += 1;
        let version = self.versions.to_string();
        object["metadata"]["resourceVersion"] = json!(version);
        self.objects.insert(name.clone(), object);
        version
    }

    /// A user's deletion: finalizers keep the object.
    pub fn delete(&mut self, name: &Name, now: &str) {
        let Some(mut object) = self.objects.get(name).cloned() else { return };
        if object["metadata"]["finalizers"].as_array().is_some_and(|all| !all.is_empty()) {
            object["metadata"]["deletionTimestamp"] = json!(now);
            self.store(name, object);
        } else {
            self.objects.remove(name);
        }
    }

    /// A change of metadata or status by the operator, onto just this version. `None`: somebody else was faster.
    pub fn change(&mut self, name: &Name, version: &str, change: impl FnOnce(&mut Value)) -> Option<String> {
        let before =
            self.objects.get(name).filter(|object| object["metadata"]["resourceVersion"] == version)?;
        let mut object = before.clone();
        change(&mut object);
        if object == *before {
            return Some(version.to_owned());
        }
        let refused = object.get("status").map(|status| self.schemas[&name.0].refuses_status(status));
        assert_eq!(refused.unwrap_or_default(), Vec::new(), "the schema refuses our status\n{object:#}");
        let is_released = object["metadata"]["finalizers"].as_array().is_none_or(Vec::is_empty);
        if object["metadata"]["deletionTimestamp"].is_string() && is_released {
            self.objects.remove(name);
            return Some(version.to_owned());
        }
        Some(self.store(name, object))
    }
}
