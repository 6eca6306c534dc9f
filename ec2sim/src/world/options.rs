//! Peering options: each side in its own account and Region, on an active peering only.

use super::agenda::Thing;
use super::peering::{Peering, Side};
use super::{Cx, State};
use crate::error::{AwsError, texts};
use crate::view::{PeeringStatus, Response};

impl State {
    pub(crate) fn modify_options(
        &mut self,
        cx: &mut Cx<'_>,
        text: &str,
        requester: Option<bool>,
        accepter: Option<bool>,
    ) -> Result<Response, AwsError> {
        let peering = self.own_peering(cx, text)?;
        if requester.is_none() && accepter.is_none() {
            return Err(texts::missing(
                "requesterPeeringConnectionOptions or accepterPeeringConnectionOptions",
            ));
        }
        if peering.status != PeeringStatus::Active {
            return Err(texts::not_permitted(format!(
                "Peering {} is not active. Peering options can be added only to active peerings.",
                peering.id
            )));
        }
        if requester.is_some() {
            may_modify(cx, &peering.requester, "requester", "Requester")?;
        }
        if accepter.is_some() {
            may_modify(cx, &peering.accepter, "accepter", "Accepter")?;
        }
        if requester == Some(true) || accepter == Some(true) {
            self.dns_is_on(&peering)?;
        }
        let lag = self.lag(cx, Thing::Peering(peering.id.clone()));
        self.peerings.change(&peering.id, lag, |peering| {
            peering.requester.allow_dns = requester.unwrap_or(peering.requester.allow_dns);
            peering.accepter.allow_dns = accepter.unwrap_or(peering.accepter.allow_dns);
        });
        Ok(Response::PeeringOptions { requester, accepter })
    }

    fn dns_is_on(&self, peering: &Peering) -> Result<(), AwsError> {
        for side in [&peering.requester, &peering.accepter] {
            let on = self.vpcs.get(&side.vpc).is_some_and(|vpc| vpc.dns_hostnames && vpc.dns_support);
            if !on {
                let message =
                    format!("DNS hostnames and DNS support must be enabled on the VPC {}", side.vpc);
                return Err(AwsError::new("InvalidVpcPeeringConnectionState.DnsHostnamesDisabled", message));
            }
        }
        Ok(())
    }
}

fn may_modify(cx: &Cx<'_>, side: &Side, role: &str, title: &str) -> Result<(), AwsError> {
    if cx.caller.account != side.owner {
        return Err(texts::not_permitted(format!(
            "User {} does not have permission to modify the {role} side peering options",
            cx.caller.account
        )));
    }
    if cx.caller.region != side.region {
        return Err(texts::not_permitted(format!(
            "{title}'s VPC Peering connection options cannot be modified for a different region"
        )));
    }
    Ok(())
}
