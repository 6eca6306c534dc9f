//! The quotas that a plan must know before its first write. They are read rather than assumed: AWS changes the defaults,
//! and accounts have their own.

use std::sync::{Mutex, PoisonError};

use peerkeeper_core::ids::Region;
use peerkeeper_core::time::Mono;

use super::accounts::Account;
use super::clock;

/// "Non-propagated routes per route table"; AWS counts IPv4 and IPv6 apart against it.
const ROUTES_PER_TABLE: &str = "L-93826ACB";
const SERVICE: &str = "vpc";
/// A quota changes by a request to AWS, so once a day is often enough.
const AGAIN_MS: u64 = 24 * 3600 * 1000;
/// Without the permission, or where the service is not to be had, it is asked again after this.
const AGAIN_AFTER_FAILURE_MS: u64 = 3600 * 1000;

/// The quotas of one account and Region, as last read.
#[derive(Debug, Default)]
pub(super) struct Quotas {
    known: Mutex<Known>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Known {
    again: Option<Mono>,
    routes_per_table: Option<u32>,
}

impl Quotas {
    fn known(&self) -> Known {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `None`: not known, so nothing is concluded from it; AWS refuses what is too much.
    pub fn routes_per_table(&self) -> Option<u32> {
        self.known().routes_per_table
    }

    /// Asks AWS if it is time. A failure is no trouble of the sweep's: it is logged, and asked again later.
    pub async fn refresh(&self, account: &Account, region: Region, client: &aws_sdk_servicequotas::Client) {
        let now = clock::now();
        if self.known().again.is_some_and(|again| now < again) {
            return;
        }
        let ask = client.get_service_quota().service_code(SERVICE).quota_code(ROUTES_PER_TABLE).send();
        let answer = account.call(account.at(region), "GetServiceQuota", ask).await;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        match answer {
            Ok(output) => {
                let value = output.quota().and_then(|quota| quota.value());
                known.routes_per_table = value.and_then(whole);
                known.again = Some(now.plus_ms(AGAIN_MS));
            }
            Err(_) => known.again = Some(now.plus_ms(AGAIN_AFTER_FAILURE_MS)),
        }
    }
}

/// AWS tells quotas as floating-point numbers.
fn whole(value: f64) -> Option<u32> {
    (value.is_finite() && value >= 0.0 && value <= f64::from(u32::MAX)).then_some(value as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_sensible_number_is_a_quota() {
        assert_eq!(whole(500.0), Some(500));
        assert_eq!(whole(-1.0), None);
        assert_eq!(whole(f64::NAN), None);
        assert_eq!(whole(1e12), None);
    }
}
