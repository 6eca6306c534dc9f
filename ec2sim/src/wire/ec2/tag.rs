//! Tags.

use crate::error::AwsError;
use crate::request::{Request, Tags};
use crate::view::TagView;
use crate::wire::mapping::{Asked, Mapping, add_tags, done, show_page};
use crate::wire::value::Struct;

pub(crate) const OPERATIONS: &[Mapping] = &[
    Mapping { name: "CreateTags", reads: &["Resources", "Tags"], ask: create, answer: done },
    Mapping { name: "DeleteTags", reads: &["Resources", "Tags"], ask: delete, answer: done },
    Mapping {
        name: "DescribeTags",
        reads: &["Filters", "MaxResults", "NextToken"],
        // Tags have no ids: no such member.
        ask: |asked| Ok(Request::DescribeTags(asked.describe("")?)),
        answer: |_, response| Some(show_page(response.tags()?, "Tags", |tag| show(&tag))),
    },
];

fn create(asked: &Asked<'_>) -> Result<Request, AwsError> {
    let mut tags = Tags::new();
    add_tags(&mut tags, asked.input.structs("Tags"))?;
    Ok(Request::CreateTags { resources: asked.texts("Resources"), tags })
}

/// A key without a value goes whatever its value is; one with an empty value only where it is empty.
fn delete(asked: &Asked<'_>) -> Result<Request, AwsError> {
    let removed = asked
        .input
        .structs("Tags")
        .map(|tag| (tag.text("Key").unwrap_or_default().to_owned(), tag.text("Value").map(str::to_owned)));
    Ok(Request::DeleteTags { resources: asked.texts("Resources"), tags: removed.collect() })
}

fn show(tag: &TagView) -> Struct {
    Struct::new()
        .with("ResourceId", tag.resource_id.as_str())
        .with("ResourceType", tag.resource_type)
        .with("Key", tag.key.as_str())
        .with("Value", tag.value.as_str())
}
