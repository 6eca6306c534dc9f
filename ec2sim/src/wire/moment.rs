//! Moments as text, ISO 8601: `2026-11-23T13:40:00.250Z`, from and to milliseconds since 1970.

use std::fmt::Write;

const DAY_MS: i64 = 86_400_000;
/// Years that the text can show. Milliseconds outside are shown as the nearest inside.
const EARLIEST_MS: i64 = -62_167_219_200_000;
const LATEST_MS: i64 = 253_402_300_799_999;

/// `2026-11-23T13:40:00Z`, with `.250` if `millis` is asked for or there are some.
pub(crate) fn write_iso(out: &mut String, moment_ms: i64, millis: bool) {
    let moment_ms = moment_ms.clamp(EARLIEST_MS, LATEST_MS);
    let (days, rest_ms) = (moment_ms.div_euclid(DAY_MS), moment_ms.rem_euclid(DAY_MS));
    let (year, month, day) = date_of(days);
    let (seconds, rest_ms) = (rest_ms / 1000, rest_ms % 1000);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    // Writing to a String can't fail.
    let _ = write!(out, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
    if millis || rest_ms != 0 {
        let _ = write!(out, ".{rest_ms:03}");
    }
    out.push('Z');
}

/// `2026-11-23T13:40:00.25Z`, `2026-11-23T14:40:00+01:00`; a date alone is its midnight. `None` for anything else.
pub(crate) fn parse_iso(text: &str) -> Option<i64> {
    let (date, time) = match text.split_once(['T', 't']) {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let mut parts = date.split('-');
    let (year, month, day) =
        (number(parts.next()?, 4)?, number(parts.next()?, 2)?, number(parts.next()?, 2)?);
    if parts.next().is_some() || !(1..=12).contains(&month) || day < 1 || day > days_in(year, month) {
        return None;
    }
    let midnight_ms = days_of(year, month, day) * DAY_MS;
    time.map_or(Some(midnight_ms), |time| Some(midnight_ms + parse_time(time)?))
}

/// Milliseconds from midnight of the date before it to this time of day, offset included.
fn parse_time(text: &str) -> Option<i64> {
    let (clock, offset_ms) = match text.find(['Z', 'z', '+', '-']) {
        Some(at) => (&text[..at], parse_offset(&text[at..])?),
        None => return None,
    };
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let mut parts = clock.split(':');
    let (hour, minute) = (number(parts.next()?, 2)?, number(parts.next()?, 2)?);
    let second = number(parts.next()?, 2)?;
    if parts.next().is_some() || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    if fraction.is_empty() || fraction.len() > 9 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let millis: i64 = format!("{fraction:0<3}")[..3].parse().ok()?;
    Some(((hour * 60 + minute) * 60 + second) * 1000 + millis - offset_ms)
}

fn parse_offset(text: &str) -> Option<i64> {
    if text.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let (sign, rest) =
        if let Some(rest) = text.strip_prefix('-') { (-1, rest) } else { (1, text.strip_prefix('+')?) };
    let (hours, minutes) = rest.split_once(':')?;
    let (hours, minutes) = (number(hours, 2)?, number(minutes, 2)?);
    (hours <= 23 && minutes <= 59).then_some(sign * (hours * 60 + minutes) * 60_000)
}

/// So many digits and nothing else.
fn number(text: &str, digits: usize) -> Option<i64> {
    (text.len() == digits && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

// Both directions count in years that begin in March, so that the leap day comes last and a month's place in the
// year follows from its number alone; and in eras of 400 years, which all have the same number of days.
const ERA_DAYS: i64 = 146_097;
/// From 0000-03-01 to 1970-01-01.
const BEFORE_1970: i64 = 719_468;

fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * ERA_DAYS + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - BEFORE_1970
}

fn date_of(days: i64) -> (i64, i64, i64) {
    let days = days + BEFORE_1970;
    let (era, day_of_era) = (days.div_euclid(ERA_DAYS), days.rem_euclid(ERA_DAYS));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn iso(moment_ms: i64) -> String {
        let mut text = String::new();
        write_iso(&mut text, moment_ms, false);
        text
    }

    #[test]
    fn known_moments_are_shown_as_everybody_shows_them() {
        assert_eq!(iso(0), "1970-01-01T00:00:00Z");
        assert_eq!(iso(1_767_225_600_000), "2026-01-01T00:00:00Z");
        assert_eq!(iso(951_782_400_250), "2000-02-29T00:00:00.250Z");
        assert_eq!(iso(-1), "1969-12-31T23:59:59.999Z");
        assert_eq!(parse_iso("2026-01-01T01:30:00.5+01:30"), Some(1_767_225_600_500));
        assert_eq!(parse_iso("2026-01-01"), Some(1_767_225_600_000));
        assert_eq!(parse_iso("2023-02-29T00:00:00Z"), None);
        assert_eq!(parse_iso("2026-01-01T00:00:00"), None);
    }

    proptest! {
        #[test]
        fn a_moment_read_back_is_the_same(moment_ms in EARLIEST_MS..=LATEST_MS) {
            prop_assert_eq!(parse_iso(&iso(moment_ms)), Some(moment_ms));
        }

        #[test]
        fn moments_sort_as_their_texts_do(a in 0..=LATEST_MS / 1000, b in 0..=LATEST_MS / 1000) {
            prop_assert_eq!(a.cmp(&b), iso(a * 1000).cmp(&iso(b * 1000)));
        }

        #[test]
        fn any_text_is_a_moment_or_none_and_any_number_a_text(text in ".{0,40}", moment_ms: i64) {
            let _ = parse_iso(&text);
            iso(moment_ms);
        }
    }
}
