//! VPCs and their address blocks.

use ipnet::{IpNet, Ipv4Net};

use super::agenda::Thing;
use super::{Cx, State, cidr, tags};
use crate::error::{AwsError, texts};
use crate::ids::{AccountId, AclId, CidrAssociationId, PeeringId, Region, VpcId};
use crate::request::Tags;
use crate::view::{CidrAssociation, PeeringStatus, Response, VpcView};

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Vpc {
    pub(crate) id: VpcId,
    pub(crate) owner: AccountId,
    pub(crate) region: Region,
    pub(crate) primary: Ipv4Net,
    /// The primary one first.
    pub(crate) cidrs: Vec<CidrAssociation>,
    pub(crate) dns_support: bool,
    pub(crate) dns_hostnames: bool,
    /// Its network ACL.
    pub(crate) acl: AclId,
    pub(crate) tags: Tags,
}

impl Vpc {
    pub(crate) fn nets(&self) -> impl Iterator<Item = &IpNet> + Clone {
        self.cidrs.iter().map(|association| &association.cidr)
    }

    pub(crate) fn view(&self) -> VpcView {
        VpcView {
            id: self.id.clone(),
            owner: self.owner.clone(),
            cidr_block: self.primary,
            cidrs: self.cidrs.clone(),
            enable_dns_support: self.dns_support,
            enable_dns_hostnames: self.dns_hostnames,
            tags: self.tags.clone(),
        }
    }
}

fn bad_range(net: &str, why: &str) -> AwsError {
    AwsError::new("InvalidVpc.Range", format!("The CIDR '{net}' is invalid: {why}."))
}

pub(crate) fn parse_vpc_id(text: &str) -> Result<VpcId, AwsError> {
    VpcId::parse(text).ok_or_else(|| texts::malformed("InvalidVpcID.Malformed", text, VpcId::PREFIX))
}

fn vpc_sized(net: Ipv4Net) -> Result<Ipv4Net, AwsError> {
    if (16..=28).contains(&net.prefix_len()) {
        Ok(net)
    } else {
        Err(bad_range(&net.to_string(), "a VPC's block is between /16 and /28"))
    }
}

impl State {
    /// The caller's own VPC in the Region of the call.
    pub(crate) fn own_vpc(&self, cx: &mut Cx<'_>, text: &str) -> Result<Vpc, AwsError> {
        let id = parse_vpc_id(text)?;
        cx.touch(&id);
        let found = self.vpcs.get(&id).filter(|vpc| cx.is_at(&vpc.owner, &vpc.region));
        let vpc = found.ok_or_else(|| texts::no_vpc(text))?;
        if self.vpcs.is_fresh(&id) && cx.too_early() {
            return Err(texts::no_vpc(text));
        }
        Ok(vpc.clone())
    }

    fn associate(&mut self, cidr: IpNet) -> CidrAssociation {
        CidrAssociation { id: CidrAssociationId::numbered(self.ids.next()), cidr }
    }

    pub(crate) fn create_vpc(
        &mut self,
        cx: &mut Cx<'_>,
        cidr: &str,
        ipv6_cidr: Option<&str>,
        tags: &Tags,
    ) -> Result<Response, AwsError> {
        let primary = vpc_sized(cidr::ipv4(cidr, "cidrBlock")?)?;
        let ipv6 = ipv6_cidr.map(|text| cidr::ipv6(text, "ipv6CidrBlock")).transpose()?;
        let (account, region) = (cx.caller.account.clone(), cx.caller.region.clone());
        tags::check(tags, self.quotas(&account, &region).tags_per_resource)?;

        let id = VpcId::numbered(self.ids.next());
        let mut cidrs = vec![self.associate(primary.into())];
        if let Some(ipv6) = ipv6 {
            cidrs.push(self.associate(ipv6.into()));
        }
        let vpc = Vpc {
            id: id.clone(),
            owner: account,
            region,
            primary,
            cidrs,
            dns_support: true,
            dns_hostnames: false,
            acl: AclId::numbered(self.ids.next_unasked()),
            tags: tags.clone(),
        };
        let view = vpc.view();
        let lag = self.lag(cx, Thing::Vpc(id.clone()));
        self.add_default_group(&vpc, lag);
        self.vpcs.insert(id.clone(), vpc, lag);
        self.add_table(cx, &id, true, &Tags::new());
        cx.touch(&id);
        Ok(Response::Vpc(view))
    }

    /// Refused with anything in it. A request that this VPC sent goes with it, one that it received stands in
    /// the way.
    pub(crate) fn delete_vpc(&mut self, cx: &mut Cx<'_>, text: &str) -> Result<Response, AwsError> {
        let vpc = self.own_vpc(cx, text)?;
        let links = self.links(&vpc.id).cloned().unwrap_or_default();
        let mut withdrawn = Vec::new();
        for peering in links.peerings.iter().filter_map(|id| self.peerings.get(id)) {
            let sent = peering.requester.vpc == vpc.id;
            match peering.status {
                PeeringStatus::InitiatingRequest | PeeringStatus::PendingAcceptance if sent => {
                    withdrawn.push(peering.id.clone());
                }
                PeeringStatus::PendingAcceptance
                | PeeringStatus::Provisioning
                | PeeringStatus::Active
                | PeeringStatus::Deleting => return Err(texts::vpc_in_use(&vpc.id)),
                _ => {}
            }
        }
        if self.has_contents(&vpc) {
            return Err(texts::vpc_in_use(&vpc.id));
        }
        let not_main = |table: &super::RouteTable| !table.is_main();
        if links.tables.iter().filter_map(|id| self.tables.get(id)).any(not_main) {
            return Err(texts::vpc_in_use(&vpc.id));
        }
        for id in &withdrawn {
            let lag = self.lag(cx, Thing::Peering(id.clone()));
            self.end_peering(id, PeeringStatus::Deleted, Some(&vpc.owner), lag);
        }
        for table in &links.tables {
            let lag = self.lag(cx, Thing::Table(table.clone()));
            self.tables.remove(table, lag);
        }
        self.unlink(&vpc.id, |links| links.tables.clear());
        self.drop_groups_of(cx, &vpc.id);
        let lag = self.lag(cx, Thing::Vpc(vpc.id.clone()));
        self.vpcs.remove(&vpc.id, lag);
        Ok(Response::Done)
    }

    pub(crate) fn modify_vpc(
        &mut self,
        cx: &mut Cx<'_>,
        text: &str,
        dns_support: Option<bool>,
        dns_hostnames: Option<bool>,
    ) -> Result<Response, AwsError> {
        let vpc = self.own_vpc(cx, text)?;
        match (dns_support, dns_hostnames) {
            (None, None) => return Err(texts::missing("enableDnsSupport or enableDnsHostnames")),
            (Some(_), Some(_)) => {
                return Err(AwsError::new(
                    "InvalidParameterCombination",
                    "Only one attribute can be modified at a time",
                ));
            }
            _ => {}
        }
        let lag = self.lag(cx, Thing::Vpc(vpc.id.clone()));
        self.vpcs.change(&vpc.id, lag, |vpc| {
            vpc.dns_support = dns_support.unwrap_or(vpc.dns_support);
            vpc.dns_hostnames = dns_hostnames.unwrap_or(vpc.dns_hostnames);
        });
        Ok(Response::Done)
    }

    pub(crate) fn associate_cidr(
        &mut self,
        cx: &mut Cx<'_>,
        text: &str,
        cidr: &str,
    ) -> Result<Response, AwsError> {
        let vpc = self.own_vpc(cx, text)?;
        let net = cidr::any(cidr, "cidrBlock")?;
        if let IpNet::V4(net) = net {
            vpc_sized(net)?;
            let held = vpc.nets().filter(|net| matches!(net, IpNet::V4(_))).count();
            let most = self.quotas(&vpc.owner, &vpc.region).ipv4_cidrs_per_vpc;
            if held >= most {
                let message =
                    format!("This network '{}' has met its maximum number of allowed CIDRs: {most}", vpc.id);
                return Err(AwsError::new("CidrLimitExceeded", message));
            }
        }
        if cidr::any_overlap([&net], vpc.nets()) {
            return Err(bad_range(cidr, "it overlaps a block of the same VPC"));
        }
        self.no_route_inside(&vpc, &net)?;
        let broken = self.peerings_broken_by(&vpc, &net)?;

        for peering in broken {
            let lag = self.lag(cx, Thing::Peering(peering.clone()));
            self.end_peering(&peering, PeeringStatus::Failed, None, lag);
        }
        let association = self.associate(net);
        let lag = self.lag(cx, Thing::Vpc(vpc.id.clone()));
        self.vpcs.change(&vpc.id, lag, |vpc| vpc.cidrs.push(association.clone()));
        self.change_tables_of(cx, &vpc.id, |table| table.add_local(net));
        Ok(Response::CidrAssociation(association))
    }

    /// A new block must not be the same as, or larger than, the destination of a route in the VPC's tables.
    fn no_route_inside(&self, vpc: &Vpc, net: &IpNet) -> Result<(), AwsError> {
        let tables = self.links(&vpc.id).into_iter().flat_map(|links| &links.tables);
        for table in tables.filter_map(|id| self.tables.get(id)) {
            if let Some(inside) = table.destinations().find(|destination| net.contains(destination)) {
                let why = format!("route table {} has a route to {inside}", table.id);
                return Err(bad_range(&net.to_string(), &why));
            }
        }
        Ok(())
    }

    /// Active: a block of the peer's is refused. Pending: the requester may add none; the accepter may, and the
    /// request fails if the block is one of the requester's.
    fn peerings_broken_by(&self, vpc: &Vpc, net: &IpNet) -> Result<Vec<PeeringId>, AwsError> {
        let mut broken = Vec::new();
        let peerings = self.links(&vpc.id).into_iter().flat_map(|links| &links.peerings);
        for peering in peerings.filter_map(|id| self.peerings.get(id)) {
            let peer = if peering.requester.vpc == vpc.id { &peering.accepter } else { &peering.requester };
            let peer_nets = self.vpcs.get(&peer.vpc).map(Vpc::nets);
            let overlaps = peer_nets.is_some_and(|nets| cidr::any_overlap([net], nets));
            match peering.status {
                PeeringStatus::Active | PeeringStatus::Provisioning if overlaps => {
                    let message =
                        format!("The CIDR '{net}' overlaps a CIDR of the peer VPC of {}", peering.id);
                    return Err(texts::not_permitted(message));
                }
                PeeringStatus::InitiatingRequest | PeeringStatus::PendingAcceptance
                    if peering.requester.vpc == vpc.id =>
                {
                    let message = format!("No CIDR can be added while request {} is pending", peering.id);
                    return Err(texts::not_permitted(message));
                }
                PeeringStatus::PendingAcceptance if overlaps => broken.push(peering.id.clone()),
                _ => {}
            }
        }
        Ok(broken)
    }

    pub(crate) fn disassociate_cidr(
        &mut self,
        cx: &mut Cx<'_>,
        association: &str,
    ) -> Result<Response, AwsError> {
        cx.touch(association);
        let held = |vpc: &Vpc| vpc.cidrs.iter().position(|held| held.id.as_str() == association);
        let own = |vpc: &Vpc| cx.is_at(&vpc.owner, &vpc.region);
        let found = self.vpcs.iter().filter(|(_, vpc)| own(vpc)).find_map(|(id, vpc)| {
            let at = held(vpc)?;
            Some((id.clone(), at, vpc.cidrs[at].clone()))
        });
        let Some((id, at, gone)) = found else {
            let message = format!("The vpc CIDR block association ID '{association}' does not exist");
            return Err(AwsError::new("InvalidVpcCidrBlockAssociationID.NotFound", message));
        };
        if at == 0 {
            return Err(texts::not_permitted(format!(
                "The vpc CIDR block with association ID {association} may not be disassociated. It is the primary IPv4 CIDR block of the VPC"
            )));
        }
        self.no_subnet_inside(&id, &gone.cidr)?;
        let lag = self.lag(cx, Thing::Vpc(id.clone()));
        self.vpcs.change(&id, lag, |vpc| {
            vpc.cidrs.remove(at);
        });
        self.change_tables_of(cx, &id, |table| table.drop_local(gone.cidr));
        Ok(Response::CidrDisassociation(id, gone))
    }

    pub(crate) fn describe_vpc_attribute(&self, cx: &mut Cx<'_>, text: &str) -> Result<Response, AwsError> {
        let id = self.own_vpc(cx, text)?.id;
        let seen = self.vpcs.read(&id, cx.chance).ok_or_else(|| texts::no_vpc(text))?;
        Ok(Response::Vpc(seen.view()))
    }
}
