//! Whatever comes, the answer is AWS's, and never a mistake of the simulator's own.

use ec2sim::wire::shapes::{self, Member, Protocol, Shape};
use ec2sim::wire::{HttpRequest, HttpResponse, respond, served};
use ec2sim::{Calm, Knobs, Seeded, World};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::client::{EU, US, authorization, text};

/// Two VPCs with a peering and a table between them, a prefix list and tags: something to meet.
fn inhabited() -> World {
    let mut world = World::new();
    let a = world.create_vpc(US, EU, "10.1.0.0/16").unwrap();
    let b = world.create_vpc(US, EU, "10.2.0.0/16").unwrap();
    let peering = world.peer(&a, &b).unwrap();
    let table = world.create_table(&a, &[("tier", "private")]).unwrap();
    world.add_route(&table, "10.2.0.0/16", peering.as_str()).unwrap();
    world
}

/// Texts that fit somewhere, and some that fit nowhere.
fn any_value() -> impl Strategy<Value = String> {
    let some = select(vec![
        "vpc-00000000000000001",
        "vpc-00000000000000005",
        "pcx-00000000000000009",
        "rtb-00000000000000003",
        "rtb-0000000000000000a",
        "pl-00000000000000001",
        "10.2.0.0/16",
        "10.9.0.0/16",
        "::/0",
        "2001:db8::/56",
        "true",
        "false",
        "0",
        "5",
        "-1",
        "99999999999",
        "active",
        "enableDnsSupport",
        "vpc",
        "IPv4",
        "igw-1",
        "vgw-1",
        "tag:tier",
        "vpc-id",
        "L-7E9ECCDB",
        "arn:aws:iam::444455556666:role/x",
        "",
    ])
    .prop_map(str::to_owned);
    prop_oneof![8 => some, 1 => any::<String>()]
}

/// The names of all parameters that a member may have, with short lists.
fn names(prefix: &str, member: &Member, depth: usize, found: &mut Vec<String>) {
    under(&format!("{prefix}{}", member.query_name), member.shape, depth, found);
}

fn under(path: &str, shape: &Shape, depth: usize, found: &mut Vec<String>) {
    if depth > 5 {
        return;
    }
    match shape {
        Shape::Struct(structure) => {
            for member in structure.members {
                names(&format!("{path}."), member, depth + 1, found);
            }
        }
        Shape::List(list) => {
            for number in 1..=2 {
                under(&format!("{path}.{number}"), list.item, depth + 1, found);
            }
        }
        _ => found.push(path.to_owned()),
    }
}

/// A request to one of the served operations, with parameters that it has.
fn fitting() -> impl Strategy<Value = HttpRequest> {
    let form: Vec<_> = served()
        .filter(|(service, _)| {
            shapes::service(service).is_some_and(|service| !matches!(service.protocol, Protocol::Json { .. }))
        })
        .collect();
    (select(form), vec((any::<prop::sample::Index>(), any_value()), 0..6)).prop_map(
        |((service, name), chosen)| {
            let service = shapes::service(service).unwrap();
            let mut known = Vec::new();
            for member in service.operation(name).unwrap().input.iter().flat_map(|shape| shape.members) {
                names("", member, 0, &mut known);
            }
            let mut body = form_urlencoded::Serializer::new(String::new());
            body.append_pair("Action", name).append_pair("Version", service.api_version);
            let mut taken = std::collections::BTreeSet::new();
            for (index, value) in chosen {
                if known.is_empty() {
                    break;
                }
                let name = index.get(&known);
                if taken.insert(name.clone()) {
                    body.append_pair(name, &value);
                }
            }
            HttpRequest::post(body.finish()).header("Authorization", authorization(US, EU, service.name))
        },
    )
}

fn is_sound(response: &HttpResponse) -> Result<(), TestCaseError> {
    let HttpResponse::Answer(answer) = response else { return Ok(()) };
    let body = text(answer);
    prop_assert!(answer.status == 200 || (400..500).contains(&answer.status), "{} {body}", answer.status);
    prop_assert!(body.is_empty() || body.starts_with("<?xml") || body.starts_with(['{', '<']), "{body}");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, ..ProptestConfig::default() })]

    #[test]
    fn requests_that_fit_their_shapes_are_answered(requests in vec(fitting(), 1..6)) {
        let mut world = inhabited();
        for request in requests {
            is_sound(&respond(&mut world, &request, &mut Calm))?;
        }
    }

    #[test]
    fn arbitrary_bytes_are_answered(
        method in select(vec!["GET", "POST", "PUT", "", "HEAD"]),
        query in any::<String>(),
        body in vec(any::<u8>(), 0..200),
        headers in vec((select(vec!["Authorization", "X-Amz-Target", "Host", "Content-Type"]), any::<String>()), 0..4),
    ) {
        let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let request = HttpRequest { method: method.to_owned(), path: "/".to_owned(), query, headers, body };
        is_sound(&respond(&mut World::new(), &request, &mut Calm))?;
    }

    #[test]
    fn arbitrary_bodies_under_a_signature_are_answered(
        (service, target) in select(vec![
            ("ec2", ""), ("sts", ""), ("sqs", "AmazonSQS.SendMessage"),
            ("cloudtrail", "CloudTrail_20131101.LookupEvents"),
            ("servicequotas", "ServiceQuotasV20190624.GetServiceQuota"),
        ]),
        body in prop_oneof![
            vec(any::<u8>(), 0..200),
            "[A-Za-z0-9.=&%{}\":,]{0,80}".prop_map(String::into_bytes),
        ],
    ) {
        let request = HttpRequest::post(body)
            .header("Authorization", authorization(US, EU, service))
            .header("X-Amz-Target", target);
        is_sound(&respond(&mut inhabited(), &request, &mut Calm))?;
    }

    /// The same requests, the same chance, the same bytes: ids of requests too.
    #[test]
    fn answers_follow_from_the_requests_and_chance(requests in vec(fitting(), 1..6), seed in any::<u64>()) {
        let run = || {
            let (mut world, mut chance) = (inhabited(), Seeded::new(seed, Knobs::rough()));
            let answers: Vec<_> = requests.iter().map(|one| respond(&mut world, one, &mut chance)).collect();
            (world, answers)
        };
        let (one, other) = (run(), run());
        prop_assert_eq!(one.1, other.1);
        prop_assert!(one.0 == other.0);
    }
}
