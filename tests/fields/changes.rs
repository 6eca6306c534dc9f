//! One leaf after the other: changed, brought to rest, changed back, brought to rest; each time compared with objects that
//! were never anything else.

use std::collections::BTreeMap;

use peerkeeper_core::reason::Reason;
use serde_json::json;

use super::generators::{Back, Change, Expect, Generator, all};
use super::looks::Look;
use super::schema::Kind;
use super::stage::{Base, Probe, Stage, objects};

#[test]
fn every_field_of_a_vpcpeering_changed_and_back_ends_where_it_began() {
    play_all(Kind::VpcPeering);
}

#[test]
fn every_field_of_a_peeringpolicy_changed_and_back_ends_where_it_began() {
    play_all(Kind::PeeringPolicy);
}

#[test]
fn every_field_of_an_awsaccount_changed_and_back_ends_where_it_began() {
    play_all(Kind::AwsAccount);
}

fn play_all(kind: Kind) {
    let mut shown: BTreeMap<String, bool> = BTreeMap::new();
    let mut bases = Bases::default();
    let mut wrong = Vec::new();
    for generator in all().iter().filter(|generator| generator.kind == kind) {
        for change in &generator.changes {
            let mut play = Play { generator, change, bases: &mut bases, shows: false, wrong: Vec::new() };
            play.run();
            // What nobody may write has nothing to show.
            if change.expect != Expect::Refused {
                *shown.entry(generator.path.clone()).or_default() |= play.shows;
            }
            wrong.append(&mut play.wrong);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    let without: Vec<_> = shown.iter().filter(|(_, shows)| !**shows).map(|(path, _)| path).collect();
    assert_eq!(
        without,
        Vec::<&String>::new(),
        "whatever they say, nothing comes of it: does anybody read them?"
    );
}

/// What becomes of the base itself, by probe.
#[derive(Default)]
struct Bases(BTreeMap<(Base, Option<Probe>), Look>);

impl Bases {
    fn look(&mut self, base: Base, probe: Option<Probe>) -> Look {
        let made = || {
            let mut stage = Stage::new(base);
            probe.into_iter().for_each(|probe| stage.poke(probe));
            Look::at(&stage)
        };
        self.0.entry((base, probe)).or_insert_with(made).clone()
    }
}

struct Play<'a> {
    generator: &'a Generator,
    change: &'a Change,
    bases: &'a mut Bases,
    /// The change is seen, in AWS or in what is said.
    shows: bool,
    wrong: Vec<String>,
}

impl Play<'_> {
    fn run(&mut self) {
        match self.change.expect {
            Expect::Refused | Expect::Fixed => {}
            Expect::Fits => self.settles(None),
            Expect::Says(reason) => self.settles(Some(reason)),
            Expect::Freezes(reason) => self.freezes(reason),
            Expect::CreatedFits => self.made_anew(None),
            Expect::CreatedSays(reason) => self.made_anew(Some(reason)),
        }
    }

    fn base(&mut self, probe: Option<Probe>) -> Look {
        self.bases.look(self.generator.base, probe)
    }

    /// An object that never was anything else.
    fn alone(&self) -> Stage {
        let Generator { kind, object, base, .. } = *self.generator;
        Stage::with(base, &[(kind, object, &self.change.patch)])
    }

    fn change(&self, stage: &mut Stage) {
        let object = stage.changed(self.generator.kind, self.generator.object, &self.change.patch);
        stage.operator.apply(&object).unwrap();
        stage.settle();
    }

    fn back(&self, stage: &mut Stage) {
        let object = stage.changed(self.generator.kind, self.generator.object, &json!({}));
        stage.operator.apply(&object).unwrap();
        stage.settle();
    }

    fn settles(&mut self, reason: Option<Reason>) {
        let base = self.base(None);
        let stage = self.alone();
        let alone = Look::at(&stage);
        self.check_ready("alone", &alone, reason);
        self.shows |= alone != base;
        if let Some(probe) = self.change.probe {
            self.settles_probed(stage, probe);
        }
        let mut stage = Stage::new(self.generator.base);
        self.change(&mut stage);
        let changed = Look::at(&stage);
        let keeps_dns = self.change.back == Back::KeepsDns;
        self.compare("changed", &changed, &alone, keeps_dns);
        self.back(&mut stage);
        let end = Look::at(&stage);
        let expected = if self.change.back == Back::Stays { &changed } else { &base };
        self.compare("changed back", &end, expected, keeps_dns);
    }

    /// `stage`: where it was so from the beginning.
    fn settles_probed(&mut self, mut stage: Stage, probe: Probe) {
        let base = self.base(Some(probe));
        stage.poke(probe);
        let alone = Look::at(&stage);
        self.shows |= alone != base;
        if let Some(reason) = self.change.then {
            self.check_ready("alone, probed", &alone, Some(reason));
        }
        stage = Stage::new(self.generator.base);
        self.change(&mut stage);
        stage.poke(probe);
        let probed = Look::at(&stage);
        self.compare("changed and probed", &probed, &alone, false);
        let name = (self.generator.kind, self.generator.object.to_owned());
        if stage.operator.cluster.raw(&name).is_none() {
            return;
        }
        self.back(&mut stage);
        let end = Look::at(&stage);
        if let Back::Asks { held, then } = self.change.back_after_probe {
            self.check_ready("changed, probed and changed back", &end, Some(held));
            if end.aws != probed.aws {
                self.say("changed, probed and changed back: AWS changed unasked", &end, &probed);
            }
            stage.operator.approve_all();
            stage.settle();
            let approved = Look::at(&stage);
            return match then {
                Some(reason) => self.check_ready("changed back and approved", &approved, Some(reason)),
                None => self.compare("changed back and approved", &approved, &base, false),
            };
        }
        let expected = if self.change.back_after_probe == Back::Stays { &probed } else { &base };
        self.compare("changed, probed and changed back", &end, expected, false);
    }

    fn freezes(&mut self, reason: Option<Reason>) {
        let base = self.base(None);
        let mut stage = Stage::new(self.generator.base);
        self.change(&mut stage);
        let frozen = Look::at(&stage);
        self.check_ready("frozen", &frozen, reason);
        self.shows |= frozen != base;
        if frozen.aws != base.aws {
            self.say("frozen, and AWS changed", &frozen, &base);
        }
        self.back(&mut stage);
        self.compare("thawed", &Look::at(&stage), &base, false);
        if let Some(probe) = self.change.probe {
            let probed = self.base(Some(probe));
            let mut stage = Stage::new(self.generator.base);
            self.change(&mut stage);
            let before = stage.own_writes();
            stage.poke(probe);
            assert_eq!(stage.own_writes(), before, "{}: written though frozen", self.name());
            let frozen = Look::at(&stage);
            self.shows |= frozen != probed;
            self.back(&mut stage);
            self.compare("frozen, probed and thawed", &Look::at(&stage), &probed, false);
        }
    }

    /// What can't be changed is deleted and made again.
    fn made_anew(&mut self, reason: Option<Reason>) {
        let base = self.base(None);
        let mut stage = self.alone();
        let alone = Look::at(&stage);
        self.check_ready("alone", &alone, reason);
        self.shows |= alone != base;
        let hub = (Kind::VpcPeering, "hub".to_owned());
        stage.operator.delete(&hub);
        stage.settle();
        assert!(
            stage.operator.cluster.raw(&hub).is_none(),
            "{}: it does not go\n{}",
            self.name(),
            stage.operator.say()
        );
        if self.generator.kind != Kind::VpcPeering {
            stage.operator.delete(&(self.generator.kind, self.generator.object.to_owned()));
        }
        for object in objects(self.generator.base) {
            stage.apply(&object).unwrap();
        }
        stage.settle();
        self.compare("deleted and made anew", &Look::at(&stage), &base, false);
    }

    fn name(&self) -> String {
        let Generator { kind, path, object, base, .. } = self.generator;
        format!("{} {object} ({base:?}) {path}: {}", kind.as_str(), self.change.what)
    }

    fn check_ready(&mut self, when: &str, look: &Look, reason: Option<Reason>) {
        let ready = look.ready();
        let fits = match reason {
            Some(reason) => ready == format!("False {reason}"),
            None => ready.starts_with("True"),
        };
        if !fits {
            let expected = reason.map_or("True".to_owned(), |reason| format!("False {reason}"));
            let said = look.said.get("hub").into_iter().flatten().cloned().collect::<Vec<_>>().join("\n  ");
            self.wrong.push(format!("{}: {when}: Ready is {ready}, not {expected}\n  {said}", self.name()));
        }
    }

    fn compare(&mut self, when: &str, is: &Look, should: &Look, keeps_dns: bool) {
        let (is, should) = match keeps_dns {
            true => (is.clone().without_dns(), should.clone().without_dns()),
            false => (is.clone(), should.clone()),
        };
        if is != should {
            self.say(when, &is, &should);
        }
    }

    fn say(&mut self, when: &str, is: &Look, should: &Look) {
        self.wrong.push(format!("{}: {when}:\n{}", self.name(), is.differs_from(should)));
    }
}
