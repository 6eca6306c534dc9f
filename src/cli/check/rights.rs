//! What the operator needs of the API server: the very rules that `deploy/operator` installs, so that the two can't differ.

use k8s_openapi::api::authorization::v1::ResourceAttributes;
use serde::Deserialize;

const RBAC: &str = include_str!("../../../deploy/operator/rbac.yaml");

/// As much of a role as is asked about.
#[derive(Deserialize)]
struct Role {
    kind: String,
    metadata: Metadata,
    #[serde(default)]
    rules: Vec<Rule>,
}

#[derive(Deserialize)]
struct Metadata {
    namespace: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    api_groups: Vec<String>,
    resources: Vec<String>,
    #[serde(default)]
    resource_names: Vec<String>,
    verbs: Vec<String>,
}

/// Each right by itself, as an access review asks for it; those of a Role in `namespace` instead of the usual one.
pub fn needed(namespace: &str) -> Result<Vec<ResourceAttributes>, serde_saphyr::Error> {
    let roles: Vec<serde_json::Value> = serde_saphyr::from_multiple(RBAC)?;
    let roles = roles.into_iter().filter_map(|role| serde_json::from_value::<Role>(role).ok());
    let mut rights = Vec::new();
    for role in roles.filter(|role| role.kind == "ClusterRole" || role.kind == "Role") {
        let within = role.metadata.namespace.map(|_| namespace.to_owned());
        for rule in role.rules {
            each(&rule, within.as_deref(), &mut rights);
        }
    }
    Ok(rights)
}

fn each(rule: &Rule, namespace: Option<&str>, rights: &mut Vec<ResourceAttributes>) {
    let names: Vec<Option<&String>> = if rule.resource_names.is_empty() {
        vec![None]
    } else {
        rule.resource_names.iter().map(Some).collect()
    };
    for (group, resource) in rule.api_groups.iter().flat_map(|g| rule.resources.iter().map(move |r| (g, r))) {
        let (resource, subresource) = resource
            .split_once('/')
            .map_or((resource.as_str(), None), |(resource, sub)| (resource, Some(sub)));
        for (verb, name) in rule.verbs.iter().flat_map(|verb| names.iter().map(move |name| (verb, *name))) {
            rights.push(ResourceAttributes {
                group: Some(group.clone()),
                resource: Some(resource.to_owned()),
                subresource: subresource.map(str::to_owned),
                verb: Some(verb.clone()),
                name: name.cloned(),
                namespace: namespace.map(str::to_owned),
                ..ResourceAttributes::default()
            });
        }
    }
}

/// Such as `patch vpcpeerings/status.peerkeeper.dev`.
pub fn named(right: &ResourceAttributes) -> String {
    let text = |part: &Option<String>| part.clone().unwrap_or_default();
    let sub = right.subresource.as_ref().map(|sub| format!("/{sub}")).unwrap_or_default();
    let group = right.group.as_ref().filter(|group| !group.is_empty());
    let group = group.map(|group| format!(".{group}")).unwrap_or_default();
    let name = right.name.as_ref().map(|name| format!(" {name}")).unwrap_or_default();
    let within = right.namespace.as_ref().map(|namespace| format!(" in {namespace}")).unwrap_or_default();
    format!("{} {}{sub}{group}{name}{within}", text(&right.verb), text(&right.resource))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rights_are_those_that_are_installed() {
        let rights: Vec<String> = needed("elsewhere").unwrap().iter().map(named).collect();
        for right in [
            "patch vpcpeerings.peerkeeper.dev",
            "patch vpcpeerings/status.peerkeeper.dev",
            "create peeringincidents.peerkeeper.dev",
            "list namespaces",
            "get customresourcedefinitions.apiextensions.k8s.io vpcpeerings.peerkeeper.dev",
            "create leases.coordination.k8s.io in elsewhere",
            "update leases.coordination.k8s.io peerkeeper in elsewhere",
            "patch events.events.k8s.io",
        ] {
            assert!(rights.iter().any(|found| found == right), "{right} is not among {rights:#?}");
        }
        // As many as the file spells out: no rule is passed over.
        let rules = RBAC.matches("- apiGroups:").count();
        let verbs: usize = RBAC.lines().filter(|line| line.contains("verbs: [")).count();
        assert_eq!(rules, verbs);
        assert!(rights.len() > 2 * rules, "{} of {rules} rules", rights.len());
    }
}
