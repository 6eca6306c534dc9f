//! What would release a hold: the exact command, where there is one.
//!
//! Where only a person can know what to change (a grant, a quota, whose peering it is), there is no command: the message that
//! the hold comes with says what to look at.

use peerkeeper_core::ids::HOLD_TAG_KEY;

use crate::api::{ANNOTATION_MISUSE_ACKNOWLEDGED, ANNOTATION_RECONCILE_REQUESTED_AT};

/// What commands about one VpcPeering need to name.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    pub namespace: String,
    pub name: String,
    /// `file:line` of the manifest: what is declared in a file is changed there.
    pub manifest: Option<String>,
    pub ends: [End; 2],
    pub peering_id: Option<String>,
    /// The command that approves the plan of its open incident.
    pub approve: Option<String>,
    /// AwsAccounts that are suspended, where that is known.
    pub suspended: Vec<String>,
    /// AwsAccounts whose credentials somebody else used, and the event id of the call that was found last.
    pub misused: Vec<(String, String)>,
}

/// One end of a VpcPeering, and where it is.
#[derive(Clone, Debug, Default)]
pub struct End {
    /// The name of the AwsAccount; empty where the side has but an id.
    pub account: String,
    pub region: String,
    pub vpc: String,
    /// Whether its VPC carries a hold tag, where that is known.
    pub is_held: Option<bool>,
}

/// What releases a hold with this reason and message.
pub fn release(facts: &Facts, reason: &str, message: &str) -> Vec<String> {
    let Facts { namespace, name, .. } = facts;
    let approve = || facts.approve.iter().cloned().collect();
    match reason {
        "Suspended" => vec![facts.change("suspend", "false")],
        "AccountSuspended" => facts.resume_accounts(),
        "Held" | "HoldReleased" if message.contains(HOLD_TAG_KEY) => facts.untag_vpcs(),
        "Held"
        | "AwaitingApproval"
        | "DeletedUnexpectedly"
        | "DeletedAsAuthorized"
        | "ActorUnknown"
        | "LimitReached"
        | "WithdrawnByPeer"
        | "PlanRejected"
        | "ReleasedByPolicy"
        | "Occupied"
        | "Drifted"
        | "RoutesMissing"
        | "ContestedOwnership" => approve(),
        "AwaitingAcceptance" => facts.accept(),
        "RequestExpired" | "RequestRejected" | "RequestDeleted" => vec![format!(
            "kubectl -n {namespace} annotate --overwrite vpcpeering {name} {ANNOTATION_RECONCILE_REQUESTED_AT}=\"$(date -u +%FT%TZ)\""
        )],
        "OperatorCredentialsMisused" => facts.acknowledge(),
        "VpcGone" | "Decommissioning" if facts.manifest.is_none() => {
            vec![format!("kubectl -n {namespace} delete vpcpeering {name}")]
        }
        "AdoptionDisabled" => vec![facts.change("adoption", "IfUnowned")],
        "CleanupBlocked" => vec![facts.change("deletionPolicy", "Retain")],
        "DnsHostnamesDisabled" => {
            let enable = |end: &End, option: &str| {
                let End { region, vpc, .. } = end;
                format!("aws ec2 modify-vpc-attribute --region {region} --vpc-id {vpc} --{option} Value=true")
            };
            let options = ["enable-dns-support", "enable-dns-hostnames"];
            facts.ends.iter().flat_map(|end| options.map(|option| enable(end, option))).collect()
        }
        _ => Vec::new(),
    }
}

impl Facts {
    /// A field of its spec, where that is declared.
    fn change(&self, field: &str, value: &str) -> String {
        match &self.manifest {
            Some(at) => format!("in {at}, write spec.{field}: {value}"),
            None => {
                let word = if value == "false" { value.to_owned() } else { format!("\"{value}\"") };
                format!(
                    "kubectl -n {} patch vpcpeering {} --type merge -p '{{\"spec\":{{\"{field}\":{word}}}}}'",
                    self.namespace, self.name
                )
            }
        }
    }

    fn resume_accounts(&self) -> Vec<String> {
        let named = |name: &String| match &self.manifest {
            Some(_) => format!("in the manifest of AwsAccount {name}, write spec.suspend: false"),
            None => format!(
                "kubectl patch awsaccount {name} --type merge -p '{{\"spec\":{{\"suspend\":false}}}}'"
            ),
        };
        self.suspended.iter().map(named).collect()
    }

    /// On the VPCs that are known to carry it, or on both.
    fn untag_vpcs(&self) -> Vec<String> {
        let known = self.ends.iter().any(|end| end.is_held == Some(true));
        let held = self.ends.iter().filter(|end| !known || end.is_held == Some(true));
        held.map(|End { account, region, vpc, .. }| {
            let whose =
                if account.is_empty() { String::new() } else { format!("   # in AwsAccount {account}") };
            format!(
                "aws ec2 delete-tags --region {region} --resources {vpc} --tags Key={HOLD_TAG_KEY}{whose}"
            )
        })
        .collect()
    }

    /// The accepter's account does it.
    fn accept(&self) -> Vec<String> {
        let [_, accepter] = &self.ends;
        let accept = |id: &String| {
            let region = &accepter.region;
            format!(
                "aws ec2 accept-vpc-peering-connection --region {region} --vpc-peering-connection-id {id}"
            )
        };
        self.peering_id.iter().map(accept).collect()
    }

    fn acknowledge(&self) -> Vec<String> {
        let word = |(account, event): &(String, String)| {
            format!(
                "kubectl annotate --overwrite awsaccount {account} {ANNOTATION_MISUSE_ACKNOWLEDGED}={event}"
            )
        };
        self.misused.iter().map(word).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> Facts {
        let end = |account: &str, region: &str, vpc: &str, is_held| End {
            account: account.to_owned(),
            region: region.to_owned(),
            vpc: vpc.to_owned(),
            is_held,
        };
        Facts {
            namespace: "network".to_owned(),
            name: "prod-shared".to_owned(),
            ends: [end("prod", "eu-west-1", "vpc-a", None), end("shared", "us-east-1", "vpc-b", None)],
            peering_id: Some("pcx-1".to_owned()),
            approve: Some("peerkeeper incidents approve x".to_owned()),
            suspended: vec!["prod".to_owned()],
            misused: vec![("shared".to_owned(), "event-1".to_owned())],
            ..Facts::default()
        }
    }

    #[test]
    fn each_hold_names_the_command_that_releases_it() {
        let said = |reason: &str| release(&facts(), reason, "").join("\n");
        assert_eq!(
            said("Suspended"),
            "kubectl -n network patch vpcpeering prod-shared --type merge -p '{\"spec\":{\"suspend\":false}}'"
        );
        assert_eq!(
            said("AccountSuspended"),
            "kubectl patch awsaccount prod --type merge -p '{\"spec\":{\"suspend\":false}}'"
        );
        assert_eq!(
            said("AdoptionDisabled"),
            "kubectl -n network patch vpcpeering prod-shared --type merge -p '{\"spec\":{\"adoption\":\"IfUnowned\"}}'"
        );
        for reason in ["AwaitingApproval", "LimitReached", "ActorUnknown", "WithdrawnByPeer", "PlanRejected"]
        {
            assert_eq!(said(reason), "peerkeeper incidents approve x");
        }
        assert_eq!(
            said("AwaitingAcceptance"),
            "aws ec2 accept-vpc-peering-connection --region us-east-1 --vpc-peering-connection-id pcx-1"
        );
        assert_eq!(
            said("OperatorCredentialsMisused"),
            "kubectl annotate --overwrite awsaccount shared peerkeeper.dev/credentials-misuse-acknowledged=event-1"
        );
        assert!(said("RequestExpired").contains("prod-shared peerkeeper.dev/reconcile-requested-at="));
        assert_eq!(said("VpcGone"), "kubectl -n network delete vpcpeering prod-shared");
        assert_eq!(said("DnsHostnamesDisabled").lines().count(), 4);
        for reason in ["GracePeriod", "AwaitingActor", "Throttled", "OwnedElsewhere", "QuotaReached"] {
            assert_eq!(said(reason), "", "{reason}: no command of ours releases it");
        }
    }

    #[test]
    fn a_hold_tag_is_taken_from_the_vpc_that_carries_it_or_else_from_both() {
        let message = "the tag peerkeeper.dev/hold on a VPC";
        let both = release(&facts(), "Held", message);
        assert_eq!(both.len(), 2);
        let mut known = facts();
        known.ends[1].is_held = Some(true);
        assert_eq!(
            release(&known, "Held", message),
            [
                "aws ec2 delete-tags --region us-east-1 --resources vpc-b --tags Key=peerkeeper.dev/hold   # in AwsAccount shared"
            ]
        );
    }

    #[test]
    fn what_a_file_declares_is_changed_there() {
        let facts = Facts { manifest: Some("a.yaml:7".to_owned()), ..facts() };
        assert_eq!(release(&facts, "Suspended", ""), ["in a.yaml:7, write spec.suspend: false"]);
        assert_eq!(
            release(&facts, "AccountSuspended", ""),
            ["in the manifest of AwsAccount prod, write spec.suspend: false"]
        );
        assert_eq!(release(&facts, "VpcGone", ""), [""; 0]);
    }
}
