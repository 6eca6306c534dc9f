//! The shortest that still fails: without the knobs that don't matter, and without the acts that don't.

use crate::knobs::{Events, Knobs};
use crate::script::Act;
use crate::stage::Stage;

/// Runs that shrinking may cost: a few seconds' worth.
const TRIES: u32 = 600;

pub struct Shrunk {
    pub knobs: Knobs,
    pub acts: Vec<Act>,
    pub why: String,
}

/// How it failed, without the ids: what is cut down must fail in the same way.
fn kind(why: &str) -> String {
    why.chars().take_while(|c| *c != ':').collect()
}

pub fn shrink(seed: u64, knobs: Knobs, acts: Vec<Act>, why: &str) -> Shrunk {
    let mut tries = TRIES;
    let wanted = kind(why);
    let mut best = Shrunk { knobs, acts, why: why.to_owned() };
    let mut fails = |knobs: &Knobs, acts: &[Act]| -> Option<String> {
        tries = tries.checked_sub(1)?;
        let ended = Stage::new(seed, knobs.clone(), acts.to_vec(), None).run();
        ended.err().filter(|why| kind(why) == wanted)
    };
    fewer_acts(&mut best, &mut fails);
    fewer_knobs(&mut best, &mut fails);
    fewer_acts(&mut best, &mut fails);
    best
}

fn fewer_acts(best: &mut Shrunk, fails: &mut impl FnMut(&Knobs, &[Act]) -> Option<String>) {
    let Shrunk { knobs, acts, why } = best;
    let left = shortest(std::mem::take(acts), &mut |acts| match fails(knobs, acts) {
        Some(told) => {
            *why = told;
            true
        }
        None => false,
    });
    *acts = left;
}

/// Delta debugging: halves, then quarters, down to single acts.
pub fn shortest(mut acts: Vec<Act>, fails: &mut impl FnMut(&[Act]) -> bool) -> Vec<Act> {
    let mut part = acts.len().div_ceil(2);
    while part > 0 {
        let mut from = 0;
        while from < acts.len() {
            let to = (from + part).min(acts.len());
            let rest: Vec<Act> = [&acts[..from], &acts[to..]].concat();
            if fails(&rest) {
                acts = rest;
            } else {
                from = to;
            }
        }
        part /= 2;
    }
    acts
}

fn fewer_knobs(best: &mut Shrunk, fails: &mut impl FnMut(&Knobs, &[Act]) -> Option<String>) {
    let mut without: Vec<Knobs> = Vec::new();
    let each = |change: &dyn Fn(&mut Knobs)| {
        let mut knobs = best.knobs.clone();
        change(&mut knobs);
        knobs
    };
    for fault in best.knobs.aws.faults.keys() {
        without.push(each(&|knobs| {
            let _ = knobs.aws.faults.insert(*fault, 0);
        }));
    }
    for choice in best.knobs.aws.choices.keys() {
        without.push(each(&|knobs| {
            let _ = knobs.aws.choices.insert(*choice, 0);
        }));
    }
    for delay in best.knobs.aws.delays_ms.keys() {
        without.push(each(&|knobs| {
            let _ = knobs.aws.delays_ms.insert(*delay, 0);
        }));
    }
    for knob in best.knobs.own.keys() {
        without.push(each(&|knobs| {
            let _ = knobs.own.insert(*knob, 0);
        }));
    }
    without.push(each(&|knobs| knobs.bucket_size = 0));
    without.push(each(&|knobs| knobs.events = Events::Off));
    let original = best.knobs.clone();
    for one in without {
        let knobs = both(&original, &best.knobs, &one);
        if let Some(why) = fails(&knobs, &best.acts) {
            (best.knobs, best.why) = (knobs, why);
        }
    }
}

/// What is switched off in either.
fn both(original: &Knobs, best: &Knobs, one: &Knobs) -> Knobs {
    let mut knobs = original.clone();
    for off in [best, one] {
        knobs.bucket_size = knobs.bucket_size.min(off.bucket_size);
        if off.events == Events::Off {
            knobs.events = Events::Off;
        }
        for (fault, ratio) in &off.aws.faults {
            if *ratio == 0 {
                knobs.aws.faults.insert(*fault, 0);
            }
        }
        for (choice, ratio) in &off.aws.choices {
            if *ratio == 0 {
                knobs.aws.choices.insert(*choice, 0);
            }
        }
        for (delay, ms) in &off.aws.delays_ms {
            if *ms == 0 {
                knobs.aws.delays_ms.insert(*delay, 0);
            }
        }
        for (knob, ratio) in &off.own {
            if *ratio == 0 {
                knobs.own.insert(*knob, 0);
            }
        }
    }
    knobs
}
