//! EC2 and STS as AWS has them, in this process: blackholes, transient states, tags and tombstones per side. Every
//! call is counted, and held, refused or lost on request.

use std::collections::BTreeMap;

use ec2sim::server::{Aim, Disturbance, Options, Server, Weather};
use ec2sim::{Delay, World, world_of_today};

use super::client::{Call, Clients, Fault};

pub struct Ec2sim {
    server: Server,
    clients: Clients,
}

impl Ec2sim {
    #[track_caller]
    pub fn start() -> Self {
        let options = Options { weather: normal_day(), ..Options::default() };
        let server = Server::start(world_of_today(), options).expect("a free port and a thread");
        let clients = Clients::new(&server.endpoint()).by_account_key();
        Ec2sim { server, clients }
    }

    pub fn clients(&self) -> Clients {
        self.clients.clone()
    }

    /// The world itself, for what no call can do and no caller sees.
    pub fn world<T>(&self, with: impl FnOnce(&mut World) -> T) -> T {
        self.server.with_world(with)
    }

    /// Lets so much time pass for AWS alone.
    pub fn pass(&self, ms: u64) {
        self.server.shared().advance_ms(ms);
    }

    pub fn calls(&mut self, account: Option<&str>) -> BTreeMap<String, u64> {
        let calls = self.server.shared().calls(account);
        calls.into_iter().map(|(action, count)| (action.to_owned(), count)).collect()
    }

    pub fn log(&mut self) -> Vec<Call> {
        let seen = self.server.shared().seen();
        seen.into_iter()
            .map(|seen| Call { at: seen.at, action: seen.action.to_owned(), key: seen.key })
            .collect()
    }

    pub fn forget_calls(&mut self) {
        self.server.shared().forget();
    }

    pub fn hold(&mut self, fault: Fault<'_>) {
        self.disturb(fault, Disturbance::Hold);
    }

    pub fn release(&mut self, action: &str) {
        self.server.shared().release(action);
    }

    pub fn refuse(&mut self, fault: Fault<'_>, code: &str) {
        self.disturb(fault, Disturbance::Refuse(code.to_owned()));
    }

    pub fn drop_answer(&mut self, fault: Fault<'_>) {
        self.disturb(fault, Disturbance::Drop);
    }

    pub fn mend(&mut self, account: Option<&str>) {
        self.server.shared().mend(account);
    }

    fn disturb(&mut self, fault: Fault<'_>, what: Disturbance) {
        let Fault { action, account, region, times } = fault;
        let own = |text: &str| text.to_owned();
        let action = (action != "*").then(|| own(action));
        let aim = Aim { action, account: account.map(own), region: region.map(own) };
        self.server.shared().disturb(aim, what, times.map(u64::from));
    }
}

/// What AWS does by itself takes a moment, and reads show what is.
fn normal_day() -> Weather {
    let mut weather = Weather::calm();
    weather.delays_ms = [(Delay::Initiating, 100), (Delay::Provisioning, 300), (Delay::Deleting, 100)].into();
    weather
}
