//! Manifests as a person would write them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::Arc;

use peerkeeper_core::desired::{AccountRef, Destinations, TableSelector};
use peerkeeper_core::ids::{ObjectKey, PeeringId, Region, Side, Sides, VpcId};

use super::choose::Entry;

/// A `VpcPeering` that declares what is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    pub namespace: String,
    pub name: String,
    pub id: PeeringId,
    /// For who reads the file.
    pub notes: Vec<String>,
    pub sides: Sides<End>,
    /// Those that every side shows alike.
    pub tags: BTreeMap<Arc<str>, Arc<str>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    pub account: AccountRef,
    pub region: Region,
    pub vpc: VpcId,
    pub allow_dns: Option<bool>,
    pub routes: Vec<Entry>,
}

impl Declared {
    pub fn key(&self) -> ObjectKey {
        ObjectKey::new(self.namespace.as_str(), self.name.as_str())
    }

    /// In words, where AWS's own could have another direction.
    pub fn ends(&self) -> String {
        let end = |end: &End| {
            let account = match &end.account {
                AccountRef::Managed(name) => name.to_string(),
                AccountRef::Foreign(id) => id.to_string(),
            };
            format!("{} in {account}/{}", end.vpc, end.region)
        };
        format!("{} -> {}", end(&self.sides.requester), end(&self.sides.accepter))
    }
}

/// One document. Writing to a String can't fail.
pub fn manifest(declared: &Declared) -> String {
    let Declared { namespace, name, id, notes, sides, tags } = declared;
    let mut out = format!("# Adopts {id}.\n");
    for note in notes {
        let _ = writeln!(out, "# {}", one_line(note));
    }
    out.push_str("apiVersion: peerkeeper.dev/v1alpha1\nkind: VpcPeering\n");
    let _ = writeln!(out, "metadata:\n  name: {}\n  namespace: {}\nspec:", scalar(name), scalar(namespace));
    for (side, end) in sides.iter() {
        write_end(&mut out, side, end);
    }
    if !tags.is_empty() {
        out.push_str("  tags:\n");
        for (key, value) in tags {
            let _ = writeln!(out, "    {}: {}", scalar(key), scalar(value));
        }
    }
    out.push_str("  adoption: IfUnowned\n");
    out
}

fn write_end(out: &mut String, side: Side, end: &End) {
    let End { account, region, vpc, allow_dns, routes } = end;
    let account = match account {
        AccountRef::Managed(name) => format!("{{name: {}}}", scalar(name)),
        AccountRef::Foreign(id) => format!("{{id: {}}}", quoted(&id.to_string())),
    };
    let _ = writeln!(out, "  {side}:\n    account: {account}\n    region: {region}\n    vpcId: {vpc}");
    if let Some(allow) = allow_dns {
        let _ = writeln!(out, "    allowDnsResolutionFromRemoteVpc: {allow}");
    }
    if routes.is_empty() {
        return;
    }
    out.push_str("    routes:\n");
    for (name, entry) in names(routes).iter().zip(routes) {
        let _ = writeln!(out, "    - name: {}\n      routeTables: {}", scalar(name), tables(&entry.tables));
        let _ = writeln!(out, "      destinations: {}", destinations(&entry.destinations));
    }
}

fn tables(tables: &TableSelector) -> String {
    match tables {
        TableSelector::Main => "{select: Main}".to_owned(),
        TableSelector::All => "{select: All}".to_owned(),
        TableSelector::Tags(tags) => {
            let tags: Vec<String> =
                tags.iter().map(|(key, value)| format!("{}: {}", scalar(key), scalar(value))).collect();
            format!("{{matchTags: {{{}}}}}", tags.join(", "))
        }
        TableSelector::Ids(ids) => format!("{{ids: {}}}", list(ids)),
    }
}

fn destinations(destinations: &Destinations) -> String {
    match destinations {
        Destinations::PeerCidrs { exclude } if exclude.is_empty() => "{peerCidrs: All}".to_owned(),
        Destinations::PeerCidrs { exclude } => format!("{{peerCidrs: All, exclude: {}}}", list(exclude)),
        Destinations::Cidrs(cidrs) => format!("{{cidrs: {}}}", list(cidrs)),
        Destinations::PrefixLists(lists) => format!("{{prefixListIds: {}}}", list(lists)),
    }
}

fn list<T: ToString>(things: impl IntoIterator<Item = T>) -> String {
    let things: Vec<String> = things.into_iter().map(|thing| scalar(&thing.to_string())).collect();
    format!("[{}]", things.join(", "))
}

/// What entries are called in status and Events: by what they select, and numbered where that is not enough.
fn names(routes: &[Entry]) -> Vec<String> {
    let mut taken: BTreeSet<String> = BTreeSet::new();
    let mut free = |name: String| {
        let numbered = (2..).map(|number| format!("{name}-{number}"));
        let found = std::iter::once(name.clone()).chain(numbered).find(|name| taken.insert(name.clone()));
        found.unwrap_or(name)
    };
    routes.iter().map(|entry| free(name(entry))).collect()
}

fn name(entry: &Entry) -> String {
    let tables = match &entry.tables {
        TableSelector::Main => "main".to_owned(),
        TableSelector::All => "all".to_owned(),
        TableSelector::Tags(tags) => {
            let words: Vec<&str> = tags.values().map(AsRef::as_ref).collect();
            label(&words.join("-"), 40).unwrap_or_else(|| "tagged".to_owned())
        }
        TableSelector::Ids(_) => "tables".to_owned(),
    };
    match &entry.destinations {
        Destinations::PeerCidrs { .. } => tables,
        Destinations::Cidrs(_) => format!("{tables}-cidrs"),
        Destinations::PrefixLists(_) => format!("{tables}-prefix-lists"),
    }
}

/// A DNS label of what somebody wrote: lower-case letters, digits and single dashes, `longest` at most. `None`: nothing is left.
pub fn label(text: &str, longest: usize) -> Option<String> {
    let mut label = String::new();
    for c in text.chars().map(|c| c.to_ascii_lowercase()) {
        match c {
            'a'..='z' | '0'..='9' => label.push(c),
            _ if label.is_empty() || label.ends_with('-') => {}
            _ => label.push('-'),
        }
    }
    label.truncate(longest);
    let label = label.trim_end_matches('-');
    (!label.is_empty()).then(|| label.to_owned())
}

/// Text that means itself in YAML, in quotes where it would not without them.
fn scalar(text: &str) -> String {
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    let means_itself = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(is_word)
        && !["true", "false", "yes", "no", "on", "off", "null", "y", "n"]
            .contains(&text.to_ascii_lowercase().as_str());
    // A network is no number: it has a slash, or more than one dot.
    let is_network = text.contains('/') && text.chars().all(|c| c.is_ascii_digit() || c == '.' || c == '/');
    if means_itself || is_network { text.to_owned() } else { quoted(text) }
}

/// JSON's text is YAML's too.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A comment ends with its line: nothing that somebody named may end it sooner.
fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() || matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}') { ' ' } else { c })
        .collect()
}
