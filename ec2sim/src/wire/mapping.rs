//! From an operation's members to a [`Request`], and from its [`Response`] to the members of the answer.
//!
//! Every area of AWS is a module with a table of [`Mapping`]s, listed in [`AREAS`]. To serve one more operation, add
//! it to a table; to serve one more area, add its table to the list. The shapes say which members exist; a mapping
//! names those that the world understands, and a request with any other is refused aloud, never half obeyed.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::value::{Struct, Value};
use crate::error::{AwsError, texts};
use crate::request::{Caller, Describe, Filter, Request, Tags};
use crate::view::Response;
use crate::world::World;

/// One decoded request.
pub(crate) struct Asked<'a> {
    pub(crate) caller: &'a Caller,
    pub(crate) input: &'a Struct,
    /// The calendar at the world's time zero, in milliseconds since 1970.
    pub(crate) epoch_ms: i64,
    /// Whom the request was sent to, as its client calls it.
    pub(crate) host: &'a str,
}

pub(crate) struct Mapping {
    pub(crate) name: &'static str,
    /// The members of the input that `ask` reads. `DryRun` need not be named.
    pub(crate) reads: &'static [&'static str],
    pub(crate) ask: fn(&Asked<'_>) -> Result<Request, AwsError>,
    /// `None`: the world answered something else, which is a fault of ours.
    pub(crate) answer: fn(&Asked<'_>, Response) -> Option<Struct>,
}

/// The operations of a service, area by area.
type Area = (&'static str, &'static [Mapping]);

const AREAS: &[Area] = &[
    ("ec2", super::ec2::vpc::OPERATIONS),
    ("ec2", super::ec2::table::OPERATIONS),
    ("ec2", super::ec2::route::OPERATIONS),
    ("ec2", super::ec2::peering::OPERATIONS),
    ("ec2", super::ec2::prefix_list::OPERATIONS),
    ("ec2", super::ec2::tag::OPERATIONS),
    ("ec2", super::ec2::place::OPERATIONS),
    ("ec2", super::ec2::subnet::OPERATIONS),
    ("ec2", super::ec2::gateway::OPERATIONS),
    ("ec2", super::ec2::security_group::OPERATIONS),
    ("ec2", super::ec2::security_group_rule::OPERATIONS),
    ("ec2", super::ec2::misc::OPERATIONS),
    ("sts", super::sts::OPERATIONS),
    ("servicequotas", super::quotas::OPERATIONS),
    ("sqs", super::sqs::OPERATIONS),
    ("cloudtrail", super::cloudtrail::OPERATIONS),
    ("events", super::events::OPERATIONS),
];

static BY_NAME: LazyLock<BTreeMap<(&str, &str), &Mapping>> = LazyLock::new(|| {
    let each = AREAS.iter().flat_map(|(service, area)| area.iter().map(move |held| (*service, held)));
    each.map(|(service, held)| ((service, held.name), held)).collect()
});

pub(crate) fn find(service: &str, operation: &str) -> Option<&'static Mapping> {
    BY_NAME.get(&(service, operation)).copied()
}

/// Every operation that is served, by service.
pub fn served() -> impl Iterator<Item = (&'static str, &'static str)> {
    AREAS.iter().flat_map(|(service, area)| area.iter().map(move |held| (*service, held.name)))
}

impl Mapping {
    pub(crate) fn request(&self, asked: &Asked<'_>) -> Result<Request, AwsError> {
        let unread = asked.input.iter().find(|(name, _)| *name != "DryRun" && !self.reads.contains(name));
        if let Some((name, _)) = unread {
            return Err(AwsError::new(
                "UnsupportedOperation",
                format!("{name} of {} is not simulated: leave it out", self.name),
            ));
        }
        (self.ask)(asked)
    }
}

/// The answer of operations that have nothing to tell: `<return>true</return>` where AWS says so.
pub(crate) fn done(_: &Asked<'_>, response: Response) -> Option<Struct> {
    (response == Response::Done).then(Struct::new)
}

/// `VpcId` as AWS spells it in its complaints: `vpcId`.
fn lower_camel(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}

impl Asked<'_> {
    /// A member without which AWS refuses the call. Empty counts as absent.
    pub(crate) fn must(&self, name: &'static str) -> Result<String, AwsError> {
        let given = self.input.text(name).filter(|text| !text.is_empty());
        given.map(str::to_owned).ok_or_else(|| texts::missing(&lower_camel(name)))
    }

    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.input.text(name).map(str::to_owned)
    }

    pub(crate) fn texts(&self, name: &str) -> Vec<String> {
        self.input.texts(name).map(str::to_owned).collect()
    }

    /// A moment of the virtual clock, as the calendar has it.
    pub(crate) fn time(&self, at_ms: u64) -> Value {
        Value::Time(self.epoch_ms.saturating_add(i64::try_from(at_ms).unwrap_or(i64::MAX)))
    }

    /// A count: what no count can be is refused.
    pub(crate) fn count(&self, name: &'static str) -> Result<Option<u32>, AwsError> {
        let Some(number) = self.input.int(name) else { return Ok(None) };
        u32::try_from(number).map(Some).map_err(|_| {
            let message = format!("Value ({number}) for parameter {} is invalid.", lower_camel(name));
            texts::bad_value(message)
        })
    }

    /// Ids, filters and page of a Describe call whose ids are in the member `ids`.
    pub(crate) fn describe(&self, ids: &'static str) -> Result<Describe, AwsError> {
        Ok(Describe {
            ids: self.texts(ids),
            filters: self.filters(),
            max_results: self.count("MaxResults")?,
            next_token: self.text("NextToken").filter(|token| !token.is_empty()),
        })
    }

    fn filters(&self) -> Vec<Filter> {
        let given = self.input.structs("Filters");
        let filter = |filter: &Struct| Filter {
            name: filter.text("Name").unwrap_or_default().to_owned(),
            values: filter.texts("Values").map(str::to_owned).collect(),
        };
        given.map(filter).collect()
    }

    /// The tags for the one kind of resource that the call makes.
    pub(crate) fn tags(&self, kind: &str) -> Result<Tags, AwsError> {
        let mut tags = Tags::new();
        for specification in self.input.structs("TagSpecifications") {
            let named = specification.text("ResourceType").unwrap_or_default();
            if named != kind {
                return Err(texts::bad_value(format!(
                    "'{named}' is not a valid taggable resource type for this operation."
                )));
            }
            add_tags(&mut tags, specification.structs("Tags"))?;
        }
        Ok(tags)
    }
}

/// A key may be given once.
pub(crate) fn add_tags<'a>(tags: &mut Tags, given: impl Iterator<Item = &'a Struct>) -> Result<(), AwsError> {
    for tag in given {
        let key = tag.text("Key").unwrap_or_default().to_owned();
        let value = tag.text("Value").unwrap_or_default().to_owned();
        if tags.contains_key(&key) {
            return Err(texts::bad_value(format!("Duplicate tag key '{key}' specified.")));
        }
        tags.insert(key, value);
    }
    Ok(())
}

pub(crate) fn show_tags(tags: &Tags) -> Value {
    Value::list(tags.iter().map(|(key, value)| Struct::new().with("Key", key).with("Value", value)))
}

/// A page of anything, under the name that the answer gives it.
pub(crate) fn show_page<T>(
    page: crate::view::Page<T>,
    name: &'static str,
    show: impl Fn(T) -> Struct,
) -> Struct {
    let crate::view::Page { items, next_token } = page;
    Struct::new().with(name, Value::list(items.into_iter().map(show))).with_opt("NextToken", next_token)
}

/// What the world answered does not belong to the question.
pub(crate) fn mismatched(operation: &str) -> AwsError {
    AwsError::new("InternalError", format!("{operation} was answered with something else"))
}

/// One call, from decoded members to decoded members.
pub(crate) fn call(
    world: &mut World,
    mapping: &Mapping,
    asked: &Asked<'_>,
    chance: &mut dyn crate::chance::Chance,
) -> Result<Struct, crate::error::Failure> {
    let request = mapping.request(asked)?;
    if asked.input.bool("DryRun") == Some(true) {
        return Err(world.dry_run(asked.caller, request, chance));
    }
    let response = world.call(asked.caller, request, chance)?;
    Ok((mapping.answer)(asked, response).ok_or_else(|| mismatched(mapping.name))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::shapes;

    #[test]
    fn every_mapping_reads_members_that_its_shape_has() {
        for (service, area) in AREAS {
            let service = shapes::service(service).expect("a service that is served");
            for mapping in *area {
                let operation = service.operation(mapping.name);
                let operation = operation.unwrap_or_else(|| panic!("{} has no shape", mapping.name));
                let has = |name: &str| operation.input.is_some_and(|shape| shape.member(name).is_some());
                for member in mapping.reads {
                    assert!(has(member), "{} has no member {member}", mapping.name);
                }
            }
        }
    }

    #[test]
    fn every_operation_is_mapped_once() {
        assert_eq!(served().count(), BY_NAME.len());
    }
}
