//! Which queue, and where: as `--event-queue-url` says.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use peerkeeper_core::ids::{AccountId, AccountRegion, Region};

/// `https://sqs.REGION.amazonaws.com/ACCOUNT/NAME`, or `URL,region=REGION` for any other endpoint.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueueUrl {
    /// As AWS is told.
    pub url: Arc<str>,
    /// Whose it is, and where.
    pub at: AccountRegion,
    /// `scheme://host:port` where that is not AWS's own of the Region.
    pub endpoint: Option<Arc<str>>,
}

impl fmt::Display for QueueUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

impl FromStr for QueueUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| {
            format!(
                "{text:?}: {why}; write https://sqs.eu-west-1.amazonaws.com/111122223333/peerkeeper-events, or for another \
                 endpoint URL,region=eu-west-1"
            )
        };
        let (url, said) = match text.split_once(',') {
            Some((url, option)) => {
                let region = option.strip_prefix("region=").ok_or_else(|| wrong("the option is region="))?;
                (url, Some(region.parse::<Region>().map_err(|error| wrong(&error.to_string()))?))
            }
            None => (text, None),
        };
        let (scheme, rest) = url.split_once("://").ok_or_else(|| wrong("it is no URL"))?;
        if !matches!(scheme, "https" | "http") {
            return Err(wrong("it begins with https://"));
        }
        let mut parts = rest.split('/');
        let (host, account, name) = (parts.next(), parts.next(), parts.next());
        let (Some(host), Some(account), Some(name), None) = (host, account, name, parts.next()) else {
            return Err(wrong("its path is /ACCOUNT/NAME"));
        };
        let account: AccountId = account.parse().map_err(|error| wrong(&format!("{error}")))?;
        let named = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if host.is_empty() || name.is_empty() || name.len() > 80 || !name.chars().all(named) {
            return Err(wrong("it names no queue"));
        }
        let own = aws_region(host).filter(|_| scheme == "https");
        let region = match (own, said) {
            (Some(own), Some(said)) if own != said => {
                return Err(wrong("the two Regions differ"));
            }
            (Some(own), _) => own,
            (None, Some(said)) => said,
            (None, None) => return Err(wrong("its host does not say in which Region it is")),
        };
        let endpoint = own.is_none().then(|| format!("{scheme}://{host}").into());
        Ok(Self { url: url.into(), at: AccountRegion { account, region }, endpoint })
    }
}

/// The Region of an endpoint of AWS's own.
fn aws_region(host: &str) -> Option<Region> {
    let rest = host.strip_prefix("sqs.")?;
    let region = rest.strip_suffix(".amazonaws.com").or_else(|| rest.strip_suffix(".amazonaws.com.cn"))?;
    region.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (String, Option<Arc<str>>) {
        let queue: QueueUrl = text.parse().unwrap();
        (queue.at.to_string(), queue.endpoint)
    }

    #[test]
    fn region_and_account_are_what_the_url_says() {
        let read_of = |text| read(text).0;
        assert_eq!(read_of("https://sqs.eu-west-1.amazonaws.com/111122223333/q"), "111122223333/eu-west-1");
        assert_eq!(
            read_of("https://sqs.cn-north-1.amazonaws.com.cn/111122223333/q"),
            "111122223333/cn-north-1"
        );
        assert_eq!(
            read_of("https://sqs.us-gov-west-1.amazonaws.com/011122223333/q.fifo"),
            "011122223333/us-gov-west-1"
        );
        assert_eq!(read("https://sqs.eu-west-1.amazonaws.com/111122223333/q").1, None);
        let (at, endpoint) = read("http://127.0.0.1:4566/111122223333/events,region=eu-west-1");
        assert_eq!(
            (at.as_str(), endpoint.as_deref()),
            ("111122223333/eu-west-1", Some("http://127.0.0.1:4566"))
        );
        let queue: QueueUrl = "http://127.0.0.1:4566/111122223333/events,region=eu-west-1".parse().unwrap();
        assert_eq!(&*queue.url, "http://127.0.0.1:4566/111122223333/events");
    }

    #[test]
    fn what_names_no_queue_is_refused_with_a_right_one() {
        for (text, why) in [
            ("", "no URL"),
            ("events", "no URL"),
            ("arn:aws:sqs:eu-west-1:111122223333:events", "no URL"),
            ("ftp://sqs.eu-west-1.amazonaws.com/111122223333/q", "begins with"),
            ("https://sqs.eu-west-1.amazonaws.com/q", "/ACCOUNT/NAME"),
            ("https://sqs.eu-west-1.amazonaws.com/111122223333/q/", "/ACCOUNT/NAME"),
            ("https://sqs.eu-west-1.amazonaws.com/1111/q", "account id"),
            ("https://sqs.eu-west-1.amazonaws.com/111122223333/", "names no queue"),
            ("https://sqs.eu-west-1.amazonaws.com/111122223333/a b", "names no queue"),
            ("https://example.com/111122223333/q", "in which Region"),
            ("http://sqs.eu-west-1.amazonaws.com/111122223333/q", "in which Region"),
            ("https://sqs.eu-west-1.amazonaws.com/111122223333/q,region=eu-west-2", "differ"),
            ("https://example.com/111122223333/q,region=x", "AWS Region"),
            ("https://example.com/111122223333/q,zone=eu-west-1", "region="),
        ] {
            let said = text.parse::<QueueUrl>().unwrap_err();
            assert!(said.contains(why) && said.contains("write https://sqs."), "{text}: {said}");
        }
    }
}
