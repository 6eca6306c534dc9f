//! A queue that hears of two accounts, a consumer, and an ear that remembers.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use ec2sim::sdk::InProcess;
use ec2sim::{
    Caller, Calm, Chance, EventPattern, NewMessage, PeeringId, QueueId, Request, Tags, VpcId, World,
    world_of_today,
};
use peerkeeper_core::ids::AccountRegion;
use peerkeeper_core::trail::TrailEvent;
use tokio::task::JoinHandle;

use crate::aws::{AccountConfig, Aws, AwsConfig};
use crate::signal::{Consumer, Ear, News, QueueUrl, Seen};

pub const US: (&str, &str) = ("111122223333", "eu-west-1");
pub const THEM: (&str, &str) = ("444455556666", "us-east-1");

pub struct Rig {
    pub world: InProcess,
    pub aws: Aws,
    pub queue: QueueId,
    pub a: VpcId,
    pub b: VpcId,
}

pub fn place((account, region): (&str, &str)) -> AccountRegion {
    AccountRegion { account: account.parse().unwrap(), region: region.parse().unwrap() }
}

pub fn account(name: &str, id: &str) -> AccountConfig {
    AccountConfig {
        name: name.into(),
        uid: "uid".into(),
        generation: 1,
        account_id: id.parse().unwrap(),
        role_arn: Some(format!("arn:aws:iam::{id}:role/peerkeeper").into()),
        external_id: None,
    }
}

impl Rig {
    /// The queue is in our own account. Accounts are as the world knows them; none is declared.
    pub async fn new() -> Self {
        let mut world = world_of_today();
        world.keep_history(true);
        let queue = create_queue(&mut world);
        for (account, region) in [US, THEM] {
            world.deliver_events(account, region, &EventPattern::ec2(Vec::<String>::new()), &queue).unwrap();
        }
        let a = world.create_vpc(US.0, US.1, "10.1.0.0/16").unwrap();
        let b = world.create_vpc(THEM.0, THEM.1, "10.2.0.0/16").unwrap();
        let world = InProcess::new(world, Calm);
        world.with_world(|world| drain(world, &queue));
        let own = Credentials::new(US.0, "secret", None, None, "test");
        let config = AwsConfig {
            region: Some(US.1.parse().unwrap()),
            owner_id: "test-owner".into(),
            http_client: Some(world.client()),
            credentials: Some(SharedCredentialsProvider::new(own)),
            ..AwsConfig::default()
        };
        let aws = Aws::new(config).await.unwrap();
        Self { world, aws, queue, a, b }
    }

    pub fn url(&self) -> QueueUrl {
        format!("https://sqs.{}.amazonaws.com/{}/{}", self.queue.region, self.queue.account, self.queue.name)
            .parse()
            .unwrap()
    }

    pub fn listen(&self) -> (Arc<Memo>, JoinHandle<()>) {
        let ear = Arc::new(Memo::default());
        (ear.clone(), self.listen_as(ear))
    }

    pub fn listen_as(&self, ear: Arc<Memo>) -> JoinHandle<()> {
        fastrand::seed(7);
        let consumer = Consumer::new(self.aws.clone(), self.url(), ear, Arc::<Seen>::default());
        tokio::spawn(consumer.run())
    }

    /// Somebody in the other account deletes a peering between the two VPCs.
    pub fn lose(&self) -> PeeringId {
        self.lose_by(&mut Calm)
    }

    /// The same, where chance says what becomes of the deletion's record.
    pub fn lose_by(&self, chance: &mut dyn Chance) -> PeeringId {
        self.world.with_world(|world| {
            let id = world.peer(&self.a, &self.b).unwrap();
            let delete = Request::DeleteVpcPeeringConnection { peering_id: id.to_string() };
            world.call(&Caller::new(THEM.0, THEM.1).named("human"), delete, chance).unwrap();
            id
        })
    }

    pub fn send(&self, body: &str) {
        let (queue, message) = (self.queue.clone(), NewMessage::new(body));
        self.world
            .with_world(|world| world.as_human(US.0, US.1, Request::SendMessage { queue, message }).map(drop))
            .unwrap();
    }

    pub fn left(&self) -> usize {
        self.world.with_world(|world| world.messages_in(&self.queue))
    }
}

pub fn create_queue(world: &mut World) -> QueueId {
    let request =
        Request::CreateQueue { name: "events".to_owned(), attributes: Default::default(), tags: Tags::new() };
    world.as_human(US.0, US.1, request).unwrap().queue_url().unwrap()
}

fn drain(world: &mut World, queue: &QueueId) {
    world.as_human(US.0, US.1, Request::PurgeQueue { queue: queue.clone() }).unwrap();
}

/// Remembers all it is told; takes as long over an event as it is told to.
#[derive(Default)]
pub struct Memo {
    pub events: Mutex<Vec<Arc<TrailEvent>>>,
    pub news: Mutex<Vec<String>>,
    pub slow: Mutex<Duration>,
}

impl Memo {
    pub fn calls(&self) -> Vec<String> {
        self.events.lock().unwrap().iter().map(|event| event.call.name().to_owned()).collect()
    }

    pub fn told(&self, word: &str) -> usize {
        self.news.lock().unwrap().iter().filter(|news| news.starts_with(word)).count()
    }
}

impl Ear for Memo {
    async fn take(&self, _queue: &Arc<str>, event: Arc<TrailEvent>) {
        let slow = *self.slow.lock().unwrap();
        tokio::time::sleep(slow).await;
        self.events.lock().unwrap().push(event);
    }

    fn news(&self, _queue: &Arc<str>, news: News<'_>) {
        let text = match news {
            News::Received(_) => "received".to_owned(),
            News::Event(event) => format!("event {}", event.call.name()),
            News::Duplicate => "duplicate".to_owned(),
            News::Ignored(why) => format!("ignored {}", why.reason()),
            News::Poison(why) => format!("poison {why}"),
            News::Failed(why) => format!("failed {why}"),
        };
        self.news.lock().unwrap().push(text);
    }
}
