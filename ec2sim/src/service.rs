//! Which of AWS's services a call belongs to.

use crate::request::Action;

/// Whose call it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Service {
    Ec2,
    Sts,
    CloudTrail,
    EventBridge,
    Sqs,
    ServiceQuotas,
}

impl Service {
    /// `eventSource` of its audit records.
    pub fn event_source(self) -> &'static str {
        match self {
            Self::Ec2 => "ec2.amazonaws.com",
            Self::Sts => "sts.amazonaws.com",
            Self::CloudTrail => "cloudtrail.amazonaws.com",
            Self::EventBridge => "events.amazonaws.com",
            Self::Sqs => "sqs.amazonaws.com",
            Self::ServiceQuotas => "servicequotas.amazonaws.com",
        }
    }
}

impl Action {
    pub fn service(self) -> Service {
        match self {
            Self::CreateTrail
            | Self::DeleteTrail
            | Self::StartLogging
            | Self::StopLogging
            | Self::PutEventSelectors
            | Self::DescribeTrails
            | Self::GetTrailStatus
            | Self::LookupEvents => Service::CloudTrail,
            Self::PutRule
            | Self::EnableRule
            | Self::DisableRule
            | Self::DeleteRule
            | Self::PutTargets
            | Self::RemoveTargets => Service::EventBridge,
            Self::CreateQueue
            | Self::DeleteQueue
            | Self::PurgeQueue
            | Self::SetQueueAttributes
            | Self::TagQueue
            | Self::UntagQueue
            | Self::ListQueueTags
            | Self::GetQueueAttributes
            | Self::GetQueueUrl
            | Self::ListQueues
            | Self::SendMessage
            | Self::SendMessageBatch
            | Self::ReceiveMessage
            | Self::DeleteMessage
            | Self::DeleteMessageBatch
            | Self::ChangeMessageVisibility
            | Self::ChangeMessageVisibilityBatch => Service::Sqs,
            Self::AssumeRole | Self::AssumeRoleWithWebIdentity | Self::GetCallerIdentity => Service::Sts,
            Self::GetServiceQuota
            | Self::ListServiceQuotas
            | Self::GetAWSDefaultServiceQuota
            | Self::ListAWSDefaultServiceQuotas => Service::ServiceQuotas,
            _ => Service::Ec2,
        }
    }
}
