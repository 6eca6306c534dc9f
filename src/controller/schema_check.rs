//! At start the operator compares the CRDs that the cluster serves with its own. One unknown status field would make
//! every apply fail, so where a field is missing it waits, unready, and says which CRD is old.

use std::time::Duration;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps, JSONSchemaPropsOrArray,
};
use kube::ResourceExt;

use super::cluster::Cluster;
use crate::api::{VERSION, crd};

const AGAIN: Duration = Duration::from_secs(5);

/// Returns once every CRD is served with every field of this binary's. `tell` is told what is wrong meanwhile.
pub async fn wait_until_fit(cluster: &Cluster, tell: impl Fn(&str)) {
    let mut said = String::new();
    loop {
        match misfit(cluster).await {
            None => return,
            Some(why) => {
                if why != said {
                    tracing::error!(%why, "not ready: apply this version's CRDs (peerkeeper crd | kubectl apply --server-side -f -)");
                    tell(&why);
                    said = why;
                }
            }
        }
        tokio::time::sleep(AGAIN).await;
    }
}

async fn misfit(cluster: &Cluster) -> Option<String> {
    let own = match crd::crds() {
        Ok(own) => own,
        Err(error) => return Some(error.to_string()),
    };
    for own in own {
        let name = own.name_any();
        match cluster.crd(&name).await {
            Err(error) => return Some(format!("CustomResourceDefinition {name} can't be read: {error}")),
            Ok(None) => return Some(format!("CustomResourceDefinition {name} does not exist")),
            Ok(Some(served)) => {
                if let Some(field) = missing_field(&own, &served) {
                    return Some(format!("CustomResourceDefinition {name} lacks {field}"));
                }
            }
        }
    }
    None
}

/// The first field of `own` that `served` lacks, as a path.
pub(crate) fn missing_field(
    own: &CustomResourceDefinition,
    served: &CustomResourceDefinition,
) -> Option<String> {
    let own = schema(own)?;
    let Some(served) = schema(served) else { return Some(format!("the version {VERSION}")) };
    missing(own, served, "")
}

fn schema(crd: &CustomResourceDefinition) -> Option<&JSONSchemaProps> {
    let version = crd.spec.versions.iter().find(|version| version.name == VERSION && version.served)?;
    version.schema.as_ref()?.open_api_v3_schema.as_ref()
}

/// The path of the first property that `served` lacks.
fn missing(own: &JSONSchemaProps, served: &JSONSchemaProps, path: &str) -> Option<String> {
    for (name, property) in own.properties.iter().flatten() {
        let path = format!("{path}.{name}");
        match served.properties.as_ref().and_then(|properties| properties.get(name)) {
            None => return Some(path),
            Some(theirs) => {
                if let Some(lacking) = missing(property, theirs, &path) {
                    return Some(lacking);
                }
            }
        }
    }
    let (Some(JSONSchemaPropsOrArray::Schema(own)), Some(JSONSchemaPropsOrArray::Schema(served))) =
        (&own.items, &served.items)
    else {
        return None;
    };
    missing(own, served, &format!("{path}[]"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_crds_fit() {
        for own in crd::crds().unwrap() {
            assert_eq!(missing_field(&own, &own), None);
        }
    }

    #[test]
    fn a_field_that_is_not_served_is_named() {
        let own =
            crd::crds().unwrap().into_iter().find(|crd| crd.name_any().starts_with("vpcpeerings")).unwrap();
        let mut served = own.clone();
        let root = served.spec.versions[0].schema.as_mut().unwrap().open_api_v3_schema.as_mut().unwrap();
        let status = root.properties.as_mut().unwrap().get_mut("status").unwrap();
        status.properties.as_mut().unwrap().remove("inventory");
        assert_eq!(missing_field(&own, &served).as_deref(), Some(".status.inventory"));
    }
}
