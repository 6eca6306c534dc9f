//! Service Quotas.

use crate::request::Request;
use crate::view::{QuotaView, Response};
use crate::wire::mapping::{Asked, Mapping};
use crate::wire::value::{Struct, Value};

pub(crate) const OPERATIONS: &[Mapping] = &[
    Mapping {
        name: "GetServiceQuota",
        reads: &["ServiceCode", "QuotaCode"],
        ask: |asked| {
            let (service_code, quota_code) = (asked.must("ServiceCode")?, asked.must("QuotaCode")?);
            Ok(Request::GetServiceQuota { service_code, quota_code })
        },
        answer: one,
    },
    Mapping {
        name: "GetAWSDefaultServiceQuota",
        reads: &["ServiceCode", "QuotaCode"],
        ask: |asked| {
            let (service_code, quota_code) = (asked.must("ServiceCode")?, asked.must("QuotaCode")?);
            Ok(Request::GetAWSDefaultServiceQuota { service_code, quota_code })
        },
        answer: one,
    },
    Mapping {
        // The list is short: there is never a second page.
        name: "ListServiceQuotas",
        reads: &["ServiceCode", "MaxResults"],
        ask: |asked| Ok(Request::ListServiceQuotas { service_code: asked.must("ServiceCode")? }),
        answer: all,
    },
    Mapping {
        name: "ListAWSDefaultServiceQuotas",
        reads: &["ServiceCode", "MaxResults"],
        ask: |asked| Ok(Request::ListAWSDefaultServiceQuotas { service_code: asked.must("ServiceCode")? }),
        answer: all,
    },
];

fn one(asked: &Asked<'_>, response: Response) -> Option<Struct> {
    Some(Struct::new().with("Quota", show(asked, &response.quota()?)))
}

fn all(asked: &Asked<'_>, response: Response) -> Option<Struct> {
    let quotas = response.quotas()?;
    Some(Struct::new().with("Quotas", Value::list(quotas.iter().map(|quota| show(asked, quota)))))
}

fn show(asked: &Asked<'_>, quota: &QuotaView) -> Struct {
    let caller = asked.caller;
    let (service, code) = (quota.service_code, quota.code);
    let (partition, region, account) = (caller.partition(), &caller.region, &caller.account);
    Struct::new()
        .with("ServiceCode", service)
        .with("ServiceName", "Amazon Virtual Private Cloud (Amazon VPC)")
        .with("QuotaArn", format!("arn:{partition}:servicequotas:{region}:{account}:{service}/{code}"))
        .with("QuotaCode", code)
        .with("QuotaName", quota.name)
        .with("Value", Value::Float(quota.value as f64))
        .with("Unit", "None")
        .with("Adjustable", quota.adjustable)
        .with("GlobalQuota", false)
}
