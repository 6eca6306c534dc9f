//! Filters on subnets, gateways, security groups and what else a VPC comes with.

use super::Filtered;
use crate::request::Tags;
use crate::view::{AclView, GatewayView, GroupView, RuleEnd, RuleView, StaleGroupView, SubnetView, ZoneView};
use crate::world::describe::network::NoInterface;

static NO_TAGS: Tags = Tags::new();

fn word(flag: bool) -> &'static str {
    if flag { "true" } else { "false" }
}

impl Filtered for SubnetView {
    const FILTERS: &'static [&'static str] = &[
        "availability-zone",
        "availability-zone-id",
        "availabilityZone",
        "availabilityZoneId",
        "available-ip-address-count",
        "cidr",
        "cidr-block",
        "cidrBlock",
        "default-for-az",
        "defaultForAz",
        "enable-dns64",
        "ipv6-cidr-block-association.association-id",
        "ipv6-cidr-block-association.ipv6-cidr-block",
        "ipv6-cidr-block-association.state",
        "ipv6-native",
        "map-public-ip-on-launch",
        "owner-id",
        "private-dns-name-options-on-launch.enable-resource-name-dns-a-record",
        "private-dns-name-options-on-launch.enable-resource-name-dns-aaaa-record",
        "private-dns-name-options-on-launch.hostname-type",
        "state",
        "subnet-arn",
        "subnet-id",
        "tag-key",
        "vpc-id",
    ];

    fn tags(&self) -> &Tags {
        &self.tags
    }

    fn any(&self, filter: &str, test: &dyn Fn(&str) -> bool) -> bool {
        if let Some(of_ipv6) = filter.strip_prefix("ipv6-cidr-block-association.") {
            return self.ipv6.as_ref().is_some_and(|(association, net)| match of_ipv6 {
                "association-id" => test(association.as_str()),
                "ipv6-cidr-block" => test(&net.to_string()),
                _ => test("associated"),
            });
        }
        match filter {
            "availability-zone" | "availabilityZone" => test(&self.zone.name),
            "availability-zone-id" | "availabilityZoneId" => test(&self.zone.id),
            "available-ip-address-count" => test(&self.available_addresses.to_string()),
            "cidr" | "cidr-block" | "cidrBlock" => test(&self.cidr_block.to_string()),
            // A subnet of this world is never a default one, has IPv4 always, and is there at once.
            "default-for-az" | "defaultForAz" | "ipv6-native" => test("false"),
            "enable-dns64" => test(word(self.enable_dns64)),
            "map-public-ip-on-launch" => test(word(self.map_public_ip_on_launch)),
            "owner-id" => test(self.owner.as_str()),
            "private-dns-name-options-on-launch.enable-resource-name-dns-a-record" => {
                test(word(self.resource_name_dns_a_record))
            }
            "private-dns-name-options-on-launch.enable-resource-name-dns-aaaa-record" => {
                test(word(self.resource_name_dns_aaaa_record))
            }
            "private-dns-name-options-on-launch.hostname-type" => test(self.hostname_type()),
            "state" => test("available"),
            "subnet-arn" => test(&self.arn),
            "subnet-id" => test(self.id.as_str()),
            "vpc-id" => test(self.vpc.as_str()),
            _ => false,
        }
    }
}

impl Filtered for GatewayView {
    const FILTERS: &'static [&'static str] =
        &["attachment.state", "attachment.vpc-id", "internet-gateway-id", "owner-id", "tag-key"];

    fn tags(&self) -> &Tags {
        &self.tags
    }

    fn any(&self, filter: &str, test: &dyn Fn(&str) -> bool) -> bool {
        match filter {
            "attachment.state" => self.attached_to.is_some() && test("available"),
            "attachment.vpc-id" => self.attached_to.as_ref().is_some_and(|vpc| test(vpc.as_str())),
            "internet-gateway-id" => test(self.id.as_str()),
            "owner-id" => test(self.owner.as_str()),
            _ => false,
        }
    }
}

impl Filtered for GroupView {
    const FILTERS: &'static [&'static str] = &[
        "description",
        "egress.ip-permission.cidr",
        "egress.ip-permission.from-port",
        "egress.ip-permission.group-id",
        "egress.ip-permission.group-name",
        "egress.ip-permission.ipv6-cidr",
        "egress.ip-permission.prefix-list-id",
        "egress.ip-permission.protocol",
        "egress.ip-permission.to-port",
        "egress.ip-permission.user-id",
        "group-id",
        "group-name",
        "ip-permission.cidr",
        "ip-permission.from-port",
        "ip-permission.group-id",
        "ip-permission.group-name",
        "ip-permission.ipv6-cidr",
        "ip-permission.prefix-list-id",
        "ip-permission.protocol",
        "ip-permission.to-port",
        "ip-permission.user-id",
        "owner-id",
        "tag-key",
        "vpc-id",
    ];

    fn tags(&self) -> &Tags {
        &self.tags
    }

    fn any(&self, filter: &str, test: &dyn Fn(&str) -> bool) -> bool {
        let of_rules = |is_egress: bool, of_rule: &str| {
            let mut rules = self.rules.iter().filter(|rule| rule.is_egress == is_egress);
            rules.any(|held| rule(held, of_rule, test))
        };
        if let Some(of_rule) = filter.strip_prefix("egress.ip-permission.") {
            return of_rules(true, of_rule);
        }
        if let Some(of_rule) = filter.strip_prefix("ip-permission.") {
            return of_rules(false, of_rule);
        }
        match filter {
            "description" => test(&self.description),
            "group-id" => test(self.id.as_str()),
            "group-name" => test(&self.name),
            "owner-id" => test(self.owner.as_str()),
            "vpc-id" => test(self.vpc.as_str()),
            _ => false,
        }
    }
}

fn rule(rule: &RuleView, filter: &str, test: &dyn Fn(&str) -> bool) -> bool {
    match (filter, &rule.end) {
        ("protocol", _) => test(&rule.protocol),
        ("from-port", _) => rule.from_port.is_some_and(|port| test(&port.to_string())),
        ("to-port", _) => rule.to_port.is_some_and(|port| test(&port.to_string())),
        ("cidr", RuleEnd::Ipv4(net)) => test(&net.to_string()),
        ("ipv6-cidr", RuleEnd::Ipv6(net)) => test(&net.to_string()),
        ("prefix-list-id", RuleEnd::PrefixList(id)) => test(id.as_str()),
        ("group-id", RuleEnd::Group(group)) => test(group.id.as_str()),
        ("user-id", RuleEnd::Group(group)) => group.owner.as_ref().is_some_and(|owner| test(owner.as_str())),
        _ => false,
    }
}

impl Filtered for RuleView {
    const FILTERS: &'static [&'static str] = &["group-id", "security-group-rule-id", "tag-key"];

    fn tags(&self) -> &Tags {
        &self.tags
    }

    fn any(&self, filter: &str, test: &dyn Fn(&str) -> bool) -> bool {
        match filter {
            "group-id" => test(self.group.as_str()),
            "security-group-rule-id" => test(self.id.as_str()),
            _ => false,
        }
    }
}

impl Filtered for StaleGroupView {
    /// The call has none; this is how it is asked for one VPC's groups.
    const FILTERS: &'static [&'static str] = &["vpc-id"];

    fn tags(&self) -> &Tags {
        &self.0.tags
    }

    fn any(&self, filter: &str, test: &dyn Fn(&str) -> bool) -> bool {
        filter == "vpc-id" && test(self.0.vpc.as_str())
    }
}

impl Filtered for AclView {
    const FILTERS: &'static [&'static str] = &[
        "association.association-id",
        "association.network-acl-id",
        "association.subnet-id",
        "default",
        "entry.cidr",
        "entry.icmp.code",
        "entry.icmp.type",
        "entry.ipv6-cidr",
        "entry.port-range.from",
        "entry.port-range.to",
        "entry.protocol",
        "entry.rule-action",
        "entry.rule-number",
        "network-acl-id",
        "owner-id",
        "tag-key",
        "vpc-id",
    ];

    fn tags(&self) -> &Tags {
        &self.tags
    }

    fn any(&self, filter: &str, test: &dyn Fn(&str) -> bool) -> bool {
        match filter {
            "default" => test("true"),
            "entry.cidr" => test("0.0.0.0/0"),
            "entry.ipv6-cidr" => self.has_ipv6 && test("::/0"),
            "entry.protocol" => test("-1"),
            "entry.rule-action" => test("allow") || test("deny"),
            "entry.rule-number" => {
                test("100") || test("32767") || (self.has_ipv6 && (test("101") || test("32768")))
            }
            "network-acl-id" => test(self.id.as_str()),
            "owner-id" => test(self.owner.as_str()),
            "vpc-id" => test(self.vpc.as_str()),
            "association.network-acl-id" => !self.associations.is_empty() && test(self.id.as_str()),
            _ => self.associations.iter().any(|(association, subnet)| match filter {
                "association.association-id" => test(association.as_str()),
                "association.subnet-id" => test(subnet.as_str()),
                _ => false,
            }),
        }
    }
}

impl Filtered for NoInterface {
    const FILTERS: &'static [&'static str] = &[
        "association.allocation-id",
        "association.association-id",
        "association.ip-owner-id",
        "association.public-dns-name",
        "association.public-ip",
        "attachment.attach-time",
        "attachment.attachment-id",
        "attachment.delete-on-termination",
        "attachment.device-index",
        "attachment.instance-id",
        "attachment.instance-owner-id",
        "attachment.status",
        "availability-zone",
        "availability-zone-id",
        "description",
        "group-id",
        "interface-type",
        "ipv6-addresses.ipv6-address",
        "mac-address",
        "network-interface-id",
        "operator.managed",
        "operator.principal",
        "owner-id",
        "private-dns-name",
        "private-ip-address",
        "requester-id",
        "requester-managed",
        "source-dest-check",
        "status",
        "subnet-id",
        "tag-key",
        "vpc-id",
    ];

    fn tags(&self) -> &Tags {
        match *self {}
    }

    fn any(&self, _: &str, _: &dyn Fn(&str) -> bool) -> bool {
        match *self {}
    }
}

impl Filtered for ZoneView {
    const FILTERS: &'static [&'static str] = &[
        "group-long-name",
        "group-name",
        "message",
        "opt-in-status",
        "parent-zone-id",
        "parent-zone-name",
        "region-name",
        "state",
        "zone-id",
        "zone-name",
        "zone-type",
    ];

    fn tags(&self) -> &Tags {
        &NO_TAGS
    }

    fn any(&self, filter: &str, test: &dyn Fn(&str) -> bool) -> bool {
        match filter {
            "opt-in-status" => test("opt-in-not-required"),
            "region-name" => test(self.region()),
            "group-name" => test(&self.group()),
            "state" => test("available"),
            "zone-id" => test(&self.id),
            "zone-name" => test(&self.name),
            "zone-type" => test("availability-zone"),
            _ => false,
        }
    }
}
