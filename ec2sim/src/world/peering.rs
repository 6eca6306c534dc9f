//! Peering connections: who may ask for what, and when.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::agenda::{Due, Thing};
use super::vpc::parse_vpc_id;
use super::{Cx, State, tags};
use crate::chance::{Choice, Delay};
use crate::error::{AwsError, texts};
use crate::ids::{AccountId, PeeringId, Region, VpcId};
use crate::request::{CreatePeering, Tags};
use crate::view::{PeeringSide, PeeringStatus, PeeringView, Response};

/// 168 hours, which nobody can change.
pub(crate) const EXPIRY_MS: u64 = 7 * 24 * 3_600_000;

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Side {
    pub(crate) owner: AccountId,
    pub(crate) region: Region,
    pub(crate) vpc: VpcId,
    pub(crate) allow_dns: bool,
    /// When this side stops seeing the tombstone.
    pub(crate) gone_ms: Option<u64>,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Peering {
    pub(crate) id: PeeringId,
    pub(crate) requester: Side,
    pub(crate) accepter: Side,
    pub(crate) status: PeeringStatus,
    /// Who deleted or rejected it.
    pub(crate) ended_by: Option<AccountId>,
    /// The accepter's side knows of it.
    pub(crate) delivered: bool,
    pub(crate) expires_ms: u64,
    /// When a transient status ends, and how long reads may show it after that.
    pub(crate) step: Option<(u64, u64)>,
    /// Tags show only in the account and Region that set them.
    pub(crate) tags: BTreeMap<(AccountId, Region), Tags>,
}

impl Peering {
    pub(crate) fn same_account(&self) -> bool {
        self.requester.owner == self.accepter.owner
    }

    pub(crate) fn visible_at(&self, account: &AccountId, region: &Region, now_ms: u64) -> bool {
        let sees = |side: &Side| {
            side.owner == *account && side.region == *region && side.gone_ms.is_none_or(|gone| gone > now_ms)
        };
        sees(&self.requester) || (self.delivered && sees(&self.accepter))
    }

    pub(crate) fn joins(&self, a: &VpcId, b: &VpcId) -> bool {
        let (from, to) = (&self.requester.vpc, &self.accepter.vpc);
        (from == a && to == b) || (from == b && to == a)
    }

    fn message(&self) -> String {
        let ended_by = self.ended_by.as_ref().map_or("", AccountId::as_str);
        match self.status {
            PeeringStatus::InitiatingRequest => format!("Initiating Request to {}", self.accepter.owner),
            PeeringStatus::PendingAcceptance => format!("Pending Acceptance by {}", self.accepter.owner),
            PeeringStatus::Provisioning => "Provisioning".to_owned(),
            PeeringStatus::Active => "Active".to_owned(),
            PeeringStatus::Deleting => "Deleting".to_owned(),
            PeeringStatus::Deleted => format!("Deleted by {ended_by}"),
            PeeringStatus::Rejected => format!("Rejected by {ended_by}"),
            PeeringStatus::Failed => {
                "Failed due to incorrect VPC-ID, Account ID, or overlapping CIDR range".to_owned()
            }
            PeeringStatus::Expired => "Expired".to_owned(),
        }
    }
}

pub(crate) fn parse_peering_id(text: &str) -> Result<PeeringId, AwsError> {
    let malformed = || texts::malformed("InvalidVpcPeeringConnectionId.Malformed", text, PeeringId::PREFIX);
    PeeringId::parse(text).ok_or_else(malformed)
}

impl State {
    pub(crate) fn peering_view(
        &self,
        peering: &Peering,
        account: &AccountId,
        region: &Region,
    ) -> PeeringView {
        let active = peering.status == PeeringStatus::Active;
        let tags = peering.tags.get(&(account.clone(), region.clone())).cloned().unwrap_or_default();
        PeeringView {
            id: peering.id.clone(),
            status: peering.status,
            message: peering.message(),
            requester: self.side_view(&peering.requester, active, active),
            accepter: self.side_view(&peering.accepter, active, active),
            expiration_ms: peering.status.is_unanswered().then_some(peering.expires_ms),
            tags,
        }
    }

    fn side_view(&self, side: &Side, with_cidrs: bool, with_options: bool) -> PeeringSide {
        let vpc = self.vpcs.get(&side.vpc).filter(|_| with_cidrs);
        let mut view = PeeringSide {
            owner: side.owner.clone(),
            region: side.region.clone(),
            vpc: side.vpc.clone(),
            cidr_block: vpc.map(|vpc| vpc.primary),
            ipv4_cidrs: Vec::new(),
            ipv6_cidrs: Vec::new(),
            allow_dns_resolution_from_remote_vpc: with_options.then_some(side.allow_dns),
        };
        for net in vpc.into_iter().flat_map(super::Vpc::nets) {
            match net {
                ipnet::IpNet::V4(net) => view.ipv4_cidrs.push(*net),
                ipnet::IpNet::V6(net) => view.ipv6_cidrs.push(*net),
            }
        }
        view
    }

    fn shown_to(&self, cx: &Cx<'_>, id: &PeeringId) -> Result<Response, AwsError> {
        let peering = self.peerings.get(id).ok_or_else(|| texts::no_peering(id.as_str()))?;
        Ok(Response::Peering(self.peering_view(peering, &cx.caller.account, &cx.caller.region)))
    }

    /// A peering that the caller may see where the call is made.
    pub(crate) fn own_peering(&self, cx: &mut Cx<'_>, text: &str) -> Result<Peering, AwsError> {
        let id = parse_peering_id(text)?;
        cx.touch(&id);
        let caller = cx.caller;
        let visible = |peering: &&Peering| peering.visible_at(&caller.account, &caller.region, self.now_ms);
        let peering = self.peerings.get(&id).filter(visible).ok_or_else(|| texts::no_peering(text))?;
        if self.peerings.is_fresh(&id) && cx.too_early() {
            return Err(texts::no_peering(text));
        }
        Ok(peering.clone())
    }

    pub(crate) fn peerings_of(&self, vpc: &VpcId) -> impl Iterator<Item = &Peering> {
        let ids = self.links(vpc).into_iter().flat_map(|links| &links.peerings);
        ids.filter_map(|id| self.peerings.get(id))
    }

    fn outstanding(&self, account: &AccountId, region: &Region) -> usize {
        let requests = self.unanswered.iter().filter_map(|id| self.peerings.get(id));
        let from_here =
            |peering: &&Peering| peering.requester.owner == *account && peering.requester.region == *region;
        requests.filter(from_here).count()
    }

    /// Keeps the requests that wait, and the end of their waiting, in step with the status.
    pub(crate) fn note_unanswered(&mut self, id: &PeeringId) {
        let Some(peering) = self.peerings.get(id) else { return };
        let (waits, expires_ms) = (peering.status.is_unanswered(), peering.expires_ms);
        let unanswered = Arc::make_mut(&mut self.unanswered);
        if waits {
            unanswered.insert(id.clone());
            self.agenda.add(expires_ms, Due::Expire(id.clone()));
        } else if unanswered.remove(id) {
            self.agenda.cancel(expires_ms, Due::Expire(id.clone()));
        }
    }

    pub(crate) fn create_peering(
        &mut self,
        cx: &mut Cx<'_>,
        asked: &CreatePeering,
    ) -> Result<Response, AwsError> {
        let vpc = self.own_vpc(cx, &asked.vpc_id)?;
        let accepter = Side {
            owner: asked.peer_owner_id.as_deref().map_or_else(|| cx.caller.account.clone(), AccountId::from),
            region: asked.peer_region.as_deref().map_or_else(|| cx.caller.region.clone(), Region::from),
            vpc: parse_vpc_id(&asked.peer_vpc_id)?,
            allow_dns: false,
            gone_ms: None,
        };
        cx.touch(&accepter.vpc);
        let same = |peering: &&Peering| {
            let to = &peering.accepter;
            peering.status.is_live()
                && peering.requester.vpc == vpc.id
                && (&to.vpc, &to.owner, &to.region) == (&accepter.vpc, &accepter.owner, &accepter.region)
        };
        if let Some(existing) = self.peerings_of(&vpc.id).find(same).map(|peering| peering.id.clone()) {
            cx.touch(&existing);
            return self.shown_to(cx, &existing);
        }
        self.check_request_quotas(&vpc)?;
        tags::check(&asked.tags, self.quotas(&vpc.owner, &vpc.region).tags_per_resource)?;

        let requester = Side {
            owner: vpc.owner.clone(),
            region: vpc.region.clone(),
            vpc: vpc.id.clone(),
            allow_dns: false,
            gone_ms: None,
        };
        let id = self.insert_request(cx, requester, accepter, &asked.tags);
        cx.touch(&id);
        let peering = self.peerings.get(&id).ok_or_else(|| texts::no_peering(id.as_str()))?;
        let mut view = self.peering_view(peering, &cx.caller.account, &cx.caller.region);
        view.requester = self.side_view(&peering.requester, true, false);
        Ok(Response::Peering(view))
    }

    fn insert_request(&mut self, cx: &mut Cx<'_>, requester: Side, accepter: Side, tags: &Tags) -> PeeringId {
        let id = PeeringId::numbered(self.ids.next());
        let here = (requester.owner.clone(), requester.region.clone());
        let ends = [requester.vpc.clone(), accepter.vpc.clone()];
        let peering = Peering {
            id: id.clone(),
            requester,
            accepter,
            status: PeeringStatus::InitiatingRequest,
            ended_by: None,
            delivered: false,
            expires_ms: self.now_ms.saturating_add(EXPIRY_MS),
            step: None,
            tags: if tags.is_empty() { BTreeMap::new() } else { BTreeMap::from([(here, tags.clone())]) },
        };
        let lag = self.lag(cx, Thing::Peering(id.clone()));
        self.peerings.insert(id.clone(), peering, lag);
        self.note_unanswered(&id);
        for vpc in ends {
            self.links_mut(&vpc).peerings.insert(id.clone());
        }
        self.schedule_step(cx, &id, Delay::Initiating);
        id
    }

    fn check_request_quotas(&self, vpc: &super::Vpc) -> Result<(), AwsError> {
        let quotas = self.quotas(&vpc.owner, &vpc.region);
        if self.outstanding(&vpc.owner, &vpc.region) >= quotas.outstanding_requests {
            return Err(AwsError::new(
                "OutstandingVpcPeeringConnectionLimitExceeded",
                format!(
                    "The maximum number of outstanding VPC peering connection requests has been reached: {}",
                    quotas.outstanding_requests
                ),
            ));
        }
        let pending = |peering: &&Peering| peering.status == PeeringStatus::PendingAcceptance;
        if self.peerings_of(&vpc.id).filter(pending).count() >= quotas.pending_peerings_per_vpc {
            let message = format!(
                "The maximum number of pending VPC peering connections of {} has been reached",
                vpc.id
            );
            return Err(AwsError::new("PendingVpcPeeringConnectionLimitExceeded", message));
        }
        Ok(())
    }

    pub(crate) fn accept_peering(&mut self, cx: &mut Cx<'_>, text: &str) -> Result<Response, AwsError> {
        self.right_region_to_accept(cx, text)?;
        let peering = self.own_peering(cx, text)?;
        if !cx.is_at(&peering.accepter.owner, &peering.accepter.region) {
            let message = format!("User ({}) cannot accept peering {}", cx.caller.account, peering.id);
            return Err(texts::not_permitted(message));
        }
        if peering.status != PeeringStatus::PendingAcceptance {
            return Err(texts::transition(&peering.id, peering.status.as_str(), "provisioning"));
        }
        self.no_twin(&peering)?;
        self.check_active_quota(&peering)?;

        let id = peering.id;
        let lag = self.lag(cx, Thing::Peering(id.clone()));
        self.peerings.change(&id, lag, |peering| peering.status = PeeringStatus::Provisioning);
        self.note_unanswered(&id);
        self.schedule_step(cx, &id, Delay::Provisioning);
        self.shown_to(cx, &id)
    }

    fn right_region_to_accept(&self, cx: &mut Cx<'_>, text: &str) -> Result<(), AwsError> {
        let id = parse_peering_id(text)?;
        let Some(peering) = self.peerings.get(&id) else { return Ok(()) };
        let (owner, region) = (&peering.accepter.owner, &peering.accepter.region);
        let theirs = cx.caller.account == *owner && peering.visible_at(owner, region, self.now_ms);
        if theirs && cx.caller.region != *region {
            cx.touch(&id);
            return Err(texts::not_permitted(format!(
                "Incorrect region ({}) specified for this request. VPC peering connection {id} must be accepted in region {region}",
                cx.caller.region
            )));
        }
        Ok(())
    }

    fn no_twin(&self, peering: &Peering) -> Result<(), AwsError> {
        let stands = |twin: &Peering| {
            matches!(
                twin.status,
                PeeringStatus::Provisioning | PeeringStatus::Active | PeeringStatus::Deleting
            )
        };
        let (a, b) = (&peering.requester.vpc, &peering.accepter.vpc);
        if self.peerings_of(a).any(|twin| twin.id != peering.id && twin.joins(a, b) && stands(twin)) {
            let message = format!("The vpc peering connection identified by {} already exists.", peering.id);
            return Err(AwsError::new("VpcPeeringConnectionAlreadyExists", message));
        }
        Ok(())
    }

    fn check_active_quota(&self, peering: &Peering) -> Result<(), AwsError> {
        let stands =
            |other: &&Peering| matches!(other.status, PeeringStatus::Provisioning | PeeringStatus::Active);
        for side in [&peering.requester, &peering.accepter] {
            let most = self.quotas(&side.owner, &side.region).active_peerings_per_vpc;
            if self.peerings_of(&side.vpc).filter(stands).count() >= most {
                let message = format!(
                    "The maximum number of active VPC peering connections of {} has been reached: {most}",
                    side.vpc
                );
                return Err(AwsError::new("ActiveVpcPeeringConnectionPerVpcLimitExceeded", message));
            }
        }
        Ok(())
    }

    pub(crate) fn reject_peering(&mut self, cx: &mut Cx<'_>, text: &str) -> Result<Response, AwsError> {
        let peering = self.own_peering(cx, text)?;
        if !cx.is_at(&peering.accepter.owner, &peering.accepter.region) {
            let message = format!("User ({}) cannot reject peering {}", cx.caller.account, peering.id);
            return Err(texts::not_permitted(message));
        }
        if peering.status != PeeringStatus::PendingAcceptance {
            return Err(texts::transition(&peering.id, peering.status.as_str(), "rejected"));
        }
        let lag = self.lag(cx, Thing::Peering(peering.id.clone()));
        self.end_peering(&peering.id, PeeringStatus::Rejected, Some(&cx.caller.account), lag);
        Ok(Response::Done)
    }

    /// Unanswered: only the requester may. Once accepted: either owner.
    pub(crate) fn delete_peering(&mut self, cx: &mut Cx<'_>, text: &str) -> Result<Response, AwsError> {
        let peering = self.own_peering(cx, text)?;
        let id = peering.id.clone();
        let refused = || Err(texts::transition(&id, peering.status.as_str(), "deleting"));
        match peering.status {
            PeeringStatus::InitiatingRequest | PeeringStatus::PendingAcceptance => {
                if !cx.is_at(&peering.requester.owner, &peering.requester.region) {
                    return refused();
                }
                let lag = self.lag(cx, Thing::Peering(id.clone()));
                self.end_peering(&id, PeeringStatus::Deleted, Some(&cx.caller.account), lag);
            }
            PeeringStatus::Provisioning | PeeringStatus::Active => {
                let lag = self.lag(cx, Thing::Peering(id.clone()));
                self.cancel_step(&id);
                self.peerings.change(&id, lag, |peering| {
                    peering.status = PeeringStatus::Deleting;
                    peering.ended_by = Some(cx.caller.account.clone());
                });
                self.schedule_step(cx, &id, Delay::Deleting);
            }
            PeeringStatus::Deleting => {}
            PeeringStatus::Deleted if cx.pick(Choice::DeleteAgain, 2) == 1 => {}
            PeeringStatus::Deleted
            | PeeringStatus::Rejected
            | PeeringStatus::Failed
            | PeeringStatus::Expired => return refused(),
        }
        Ok(Response::Done)
    }
}
