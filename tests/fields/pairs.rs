//! Two changes, the second made before the first has come to rest, at any step of any turn; and both taken back as hastily.

use serde_json::{Value, json};

use super::generators::{Back, Change, Expect, Generator, all};
use super::looks::Look;
use super::schema::{kind_of, merge};
use super::stage::{Base, Stage, objects};

const SEEDS: u64 = 100;

/// A plain generator of numbers: one seed, one history.
struct Dice(u64);

impl Dice {
    fn below(&mut self, ways: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % ways as u64).unwrap()
    }
}

/// Changes of the plain base whose end does not depend, as documented, on what was before.
fn candidates() -> Vec<(Generator, Change)> {
    let plain = all().into_iter().filter(|generator| generator.base == Base::Plain);
    let forgetful = |change: &Change| {
        matches!(change.expect, Expect::Fits | Expect::Says(_)) && change.back == Back::Heals
    };
    plain
        .flat_map(|generator| {
            let changes: Vec<Change> = generator.changes.iter().filter(|c| forgetful(c)).cloned().collect();
            let Generator { kind, path, object, base, .. } = generator;
            changes.into_iter().map(move |change| {
                (Generator { kind, path: path.clone(), object, base, changes: Vec::new() }, change)
            })
        })
        .collect()
}

#[test]
fn two_changes_in_haste_end_as_if_there_had_been_no_haste_and_so_do_they_taken_back() {
    let candidates = candidates();
    assert!(candidates.len() > 80, "{}", candidates.len());
    let base = Look::at(&Stage::new(Base::Plain));
    let mut wrong = Vec::new();
    let mut interrupted = 0;
    for seed in 0..SEEDS {
        let mut dice = Dice(seed);
        let (one, other) =
            (&candidates[dice.below(candidates.len())], &candidates[dice.below(candidates.len())]);
        let told = format!(
            "seed {seed}: {} {}: {}, then {} {}: {}",
            one.0.object, one.0.path, one.1.what, other.0.object, other.0.path, other.1.what
        );
        let Some(alone) = alone(one, other) else { continue };
        let mut stage = Stage::new(Base::Plain);
        let first = stage.changed(one.0.kind, one.0.object, &one.1.patch);
        stage.operator.apply(&first).unwrap();
        let second = both(&stage, one, other);
        interrupted += hasten(&mut stage, &mut dice, vec![second]);
        let there = Look::at(&stage);
        if there != alone {
            wrong.push(format!("{told}:\n{}", there.differs_from(&alone)));
        }
        let back = objects(Base::Plain).into_iter().map(|object| stage.land.fill(&object));
        let touched = |object: &Value| {
            [one, other]
                .iter()
                .any(|(g, _)| kind_of(object) == g.kind && object["metadata"]["name"] == g.object)
        };
        let mut back: Vec<Value> = back.filter(touched).collect();
        if dice.below(2) == 0 {
            back.reverse();
        }
        let later = back.split_off(1);
        stage.operator.apply(&back[0]).unwrap();
        interrupted += hasten(&mut stage, &mut dice, later);
        let end = Look::at(&stage);
        if end != base {
            wrong.push(format!("{told}, and back:\n{}", end.differs_from(&base)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(interrupted > SEEDS / 4, "of {SEEDS} only {interrupted} came while a turn was under way");
}

/// The object of the second change with both, as users would write it.
fn both(stage: &Stage, one: &(Generator, Change), other: &(Generator, Change)) -> Value {
    let is_one = (one.0.kind, one.0.object) == (other.0.kind, other.0.object);
    let before = if is_one { one.1.patch.clone() } else { json!({}) };
    let mut object = stage.changed(other.0.kind, other.0.object, &before);
    merge(&mut object, &stage.land.fill(&other.1.patch));
    object
}

/// What becomes of both where nothing was ever otherwise; `None`: together they make no sense to the schema.
fn alone(one: &(Generator, Change), other: &(Generator, Change)) -> Option<Look> {
    let stage = Stage::bare(Base::Plain);
    let last = both(&stage, one, other);
    stage.operator.cluster.dry_run(&last).ok()?;
    let patches = [(one.0.kind, one.0.object, &one.1.patch), (other.0.kind, other.0.object, &other.1.patch)];
    Some(Look::at(&Stage::with(Base::Plain, &patches)))
}

/// Applies the rest after a moment, be it in the middle of a turn; then waits. How many came in the middle of one.
fn hasten(stage: &mut Stage, dice: &mut Dice, rest: Vec<Value>) -> u64 {
    let mut count = 0;
    for object in rest {
        if dice.below(3) == 0 {
            stage.operator.run_s(dice.below(90) as u64);
            stage.operator.apply(&object).unwrap();
        } else {
            let steps = dice.below(12) as u32;
            stage.operator.meanwhile =
                Some((steps, Box::new(move |operator| operator.apply(&object).unwrap())));
            count += 1;
        }
    }
    stage.settle();
    // It rested before a turn came to that step.
    if let Some((_, happen)) = stage.operator.meanwhile.take() {
        happen(&mut stage.operator);
        stage.settle();
        count -= 1;
    }
    count
}
