//! Durations as users write them: `0s`, `5m`, `1h30m`.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr, time::Duration};

/// A duration in the style of Go and Kubernetes, in whole hours, minutes and seconds.
///
/// The schema refuses anything else before it gets here; parsing checks again, because an object can be older than
/// the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct GoDuration(pub Duration);

impl GoDuration {
    pub const fn from_secs(secs: u64) -> Self {
        Self(Duration::from_secs(secs))
    }
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a duration: write hours, minutes and seconds as whole numbers, such as 30s, 5m or 1h30m"
)]
pub struct NotADuration(String);

impl FromStr for GoDuration {
    type Err = NotADuration;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        whole_seconds(text).map(Self::from_secs).ok_or_else(|| NotADuration(text.to_owned()))
    }
}

fn whole_seconds(text: &str) -> Option<u64> {
    let mut total: u64 = 0;
    let mut rest = text;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, tail) = rest.split_at(digits);
        let unit = tail.chars().next()?;
        let secs = match unit {
            'h' => 3600,
            'm' => 60,
            's' => 1,
            _ => return None,
        };
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(secs)?)?;
        rest = &tail[1..];
    }
    Some(total)
}

impl fmt::Display for GoDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = self.0.as_secs();
        let (hours, minutes, seconds) = (total / 3600, total % 3600 / 60, total % 60);
        if hours > 0 {
            write!(f, "{hours}h")?;
        }
        if minutes > 0 {
            write!(f, "{minutes}m")?;
        }
        if seconds > 0 || total == 0 {
            write!(f, "{seconds}s")?;
        }
        Ok(())
    }
}

impl TryFrom<String> for GoDuration {
    type Error = NotADuration;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<GoDuration> for String {
    fn from(duration: GoDuration) -> Self {
        duration.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        for (text, secs) in
            [("0s", 0), ("30s", 30), ("5m", 300), ("1h30m", 5400), ("168h", 604_800), ("1h1m1s", 3661)]
        {
            let parsed: GoDuration = text.parse().unwrap();
            assert_eq!(parsed, GoDuration::from_secs(secs), "{text}");
            assert_eq!(parsed.to_string(), text);
        }
    }

    #[test]
    fn refuses_what_is_no_duration() {
        for text in ["", "5", "m", "-5m", "5 m", "1.5h", "5d", "5mm", "99999999999999999999h", "5m3", "5µs"]
        {
            assert_eq!(text.parse::<GoDuration>(), Err(NotADuration(text.to_owned())));
        }
    }
}
