//! What is drawn, from models made by hand.

use std::collections::BTreeSet;

use peerkeeper_core::ids::Sides;

use super::model::{Edge, Group, Model, Presence, Routes, Status, Vpc};

/// So many VPCs in so many accounts of two Regions.
pub fn network(vpcs: usize, groups: usize) -> Model {
    let group = |at: usize| Group {
        account: format!("{:012}", 111_122_220_000 + at / 2),
        names: vec![format!("team-{}", at / 2)],
        region: ["eu-west-1", "us-east-1"][at % 2].to_owned(),
    };
    let vpc = |at: usize| Vpc {
        group: at * groups / vpcs,
        id: format!("vpc-{at:017x}"),
        name: (at % 7 != 3).then(|| format!("{}-{at}", ["prod", "staging", "shared", "data"][at % 4])),
        cidrs: vec![format!("10.{at}.0.0/16")],
        presence: Presence::Seen,
    };
    Model { groups: (0..groups).map(group).collect(), vpcs: (0..vpcs).map(vpc).collect(), edges: Vec::new() }
}

/// Joins these, with a status of every kind now and then, as a survey orders them.
pub fn joined(mut model: Model, pairs: &[(usize, usize)]) -> Model {
    let edge = |(at, (one, other)): (usize, &(usize, usize))| {
        let status = match at % 23 {
            4 => Status::Lost,
            9 => Status::Hurt,
            12 => Status::Pending,
            15 => Status::Absent,
            18 => Status::Undeclared,
            21 => Status::Unknown,
            _ => Status::Live,
        };
        let (alive, dead, missing) = match status {
            Status::Live | Status::Undeclared => (2, 0, 0),
            Status::Hurt => (1, 1, 1),
            Status::Lost => (0, 2, 0),
            Status::Pending | Status::Absent => (0, 0, 2),
            Status::Unknown => (0, 0, 0),
        };
        let state = match status {
            Status::Lost => "deleted",
            Status::Pending => "pending-acceptance",
            Status::Absent => "absent",
            Status::Unknown => "AWS could not be read",
            Status::Live | Status::Hurt | Status::Undeclared => "active",
        };
        let has_id = !matches!(status, Status::Absent | Status::Unknown);
        Edge {
            ends: Sides::new(*one, *other),
            object: (status != Status::Undeclared).then(|| format!("network/peering-{at:03}")),
            peering: has_id.then(|| format!("pcx-{at:017x}")),
            status,
            state: state.to_owned(),
            routes: Sides::new(Routes { alive, dead, missing }, Routes::default()),
            reason: (status == Status::Lost).then(|| "UnexpectedlyDeleted".to_owned()),
        }
    };
    model.edges = pairs.iter().enumerate().map(edge).collect();
    model.edges.sort_by(|one, other| (one.status, &one.object).cmp(&(other.status, &other.object)));
    model
}

/// Everybody is joined to the nearest of so many hubs.
pub fn hubs(vpcs: usize, groups: usize, hubs: usize) -> Model {
    let pairs: Vec<_> = (hubs..vpcs).map(|at| (at % hubs, at)).collect();
    joined(network(vpcs, groups), &pairs)
}

/// So many different pairs, spread without order.
pub fn mesh(vpcs: usize, groups: usize, edges: usize) -> Model {
    let mut pairs: BTreeSet<(usize, usize)> = BTreeSet::new();
    let mut state = 1u64;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    while pairs.len() < edges {
        let (one, other) = (next(vpcs), next(vpcs));
        if one != other {
            pairs.insert((one.min(other), one.max(other)));
        }
    }
    joined(network(vpcs, groups), &pairs.into_iter().collect::<Vec<_>>())
}

/// Five VPCs, a peering of every kind among them, names that would break something, and a VPC that is gone.
fn small() -> Model {
    let mut model = network(5, 3);
    model.vpcs[1].name = Some("a \"b\" <c> & \\N #quot; `d` ]".to_owned());
    model.vpcs[2].cidrs.push("fd00:1::/56".to_owned());
    model.vpcs[3].presence = Presence::Missing;
    model.vpcs[3].cidrs.clear();
    model.vpcs[4].presence = Presence::Unread;
    let mut model = joined(model, &[(0, 2), (0, 3), (0, 4), (1, 2), (3, 4), (1, 3), (2, 4)]);
    for (edge, status) in model.edges.iter_mut().zip(Status::ALL) {
        edge.status = status;
        edge.state = if status == Status::Lost { "deleted" } else { "" }.to_owned();
        edge.object = edge.object.take().filter(|_| status != Status::Undeclared);
    }
    model.edges.sort_by(|one, other| (one.status, &one.object).cmp(&(other.status, &other.object)));
    model
}

fn svg(model: &Model) -> String {
    super::svg::write(model)
}

/// The edges that are drawn and those that the table explains, by number.
fn drawn(svg: &str) -> (Vec<usize>, Vec<usize>) {
    let document = roxmltree::Document::parse(svg).expect("well-formed");
    let of = |name: &str| {
        let numbers = document.descendants().filter_map(|node| node.attribute(name));
        let mut numbers: Vec<usize> = numbers.map(|number| number.parse().expect("a number")).collect();
        numbers.sort_unstable();
        numbers
    };
    (of("data-edge"), of("data-row"))
}

#[test]
fn a_small_graph_as_mermaid() {
    insta::assert_snapshot!(super::mermaid::write(&small()));
}

#[test]
fn a_small_graph_as_dot() {
    insta::assert_snapshot!(super::dot::write(&small()));
}

#[test]
fn a_small_graph_as_svg() {
    insta::assert_snapshot!(svg(&small()));
}

#[test]
fn nothing_declared_is_said_and_drawn() {
    let none = Model::default();
    for text in [super::mermaid::write(&none), super::dot::write(&none), svg(&none)] {
        assert!(text.contains("No VpcPeering is declared"), "{text}");
    }
    roxmltree::Document::parse(&svg(&none)).expect("well-formed");
}

/// Every kind has a word, a key and a line of its own: nothing is told by colour alone.
#[test]
fn each_status_is_told_apart_without_colour() {
    let distinct =
        |of: &dyn Fn(Status) -> String| Status::ALL.map(of).into_iter().collect::<BTreeSet<_>>().len();
    assert_eq!(distinct(&|status| status.word().to_owned()), Status::ALL.len());
    assert_eq!(distinct(&|status| status.key().to_owned()), Status::ALL.len());
    let drawn = svg(&small());
    for status in Status::ALL {
        assert!(drawn.contains(&format!(">{}</text>", status.word())), "the legend lacks {}", status.word());
        let dashes = format!(".line.{}{{", status.key());
        assert!(status == Status::Live || drawn.contains(&dashes), "{} has dashes of its own", status.key());
    }
}

#[test]
fn large_graphs_show_every_edge_once_and_hide_no_vpc() {
    for model in [hubs(200, 40, 4), mesh(200, 40, 300), hubs(200, 1, 1), hubs(60, 60, 3)] {
        let text = svg(&model);
        let (edges, rows) = drawn(&text);
        let all: Vec<usize> = (1..=model.edges.len()).collect();
        assert_eq!(edges, all, "each edge is drawn once");
        assert_eq!(rows, all, "among so many, the table explains each");
        assert_eq!(text.matches("data-vpc=").count(), model.vpcs.len());
        assert_eq!(text, svg(&model.clone()), "the same bytes for the same model");
        let layout = super::svg::areas(&model);
        for (at, one) in layout.iter().enumerate() {
            assert!(layout[at + 1..].iter().all(|other| !one.meets(*other)), "VPC {at} covers another");
        }
    }
}

/// A hub, its spokes, and what can be wrong with them.
fn example() -> Model {
    let group = |account: &str, name: &str, region: &str| Group {
        account: account.to_owned(),
        names: vec![name.to_owned()],
        region: region.to_owned(),
    };
    let groups = vec![
        group("111122223333", "prod", "eu-west-1"),
        group("111122223333", "prod", "us-east-1"),
        group("444455556666", "shared", "eu-west-1"),
        group("777788889999", "data", "eu-west-1"),
        group("777788889999", "data", "us-east-1"),
    ];
    let vpc = |(at, (group, name)): (usize, (usize, &str))| Vpc {
        group,
        id: format!("vpc-0a1b2c3d4e5f607{at:02}"),
        name: Some(name.to_owned()),
        cidrs: vec![format!("10.{}.0.0/16", 10 * (at + 1))],
        presence: Presence::Seen,
    };
    let names = [
        (0, "web"),
        (0, "orders"),
        (1, "web-us"),
        (2, "hub"),
        (2, "mail"),
        (3, "lake"),
        (3, "stream"),
        (4, "lake-us"),
    ];
    let edge = |at: usize, ends: (usize, usize), status: Status, routes: [u32; 3], state: &str| Edge {
        ends: Sides::new(ends.0, ends.1),
        object: (status != Status::Undeclared)
            .then(|| format!("network/{}-{}", names[ends.0].1, names[ends.1].1)),
        peering: Some(format!("pcx-0123456789abcde{at:02}")),
        status,
        state: state.to_owned(),
        routes: Sides::new(
            Routes { alive: routes[0], dead: routes[1], missing: routes[2] },
            Routes::default(),
        ),
        reason: None,
    };
    let edges = vec![
        edge(1, (1, 3), Status::Lost, [0, 6, 0], "deleted"),
        edge(2, (5, 3), Status::Hurt, [4, 0, 1], "active"),
        edge(3, (7, 3), Status::Pending, [0, 0, 2], "pending-acceptance"),
        edge(4, (4, 6), Status::Undeclared, [1, 0, 0], "active"),
        edge(5, (0, 3), Status::Live, [4, 0, 0], "active"),
        edge(6, (2, 3), Status::Live, [2, 0, 0], "active"),
        edge(7, (6, 3), Status::Live, [2, 0, 0], "active"),
    ];
    Model { groups, vpcs: names.into_iter().enumerate().map(vpc).collect(), edges }
}

/// The picture in `docs/cli.md` is what the code draws.
#[test]
fn the_picture_on_the_page_is_drawn_by_the_code() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/images/graph.svg");
    let drawn = svg(&example());
    if std::env::var_os("PEERKEEPER_UPDATE_DOCS").is_some() {
        std::fs::write(&path, &drawn).expect("docs/images/graph.svg");
    }
    let kept = std::fs::read_to_string(&path).expect("docs/images/graph.svg");
    assert!(
        kept == drawn,
        "docs/images/graph.svg is not what is drawn: run `PEERKEEPER_UPDATE_DOCS=1 cargo test --lib graph`"
    );
}

/// Who has many peers is nearer to the middle than the mean of the others.
#[test]
fn hubs_end_up_in_the_middle() {
    let model = hubs(200, 40, 2);
    let areas = super::svg::areas(&model);
    let far = |at: usize| {
        let whole = areas.iter().fold(areas[0], |all, area| all.with(*area));
        areas[at].middle().to(whole.middle()).length()
    };
    let mean = (2..200).map(far).sum::<f64>() / 198.0;
    for hub in 0..2 {
        assert!(far(hub) < mean / 2.0, "hub {hub} is {} from the middle, others {mean}", far(hub));
    }
}

#[test]
fn a_graph_that_mermaid_refuses_is_told_with_what_to_do() {
    let many = mesh(60, 10, 600);
    let warnings = super::mermaid::beyond(&many, &super::mermaid::write(&many));
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("607 edges") && warnings[0].contains("--output svg"), "{warnings:?}");
    let long = "x".repeat(50_001);
    assert!(super::mermaid::beyond(&small(), &long)[0].contains("50001 characters"));
    assert_eq!(super::mermaid::beyond(&small(), &super::mermaid::write(&small())), [""; 0]);
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    /// Anything that a tag could hold, and what breaks things now and then.
    fn text() -> impl Strategy<Value = String> {
        let sharp =
            "[\\\\\"'<>&#;`\\[\\](){}|%\\n\\r\\t\u{0}\u{1b}\u{7f}\u{202e}\u{fffe}\u{ffff}é漢🦀-]{0,12}";
        prop_oneof![any::<String>(), sharp, "[a-z-]{1,60}"]
    }

    fn models() -> impl Strategy<Value = Model> {
        let edge = (any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0..7usize, text(), text());
        let vpcs = prop::collection::vec((text(), prop::option::of(text()), text(), 0..3usize), 1..24);
        (vpcs, 1..6usize, prop::collection::vec(edge, 0..40)).prop_map(|(vpcs, groups, edges)| {
            let groups = groups.min(vpcs.len());
            let mut model = network(vpcs.len(), groups);
            for (vpc, (id, name, cidr, presence)) in model.vpcs.iter_mut().zip(vpcs) {
                let presence = [Presence::Seen, Presence::Missing, Presence::Unread][presence];
                *vpc = Vpc { group: vpc.group, id, name, cidrs: vec![cidr], presence };
            }
            let count = model.vpcs.len();
            let edge = |(one, other, status, object, state): (
                prop::sample::Index,
                prop::sample::Index,
                usize,
                String,
                String,
            )| Edge {
                ends: Sides::new(one.index(count), other.index(count)),
                object: Some(object.clone()),
                peering: Some(state.clone()),
                status: Status::ALL[status],
                state,
                routes: Sides::default(),
                reason: Some(object),
            };
            model.edges = edges.into_iter().map(edge).collect();
            model
        })
    }

    /// What is between quotes, and what is not; `None` where a quote stays open.
    fn unquoted(text: &str, escape: Option<char>) -> Option<String> {
        let (mut out, mut inside, mut chars) = (String::new(), false, text.chars());
        while let Some(c) = chars.next() {
            match c {
                '"' => inside = !inside,
                c if inside && Some(c) == escape => drop(chars.next()),
                c if !inside => out.push(c),
                _ => {}
            }
        }
        (!inside).then_some(out)
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(96) })]

        #[test]
        fn an_svg_is_well_formed_whatever_things_are_called(model in models()) {
            let text = svg(&model);
            let (edges, rows) = drawn(&text);
            prop_assert_eq!(edges, (1..=model.edges.len()).collect::<Vec<_>>());
            prop_assert!(rows.len() <= model.edges.len());
            let document = roxmltree::Document::parse(&text).expect("well-formed");
            let vpcs = document.descendants().filter(|node| node.attribute("data-vpc").is_some());
            prop_assert_eq!(vpcs.count(), model.vpcs.len());
            let known = ["svg", "title", "desc", "style", "rect", "text", "g", "path"];
            prop_assert!(document.descendants().filter(|n| n.is_element()).all(|n| known.contains(&n.tag_name().name())));
            prop_assert!(!text.contains("NaN") && !text.contains("inf\""));
        }

        #[test]
        fn dot_and_mermaid_hold_names_within_quotes(model in models()) {
            let dot = super::super::dot::write(&model);
            let bare = unquoted(&dot, Some('\\')).expect("every quote is closed");
            prop_assert_eq!(bare.matches(" -- ").count(), model.edges.len());
            prop_assert_eq!(bare.matches('{').count(), bare.matches('}').count());
            prop_assert!(dot.chars().all(|c| c == '\n' || !c.is_control()));
            let mermaid = super::super::mermaid::write(&model);
            for line in mermaid.lines().filter(|line| !line.contains("accDescr")) {
                let bare = unquoted(line, None);
                prop_assert!(bare.is_some(), "{}", line);
            }
            let bare = unquoted(&mermaid, None).expect("every quote is closed");
            prop_assert!(bare.is_ascii(), "names are within quotes: {}", bare);
            let lines = bare.lines().filter(|line| line.trim_start().starts_with('v') && line.contains('|'));
            prop_assert_eq!(lines.count(), model.edges.len());
        }
    }
}
