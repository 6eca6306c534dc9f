//! The pages people read: that what they name is there.

use super::{file_names, root, text};
use peerkeeper::api::reasons::{ConditionType, Reason};
use std::fs;

const PAGES: &[&str] = &["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md"];
const REFERENCE: &str = "docs/conditions.md";

fn pages() -> Vec<String> {
    let mut pages: Vec<String> = file_names("docs").into_iter().map(|name| format!("docs/{name}")).collect();
    assert!(pages.len() >= 5, "{pages:?}");
    pages.extend(PAGES.iter().filter(|page| root(page).exists()).map(|page| page.to_string()));
    pages
}

/// The targets of Markdown's `[text](target)`.
fn links(page: &str) -> Vec<String> {
    page.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0.to_owned())).collect()
}

#[test]
fn every_link_leads_to_a_file() {
    for page in pages() {
        let folder = root(&page).parent().expect("a folder").to_owned();
        for link in links(&text(&page)) {
            let path = link.split('#').next().expect("a path");
            let elsewhere = link.starts_with("https://") || path.is_empty();
            assert!(elsewhere || folder.join(path).exists(), "{page}: {link} leads nowhere");
        }
    }
}

#[test]
fn every_file_that_a_page_names_is_there() {
    let rooms = ["deploy/", "docs/", "crds/", "tools/"];
    for page in pages() {
        for word in text(&page).split(|c: char| c.is_whitespace() || "`()<>,;:\"'=".contains(c)) {
            let path = word.trim_end_matches('.');
            if rooms.iter().any(|room| path.starts_with(room)) {
                assert!(root(path).exists(), "{page} names {path}");
            }
        }
    }
}

/// The rows of the night's table must be words that an object can really show.
#[test]
fn every_reason_of_the_night_table_exists() {
    let page = text("docs/operations.md");
    let table = page.split("| reason |").nth(1).expect("the table").split("\n\n").next().expect("its end");
    let known: Vec<&str> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
    let mut rows = 0;
    for row in table.lines().filter(|line| line.starts_with("| `")) {
        let first = row.split('|').nth(1).expect("a first column");
        for word in first.split('`').skip(1).step_by(2) {
            assert!(known.contains(&word), "{word} is no reason");
            rows += 1;
        }
    }
    assert!(rows > 10, "the table was not found: {table}");
}

/// The reference is written from the code. `UPDATE_DOCS=1 cargo test --test house` writes it anew.
#[test]
fn the_reference_of_conditions_is_that_of_the_code() {
    let mut page = String::from(
        "# Conditions and reasons\n\nWritten from the code, so it is complete. How to read it and what to do: \
         [operations](operations.md).\n\n## Conditions\n\n| Type | Meaning |\n|---|---|\n",
    );
    for of in ConditionType::ALL {
        page.push_str(&format!("| `{of}` | {} |\n", meaning(*of)));
    }
    page.push_str("\n## Reasons\n\nOf conditions and of Kubernetes Events alike.\n\n| Reason | Meaning, and what to do |\n|---|---|\n");
    for reason in Reason::ALL {
        page.push_str(&format!("| `{reason}` | {} |\n", reason.doc().replace('|', "\\|")));
    }
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(root(REFERENCE), &page).expect(REFERENCE);
    }
    assert_eq!(text(REFERENCE), page, "{REFERENCE} is not what the code says: write it with UPDATE_DOCS=1");
}

fn meaning(of: ConditionType) -> &'static str {
    match of {
        ConditionType::Ready => {
            "Everything is as declared. False says why not; Unknown: AWS has not been read for too long."
        }
        ConditionType::Reconciling => "Work is under way, and needs nobody. Present only while True.",
        ConditionType::Stalled => "Work has stopped, and needs somebody. Present only while True.",
        ConditionType::PeeringActive => "The peering connection is active.",
        ConditionType::RoutesInSync => "Every declared route was read back as declared.",
        ConditionType::DnsInSync => {
            "The declared DNS options were read back as declared. Absent where none is declared."
        }
        ConditionType::UnexpectedlyDeleted => {
            "The peering connection that should be there has been deleted, and that is not settled yet."
        }
    }
}
