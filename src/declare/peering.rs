//! `VpcPeering` -> [`Desired`].

use super::{
    ACCOUNT_ID, CIDR, DeclareError, PREFIX_LIST_ID, REGION, ROUTE_TABLE_ID, VPC_ID, exactly_one, meta,
    name_of, parse, parse_all, parse_some, text,
};
use crate::api::{
    ANNOTATION_ESTABLISHED, ANNOTATION_RECONCILE_REQUESTED_AT, GROUP,
    peering::{self as api, VpcPeering},
};
use peerkeeper_core::desired::{
    AccountRef, Adoption, DeletionPolicy, Desired, Destinations, RouteSpec, SideSpec, TableSelector,
};
use peerkeeper_core::ids::{ObjectKey, PeeringId, Side, Sides};
use peerkeeper_core::time::Wall;
use peerkeeper_core::write::TagSet;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// The longest value of `reconcile-requested-at` that is remembered as it is. Annotations may have 256 KiB.
const REQUESTED_AT_MAX_LEN: usize = 128;

/// What the object declares.
pub fn desired(
    object: &VpcPeering,
    namespace_terminating: bool,
    owner_id: &str,
) -> Result<Desired, DeclareError> {
    let (metadata, spec) = (&object.metadata, &object.spec);
    let sides = Sides::new(side(Side::Requester, &spec.requester)?, side(Side::Accepter, &spec.accepter)?);
    check_pair(&sides)?;
    let annotation =
        |key: &str| metadata.annotations.as_ref().and_then(|all| all.get(key)).map(String::as_str);
    let created = meta("creationTimestamp", metadata.creation_timestamp.as_ref())?;
    Ok(Desired {
        key: ObjectKey::new(meta("namespace", metadata.namespace.as_deref())?, name_of(metadata)?),
        uid: text(meta("uid", metadata.uid.as_deref())?),
        generation: meta("generation", metadata.generation)?,
        created: Wall(created.0.as_second()),
        deleting: metadata.deletion_timestamp.is_some(),
        namespace_terminating,
        sides,
        tags: own_tags(&spec.tags)?,
        adoption: match spec.adoption {
            api::Adoption::IfUnowned => Adoption::IfUnowned,
            api::Adoption::Never => Adoption::Never,
        },
        deletion_policy: spec.deletion_policy.map(|policy| match policy {
            api::DeletionPolicy::Delete => DeletionPolicy::Delete,
            api::DeletionPolicy::Retain => DeletionPolicy::Retain,
        }),
        suspend: spec.suspend,
        requested_at: annotation(ANNOTATION_RECONCILE_REQUESTED_AT).map(opaque),
        established: annotation(ANNOTATION_ESTABLISHED).map(established).transpose()?,
        owner_id: text(owner_id),
    })
}

/// It is the last witness of a peering where status is lost: one that can't be read is not passed over.
fn established(value: &str) -> Result<PeeringId, DeclareError> {
    let field = format!("metadata.annotations[{ANNOTATION_ESTABLISHED}]");
    parse(
        &field,
        value,
        "the id of a peering connection as Peerkeeper wrote it, such as pcx-0123456789abcdef0",
    )
}

/// Only ever compared with itself. A long one is shortened to something that still changes when it does: it goes into
/// status, which must stay small.
fn opaque(value: &str) -> Arc<str> {
    if value.len() <= REQUESTED_AT_MAX_LEN {
        return text(value);
    }
    // FNV-1a: the same in every version and on every machine.
    let fnv = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let hash = value.bytes().fold(0xcbf2_9ce4_8422_2325, fnv);
    Arc::from(format!("{} bytes, fnv {hash:016x}", value.len()))
}

fn side(which: Side, side: &api::Side) -> Result<SideSpec, DeclareError> {
    let field = |name: &str| format!("spec.{which}.{name}");
    let spec = SideSpec {
        account: account(which, &field("account"), &side.account)?,
        region: parse(&field("region"), &side.region, REGION)?,
        vpc: parse(&field("vpcId"), &side.vpc_id, VPC_ID)?,
        allow_dns: side.allow_dns_resolution_from_remote_vpc,
        routes: routes(&field("routes"), &side.routes)?,
    };
    if matches!(spec.account, AccountRef::Foreign(_)) {
        let expected =
            "absent: it needs credentials for the account, which account: {id} says there are none of";
        if !spec.routes.is_empty() {
            return Err(DeclareError::new(field("routes"), side.routes.len(), expected));
        }
        if let Some(allow) = spec.allow_dns {
            return Err(DeclareError::new(field("allowDnsResolutionFromRemoteVpc"), allow, expected));
        }
    }
    Ok(spec)
}

fn account(which: Side, field: &str, account: &api::AccountRef) -> Result<AccountRef, DeclareError> {
    let expected = "exactly one of name and id, such as {name: default}";
    let api::AccountRef { name, id } = account;
    exactly_one(field, &[("name", name.is_some()), ("id", id.is_some())], expected)?;
    match (name, id) {
        (Some(name), _) => Ok(AccountRef::Managed(text(name))),
        (None, Some(id)) if which == Side::Accepter => {
            parse(&format!("{field}.id"), id, ACCOUNT_ID).map(AccountRef::Foreign)
        }
        (None, _) => {
            let expected = "the name of an AwsAccount, such as {name: default}: the request is made with its credentials";
            Err(DeclareError::new(field, id, expected))
        }
    }
}

fn check_pair(sides: &Sides<SideSpec>) -> Result<(), DeclareError> {
    if sides.requester.vpc == sides.accepter.vpc {
        let expected = "another VPC than the requester's";
        return Err(DeclareError::new("spec.accepter.vpcId", sides.accepter.vpc, expected));
    }
    Ok(())
}

fn routes(field: &str, routes: &[api::Route]) -> Result<Vec<RouteSpec>, DeclareError> {
    let mut names = BTreeSet::new();
    let read = |(at, route): (usize, &api::Route)| {
        let field = format!("{field}[{at}]");
        if !names.insert(route.name.clone()) {
            return Err(DeclareError::new(
                format!("{field}.name"),
                &route.name,
                "unique among the routes of its side",
            ));
        }
        Ok(RouteSpec {
            name: text(&route.name),
            tables: tables(&format!("{field}.routeTables"), &route.route_tables)?,
            destinations: destinations(&format!("{field}.destinations"), &route.destinations)?,
        })
    };
    routes.iter().enumerate().map(read).collect()
}

fn tables(field: &str, tables: &api::RouteTables) -> Result<TableSelector, DeclareError> {
    let api::RouteTables { ids, match_tags: tags, select } = tables;
    let expected = "exactly one of ids, matchTags and select, such as matchTags: {tier: private}";
    exactly_one(
        field,
        &[("ids", ids.is_some()), ("matchTags", tags.is_some()), ("select", select.is_some())],
        expected,
    )?;
    if let Some(ids) = ids {
        return parse_some(&format!("{field}.ids"), ids, ROUTE_TABLE_ID).map(TableSelector::Ids);
    }
    if let Some(tags) = tags {
        return match_tags(&format!("{field}.matchTags"), tags).map(TableSelector::Tags);
    }
    match select {
        Some(api::SelectTables::Main) => Ok(TableSelector::Main),
        Some(api::SelectTables::All) => Ok(TableSelector::All),
        None => Err(DeclareError::absent(field, expected)),
    }
}

fn destinations(field: &str, destinations: &api::Destinations) -> Result<Destinations, DeclareError> {
    let api::Destinations { peer_cidrs, cidrs, prefix_list_ids: lists, exclude } = destinations;
    let expected = "exactly one of peerCidrs, cidrs and prefixListIds, such as peerCidrs: All";
    exactly_one(
        field,
        &[
            ("peerCidrs", peer_cidrs.is_some()),
            ("cidrs", cidrs.is_some()),
            ("prefixListIds", lists.is_some()),
        ],
        expected,
    )?;
    let excluded = format!("{field}.exclude");
    if peer_cidrs.is_some() {
        let exclude = parse_all(&excluded, exclude.as_deref().unwrap_or_default(), CIDR)?;
        return Ok(Destinations::PeerCidrs { exclude });
    }
    if let Some(exclude) = exclude {
        return Err(DeclareError::new(
            excluded,
            exclude,
            "absent: it takes CIDRs away from peerCidrs: All alone",
        ));
    }
    if let Some(cidrs) = cidrs {
        return parse_some(&format!("{field}.cidrs"), cidrs, CIDR).map(Destinations::Cidrs);
    }
    let lists = lists.as_deref().unwrap_or_default();
    parse_some(&format!("{field}.prefixListIds"), lists, PREFIX_LIST_ID).map(Destinations::PrefixLists)
}

/// Tags that something must carry to be selected.
pub(super) fn match_tags(field: &str, tags: &BTreeMap<String, String>) -> Result<TagSet, DeclareError> {
    if tags.is_empty() {
        return Err(DeclareError::new(field, tags, "at least one tag, such as {tier: private}"));
    }
    Ok(tags.iter().map(|(key, value)| (text(key), text(value))).collect())
}

/// Tags to set. The owner's and the origin's are what ownership is read from, so nobody may declare them.
fn own_tags(tags: &BTreeMap<String, String>) -> Result<TagSet, DeclareError> {
    let reserved = |key: &str| {
        let key = key.to_ascii_lowercase();
        key.is_empty() || key.starts_with("aws:") || key.starts_with(&format!("{GROUP}/"))
    };
    match tags.keys().find(|key| reserved(key)) {
        Some(key) => Err(DeclareError::new(
            "spec.tags",
            key,
            "a key that does not begin with aws: or peerkeeper.dev/, such as team",
        )),
        None => Ok(tags.iter().map(|(key, value)| (text(key), text(value))).collect()),
    }
}
