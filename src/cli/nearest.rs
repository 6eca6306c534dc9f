//! The names that somebody may have meant.

/// So many are told.
const TOLD: usize = 3;

/// Of `names` those that contain `given`, or else those that a few keystrokes turn it into; the closest first.
pub fn nearest<'a>(given: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let most = (given.chars().count() / 3).max(1);
    let mut found: Vec<(usize, &str)> = names
        .into_iter()
        .filter_map(|name| {
            // Who types a part of a name gets what it is a part of.
            let far = if name.contains(given) { 0 } else { keystrokes(given, name) };
            (far <= most).then_some((far, name))
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    found.into_iter().take(TOLD).map(|(_, name)| name).collect()
}

/// Insertions, deletions and replacements between two words.
fn keystrokes(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut next = vec![i + 1];
        for (j, b) in other.iter().enumerate() {
            let replaced = row[j] + usize::from(a != *b);
            next.push(replaced.min(row[j + 1] + 1).min(next[j] + 1));
        }
        row = next;
    }
    row[other.len()]
}

/// For the end of a message: `; did you mean a, b?`, or nothing.
pub fn did_you_mean(near: &[impl AsRef<str>]) -> String {
    if near.is_empty() {
        return String::new();
    }
    let near: Vec<&str> = near.iter().map(AsRef::as_ref).collect();
    format!("; did you mean {}?", near.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keystrokes_are_counted() {
        for (one, other, count) in
            [("a", "a", 0), ("prod", "prd", 1), ("kitten", "sitting", 3), ("", "ab", 2)]
        {
            assert_eq!((keystrokes(one, other), keystrokes(other, one)), (count, count), "{one} {other}");
        }
    }

    #[test]
    fn what_was_meant_is_what_contains_it_or_what_is_near() {
        let names = ["prod-shared-pcx-1", "prod-shared-pcx-2", "dev-tools-pcx-3"];
        assert_eq!(nearest("prod-shared", names), ["prod-shared-pcx-1", "prod-shared-pcx-2"]);
        assert_eq!(nearest("dev-tool-pcx-3", names), ["dev-tools-pcx-3"]);
        assert_eq!(nearest("elsewhere", names), [""; 0]);
        assert_eq!(did_you_mean(&nearest("dev-tool-pcx-3", names)), "; did you mean dev-tools-pcx-3?");
        assert_eq!(did_you_mean(&nearest("elsewhere", names)), "");
    }
}
