//! How commands speak to AWS: options that they share.

use peerkeeper_core::ids::Region;

use crate::aws::AwsConfig;

/// Of every command that speaks to AWS.
#[derive(Clone, Debug, clap::Args)]
pub struct AwsArgs {
    /// One endpoint for every AWS service, instead of AWS's own. AWS_ENDPOINT_URL does the same.
    #[arg(long, value_parser = crate::aws::endpoint, value_name = "URL")]
    pub aws_endpoint_url: Option<String>,
    /// Where STS is asked for roles. Default: AWS_REGION, the profile, or the instance.
    #[arg(long, value_name = "REGION")]
    pub aws_region: Option<Region>,
    /// The share of AWS's published request rates that Peerkeeper allows itself, in per cent.
    #[arg(long, env = "PEERKEEPER_AWS_BUDGET_SHARE", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=100), value_name = "PERCENT")]
    pub aws_budget_share: u16,
}

impl AwsArgs {
    pub fn config(&self, owner_id: &str) -> AwsConfig {
        AwsConfig {
            endpoint_url: self.aws_endpoint_url.clone(),
            region: self.aws_region,
            owner_id: owner_id.into(),
            budget_share_permille: self.aws_budget_share * 10,
            ..AwsConfig::default()
        }
    }
}
