//! Regions and account attributes.

use crate::request::Request;
use crate::view::Response;
use crate::wire::mapping::{Asked, Mapping};
use crate::wire::value::{Struct, Value};

pub(crate) const OPERATIONS: &[Mapping] = &[
    Mapping {
        name: "DescribeRegions",
        reads: &["RegionNames", "AllRegions"],
        ask: |asked| Ok(Request::DescribeRegions { names: asked.texts("RegionNames") }),
        answer: regions,
    },
    Mapping {
        name: "DescribeAccountAttributes",
        reads: &["AttributeNames"],
        ask: |asked| Ok(Request::DescribeAccountAttributes { names: asked.texts("AttributeNames") }),
        answer: attributes,
    },
];

fn regions(_: &Asked<'_>, response: Response) -> Option<Struct> {
    let regions = response.regions()?.into_iter().map(|region| {
        Struct::new()
            .with("RegionName", region.as_str())
            .with("Endpoint", format!("ec2.{region}.amazonaws.com"))
            .with("OptInStatus", "opt-in-not-required")
    });
    Some(Struct::new().with("Regions", Value::list(regions)))
}

fn attributes(_: &Asked<'_>, response: Response) -> Option<Struct> {
    let attributes = response.account_attributes()?.into_iter().map(|(name, value)| {
        let values = Value::list([Struct::new().with("AttributeValue", value)]);
        Struct::new().with("AttributeName", name).with("AttributeValues", values)
    });
    Some(Struct::new().with("AccountAttributes", Value::list(attributes)))
}
