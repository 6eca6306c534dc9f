use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn what_nobody_declares_is_what_aws_shows() {
    let view = ExplainView {
        subject: "pcx-1".to_owned(),
        aws: vec!["pcx-1 is active".to_owned(), "no owner tag: by its tags it is nobody's".to_owned()],
        ..ExplainView::default()
    };
    let said = explained(&view, at("2026-06-01T10:00:00Z"), Style::PLAIN);
    assert_eq!(
        said,
        "pcx-1: declared by no VpcPeering\n  AWS       pcx-1 is active\n            no owner tag: by its tags it is nobody's\n"
    );
}

#[test]
fn long_lists_are_cut_and_say_so() {
    let would: Vec<String> = (0..30).map(|n| format!("step {n}")).collect();
    let object = ObjectView { would, ..ObjectView::default() };
    let view = ExplainView { objects: vec![object], ..ExplainView::default() };
    let said = explained(&view, at("2026-06-01T10:00:00Z"), Style::PLAIN);
    assert!(said.contains("step 10\n") && !said.contains("step 11\n"), "{said}");
    assert!(said.contains("... 19 more: -o json has all"), "{said}");
    assert!(serde_json::to_string(&view).unwrap().contains("step 29"));
}
