//! Managed prefix lists.

use crate::error::{AwsError, texts};
use crate::request::{CreatePrefixList, PrefixListEntry, Request};
use crate::view::{PrefixListView, Response};
use crate::wire::mapping::{Asked, Mapping, show_page, show_tags};
use crate::wire::value::{Struct, Value};

pub(crate) const OPERATIONS: &[Mapping] = &[
    Mapping {
        name: "CreateManagedPrefixList",
        reads: &[
            "PrefixListName",
            "Entries",
            "MaxEntries",
            "AddressFamily",
            "ClientToken",
            "TagSpecifications",
        ],
        ask: create,
        answer: |asked, response| one(asked, response, "create-complete"),
    },
    Mapping {
        name: "ModifyManagedPrefixList",
        reads: &[
            "PrefixListId",
            "CurrentVersion",
            "PrefixListName",
            "AddEntries",
            "RemoveEntries",
            "MaxEntries",
        ],
        ask: modify,
        answer: |asked, response| one(asked, response, "modify-complete"),
    },
    Mapping {
        name: "DeleteManagedPrefixList",
        reads: &["PrefixListId"],
        ask: |asked| Ok(Request::DeleteManagedPrefixList { prefix_list_id: asked.must("PrefixListId")? }),
        answer: |asked, response| one(asked, response, "delete-complete"),
    },
    Mapping {
        name: "DescribeManagedPrefixLists",
        reads: &["PrefixListIds", "Filters", "MaxResults", "NextToken"],
        ask: |asked| Ok(Request::DescribeManagedPrefixLists(asked.describe("PrefixListIds")?)),
        answer: |asked, response| {
            let show = |list| show(asked, &list, None);
            Some(show_page(response.prefix_lists()?, "PrefixLists", show))
        },
    },
    Mapping {
        name: "GetManagedPrefixListEntries",
        reads: &["PrefixListId", "TargetVersion", "MaxResults", "NextToken"],
        ask: entries,
        answer: |_, response| {
            Some(show_page(response.prefix_list_entries()?, "Entries", |entry| show_entry(&entry)))
        },
    },
];

fn create(asked: &Asked<'_>) -> Result<Request, AwsError> {
    let max_entries = asked.count("MaxEntries")?.ok_or_else(|| texts::missing("maxEntries"))?;
    Ok(Request::CreateManagedPrefixList(CreatePrefixList {
        name: asked.must("PrefixListName")?,
        max_entries,
        address_family: asked.must("AddressFamily")?,
        entries: asked.input.structs("Entries").map(entry).collect(),
        client_token: asked.text("ClientToken"),
        tags: asked.tags("prefix-list")?,
    }))
}

fn entry(given: &Struct) -> PrefixListEntry {
    PrefixListEntry {
        cidr: given.text("Cidr").unwrap_or_default().to_owned(),
        description: given.text("Description").map(str::to_owned),
    }
}

fn modify(asked: &Asked<'_>) -> Result<Request, AwsError> {
    let remove = asked.input.structs("RemoveEntries");
    Ok(Request::ModifyManagedPrefixList {
        prefix_list_id: asked.must("PrefixListId")?,
        current_version: version(asked, "CurrentVersion")?,
        name: asked.text("PrefixListName"),
        max_entries: asked.count("MaxEntries")?,
        add: asked.input.structs("AddEntries").map(entry).collect(),
        remove: remove.map(|entry| entry.text("Cidr").unwrap_or_default().to_owned()).collect(),
    })
}

fn version(asked: &Asked<'_>, name: &'static str) -> Result<Option<u64>, AwsError> {
    Ok(asked.count(name)?.map(u64::from))
}

fn entries(asked: &Asked<'_>) -> Result<Request, AwsError> {
    Ok(Request::GetManagedPrefixListEntries {
        prefix_list_id: asked.must("PrefixListId")?,
        target_version: version(asked, "TargetVersion")?,
        max_results: asked.count("MaxResults")?,
        next_token: asked.text("NextToken").filter(|token| !token.is_empty()),
    })
}

fn one(asked: &Asked<'_>, response: Response, state: &'static str) -> Option<Struct> {
    Some(Struct::new().with("PrefixList", show(asked, &response.prefix_list()?, Some(state))))
}

/// What changes a list is over at once here, and so says a later Describe too.
fn show(asked: &Asked<'_>, list: &PrefixListView, state: Option<&str>) -> Struct {
    let settled = if list.modified { "modify-complete" } else { "create-complete" };
    let (partition, region) = (asked.caller.partition(), &asked.caller.region);
    let arn = format!("arn:{partition}:ec2:{region}:{}:prefix-list/{}", list.owner, list.id);
    Struct::new()
        .with("PrefixListId", list.id.as_str())
        .with("PrefixListArn", arn)
        .with("PrefixListName", list.name.as_str())
        .with("AddressFamily", list.address_family)
        .with("MaxEntries", list.max_entries)
        .with("OwnerId", list.owner.as_str())
        .with("State", state.unwrap_or(settled))
        .with("Version", i64::try_from(list.version).unwrap_or(i64::MAX))
        .with("Tags", show_tags(&list.tags))
}

fn show_entry(entry: &crate::view::PrefixListEntryView) -> Struct {
    Struct::new()
        .with("Cidr", entry.cidr.to_string())
        .with_opt("Description", entry.description.as_deref().map(Value::from))
}
