//! What a graph shows, whatever it is written as: a value that asks nobody anything.

use peerkeeper_core::ids::{Side, Sides};

/// VPCs by account and Region, and what joins them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Model {
    /// By account and Region.
    pub groups: Vec<Group>,
    /// Those of one group stand together, in the groups' order.
    pub vpcs: Vec<Vpc>,
    /// What is wrong comes first. An edge is known by its place here, counted from one.
    pub edges: Vec<Edge>,
}

/// One account in one Region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its number, or `AwsAccount NAME` where that is not known.
    pub account: String,
    /// The AwsAccounts that stand for it.
    pub names: Vec<String>,
    pub region: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vpc {
    /// Its place among the groups.
    pub group: usize,
    pub id: String,
    /// The tag `Name`.
    pub name: Option<String>,
    pub cidrs: Vec<String>,
    pub presence: Presence,
}

/// What AWS says of a VPC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Presence {
    Seen,
    /// The account and Region were read, and it was not among what they hold.
    Missing,
    /// Nobody could look: no credentials, or a call was refused.
    Unread,
}

/// One peering, declared or live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// The places of its VPCs.
    pub ends: Sides<usize>,
    /// Namespace and name of the VpcPeering; `None` for one that nobody declares.
    pub object: Option<String>,
    /// The peering connection that is there, or that was.
    pub peering: Option<String>,
    pub status: Status,
    /// The peering's state in AWS's words.
    pub state: String,
    pub routes: Sides<Routes>,
    /// The reason for which it is not Ready, as conditions say it.
    pub reason: Option<String>,
}

/// Routes of one side that have to do with a peering.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Routes {
    /// They lead to it, and it is active.
    pub alive: u32,
    /// They lead to a peering of these VPCs that has ended, or that AWS shows no more.
    pub dead: u32,
    /// Declared, and the table holds nothing there.
    pub missing: u32,
}

/// How what is declared and what is live fit together, worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// Declared, it was there, and it has ended.
    Lost,
    /// Declared and live, but routes are dead or missing.
    Hurt,
    /// Declared, asked for, not active yet.
    Pending,
    /// Declared, and never made as far as AWS shows.
    Absent,
    /// Declared, and AWS could not be read on either side.
    Unknown,
    /// Live, and no manifest declares it.
    Undeclared,
    Live,
}

impl Status {
    pub const ALL: [Self; 7] =
        [Self::Live, Self::Hurt, Self::Lost, Self::Pending, Self::Absent, Self::Undeclared, Self::Unknown];

    /// Meaning does not rest on colour: each has a word of its own.
    pub fn word(self) -> &'static str {
        match self {
            Self::Lost => "LOST",
            Self::Hurt => "live with dead or missing routes",
            Self::Pending => "pending",
            Self::Absent => "not made yet",
            Self::Unknown => "unknown",
            Self::Undeclared => "undeclared (live)",
            Self::Live => "live",
        }
    }

    /// In names of classes and the like.
    pub fn key(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::Hurt => "hurt",
            Self::Pending => "pending",
            Self::Absent => "absent",
            Self::Unknown => "unknown",
            Self::Undeclared => "undeclared",
            Self::Live => "live",
        }
    }
}

impl Model {
    pub fn with(&self, status: Status) -> usize {
        self.edges.iter().filter(|edge| edge.status == status).count()
    }

    /// The VPCs of a group, with their places.
    pub fn of_group(&self, group: usize) -> impl Iterator<Item = (usize, &Vpc)> {
        self.vpcs.iter().enumerate().filter(move |(_, vpc)| vpc.group == group)
    }

    /// All of it in one line.
    pub fn summary(&self) -> String {
        self.summary_parts().join(", ")
    }

    /// All of it, count by count.
    pub fn summary_parts(&self) -> Vec<String> {
        if self.edges.is_empty() {
            return vec!["No VpcPeering is declared".to_owned()];
        }
        let declared = self.edges.len() - self.with(Status::Undeclared);
        let mut parts = vec![
            counted(self.vpcs.len(), "VPC", "VPCs"),
            format!("{} declared", counted(declared, "peering", "peerings")),
        ];
        for status in Status::ALL {
            let count = self.with(status);
            // Only what is there, but a loss is denied in so many words.
            if count > 0 || status == Status::Lost {
                parts.push(format!("{count} {}", status.word()));
            }
        }
        let dead: u32 = self.edges.iter().map(|edge| edge.total().dead).sum();
        parts.push(counted(dead as usize, "dead route", "dead routes"));
        parts
    }
}

impl Group {
    /// Such as `prod 111122223333 / eu-west-1`.
    pub fn title(&self) -> String {
        let Self { account, names, region } = self;
        match names.as_slice() {
            [] => format!("{account} / {region}"),
            names => format!("{} {account} / {region}", names.join(", ")),
        }
    }
}

impl Vpc {
    /// What people call it.
    pub fn label(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.id)
    }

    /// Why nothing, or not all, is told of it.
    pub fn note(&self) -> Option<&'static str> {
        match self.presence {
            Presence::Seen => None,
            Presence::Missing => Some("NOT IN AWS"),
            Presence::Unread => Some("not read"),
        }
    }
}

impl Edge {
    /// Of both sides.
    pub fn total(&self) -> Routes {
        let Sides { requester, accepter } = self.routes;
        Routes {
            alive: requester.alive + accepter.alive,
            dead: requester.dead + accepter.dead,
            missing: requester.missing + accepter.missing,
        }
    }

    /// Whose it is.
    pub fn title(&self) -> &str {
        self.object.as_deref().unwrap_or("no manifest")
    }

    /// Its state in our word, and in AWS's where that says more.
    pub fn says(&self) -> String {
        let word = self.status.word();
        match self.status {
            Status::Live | Status::Hurt => word.to_owned(),
            _ if self.state.is_empty() || self.state == "active" || self.state == "absent" => word.to_owned(),
            _ => format!("{word}: {}", self.state),
        }
    }

    /// Everything, a line each.
    pub fn details(&self, model: &Model) -> Vec<String> {
        let mut lines = vec![self.title().to_owned(), self.says()];
        lines.extend(self.peering.clone());
        for side in Side::BOTH {
            let vpc = model.vpcs.get(*self.ends.get(side));
            let vpc = vpc.map(|vpc| match &vpc.name {
                Some(name) => format!("{name} ({})", vpc.id),
                None => vpc.id.clone(),
            });
            lines.push(format!("{side}: {}, {}", vpc.unwrap_or_default(), self.routes.get(side)));
        }
        lines.extend(self.reason.as_ref().map(|reason| format!("not Ready: {reason}")));
        lines
    }
}

impl std::fmt::Display for Routes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { alive, dead, missing } = self;
        write!(f, "routes {alive} alive, {dead} dead, {missing} missing")
    }
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
