//! From ec2sim's records to the engine's nouns: what the operator's parser does with their JSON, as values.

use ec2sim::{Caller, IdentityKind, Request, Response, RouteRequest, TrailRecord};
use peerkeeper_core::ids::{AccountRegion, Destination, RouteTableId};
use peerkeeper_core::time::Wall;
use peerkeeper_core::trail::{Actor, ActorKind, Call, Heard, Issuer, TrailEvent};

use crate::common::aws::text;

/// `None`: the call failed, or bears on nothing that is declared.
pub fn event(record: &TrailRecord, heard: Heard) -> Option<TrailEvent> {
    let answer = record.answer.as_ref().ok()?;
    Some(TrailEvent {
        id: record.event_id().into(),
        at: Wall(record.event_time_ms() / 1000),
        place: place(&record.caller),
        call: call(&record.request, answer)?,
        actor: actor(&record.caller),
        heard,
        request_id: record.request_id().into(),
        // For auditors alone: the engine never reads it.
        record: "".into(),
    })
}

pub fn place(caller: &Caller) -> AccountRegion {
    AccountRegion { account: text(&caller.account), region: text(&caller.region) }
}

fn call(request: &Request, answer: &Response) -> Option<Call> {
    Some(match request {
        Request::CreateVpcPeeringConnection(asked) => Call::CreatePeering {
            requester: asked.vpc_id.parse().ok()?,
            accepter: asked.peer_vpc_id.parse().ok()?,
            made: match answer {
                Response::Peering(view) => Some(text(&view.id)),
                _ => None,
            },
        },
        Request::AcceptVpcPeeringConnection { peering_id } => Call::AcceptPeering(peering_id.parse().ok()?),
        Request::RejectVpcPeeringConnection { peering_id } => Call::RejectPeering(peering_id.parse().ok()?),
        Request::DeleteVpcPeeringConnection { peering_id } => Call::DeletePeering(peering_id.parse().ok()?),
        Request::ModifyVpcPeeringConnectionOptions { peering_id, .. } => {
            Call::ModifyOptions(peering_id.parse().ok()?)
        }
        Request::CreateRoute(route) => {
            let (table, destination) = slot(route)?;
            Call::CreateRoute { table, destination }
        }
        Request::ReplaceRoute(route) => {
            let (table, destination) = slot(route)?;
            Call::ReplaceRoute { table, destination }
        }
        Request::DeleteRoute(route) => {
            let (table, destination) = slot(route)?;
            Call::DeleteRoute { table, destination }
        }
        Request::DeleteRouteTable { route_table_id } => Call::DeleteRouteTable(route_table_id.parse().ok()?),
        Request::DeleteVpc { vpc_id } => Call::DeleteVpc(vpc_id.parse().ok()?),
        Request::StopLogging { .. } => Call::Blind { name: "StopLogging".into() },
        _ => return None,
    })
}

fn slot(route: &RouteRequest) -> Option<(RouteTableId, Destination)> {
    let destination = [
        &route.destination_cidr_block,
        &route.destination_ipv6_cidr_block,
        &route.destination_prefix_list_id,
    ];
    let destination = destination.into_iter().flatten().next()?;
    Some((route.route_table_id.parse().ok()?, destination.parse().ok()?))
}

pub fn actor(caller: &Caller) -> Actor {
    let identity = caller.identity();
    let account = Some(text(&caller.account));
    let (kind, issuer, user_name) = match &identity.kind {
        IdentityKind::Root => (ActorKind::Root, None, None),
        IdentityKind::User { name, .. } => (ActorKind::IamUser, None, Some(name.as_str().into())),
        IdentityKind::Role { name, path, .. } => {
            let issuer = Issuer {
                arn: caller.role_arn().unwrap_or_default().into(),
                account: text(&caller.account),
                path: path.as_str().into(),
                name: name.as_str().into(),
            };
            (ActorKind::AssumedRole, Some(issuer), None)
        }
        IdentityKind::Service { .. } => (ActorKind::AwsService, None, None),
    };
    Actor {
        kind,
        account,
        arn: caller.arn().unwrap_or_default().into(),
        principal_id: caller.principal_id().unwrap_or_default().into(),
        issuer,
        user_name,
        access_key_id: Some(identity.access_key_id.as_str().into()),
        source_identity: identity.source_identity.as_deref().map(Into::into),
        mfa: Some(identity.mfa),
        source_address: identity.source_ip.as_str().into(),
        user_agent: identity.user_agent.as_str().into(),
    }
}
