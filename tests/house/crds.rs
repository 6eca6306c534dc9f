//! The CustomResourceDefinitions: that the files are those of the code, and that no schema forgets what every schema of
//! ours must have.

use peerkeeper::api::{
    ConditionType, Memory, PeeringPolicySpec, Reason,
    crd::{crd_files, crds},
};
use serde_json::{Value, json};
use std::{collections::BTreeSet, env, fs, path::Path};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/crds");
const UPDATE: &str = "PEERKEEPER_UPDATE_CRDS";

#[test]
fn the_files_in_crds_are_those_of_the_code() {
    let expected = crd_files().expect("CRDs");
    if env::var_os(UPDATE).is_some() {
        for (name, yaml) in &expected {
            fs::write(Path::new(FOLDER).join(name), yaml).expect(name);
        }
    }
    for (name, yaml) in &expected {
        let found = fs::read_to_string(Path::new(FOLDER).join(name)).unwrap_or_default();
        assert!(
            found == *yaml,
            "crds/{name} is not what the code generates: run `make crds`, or this test with {UPDATE}=1"
        );
    }
    let found: BTreeSet<String> = fs::read_dir(FOLDER)
        .expect(FOLDER)
        .map(|entry| entry.expect(FOLDER).file_name().to_string_lossy().into_owned())
        .collect();
    let mut names: BTreeSet<String> = expected.into_iter().map(|(name, _)| name).collect();
    names.insert("kustomization.yaml".to_owned());
    assert_eq!(found, names, "crds/ holds one file per kind, the list of them, and nothing else");
}

#[test]
fn every_field_is_described() {
    let undescribed = offences(|path, schema, is_property| {
        let described = schema["description"].as_str().is_some_and(|text| text.ends_with(['.', '`']));
        (is_property && !described).then(|| path.to_owned())
    });
    assert_eq!(undescribed, Vec::<String>::new(), "fields without a description that ends in a full stop");
}

#[test]
fn everything_that_users_write_is_bounded() {
    let unbounded = offences(|path, schema, _| {
        if !path.contains(".spec.") {
            return None;
        }
        let missing = match schema["type"].as_str()? {
            "string" => schema["maxLength"].is_null() && schema["enum"].is_null(),
            "array" => schema["maxItems"].is_null(),
            "object" => !schema["additionalProperties"].is_null() && schema["maxProperties"].is_null(),
            "integer" => schema["minimum"].is_null() || schema["maximum"].is_null(),
            _ => false,
        };
        missing.then(|| path.to_owned())
    });
    assert_eq!(unbounded, Vec::<String>::new(), "fields whose rules could cost without bound");
}

#[test]
fn every_list_says_how_it_is_merged() {
    let silent = offences(|path, schema, _| {
        (schema["type"] == "array" && schema["x-kubernetes-list-type"].is_null()).then(|| path.to_owned())
    });
    assert_eq!(silent, Vec::<String>::new());
}

#[test]
fn nothing_is_nullable() {
    let nullable = offences(|path, schema, _| {
        let null_word = schema["enum"].as_array().is_some_and(|words| words.contains(&Value::Null));
        let null_default = schema.get("default").is_some_and(Value::is_null);
        (schema.get("nullable").is_some() || null_word || null_default).then(|| path.to_owned())
    });
    assert_eq!(
        nullable,
        Vec::<String>::new(),
        "an explicit null would count as given in the rules of a union"
    );
}

#[test]
fn every_rule_has_a_message_that_helps() {
    let bare = offences(|path, schema, _| {
        let rules = schema["x-kubernetes-validations"].as_array()?;
        let helps = |rule: &Value| {
            rule["message"].as_str().is_some_and(|message| {
                ["such as", ": ", "write ", "not "].iter().any(|sign| message.contains(sign))
            })
        };
        (!rules.iter().all(helps)).then(|| path.to_owned())
    });
    assert_eq!(bare, Vec::<String>::new(), "rules without a message that shows a right value");
}

#[test]
fn the_built_in_policy_is_flag_with_the_defaults_of_the_schema() {
    let only_flag = json!({"onUnexpectedDeletion": {"action": "Flag"}});
    let parsed: PeeringPolicySpec = serde_json::from_value(only_flag.clone()).expect("a policy");
    assert_eq!(parsed, PeeringPolicySpec::built_in());

    let crds = crds().expect("CRDs");
    let crd = crds.iter().find(|crd| crd.spec.names.kind == "PeeringPolicy").expect("PeeringPolicy");
    let schema = serde_json::to_value(&crd.spec.versions[0].schema).expect("a schema");
    let mut defaulted = only_flag;
    apply_defaults(&schema["openAPIV3Schema"]["properties"]["spec"], &mut defaulted);
    let defaulted: PeeringPolicySpec = serde_json::from_value(defaulted).expect("a policy");
    assert_eq!(defaulted, PeeringPolicySpec::built_in());
}

#[test]
fn memory_carries_fields_that_this_version_does_not_know() {
    let written = json!({"origin": "created", "settledGeneration": 3, "learnedLater": {"deeply": [1, {"nested": true}]}});
    let read: Memory = serde_json::from_value(written.clone()).expect("memory");
    assert_eq!(serde_json::to_value(&read).expect("JSON"), written);
}

#[test]
fn words_that_this_version_does_not_know_survive_a_round_trip() {
    let written = json!({
        "origin": "inherited",
        "spent": [{"act": "Revoke", "at": "2026-05-04T03:02:01Z"}],
        "life": {"stage": "Dormant", "peeringId": "pcx-0123456789abcdef0"},
    });
    let read: Memory = serde_json::from_value(written.clone()).expect("memory");
    assert_eq!(serde_json::to_value(&read).expect("JSON"), written);
}

#[test]
fn reasons_and_condition_types_are_words_that_kubernetes_takes() {
    let is_word = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_uppercase())
            && word.len() <= 64
            && word.chars().all(|c| c.is_ascii_alphanumeric())
    };
    for reason in Reason::ALL {
        assert!(is_word(reason.as_str()), "{reason}");
        assert!(reason.doc().ends_with('.'), "{reason} says in full sentences what it means");
    }
    for condition in ConditionType::ALL {
        assert!(is_word(condition.as_str()), "{condition}");
    }
}

/// Walks every schema of every CRD; collects what `offence` finds, as kind and path.
fn offences(offence: impl Fn(&str, &Value, bool) -> Option<String>) -> Vec<String> {
    let mut found = Vec::new();
    for crd in crds().expect("CRDs") {
        let schema = serde_json::to_value(&crd.spec.versions[0].schema).expect("a schema");
        let mut seen = 0;
        walk(&schema["openAPIV3Schema"], &crd.spec.names.kind, false, &mut |path, schema, is_property| {
            seen += 1;
            found.extend(offence(path, schema, is_property));
        });
        assert!(seen > 10, "the schema of {} was not walked", crd.spec.names.kind);
    }
    found
}

fn walk(schema: &Value, path: &str, is_property: bool, visit: &mut dyn FnMut(&str, &Value, bool)) {
    visit(path, schema, is_property);
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        walk(property, &format!("{path}.{name}"), true, visit);
    }
    for inner in ["items", "additionalProperties"] {
        if schema[inner].is_object() {
            walk(&schema[inner], &format!("{path}.{inner}"), false, visit);
        }
    }
}

/// What the API server does with defaults, for objects alone.
fn apply_defaults(schema: &Value, object: &mut Value) {
    let Some(fields) = object.as_object_mut() else { return };
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        if let Some(default) = property.get("default") {
            fields.entry(name).or_insert_with(|| default.clone());
        }
        if let Some(value) = fields.get_mut(name) {
            apply_defaults(property, value);
        }
    }
}
