//! Subnets, and the network ACL that they share.

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::agenda::Thing;
use super::{Cx, State, Vpc, cidr, tags, zones};
use crate::error::{AwsError, texts};
use crate::ids::{AccountId, AclAssociationId, Region, SubnetCidrAssociationId, SubnetId, VpcId};
use crate::request::{CreateSubnet, SubnetAttribute, Tags};
use crate::view::{AclView, Association, Response, SubnetView, ZoneView};

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Subnet {
    pub(crate) id: SubnetId,
    pub(crate) vpc: VpcId,
    pub(crate) owner: AccountId,
    pub(crate) region: Region,
    pub(crate) cidr: Ipv4Net,
    pub(crate) ipv6: Option<(SubnetCidrAssociationId, Ipv6Net)>,
    pub(crate) zone: ZoneView,
    pub(crate) attributes: Attributes,
    /// Its tie to the VPC's network ACL.
    pub(crate) acl_tie: AclAssociationId,
    pub(crate) tags: Tags,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Attributes {
    map_public_ip: bool,
    assign_ipv6: bool,
    dns64: bool,
    resource_name_hostnames: bool,
    resource_name_a: bool,
    resource_name_aaaa: bool,
}

impl Subnet {
    pub(crate) fn view(&self) -> SubnetView {
        // A /28 is the smallest, so five of it can always be taken.
        let addresses = 1_u32.checked_shl(u32::from(32 - self.cidr.prefix_len())).unwrap_or(u32::MAX);
        SubnetView {
            id: self.id.clone(),
            vpc: self.vpc.clone(),
            owner: self.owner.clone(),
            arn: super::arn(&self.region, &self.owner, "subnet", self.id.as_str()),
            cidr_block: self.cidr,
            ipv6: self.ipv6.clone(),
            available_addresses: addresses.saturating_sub(5),
            zone: self.zone.clone(),
            map_public_ip_on_launch: self.attributes.map_public_ip,
            assign_ipv6_address_on_creation: self.attributes.assign_ipv6,
            enable_dns64: self.attributes.dns64,
            resource_name_hostnames: self.attributes.resource_name_hostnames,
            resource_name_dns_a_record: self.attributes.resource_name_a,
            resource_name_dns_aaaa_record: self.attributes.resource_name_aaaa,
            tags: self.tags.clone(),
        }
    }

    fn nets(&self) -> Vec<IpNet> {
        let ipv6 = self.ipv6.as_ref().map(|(_, net)| IpNet::V6(*net));
        std::iter::once(IpNet::V4(self.cidr)).chain(ipv6).collect()
    }
}

pub(crate) fn parse_subnet_id(text: &str) -> Result<SubnetId, AwsError> {
    let malformed = || texts::malformed("InvalidSubnetID.Malformed", text, SubnetId::PREFIX);
    SubnetId::parse(text).ok_or_else(malformed)
}

pub(crate) fn no_subnet(id: &str) -> AwsError {
    texts::not_found("InvalidSubnetID.NotFound", "subnet", id)
}

fn out_of_range(text: &str) -> AwsError {
    AwsError::new("InvalidSubnet.Range", format!("The CIDR '{text}' is invalid."))
}

const IPV6_LENGTHS: std::ops::RangeInclusive<u8> = 44..=64;

fn fits(vpc: &Vpc, net: IpNet, lengths: std::ops::RangeInclusive<u8>) -> bool {
    lengths.contains(&net.prefix_len()) && vpc.nets().any(|block| block.contains(&net))
}

impl State {
    pub(crate) fn own_subnet(&self, cx: &mut Cx<'_>, text: &str) -> Result<Subnet, AwsError> {
        let id = parse_subnet_id(text)?;
        cx.touch(&id);
        let found = self.subnets.get(&id).filter(|subnet| cx.is_at(&subnet.owner, &subnet.region));
        let subnet = found.ok_or_else(|| no_subnet(text))?;
        if self.subnets.is_fresh(&id) && cx.too_early() {
            return Err(no_subnet(text));
        }
        Ok(subnet.clone())
    }

    pub(crate) fn create_subnet(
        &mut self,
        cx: &mut Cx<'_>,
        asked: &CreateSubnet,
    ) -> Result<Response, AwsError> {
        let vpc = self.own_vpc(cx, &asked.vpc_id)?;
        let quotas = self.quotas(&vpc.owner, &vpc.region);
        tags::check(&asked.tags, quotas.tags_per_resource)?;
        let zone = zones::zone(&vpc.region, asked.zone.as_deref())?;
        let net = cidr::ipv4(&asked.cidr, "cidrBlock")?;
        let ipv6 = asked.ipv6_cidr.as_deref().map(|text| cidr::ipv6(text, "ipv6CidrBlock")).transpose()?;
        if !fits(&vpc, net.into(), 16..=28) {
            return Err(out_of_range(&asked.cidr));
        }
        if let Some(net) = ipv6.filter(|net| !fits(&vpc, (*net).into(), IPV6_LENGTHS)) {
            return Err(out_of_range(&net.to_string()));
        }
        for net in std::iter::once(IpNet::V4(net)).chain(ipv6.map(IpNet::V6)) {
            self.no_subnet_overlaps(&vpc.id, &net)?;
        }
        if self.links(&vpc.id).is_some_and(|links| links.subnets.len() >= quotas.subnets_per_vpc) {
            let message = "The maximum number of subnets has been reached.";
            return Err(AwsError::new("SubnetLimitExceeded", message));
        }

        let id = SubnetId::numbered(self.ids.next());
        let subnet = Subnet {
            id: id.clone(),
            vpc: vpc.id.clone(),
            owner: vpc.owner,
            region: vpc.region,
            cidr: net,
            ipv6: ipv6.map(|net| (SubnetCidrAssociationId::numbered(self.ids.next()), net)),
            zone,
            attributes: Attributes::default(),
            acl_tie: AclAssociationId::numbered(self.ids.next_unasked()),
            tags: asked.tags.clone(),
        };
        let view = subnet.view();
        let lag = self.lag(cx, Thing::Subnet(id.clone()));
        self.subnets.insert(id.clone(), subnet, lag);
        self.links_mut(&vpc.id).subnets.insert(id.clone());
        cx.touch(&id);
        Ok(Response::Subnet(view))
    }

    fn subnets_of(&self, vpc: &VpcId) -> impl Iterator<Item = &Subnet> {
        let ids = self.links(vpc).into_iter().flat_map(|links| &links.subnets);
        ids.filter_map(|id| self.subnets.get(id))
    }

    fn no_subnet_overlaps(&self, vpc: &VpcId, net: &IpNet) -> Result<(), AwsError> {
        let overlaps = |subnet: &Subnet| cidr::any_overlap([net], &subnet.nets());
        if self.subnets_of(vpc).any(overlaps) {
            let message = format!("The CIDR '{net}' conflicts with another subnet");
            return Err(AwsError::new("InvalidSubnet.Conflict", message));
        }
        Ok(())
    }

    /// A block that subnets lie in stays.
    pub(crate) fn no_subnet_inside(&self, vpc: &VpcId, block: &IpNet) -> Result<(), AwsError> {
        let inside = |subnet: &Subnet| subnet.nets().iter().any(|net| block.contains(net));
        if self.subnets_of(vpc).any(inside) {
            let message = format!("The vpc {vpc} currently has a subnet within CIDR block {block}");
            return Err(AwsError::new("InvalidCidrBlock.InUse", message));
        }
        Ok(())
    }

    /// Its tie to a route table goes with it.
    pub(crate) fn delete_subnet(&mut self, cx: &mut Cx<'_>, text: &str) -> Result<Response, AwsError> {
        let subnet = self.own_subnet(cx, text)?;
        let tied = |with: &Association| matches!(with, Association::Subnet(id) if id.as_str() == text);
        let tables = self.links(&subnet.vpc).map(|links| links.tables.clone()).unwrap_or_default();
        for id in tables {
            let holds = |table: &super::RouteTable| table.associations.values().any(tied);
            if self.tables.get(&id).is_some_and(holds) {
                self.change_table(cx, &id, |table| table.associations.retain(|_, with| !tied(with)));
            }
        }
        let lag = self.lag(cx, Thing::Subnet(subnet.id.clone()));
        self.subnets.remove(&subnet.id, lag);
        self.unlink(&subnet.vpc, |links| links.subnets.remove(&subnet.id));
        Ok(Response::Done)
    }

    pub(crate) fn modify_subnet(
        &mut self,
        cx: &mut Cx<'_>,
        text: &str,
        attribute: Option<SubnetAttribute>,
    ) -> Result<Response, AwsError> {
        let subnet = self.own_subnet(cx, text)?;
        let attribute = attribute.ok_or_else(|| texts::missing("an attribute to modify"))?;
        if attribute == SubnetAttribute::AssignIpv6AddressOnCreation(true) && subnet.ipv6.is_none() {
            return Err(texts::bad_value(format!(
                "Invalid value 'true' for assignIpv6AddressOnCreation. Subnet {text} has no IPv6 CIDR block"
            )));
        }
        let mut changed = subnet.attributes;
        match attribute {
            SubnetAttribute::MapPublicIpOnLaunch(on) => changed.map_public_ip = on,
            SubnetAttribute::AssignIpv6AddressOnCreation(on) => changed.assign_ipv6 = on,
            SubnetAttribute::EnableDns64(on) => changed.dns64 = on,
            SubnetAttribute::ResourceNameHostnames(on) => changed.resource_name_hostnames = on,
            SubnetAttribute::ResourceNameDnsARecord(on) => changed.resource_name_a = on,
            SubnetAttribute::ResourceNameDnsAaaaRecord(on) => changed.resource_name_aaaa = on,
        }
        let lag = self.lag(cx, Thing::Subnet(subnet.id.clone()));
        self.subnets.change(&subnet.id, lag, |subnet| subnet.attributes = changed);
        Ok(Response::Done)
    }

    pub(crate) fn associate_subnet_cidr(
        &mut self,
        cx: &mut Cx<'_>,
        text: &str,
        cidr: &str,
    ) -> Result<Response, AwsError> {
        let subnet = self.own_subnet(cx, text)?;
        let net = cidr::ipv6(cidr, "ipv6CidrBlock")?;
        if let Some((held, _)) = &subnet.ipv6 {
            let message = format!("Subnet {text} already has an IPv6 CIDR block: {held}");
            return Err(AwsError::new("SubnetIpv6CidrBlockLimitExceeded", message));
        }
        let vpc = self.vpcs.get(&subnet.vpc).ok_or_else(|| texts::no_vpc(subnet.vpc.as_str()))?;
        if !fits(vpc, net.into(), IPV6_LENGTHS) {
            return Err(out_of_range(cidr));
        }
        self.no_subnet_overlaps(&subnet.vpc, &net.into())?;
        let association = SubnetCidrAssociationId::numbered(self.ids.next());
        cx.touch(&association);
        let held = (association.clone(), net);
        let lag = self.lag(cx, Thing::Subnet(subnet.id.clone()));
        self.subnets.change(&subnet.id, lag, |subnet| subnet.ipv6 = Some(held));
        Ok(Response::SubnetCidr(subnet.id, association, net))
    }

    pub(crate) fn disassociate_subnet_cidr(
        &mut self,
        cx: &mut Cx<'_>,
        text: &str,
    ) -> Result<Response, AwsError> {
        cx.touch(text);
        let own = |subnet: &&Subnet| cx.is_at(&subnet.owner, &subnet.region);
        let found = self.subnets.iter().map(|(_, subnet)| subnet).filter(own).find_map(|subnet| {
            let (association, net) = subnet.ipv6.clone()?;
            (association.as_str() == text).then(|| (subnet.id.clone(), association, net, subnet.attributes))
        });
        let Some((id, association, net, attributes)) = found else {
            let message = format!("The subnet CIDR block with association ID {text} does not exist");
            return Err(AwsError::new("InvalidSubnetCidrBlockAssociationID.NotFound", message));
        };
        if attributes.assign_ipv6 {
            return Err(AwsError::new(
                "InvalidCidrBlock.InUse",
                format!(
                    "The subnet IPv6 CIDR block with association ID {text} may not be disassociated, because its subnet has assign-ipv6-address-on-creation set to true."
                ),
            ));
        }
        let lag = self.lag(cx, Thing::Subnet(id.clone()));
        self.subnets.change(&id, lag, |subnet| subnet.ipv6 = None);
        Ok(Response::SubnetCidr(id, association, net))
    }

    /// A route table may be tied to subnets of its own VPC. What this world did not make is taken as given.
    pub(crate) fn check_subnet_of(
        &self,
        cx: &mut Cx<'_>,
        table: &super::RouteTable,
        text: &str,
    ) -> Result<(), AwsError> {
        if self.is_outside(text) {
            return Ok(());
        }
        let subnet = self.own_subnet(cx, text)?;
        if subnet.vpc != table.vpc {
            let message = format!("route table {} and subnet {text} belong to different networks", table.id);
            return Err(texts::bad_value(message));
        }
        Ok(())
    }

    /// Each VPC has its default one, and no other.
    pub(crate) fn acl_view(&self, vpc: &Vpc) -> AclView {
        AclView {
            id: vpc.acl.clone(),
            vpc: vpc.id.clone(),
            owner: vpc.owner.clone(),
            has_ipv6: vpc.nets().any(|net| matches!(net, IpNet::V6(_))),
            associations: self
                .subnets_of(&vpc.id)
                .map(|held| (held.acl_tie.clone(), held.id.clone()))
                .collect(),
            tags: Tags::new(),
        }
    }
}
