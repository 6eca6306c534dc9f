//! What is said of Regions and accounts in general.

use crate::error::{AwsError, texts};
use crate::ids::Region;
use crate::view::Response;

/// Those that every account of the `aws` partition has without asking. A call to any other Region is served too: a
/// Region of this world is only a name.
const REGIONS: &[&str] = &[
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

/// All, or those named.
pub(crate) fn regions(names: &[String]) -> Result<Response, AwsError> {
    if let Some(unknown) = names.iter().find(|name| !REGIONS.contains(&name.as_str())) {
        return Err(texts::bad_value(format!("Invalid region provided: {unknown}")));
    }
    let wanted = |region: &&&str| names.is_empty() || names.iter().any(|name| name == **region);
    Ok(Response::Regions(REGIONS.iter().filter(wanted).map(|region| Region::from(*region)).collect()))
}

/// Of an account that never saw EC2-Classic and has no default VPC.
pub(crate) fn account_attributes(names: &[String]) -> Result<Response, AwsError> {
    let all = [
        ("supported-platforms", "VPC"),
        ("default-vpc", "none"),
        ("max-instances", "20"),
        ("vpc-max-security-groups-per-interface", "5"),
        ("max-elastic-ips", "5"),
        ("vpc-max-elastic-ips", "5"),
    ];
    if let Some(unknown) = names.iter().find(|name| !all.iter().any(|(known, _)| known == name)) {
        return Err(texts::bad_value(format!(
            "Value ({unknown}) for parameter attributeName is invalid. Unknown attribute."
        )));
    }
    let wanted = |name: &str| names.is_empty() || names.iter().any(|asked| asked == name);
    let shown = all.iter().filter(|(name, _)| wanted(name));
    Ok(Response::AccountAttributes(shown.map(|(name, value)| (*name, (*value).to_owned())).collect()))
}
