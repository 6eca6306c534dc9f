//! CIDR arithmetic and its complaints.

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::error::{AwsError, texts};

fn bad(text: &str, parameter: &str) -> AwsError {
    texts::bad_value(format!(
        "Value ({text}) for parameter {parameter} is invalid. This is not a valid CIDR block."
    ))
}

/// Any notation; AWS clears the host bits itself (100.68.0.18/18 becomes 100.68.0.0/18).
pub(crate) fn ipv4(text: &str, parameter: &str) -> Result<Ipv4Net, AwsError> {
    text.parse::<Ipv4Net>().map(|net| net.trunc()).map_err(|_| bad(text, parameter))
}

pub(crate) fn ipv6(text: &str, parameter: &str) -> Result<Ipv6Net, AwsError> {
    text.parse::<Ipv6Net>().map(|net| net.trunc()).map_err(|_| bad(text, parameter))
}

pub(crate) fn any(text: &str, parameter: &str) -> Result<IpNet, AwsError> {
    text.parse::<IpNet>().map(|net| net.trunc()).map_err(|_| bad(text, parameter))
}

pub(crate) fn overlap(a: &IpNet, b: &IpNet) -> bool {
    a.contains(b) || b.contains(a)
}

pub(crate) fn any_overlap<'a>(
    these: impl IntoIterator<Item = &'a IpNet>,
    those: impl IntoIterator<Item = &'a IpNet> + Clone,
) -> bool {
    these.into_iter().any(|this| those.clone().into_iter().any(|that| overlap(this, that)))
}
