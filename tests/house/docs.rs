//! The pages people read: that what they name is there, and that what is written from the code is what the code says.

mod architecture;
mod cli;
mod reference;

use peerkeeper::api::reasons::Reason;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn root(path: &str) -> PathBuf {
    Path::new(ROOT).join(path)
}

fn text(path: &str) -> String {
    fs::read_to_string(root(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every file below a folder with that extension, relative to the root of the repository. What Cargo or Git put there
/// is left out.
fn files(folder: &str, extension: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root(folder)).unwrap_or_else(|error| panic!("{folder}: {error}")) {
        let entry = entry.expect(folder);
        let name = entry.file_name().into_string().expect("UTF-8");
        let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
        if entry.path().is_dir() {
            if name != "target" && !name.starts_with('.') {
                found.extend(files(&path, extension));
            }
        } else if entry.path().extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn pages() -> Vec<String> {
    let pages = files("", "md");
    for page in ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"] {
        assert!(pages.iter().any(|found| found == page), "{page} is missing");
    }
    pages
}

/// The page without its blocks of code.
fn prose(page: &str) -> String {
    page.split("```").step_by(2).collect()
}

/// The targets of Markdown's `[text](target)`.
fn links(page: &str) -> Vec<String> {
    let prose = prose(page);
    prose.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0.to_owned())).collect()
}

/// The anchors of a page's headings, as GitHub makes them.
fn anchors(page: &str) -> BTreeSet<String> {
    let headings = prose(page);
    let headings = headings.lines().filter_map(|line| line.strip_prefix('#'));
    let anchor = |heading: &str| {
        let words = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = words.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(anchor).collect()
}

#[test]
fn every_link_leads_to_a_file_and_a_heading_in_it() {
    for page in pages() {
        let folder = root(&page).parent().expect("a folder").to_owned();
        for link in links(&text(&page)) {
            if link.starts_with("https://") {
                continue;
            }
            let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = if path.is_empty() { root(&page) } else { folder.join(path) };
            assert!(target.exists(), "{page}: {link} leads nowhere");
            if !anchor.is_empty() {
                let there = fs::read_to_string(&target).expect("a page");
                assert!(anchors(&there).contains(anchor), "{page}: {link} names no heading");
            }
        }
    }
}

#[test]
fn every_file_that_a_page_names_is_there() {
    let rooms = ["core/", "crds/", "deploy/", "docs/", "ec2sim/", "src/", "tests/", "tools/"];
    let mut named = 0;
    for page in pages() {
        // These pages name files as they lie in their own folder.
        if page.starts_with("ec2sim/") || page.starts_with("deploy/examples/") {
            continue;
        }
        for word in text(&page).split(|c: char| c.is_whitespace() || "`()<>,;:\"'=|".contains(c)) {
            let path = word.trim_end_matches('.');
            if rooms.iter().any(|room| path.starts_with(room)) && !path.contains('*') {
                assert!(root(path).exists(), "{page} names {path}");
                named += 1;
            }
        }
    }
    assert!(named > 40, "only {named} files were found named");
}

/// `make x` on a page is a target of the Makefile.
#[test]
fn every_make_target_that_a_page_names_exists() {
    let makefile = text("Makefile");
    let exists = |target: &str| makefile.lines().any(|line| line.starts_with(&format!("{target}:")));
    for page in ["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md"] {
        let text = text(page);
        let code = text.split('`').filter(|part| part.trim_start().starts_with("make "));
        for line in code.flat_map(str::lines) {
            let target = line.trim().strip_prefix("make ").and_then(|rest| rest.split_whitespace().next());
            if let Some(target) = target.filter(|target| !target.starts_with('#')) {
                assert!(exists(target), "{page}: make {target}");
            }
        }
    }
    assert!(exists("demo") && exists("test") && !exists("absent"));
}

/// A reason that nothing ever says would send people looking for it.
#[test]
fn every_reason_is_said_by_something() {
    let sources = files("core/src", "rs").into_iter().chain(files("src", "rs"));
    let code: String = sources.filter(|path| path != "core/src/reason.rs").map(|path| text(&path)).collect();
    let said = |reason: &&Reason| {
        let word = format!("Reason::{reason}");
        code.match_indices(&word).any(|(at, _)| !code[at + word.len()..].starts_with(char::is_alphanumeric))
    };
    let unsaid: Vec<_> = Reason::ALL.iter().filter(|reason| !said(reason)).collect();
    assert!(unsaid.is_empty(), "nothing says {unsaid:?}");
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
