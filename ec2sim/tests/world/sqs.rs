//! Queues: at least once, in no order, hidden and shown again, gone at last.

use std::collections::BTreeMap;

use ec2sim::{
    BatchEntry, Caller, Choice, MessageAttribute, NewMessage, QueueId, Receive, ReceivedMessage, Request,
    Script, Tags,
};

use crate::events::{queue_in, receive};
use crate::rig::*;

fn queue() -> (Rig, QueueId) {
    let mut rig = rig();
    let queue = queue_in(&mut rig.world, US, EU, "jobs");
    (rig, queue)
}

fn send(rig: &mut Rig, queue: &QueueId, body: &str) -> String {
    let message = NewMessage::new(body);
    let owner = Caller::new(&queue.account, &queue.region);
    rig.ask(&owner, Request::SendMessage { queue: queue.clone(), message })
        .unwrap()
        .sent()
        .unwrap()
        .message_id
}

fn bodies(messages: &[ReceivedMessage]) -> Vec<&str> {
    messages.iter().map(|message| &*message.body).collect()
}

fn set(rig: &mut Rig, queue: &QueueId, attributes: &[(&str, &str)]) {
    let us = rig.us.clone();
    let attributes = texts(attributes);
    rig.ask(&us, Request::SetQueueAttributes { queue: queue.clone(), attributes }).unwrap();
}

fn texts(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn attributes(rig: &mut Rig, queue: &QueueId) -> BTreeMap<String, String> {
    let us = rig.us.clone();
    let names = vec!["All".to_owned()];
    rig.ask(&us, Request::GetQueueAttributes { queue: queue.clone(), names })
        .unwrap()
        .queue_attributes()
        .unwrap()
}

fn delete_message(queue: &QueueId, handle: &str) -> Request {
    Request::DeleteMessage { queue: queue.clone(), receipt_handle: handle.to_owned() }
}

fn change(queue: &QueueId, handle: &str, timeout_s: u32) -> Request {
    Request::ChangeMessageVisibility { queue: queue.clone(), receipt_handle: handle.to_owned(), timeout_s }
}

#[test]
fn a_message_is_hidden_after_a_receive_comes_again_and_is_deleted_by_its_last_handle() {
    let (mut rig, queue) = queue();
    let us = rig.us.clone();
    let id = send(&mut rig, &queue, "one");
    rig.world.advance(1_000);
    let first = receive(&mut rig.world, &queue).remove(0);
    assert_eq!((&*first.body, first.receive_count, &first.message_id), ("one", 1, &id));
    assert_eq!((first.sent_ms, first.first_received_ms), (rig.world.wall_at(0), rig.world.wall_at(1_000)));
    assert!(receive(&mut rig.world, &queue).is_empty());
    assert_eq!(rig.world.next_due(), Some(31_000));
    rig.world.advance(30_999);
    assert!(!rig.world.has_message(&queue));
    rig.world.advance(31_000);
    assert!(rig.world.has_message(&queue));
    let second = receive(&mut rig.world, &queue).remove(0);
    assert_eq!((second.receive_count, second.first_received_ms), (2, rig.world.wall_at(1_000)));
    assert_ne!(first.receipt_handle, second.receipt_handle);
    rig.ask(&us, delete_message(&queue, &first.receipt_handle)).unwrap();
    assert_eq!(rig.world.messages_in(&queue), 1, "an old handle deletes nothing");
    rig.ask(&us, delete_message(&queue, &second.receipt_handle)).unwrap();
    assert_eq!(rig.world.messages_in(&queue), 0);
    rig.ask(&us, delete_message(&queue, &second.receipt_handle)).unwrap();
    assert_eq!(rig.world.next_due(), None, "nothing is left to happen");
    for handle in ["", "x", "AQEBnonsense+00", &first.receipt_handle.replace("AQEB", "AQEC")] {
        assert_eq!(rig.refused(&us, delete_message(&queue, handle)).0, "ReceiptHandleIsInvalid");
    }
}

#[test]
fn visibility_can_be_prolonged_up_to_its_limit_and_given_up() {
    let (mut rig, queue) = queue();
    let us = rig.us.clone();
    send(&mut rig, &queue, "one");
    let receive_for = |timeout| {
        Request::ReceiveMessage(Receive { visibility_timeout_s: Some(timeout), ..Receive::from(&queue) })
    };
    let handle = rig.ask(&us, receive_for(100)).unwrap().messages().unwrap().remove(0).receipt_handle;
    rig.world.advance(90_000);
    rig.ask(&us, change(&queue, &handle, 60)).unwrap();
    assert_eq!(rig.world.next_due(), Some(150_000), "the old end is gone");
    rig.world.advance(120_000);
    assert!(receive(&mut rig.world, &queue).is_empty());
    assert_eq!(rig.refused(&us, change(&queue, &handle, 43_200)).0, "InvalidParameterValue");
    assert_eq!(rig.refused(&us, change(&queue, &handle, 43_201)).0, "InvalidParameterValue");
    rig.ask(&us, change(&queue, &handle, 0)).unwrap();
    assert!(rig.world.has_message(&queue));
    assert_eq!(rig.refused(&us, change(&queue, &handle, 5)).0, "MessageNotInflight");
    assert_eq!(rig.ask(&us, receive_for(0)).unwrap().messages().unwrap()[0].receive_count, 2);
    assert!(rig.world.has_message(&queue), "hidden for no time at all");
}

#[test]
fn messages_come_in_any_order_again_or_not_at_once_as_chance_has_it() {
    let (mut rig, queue) = queue();
    let us = rig.us.clone();
    for body in ["a", "b", "c"] {
        send(&mut rig, &queue, body);
    }
    let ask = || Request::ReceiveMessage(Receive { max_messages: Some(2), ..Receive::from(&queue) });
    let mut missing = Script::new().pick(Choice::ReceiveMisses, 1);
    assert!(rig.world.call(&us, ask(), &mut missing).unwrap().messages().unwrap().is_empty());
    let mut chance = Script::new()
        .pick(Choice::MessageOrder, 2)
        .pick(Choice::MessageOrder, 1)
        .pick(Choice::MessageAgain, 1);
    let messages = rig.world.call(&us, ask(), &mut chance).unwrap().messages().unwrap();
    assert_eq!((bodies(&messages), chance.left()), (vec!["c", "b"], 0));
    assert_eq!(bodies(&receive(&mut rig.world, &queue)), ["a", "c"], "c was not hidden");
    let mut deaf = Script::new().pick(Choice::DeleteForgotten, 1);
    let handle = messages[1].receipt_handle.clone();
    rig.world.call(&us, delete_message(&queue, &handle), &mut deaf).unwrap();
    assert_eq!(rig.world.messages_in(&queue), 3);
    // A receive that waits asks all servers.
    rig.world.advance(60_000);
    let waiting = Receive { wait_s: Some(20), ..Receive::from(&queue) };
    assert_eq!(rig.world.receive_wait_s(&waiting), 20);
    let mut missing = Script::new().pick(Choice::ReceiveMisses, 1);
    let messages =
        rig.world.call(&us, Request::ReceiveMessage(waiting), &mut missing).unwrap().messages().unwrap();
    assert_eq!((messages.len(), missing.left()), (3, 1));
}

#[test]
fn a_message_received_too_often_is_a_dead_letter() {
    let (mut rig, queue) = queue();
    let dead = queue_in(&mut rig.world, US, EU, "dead");
    let policy = format!(r#"{{"deadLetterTargetArn":"{dead}","maxReceiveCount":"2"}}"#);
    set(&mut rig, &queue, &[("RedrivePolicy", &policy), ("VisibilityTimeout", "10")]);
    assert_eq!(attributes(&mut rig, &queue)["RedrivePolicy"], policy);
    let id = send(&mut rig, &queue, "poison");
    for _ in 0..2 {
        assert_eq!(receive(&mut rig.world, &queue).len(), 1);
        rig.world.advance(rig.world.now_ms() + 10_000);
    }
    assert!(receive(&mut rig.world, &queue).is_empty());
    let letter = receive(&mut rig.world, &dead).remove(0);
    assert_eq!((&*letter.body, &letter.message_id, letter.receive_count), ("poison", &id, 1));
    assert_eq!(rig.world.messages_in(&queue), 0);
    let us = rig.us.clone();
    for text in ["{", "{}", r#"{"maxReceiveCount":2}"#, r#"{"deadLetterTargetArn":"x","maxReceiveCount":2}"#]
    {
        let request = Request::SetQueueAttributes {
            queue: queue.clone(),
            attributes: texts(&[("RedrivePolicy", text)]),
        };
        assert_eq!(rig.refused(&us, request).0, "InvalidParameterValue", "{text}");
    }
}

#[test]
fn messages_are_kept_for_a_time_and_delayed_if_asked() {
    let (mut rig, queue) = queue();
    let us = rig.us.clone();
    set(&mut rig, &queue, &[("MessageRetentionPeriod", "120"), ("DelaySeconds", "5")]);
    send(&mut rig, &queue, "own delay");
    let message = NewMessage { delay_s: Some(0), ..NewMessage::new("at once") };
    rig.ask(&us, Request::SendMessage { queue: queue.clone(), message }).unwrap();
    assert_eq!(bodies(&receive(&mut rig.world, &queue)), ["at once"]);
    let shown = attributes(&mut rig, &queue);
    let count = |name: &str| shown[&format!("ApproximateNumberOfMessages{name}")].as_str();
    assert_eq!((count(""), count("NotVisible"), count("Delayed")), ("0", "1", "1"));
    rig.world.advance(5_000);
    assert_eq!(bodies(&receive(&mut rig.world, &queue)), ["own delay"]);
    set(&mut rig, &queue, &[("MessageRetentionPeriod", "60")]);
    rig.world.advance(59_999);
    assert_eq!(rig.world.messages_in(&queue), 2);
    rig.world.advance(60_000);
    assert_eq!((rig.world.messages_in(&queue), rig.world.next_due()), (0, None));
}

#[test]
fn a_queue_is_made_once_found_and_deleted() {
    let (mut rig, queue) = queue();
    let (us, them) = (rig.us.clone(), Caller::new(THEM, EU));
    let create = |pairs: &[(&str, &str)]| Request::CreateQueue {
        name: "jobs".to_owned(),
        attributes: texts(pairs),
        tags: Tags::new(),
    };
    assert_eq!(rig.ask(&us, create(&[("VisibilityTimeout", "30")])).unwrap().queue_url().unwrap(), queue);
    assert_eq!(rig.refused(&us, create(&[("VisibilityTimeout", "31")])).0, "QueueNameExists");
    assert_eq!(rig.refused(&us, create(&[("Colour", "red")])).0, "InvalidAttributeName");
    assert_eq!(rig.refused(&us, create(&[("VisibilityTimeout", "x")])).0, "InvalidAttributeValue");
    let find =
        |owner: Option<&str>| Request::GetQueueUrl { name: "jobs".to_owned(), owner: owner.map(Into::into) };
    assert_eq!(rig.ask(&us, find(None)).unwrap().queue_url().unwrap(), queue);
    assert_eq!(rig.refused(&them, find(None)).0, "QueueDoesNotExist");
    assert_eq!(rig.refused(&them, find(Some(US))).0, "AccessDenied");
    assert_eq!(rig.refused(&Caller::new(US, VA), find(None)).0, "QueueDoesNotExist");
    rig.world.open_queue(&queue, THEM);
    assert_eq!(rig.ask(&them, find(Some(US))).unwrap().queue_url().unwrap(), queue);
    assert_eq!(rig.refused(&them, Request::DeleteQueue { queue: queue.clone() }).0, "AccessDenied");

    for n in 0..3 {
        queue_in(&mut rig.world, US, EU, &format!("list-{n}"));
    }
    let list = |max_results, next_token: Option<String>| Request::ListQueues {
        prefix: "list-".to_owned(),
        max_results,
        next_token,
    };
    let page = rig.ask(&us, list(Some(2), None)).unwrap().queue_urls().unwrap();
    let rest = rig.ask(&us, list(Some(2), page.next_token)).unwrap().queue_urls().unwrap();
    assert_eq!((page.items.len(), rest.items.len(), rest.next_token), (2, 1, None));
    assert_eq!(rig.ask(&us, list(None, None)).unwrap().queue_urls().unwrap().items.len(), 3);

    send(&mut rig, &queue, "lost");
    rig.ask(&us, Request::DeleteQueue { queue: queue.clone() }).unwrap();
    assert_eq!(rig.refused(&us, Request::ReceiveMessage(Receive::from(&queue))).0, "QueueDoesNotExist");
    assert_eq!(rig.refused(&us, create(&[])).0, "QueueDeletedRecently");
    rig.world.advance(60_000);
    rig.ask(&us, create(&[])).unwrap();
    assert_eq!(rig.world.messages_in(&queue), 0);
}

#[test]
fn a_purge_empties_a_queue_once_a_minute() {
    let (mut rig, queue) = queue();
    let us = rig.us.clone();
    send(&mut rig, &queue, "one");
    let purge = || Request::PurgeQueue { queue: queue.clone() };
    rig.ask(&us, purge()).unwrap();
    assert_eq!(rig.world.messages_in(&queue), 0);
    assert_eq!(rig.refused(&us, purge()).0, "PurgeQueueInProgress");
    rig.world.advance(60_000);
    rig.ask(&us, purge()).unwrap();
}

#[test]
fn what_a_message_may_not_be_is_refused() {
    let (mut rig, queue) = queue();
    let us = rig.us.clone();
    set(&mut rig, &queue, &[("MaximumMessageSize", "1024")]);
    let attribute = |data_type: &str, string: Option<&str>| {
        let attribute = MessageAttribute {
            data_type: data_type.to_owned(),
            string: string.map(Into::into),
            binary: None,
        };
        NewMessage { attributes: BTreeMap::from([("a".to_owned(), attribute)]), ..NewMessage::new("x") }
    };
    for (message, code) in [
        (NewMessage::new(""), "MissingParameter"),
        (NewMessage::new("\u{1}"), "InvalidMessageContents"),
        (NewMessage::new("\u{fffe}"), "InvalidMessageContents"),
        (NewMessage::new("x".repeat(1_025)), "InvalidParameterValue"),
        (NewMessage { delay_s: Some(901), ..NewMessage::new("x") }, "InvalidParameterValue"),
        (attribute("Colour", Some("x")), "InvalidParameterValue"),
        (attribute("String", None), "InvalidParameterValue"),
        (attribute("Binary", Some("x")), "InvalidParameterValue"),
    ] {
        assert_eq!(rig.refused(&us, Request::SendMessage { queue: queue.clone(), message }).0, code);
    }
    let message = attribute("String.text", Some("y"));
    rig.ask(&us, Request::SendMessage { queue: queue.clone(), message: message.clone() }).unwrap();
    assert_eq!(receive(&mut rig.world, &queue)[0].attributes, message.attributes);
    for (max_messages, wait_s, timeout) in [(0, 0, 0), (11, 0, 0), (1, 21, 0), (1, 0, 43_201)] {
        let ask = Receive {
            queue: queue.clone(),
            max_messages: Some(max_messages),
            wait_s: Some(wait_s),
            visibility_timeout_s: Some(timeout),
        };
        assert_eq!(rig.refused(&us, Request::ReceiveMessage(ask)).0, "InvalidParameterValue");
    }
}

#[test]
fn the_entries_of_a_batch_fare_each_for_itself() {
    let (mut rig, queue) = queue();
    let us = rig.us.clone();
    let entry = |id: &str, body: &str| BatchEntry::new(id, NewMessage::new(body));
    let batch = |entries| Request::SendMessageBatch { queue: queue.clone(), entries };
    for (entries, code) in [
        (vec![], "EmptyBatchRequest"),
        (vec![entry("a", "x"), entry("a", "y")], "BatchEntryIdsNotDistinct"),
        (vec![entry("a b", "x")], "InvalidBatchEntryId"),
        ((0..11).map(|n| entry(&n.to_string(), "x")).collect(), "TooManyEntriesInBatchRequest"),
        (vec![entry("a", &"x".repeat(600_000)), entry("b", &"x".repeat(600_000))], "BatchRequestTooLong"),
    ] {
        assert_eq!(rig.refused(&us, batch(entries)).0, code);
    }
    let sent = rig.ask(&us, batch(vec![entry("a", "x"), entry("b", "\u{1}")])).unwrap().sent_batch().unwrap();
    let fared: Vec<_> = sent.iter().map(|result| (result.id.as_str(), result.result.is_ok())).collect();
    assert_eq!(fared, [("a", true), ("b", false)]);
    send(&mut rig, &queue, "second");
    let received = receive(&mut rig.world, &queue);
    let entries = vec![
        BatchEntry::new("one", (received[0].receipt_handle.clone(), 100)),
        BatchEntry::new("two", ("nonsense".to_owned(), 100)),
    ];
    let request = Request::ChangeMessageVisibilityBatch { queue: queue.clone(), entries };
    let changed = rig.ask(&us, request).unwrap().done_batch().unwrap();
    assert_eq!(changed[0].result, Ok(()));
    assert_eq!(changed[1].result.as_ref().unwrap_err().code, "ReceiptHandleIsInvalid");
    let entries = received.iter().enumerate();
    let entries =
        entries.map(|(n, message)| BatchEntry::new(n.to_string(), message.receipt_handle.clone())).collect();
    let gone = rig.ask(&us, Request::DeleteMessageBatch { queue: queue.clone(), entries }).unwrap();
    assert!(gone.done_batch().unwrap().iter().all(|result| result.result.is_ok()));
    assert_eq!(rig.world.messages_in(&queue), 0);
}

#[test]
fn attributes_say_what_was_set_and_unknown_ones_are_refused() {
    let (mut rig, queue) = queue();
    let us = rig.us.clone();
    set(&mut rig, &queue, &[("Policy", "{}"), ("ReceiveMessageWaitTimeSeconds", "20")]);
    let shown = attributes(&mut rig, &queue);
    assert_eq!(shown["QueueArn"], "arn:aws:sqs:eu-west-1:111122223333:jobs");
    assert_eq!(QueueId::parse(&shown["QueueArn"]), Some(queue.clone()));
    assert_eq!((&*shown["Policy"], &*shown["VisibilityTimeout"]), ("{}", "30"));
    assert_eq!(shown["CreatedTimestamp"], "1767225600");
    assert_eq!(rig.world.receive_wait_s(&Receive::from(&queue)), 20);
    let ask = |names: &[&str]| Request::GetQueueAttributes {
        queue: queue.clone(),
        names: names.iter().map(|name| (*name).to_owned()).collect(),
    };
    let two = rig.ask(&us, ask(&["QueueArn", "Policy"])).unwrap().queue_attributes().unwrap();
    assert_eq!(two.len(), 2);
    assert!(rig.ask(&us, ask(&[])).unwrap().queue_attributes().unwrap().is_empty());
    assert_eq!(rig.refused(&us, ask(&["Colour"])).0, "InvalidAttributeName");
    set(&mut rig, &queue, &[("Policy", "")]);
    assert!(!attributes(&mut rig, &queue).contains_key("Policy"));
}

#[test]
fn a_queue_lives_on_in_a_world_moved_to_time_zero() {
    let (mut rig, queue) = queue();
    rig.world.advance(10_000);
    send(&mut rig, &queue, "one");
    receive(&mut rig.world, &queue);
    rig.world.advance(20_000);
    let mut moved = rig.world.from_now();
    assert_eq!(moved.next_due(), Some(20_000));
    moved.advance(20_000);
    rig.world.advance(40_000);
    let (a, b) = (receive(&mut moved, &queue), receive(&mut rig.world, &queue));
    assert_eq!(a[0].receipt_handle, b[0].receipt_handle);
    assert_eq!(moved.from_now(), rig.world.from_now());
}
