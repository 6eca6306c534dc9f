//! The filters of each Describe call. A filter AWS does not know is an error there, so it is one here.

mod network;

use ipnet::IpNet;

use crate::request::{Describe, Filter, Tags};
use crate::view::{
    Association, Destination, PeeringSide, PeeringView, PrefixListView, RouteTableView, Target, VpcView,
};

pub(crate) trait Filtered {
    /// Besides `tag:<key>`.
    const FILTERS: &'static [&'static str];

    fn tags(&self) -> &Tags;

    /// Whether one of the values that this filter looks at passes the test.
    fn any(&self, filter: &str, test: &dyn Fn(&str) -> bool) -> bool;
}

pub(crate) fn matches<V: Filtered>(view: &V, filters: &[Filter]) -> bool {
    filters.iter().all(|filter| {
        let test = |value: &str| filter.values.iter().any(|pattern| glob(pattern, value));
        match filter.name.strip_prefix("tag:") {
            Some(key) => view.tags().get(key).is_some_and(|value| test(value)),
            None if filter.name == "tag-key" => view.tags().keys().any(|key| test(key)),
            None => view.any(&filter.name, &test),
        }
    })
}

/// False if a thing with this value can't pass the filters of that name: so that of thousands of things only those that
/// are asked for are made into views.
pub(super) fn may_match(query: &Describe, name: &str, value: &str) -> bool {
    let mut of_name = query.filters.iter().filter(|filter| filter.name == name);
    of_name.all(|filter| filter.values.iter().any(|pattern| glob(pattern, value)))
}

/// `*` stands for any run of characters, `?` for one, `\` takes the next as it is.
fn glob(pattern: &str, text: &str) -> bool {
    if !pattern.contains(['*', '?', '\\']) {
        return pattern == text;
    }
    let (pattern, text) = (pieces(pattern), text.chars().collect::<Vec<_>>());
    let (mut at, mut read) = (0, 0);
    // Where to go on from if what follows the last `*` turns out not to fit: it then takes one more.
    let mut retry = None;
    while read < text.len() {
        match pattern.get(at) {
            Some(Piece::Any) => {
                retry = Some((at, read));
                at += 1;
            }
            Some(Piece::One) => (at, read) = (at + 1, read + 1),
            Some(Piece::Just(wanted)) if *wanted == text[read] => (at, read) = (at + 1, read + 1),
            _ => {
                let Some((star, taken)) = retry else { return false };
                retry = Some((star, taken + 1));
                (at, read) = (star + 1, taken + 1);
            }
        }
    }
    pattern[at..].iter().all(|piece| matches!(piece, Piece::Any))
}

enum Piece {
    Any,
    One,
    Just(char),
}

fn pieces(pattern: &str) -> Vec<Piece> {
    let mut chars = pattern.chars();
    let mut pieces = Vec::new();
    while let Some(char) = chars.next() {
        pieces.push(match char {
            '*' => Piece::Any,
            '?' => Piece::One,
            '\\' => Piece::Just(chars.next().unwrap_or('\\')),
            char => Piece::Just(char),
        });
    }
    pieces
}

impl Filtered for PeeringView {
    const FILTERS: &'static [&'static str] = &[
        "accepter-vpc-info.cidr-block",
        "accepter-vpc-info.owner-id",
        "accepter-vpc-info.vpc-id",
        "expiration-time",
        "requester-vpc-info.cidr-block",
        "requester-vpc-info.owner-id",
        "requester-vpc-info.vpc-id",
        "status-code",
        "status-message",
        "tag-key",
        "vpc-peering-connection-id",
    ];

    fn tags(&self) -> &Tags {
        &self.tags
    }

    fn any(&self, filter: &str, test: &dyn Fn(&str) -> bool) -> bool {
        if let Some(of_side) = filter.strip_prefix("accepter-vpc-info.") {
            return side(&self.accepter, of_side, test);
        }
        if let Some(of_side) = filter.strip_prefix("requester-vpc-info.") {
            return side(&self.requester, of_side, test);
        }
        match filter {
            "expiration-time" => self.expiration_ms.is_some_and(|at| test(&at.to_string())),
            "status-code" => test(self.status.as_str()),
            "status-message" => test(&self.message),
            "vpc-peering-connection-id" => test(self.id.as_str()),
            _ => false,
        }
    }
}

fn side(side: &PeeringSide, filter: &str, test: &dyn Fn(&str) -> bool) -> bool {
    match filter {
        "cidr-block" => side.cidr_block.is_some_and(|net| test(&net.to_string())),
        "owner-id" => test(side.owner.as_str()),
        "vpc-id" => test(side.vpc.as_str()),
        _ => false,
    }
}

impl Filtered for RouteTableView {
    const FILTERS: &'static [&'static str] = &[
        "association.gateway-id",
        "association.main",
        "association.route-table-association-id",
        "association.route-table-id",
        "association.subnet-id",
        "owner-id",
        "route-table-id",
        "route.destination-cidr-block",
        "route.destination-ipv6-cidr-block",
        "route.destination-prefix-list-id",
        "route.egress-only-internet-gateway-id",
        "route.gateway-id",
        "route.instance-id",
        "route.nat-gateway-id",
        "route.origin",
        "route.state",
        "route.transit-gateway-id",
        "route.vpc-peering-connection-id",
        "tag-key",
        "vpc-id",
    ];

    fn tags(&self) -> &Tags {
        &self.tags
    }

    fn any(&self, filter: &str, test: &dyn Fn(&str) -> bool) -> bool {
        if let Some(of_route) = filter.strip_prefix("route.") {
            return self.routes.iter().any(|held| route(held, of_route, test));
        }
        match filter {
            "owner-id" => test(self.owner.as_str()),
            "route-table-id" => test(self.id.as_str()),
            "vpc-id" => test(self.vpc.as_str()),
            "association.route-table-id" => !self.associations.is_empty() && test(self.id.as_str()),
            _ => self.associations.iter().any(|held| match (filter, &held.with) {
                ("association.main", with) => test(if *with == Association::Main { "true" } else { "false" }),
                ("association.route-table-association-id", _) => test(held.id.as_str()),
                ("association.gateway-id", Association::Gateway(id))
                | ("association.subnet-id", Association::Subnet(id)) => test(id.as_str()),
                _ => false,
            }),
        }
    }
}

fn route(route: &crate::view::RouteView, filter: &str, test: &dyn Fn(&str) -> bool) -> bool {
    match (filter, &route.target) {
        ("vpc-peering-connection-id", Target::Peering(id)) => return test(id.as_str()),
        ("gateway-id", Target::Local) => return test("local"),
        ("gateway-id", Target::Gateway(id))
        | ("nat-gateway-id", Target::NatGateway(id))
        | ("transit-gateway-id", Target::TransitGateway(id))
        | ("egress-only-internet-gateway-id", Target::EgressOnlyInternetGateway(id)) => {
            return test(id.as_str());
        }
        ("origin", _) => return test(route.origin.as_str()),
        ("state", _) => return test(route.state.as_str()),
        _ => {}
    }
    match (filter, &route.destination) {
        ("destination-cidr-block", Destination::Ipv4(net)) => test(&net.to_string()),
        ("destination-ipv6-cidr-block", Destination::Ipv6(net)) => test(&net.to_string()),
        ("destination-prefix-list-id", Destination::PrefixList(id)) => test(id.as_str()),
        _ => false,
    }
}

impl Filtered for VpcView {
    const FILTERS: &'static [&'static str] = &[
        "cidr",
        "cidr-block-association.association-id",
        "cidr-block-association.cidr-block",
        "cidr-block-association.state",
        "dhcp-options-id",
        "ipv6-cidr-block-association.association-id",
        "ipv6-cidr-block-association.ipv6-cidr-block",
        "ipv6-cidr-block-association.state",
        "is-default",
        "owner-id",
        "state",
        "tag-key",
        "vpc-id",
    ];

    fn tags(&self) -> &Tags {
        &self.tags
    }

    fn any(&self, filter: &str, test: &dyn Fn(&str) -> bool) -> bool {
        match filter {
            // A VPC of this world is never a default one, and is there at once.
            "is-default" => test("false"),
            "state" => test("available"),
            "cidr" => test(&self.cidr_block.to_string()),
            "owner-id" => test(self.owner.as_str()),
            "vpc-id" => test(self.id.as_str()),
            _ => self.cidrs.iter().any(|held| match (filter, &held.cidr) {
                ("cidr-block-association.cidr-block", IpNet::V4(net)) => test(&net.to_string()),
                ("ipv6-cidr-block-association.ipv6-cidr-block", IpNet::V6(net)) => test(&net.to_string()),
                ("cidr-block-association.state", IpNet::V4(_))
                | ("ipv6-cidr-block-association.state", IpNet::V6(_)) => test("associated"),
                ("cidr-block-association.association-id", IpNet::V4(_))
                | ("ipv6-cidr-block-association.association-id", IpNet::V6(_)) => test(held.id.as_str()),
                _ => false,
            }),
        }
    }
}

impl Filtered for PrefixListView {
    const FILTERS: &'static [&'static str] = &["owner-id", "prefix-list-id", "prefix-list-name"];

    fn tags(&self) -> &Tags {
        &self.tags
    }

    fn any(&self, filter: &str, test: &dyn Fn(&str) -> bool) -> bool {
        match filter {
            "owner-id" => test(self.owner.as_str()),
            "prefix-list-id" => test(self.id.as_str()),
            "prefix-list-name" => test(&self.name),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::glob;

    #[test]
    fn wildcards_stand_for_what_they_say() {
        let long = "a".repeat(2_000);
        let nasty = "*a".repeat(50) + "b";
        let cases = [
            ("active", "active", true),
            ("active", "activ", false),
            ("", "", true),
            ("*", "", true),
            ("?", "", false),
            ("?", "ü", true),
            ("a*c", "abcbc", true),
            ("a*c", "abcb", false),
            ("*b*", "abc", true),
            ("a?c*", "abc", true),
            (r"a\*c", "abc", false),
            (r"a\*c", "a*c", true),
            (r"\?", "?", true),
            (&nasty, &long, false),
        ];
        for (pattern, text, wanted) in cases {
            assert_eq!(glob(pattern, text), wanted, "{pattern} {text}");
        }
    }
}
