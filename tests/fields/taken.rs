//! What the schemas take and refuse, leaf by leaf.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::cluster::shared_schemas;
use super::generators::{Expect, Generator, all};
use super::schema::{Leaf, leaves, values_at};
use super::stage::{Stage, objects};

/// The objects that a generator makes, its base the first.
fn made(generator: &Generator) -> Vec<Value> {
    let stage = Stage::bare(generator.base);
    let patches = generator.changes.iter().map(|change| change.patch.clone());
    [json!({})]
        .into_iter()
        .chain(patches)
        .map(|p| stage.changed(generator.kind, generator.object, &p))
        .collect()
}

#[test]
fn every_leaf_of_every_schema_has_a_generator_that_changes_it() {
    let (leaves, generators) = (leaves(&shared_schemas()), all());
    assert!(leaves.len() > 50, "{leaves:?}");
    for leaf in &leaves {
        let of_leaf = generators.iter().filter(|g| g.kind == leaf.kind && g.path == leaf.path);
        let changes = of_leaf.clone().any(|generator| {
            let objects = made(generator);
            objects.iter().any(|object| values_at(object, &leaf.path) != values_at(&objects[0], &leaf.path))
        });
        assert!(
            of_leaf.count() > 0,
            "{} has no generator: write one in tests/fields/generators",
            leaf.name()
        );
        assert!(changes, "no change of its generator changes {}", leaf.name());
    }
    let known: BTreeSet<_> = leaves.iter().map(|leaf| (leaf.kind, leaf.path.clone())).collect();
    for generator in &generators {
        let is_leaf = known.contains(&(generator.kind, generator.path.clone()));
        assert!(is_leaf, "{:?} {} is in no schema", generator.kind, generator.path);
    }
}

#[test]
fn what_makes_no_sense_is_refused_when_it_is_made_and_when_it_is_changed_to() {
    for generator in all() {
        let mut stage = Stage::bare(generator.base);
        for change in &generator.changes {
            let object = stage.changed(generator.kind, generator.object, &change.patch);
            let said = stage.operator.cluster.dry_run(&object);
            let refused = change.expect == Expect::Refused;
            assert_eq!(said.is_err(), refused, "{} {}: {said:?}\n{object:#}", generator.path, change.what);
        }
        for object in objects(generator.base) {
            stage.apply(&object).unwrap();
        }
        for change in &generator.changes {
            let object = stage.changed(generator.kind, generator.object, &change.patch);
            let said = stage.operator.cluster.dry_run(&object);
            let is_allowed = matches!(change.expect, Expect::Fits | Expect::Says(_) | Expect::Freezes(_));
            assert_eq!(said.is_ok(), is_allowed, "{} {}: {said:?}\n{object:#}", generator.path, change.what);
        }
    }
}

/// Whatever a schema says of a leaf, values just outside it are refused: nobody has to think of them.
#[test]
fn what_is_outside_the_bounds_of_a_leaf_is_refused() {
    let schemas = shared_schemas();
    let generators = all();
    for leaf in leaves(&schemas) {
        let mut tried = 0;
        for generator in generators.iter().filter(|g| g.kind == leaf.kind && g.path == leaf.path) {
            for object in made(generator) {
                let Some((pointer, _)) = values_at(&object, &leaf.path).into_iter().next() else { continue };
                for wrong in outside(&leaf) {
                    let mut object = object.clone();
                    *object.pointer_mut(&pointer).unwrap() = wrong.clone();
                    let said = schemas[&leaf.kind].admit(&object, None).err().unwrap_or_default();
                    let is_named = said.iter().any(|said| said.field.contains(field_of(&leaf)));
                    assert!(is_named, "{} = {wrong} is taken: {said:?}", leaf.name());
                    tried += 1;
                }
            }
        }
        assert!(tried > 1, "{}: only {tried} values outside were tried", leaf.name());
    }
}

/// The name of the field that the leaf is, or is in.
fn field_of(leaf: &Leaf) -> &str {
    leaf.path.rsplit('.').next().unwrap().trim_end_matches(['[', ']', '{', '}'])
}

/// Values that the schema of this leaf must refuse, whatever it is for.
fn outside(leaf: &Leaf) -> Vec<Value> {
    let schema = &leaf.schema;
    let mut wrong = vec![json!({"a": "map"}), json!(["a list"]), json!(1.5)];
    // Where there is a default, it replaces a null.
    if schema.get("default").is_none() {
        wrong.push(Value::Null);
    }
    match schema["type"].as_str() {
        Some("string") => {
            wrong.extend([json!(7), json!(true)]);
            if let Some(most) = schema["maxLength"].as_u64() {
                wrong.push(json!("x".repeat(most as usize + 1)));
            }
            if schema["enum"].is_array() {
                wrong.extend([json!(""), json!("Whatever")]);
            }
        }
        Some("integer") => {
            wrong.extend([json!("7"), json!(true)]);
            wrong.extend(schema["minimum"].as_f64().map(|least| json!(least as i64 - 1)));
            wrong.extend(schema["maximum"].as_f64().map(|most| json!(most as i64 + 1)));
        }
        Some("boolean") => wrong.extend([json!("true"), json!(1)]),
        other => panic!("{} is of type {other:?}", leaf.name()),
    }
    wrong
}

/// A rule that nothing breaks here might as well not be there.
#[test]
fn every_rule_of_every_schema_refuses_something() {
    let schemas = shared_schemas();
    let mut said = BTreeSet::new();
    for generator in all() {
        let stage = Stage::new(generator.base);
        for change in &generator.changes {
            let object = stage.changed(generator.kind, generator.object, &change.patch);
            said.extend(stage.operator.cluster.dry_run(&object).err().into_iter().flatten());
        }
    }
    for (kind, schema) in schemas.iter() {
        assert_eq!(schema.misunderstood(), Vec::<String>::new());
        let mut rules = Vec::new();
        rules_of(&schema.root["properties"]["spec"], &mut rules);
        assert!(!rules.is_empty(), "{}", kind.as_str());
        for message in rules {
            assert!(
                said.iter().any(|said| said.contains(&message)),
                "{}: nothing is refused with: {message}",
                kind.as_str()
            );
        }
    }
}

fn rules_of(schema: &Value, found: &mut Vec<String>) {
    for rule in schema["x-kubernetes-validations"].as_array().into_iter().flatten() {
        found.push(rule["message"].as_str().unwrap().to_owned());
    }
    schema["properties"].as_object().into_iter().flatten().for_each(|(_, field)| rules_of(field, found));
    for inner in ["items", "additionalProperties"] {
        if schema[inner].is_object() {
            rules_of(&schema[inner], found);
        }
    }
}
