//! `ARCHITECTURE.md`: that its map is the territory, and that what it says of tests is so.

use super::{files, root, text};
use std::collections::{BTreeMap, BTreeSet};

const PAGE: &str = "ARCHITECTURE.md";

/// Every room and every file of the engine is on the map; `every_file_that_a_page_names_is_there` holds the other way.
#[test]
fn every_room_is_on_the_map() {
    let page = text(PAGE);
    let mut rooms: BTreeSet<String> = BTreeSet::new();
    for (folder, depth) in [("core/src", 3), ("src", 2), ("tests", 2), ("tools", 2)] {
        for file in files(folder, "rs").into_iter().chain(files(folder, "py")) {
            let parts: Vec<&str> = file.split('/').collect();
            let is_folder = parts.len() > depth;
            let mut room = parts[..parts.len().min(depth)].join("/");
            if is_folder {
                room.push('/');
            }
            rooms.insert(room);
        }
    }
    assert!(rooms.len() > 25, "{rooms:?}");
    let without = |room: &&String| !["core/src/lib.rs", "src/lib.rs", "src/main.rs"].contains(&room.as_str());
    let missing: Vec<_> =
        rooms.iter().filter(without).filter(|room| !page.contains(&format!("`{room}`"))).collect();
    assert_eq!(missing, Vec::<&String>::new(), "{PAGE} does not name these");
}

#[test]
fn every_invariant_is_listed_with_tests_that_exist() {
    let page = text(PAGE);
    let known = tests();
    let sections = invariants(&page);
    assert_eq!(
        sections.keys().copied().collect::<Vec<_>>(),
        (1..=12).collect::<Vec<_>>(),
        "{PAGE} lists twelve"
    );
    for (number, section) in &sections {
        let held = section.split("Held by").nth(1).unwrap_or_else(|| panic!("{number}: by what is it held?"));
        let named: Vec<&str> = held.split('`').skip(1).step_by(2).filter(|word| is_test_name(word)).collect();
        assert!(!named.is_empty(), "invariant {number} names no test");
        for name in named {
            assert!(
                known.contains(name),
                "invariant {number} is said to be held by {name}, which does not exist"
            );
        }
    }
}

/// A test that says that it holds an invariant is listed with that invariant.
#[test]
fn every_test_named_after_an_invariant_is_listed_with_it() {
    let page = text(PAGE);
    let sections = invariants(&page);
    for name in tests().iter().filter_map(|name| name.strip_prefix("invariant_")) {
        let number = name.split('_').next().and_then(|digits| digits.parse().ok());
        let section = number.and_then(|number: u32| sections.get(&number));
        let section = section.unwrap_or_else(|| panic!("invariant_{name} names no invariant"));
        assert!(section.contains(&format!("`invariant_{name}`")), "{PAGE} does not list invariant_{name}");
    }
}

/// The text of each invariant by its number: from `### 1.` to the next heading.
fn invariants(page: &str) -> BTreeMap<u32, &str> {
    let (_, listed) = page.split_once("\n## Invariants\n").expect("a section of invariants");
    let listed = listed.split("\n## ").next().expect("its text");
    let numbered = |section| {
        let (number, _) = str::split_once(section, '.')?;
        Some((number.parse().ok()?, section))
    };
    listed.split("\n### ").filter_map(numbered).collect()
}

fn is_test_name(word: &str) -> bool {
    word.contains('_') && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

/// The names of all tests: functions after `#[test]`, `#[tokio::test]` and the like, with any other attributes between.
fn tests() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for file in ["core", "ec2sim", "src", "tests"].iter().flat_map(|folder| files(folder, "rs")) {
        let text = std::fs::read_to_string(root(&file)).expect("a source");
        let mut after_attribute = false;
        for line in text.lines().map(str::trim) {
            if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
                after_attribute = true;
            } else if after_attribute
                && !line.starts_with("#[")
                && !line.starts_with("//")
                && !line.is_empty()
            {
                let name = line.split_once("fn ").and_then(|(_, rest)| rest.split(['(', '<']).next());
                found.extend(name.map(str::to_owned));
                after_attribute = false;
            }
        }
    }
    assert!(found.len() > 200, "only {} tests were found", found.len());
    found
}
