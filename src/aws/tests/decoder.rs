//! The way from bytes to the engine's nouns, with bytes that nobody would send: an error or a reading, never a panic, and
//! never a reading that quietly lacks something.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex};

use ec2sim::sdk::Fate;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::world::{Rig, eu, rig};

/// What a sweep shows, each thing as text.
fn shown(rig: &Rig) -> [Option<Vec<String>>; 3] {
    let view = rig.aws.reader().view("prod", eu());
    fn texts<T: peerkeeper_core::observed::Resource>(
        view: &peerkeeper_core::observed::View<T>,
    ) -> Option<Vec<String>> {
        view.sweep.as_ref().map(|read| read.iter().map(|thing| format!("{thing:?}")).collect())
    }
    [texts(&view.peerings), texts(&view.tables), texts(&view.vpcs)]
}

/// The three questions of a sweep, with the element that each answer's list is in.
const QUESTIONS: [(&str, &str); 3] = [
    ("DescribeVpcPeeringConnections", "vpcPeeringConnectionSet"),
    ("DescribeRouteTables", "routeTableSet"),
    ("DescribeVpcs", "vpcSet"),
];

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap()
}

/// A whole answer to each question, as the world gives it.
fn answers() -> [Vec<u8>; 3] {
    runtime().block_on(async {
        let rig = rig().await;
        let heard: Arc<Mutex<BTreeMap<&str, Vec<u8>>>> = Arc::default();
        let hearing = heard.clone();
        rig.world.twist(move |seen, fate| {
            if let Fate::Arrives(answer) = &fate {
                hearing.lock().unwrap().insert(seen.action, answer.body.clone());
            }
            fate
        });
        rig.aws.reader().sweep("prod", eu()).await.unwrap();
        let heard = heard.lock().unwrap();
        QUESTIONS.map(|(action, _)| heard[action].clone())
    })
}

/// A sweep in which this question is answered so: what is then shown of it, `None` where there is no reading.
fn read_as(question: usize, body: Vec<u8>) -> Option<Vec<String>> {
    runtime().block_on(async {
        let rig = rig().await;
        rig.world.twist(move |seen, fate| match fate {
            Fate::Arrives(mut answer) if seen.action == QUESTIONS[question].0 => {
                answer.body.clone_from(&body);
                Fate::Arrives(answer)
            }
            fate => fate,
        });
        let swept = rig.aws.reader().sweep("prod", eu()).await;
        let shown = shown(&rig);
        for (other, (action, _)) in QUESTIONS.iter().enumerate() {
            assert!(other == question || shown[other].is_some(), "{action} was answered well");
        }
        assert_eq!(
            swept.is_ok(),
            shown[question].is_some(),
            "an error and no reading, or a reading: {swept:?}"
        );
        let [peerings, tables, vpcs] = shown;
        match question {
            0 => peerings,
            1 => tables,
            _ => vpcs,
        }
    })
}

/// Where the outermost items of the list lie: behind `<item>` and before `</item>`.
fn items(body: &[u8], list: &str) -> Vec<Range<usize>> {
    let text = std::str::from_utf8(body).unwrap();
    let (open, shut) = (format!("<{list}>"), format!("</{list}>"));
    let (start, end) = (text.find(&open).unwrap() + open.len(), text.rfind(&shut).unwrap());
    let (mut at, mut depth, mut began, mut found) = (start, 0, 0, Vec::new());
    while at < end {
        if text[at..].starts_with("<item>") {
            at += "<item>".len();
            depth += 1;
            if depth == 1 {
                began = at;
            }
        } else if text[at..].starts_with("</item>") {
            depth -= 1;
            if depth == 0 {
                found.push(began..at);
            }
            at += "</item>".len();
        } else {
            at += 1;
        }
    }
    found
}

fn run(
    cases: u32,
    strategy: impl Strategy<Value = (usize, Vec<(u32, Edit)>)>,
    test: impl Fn(usize, Vec<(u32, Edit)>),
) {
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let result = runner.run(&strategy, |(question, edits)| {
        test(question, edits);
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
}

/// One change of the bytes.
#[derive(Clone, Debug)]
enum Edit {
    Byte(u8),
    Insert(String),
    Remove(u16),
    Repeat(u16),
}

fn edit() -> impl Strategy<Value = Edit> {
    let words = prop::sample::select(vec![
        "<item>",
        "</item>",
        "<item/>",
        "<",
        ">",
        "</",
        "&",
        "&amp;",
        "&#0;",
        "&#x110000;",
        "<!--",
        "-->",
        "<![CDATA[",
        "]]>",
        "<?xml?>",
        "<!DOCTYPE x [<!ENTITY y \"z\">]>",
        "\0",
        "\u{fffd}",
        "9999999999999999999999",
        "<vpcId>vpc-11111111</vpcId>",
        "10.0.0.0/99",
        "true",
        "-1",
        "<tagSet>",
        "</tagSet>",
        " ",
        "\u{1f980}",
    ]);
    prop_oneof![
        4 => any::<u8>().prop_map(Edit::Byte),
        3 => words.prop_map(|word| Edit::Insert(word.to_owned())),
        2 => (1_u16..200).prop_map(Edit::Remove),
        1 => (1_u16..200).prop_map(Edit::Repeat),
    ]
}

/// Within `range`, at a place that is as far into it as `at` says.
fn apply(body: &mut Vec<u8>, range: &Range<usize>, edits: &[(u32, Edit)]) {
    let mut range = range.clone();
    for (at, edit) in edits {
        if range.is_empty() {
            return;
        }
        let at = range.start + (*at as usize) % range.len();
        let to = |length: u16| (at + usize::from(length)).min(range.end);
        let before = body.len();
        match edit {
            Edit::Byte(byte) => body[at] = *byte,
            Edit::Insert(text) => drop(body.splice(at..at, text.bytes())),
            Edit::Remove(length) => drop(body.drain(at..to(*length))),
            Edit::Repeat(length) => {
                let again = body[at..to(*length)].to_vec();
                drop(body.splice(at..at, again));
            }
        }
        range.end = range.end + body.len() - before;
    }
}

/// Changes that leave an answer whole more often than not.
fn gentle() -> impl Strategy<Value = (usize, Vec<(u32, Edit)>)> {
    let words = prop::sample::select(vec![
        "<item/>",
        "<item></item>",
        "<vpcId>vpc-11111111</vpcId>",
        "<a><item>b</item></a>",
        "7",
        "x",
        "-",
        ".",
        "&amp;",
        " ",
        "</item><item>",
        "999999999999999999999",
    ]);
    let edit = prop_oneof![
        2 => prop::char::range('!', 'z').prop_map(|c| Edit::Byte(c as u8)),
        3 => words.prop_map(|word| Edit::Insert(word.to_owned())),
        1 => (1_u16..4).prop_map(Edit::Remove),
    ];
    (0_usize..3, prop::collection::vec((any::<u32>(), edit), 1..3))
}

fn edits() -> impl Strategy<Value = (usize, Vec<(u32, Edit)>)> {
    (0_usize..3, prop::collection::vec((any::<u32>(), edit()), 1..6))
}

#[test]
fn an_answer_that_ends_early_is_never_a_reading() {
    for (question, whole) in answers().into_iter().enumerate() {
        let full = read_as(question, whole.clone()).expect("the whole answer is one");
        assert!(full.len() > 1);
        let end = whole.iter().rposition(|byte| *byte == b'>').unwrap() + 1;
        let last = (end - 60..end).chain((0..end).step_by(41));
        for cut in last {
            assert_eq!(read_as(question, whole[..cut].to_vec()), None, "{} at {cut}", QUESTIONS[question].0);
        }
    }
}

#[test]
fn an_answer_without_its_list_is_no_empty_list() {
    for (question, whole) in answers().into_iter().enumerate() {
        let (action, list) = QUESTIONS[question];
        let text = String::from_utf8(whole).unwrap();
        let renamed = text.replace(&format!("<{list}>"), "<aSet>").replace(&format!("</{list}>"), "</aSet>");
        assert_eq!(read_as(question, renamed.into_bytes()), None, "{action}");
        let (start, end) =
            (text.find(&format!("<{list}>")).unwrap(), text.find(&format!("</{list}>")).unwrap());
        let empty = format!("{}<{list}/>{}", &text[..start], &text[end + list.len() + 3..]);
        assert_eq!(read_as(question, empty.into_bytes()), Some(Vec::new()), "{action}: an empty one is one");
    }
}

#[test]
fn whatever_an_answer_is_there_is_a_reading_or_an_error() {
    let answers = answers();
    run(200, edits(), |question, edits| {
        let mut body = answers[question].clone();
        let whole = 0..body.len();
        apply(&mut body, &whole, &edits);
        read_as(question, body);
    });
}

/// One thing of the list may be spoilt in any way: then there is no reading, or one that shows all the others as they are.
#[test]
fn what_is_wrong_with_one_thing_takes_no_other_out_of_a_reading() {
    let answers = answers();
    let full: Vec<Vec<String>> = (0..3).map(|q| read_as(q, answers[q].clone()).unwrap()).collect();
    let outcomes: Mutex<[u32; 2]> = Mutex::default();
    run(300, gentle(), |question, edits| {
        let mut body = answers[question].clone();
        let items = items(&body, QUESTIONS[question].1);
        assert_eq!(items.len(), full[question].len(), "one item each");
        let spoilt = edits[0].0 as usize % items.len();
        let id = |item: &Range<usize>| String::from_utf8_lossy(&answers[question][item.clone()]).into_owned();
        let spoilt_text = id(&items[spoilt]);
        apply(&mut body, &items[spoilt], &edits);
        let Some(read) = read_as(question, body.clone()) else {
            outcomes.lock().unwrap()[0] += 1;
            return;
        };
        outcomes.lock().unwrap()[1] += 1;
        // Which of the shown things that was: the only one whose id is in the spoilt item and in no other.
        let lost: Vec<&String> = full[question].iter().filter(|thing| !read.contains(thing)).collect();
        assert!(
            lost.len() <= 1,
            "{} things are missing or other: {lost:#?}\n{}",
            lost.len(),
            String::from_utf8_lossy(&body)
        );
        if let Some(lost) = lost.first() {
            let own = lost.split(['{', ',']).nth(1).and_then(|id| id.trim().strip_prefix("id: ")).unwrap();
            assert!(
                spoilt_text.contains(&format!(">{own}<")),
                "{own} was not the one that was spoilt:\n{spoilt_text}"
            );
        }
    });
    let [errors, readings] = *outcomes.lock().unwrap();
    assert!(errors > 30 && readings > 5, "{errors} errors, {readings} readings");
}
