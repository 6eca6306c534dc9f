//! Availability Zones: three in each Region.

use super::{Cx, State};
use crate::error::{AwsError, texts};
use crate::ids::Region;
use crate::request::Describe;
use crate::view::{Response, ZoneView};

/// eu-west-1 is euw1 and ap-southeast-2 apse2 in the ids of zones.
fn short_name(region: &Region) -> String {
    let mut short = String::new();
    for (at, part) in region.as_str().split('-').enumerate() {
        let initials = match part {
            _ if at == 0 => part,
            "northeast" => "ne",
            "northwest" => "nw",
            "southeast" => "se",
            "southwest" => "sw",
            _ if part.bytes().all(|byte| byte.is_ascii_digit()) => part,
            _ => part.get(..1).unwrap_or_default(),
        };
        short.push_str(initials);
    }
    short
}

pub(crate) fn zones_of(region: &Region) -> [ZoneView; 3] {
    let short = short_name(region);
    [("a", 1), ("b", 2), ("c", 3)].map(|(letter, number)| ZoneView {
        name: format!("{region}{letter}"),
        id: format!("{short}-az{number}"),
    })
}

/// By name or by id; the first one where none is named.
pub(crate) fn zone(region: &Region, text: Option<&str>) -> Result<ZoneView, AwsError> {
    let mut zones = zones_of(region).into_iter();
    let Some(text) = text else {
        return zones.next().ok_or_else(|| texts::bad_value("This Region has no Availability Zone"));
    };
    zones.find(|zone| zone.name == text || zone.id == text).ok_or_else(|| {
        texts::bad_value(format!(
            "Value ({text}) for parameter availabilityZone is invalid. Subnets can currently only be created in the following availability zones: {region}a, {region}b, {region}c."
        ))
    })
}

impl State {
    /// A short list: AWS has no pages of it.
    pub(crate) fn describe_zones(&self, cx: &mut Cx<'_>, query: &Describe) -> Result<Response, AwsError> {
        super::describe::check_filters::<ZoneView>(query)?;
        let mut zones = zones_of(&cx.caller.region).to_vec();
        if !query.ids.is_empty() {
            zones =
                query.ids.iter().map(|text| zone(&cx.caller.region, Some(text))).collect::<Result<_, _>>()?;
        }
        zones.retain(|zone| super::describe::matches(zone, &query.filters));
        Ok(Response::Zones(zones))
    }
}

#[cfg(test)]
mod tests {
    use super::{Region, short_name};

    #[test]
    fn zone_ids_name_the_region_as_aws_does() {
        for (region, short) in [
            ("eu-west-1", "euw1"),
            ("us-east-1", "use1"),
            ("ap-southeast-2", "apse2"),
            ("us-gov-west-1", "usgw1"),
        ] {
            assert_eq!(short_name(&Region::from(region)), short);
        }
    }
}
