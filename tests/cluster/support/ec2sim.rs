//! EC2 and STS as AWS has them, in this process: blackholes, transient states, tags and tombstones per side. Every
//! call is counted, and held, refused or lost on request.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use ec2sim::wire::{self, HttpAnswer, HttpRequest, HttpResponse};
use ec2sim::{Action, Caller, Chance, Choice, Delay, World};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::watch;

use super::client::{Call, Clients, Fault};

pub struct Ec2sim {
    shared: Arc<Shared>,
    address: SocketAddr,
    clients: Clients,
    // Its own, so that a test that blocks its runtime does not stop EC2. None once dropped.
    runtime: Option<Runtime>,
}

struct Shared {
    sim: Mutex<Sim>,
    /// Told whenever a fault comes or goes.
    change: watch::Sender<()>,
}

struct Sim {
    world: World,
    started: Instant,
    /// By how much the world's clock was moved beyond the time that passed.
    ahead_ms: u64,
    faults: Vec<Standing>,
    log: Vec<Entry>,
}

/// A call, and whose account it was made in; of AssumeRole the role's says more than the caller's.
struct Entry {
    call: Call,
    account: String,
}

struct Standing {
    kind: Kind,
    action: String,
    account: Option<String>,
    region: Option<String>,
    left: Option<u32>,
}

#[derive(Clone, PartialEq)]
enum Kind {
    Hold,
    /// With this code, and not carried out.
    Refuse(String),
    /// Carried out, and never answered.
    Drop,
}

/// A normal day: what AWS does by itself takes a moment, and reads show what is.
struct Brisk;

impl Chance for Brisk {
    fn delay_ms(&mut self, what: Delay) -> u64 {
        match what {
            Delay::Initiating | Delay::Deleting => 100,
            Delay::Provisioning => 300,
            _ => 0,
        }
    }

    fn pick(&mut self, _: Choice, _: usize) -> usize {
        0
    }

    fn fault(&mut self, _: &Caller, _: Action) -> Option<ec2sim::Fault> {
        None
    }
}

impl Ec2sim {
    pub fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime can be made");
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.set_nonblocking(true).expect("it can be asked not to block");
        let address = listener.local_addr().expect("it has an address");
        let shared = Arc::new(Shared { sim: Mutex::new(Sim::new()), change: watch::channel(()).0 });
        runtime.spawn(serve(listener, shared.clone()));
        let clients = Clients::new(&format!("http://{address}"));
        Ec2sim { shared, address, clients, runtime: Some(runtime) }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn clients(&self) -> Clients {
        self.clients.clone()
    }

    /// The world itself, for what no call can do and no caller sees.
    pub fn world<T>(&self, with: impl FnOnce(&mut World) -> T) -> T {
        let mut sim = self.shared.sim();
        sim.tick();
        with(&mut sim.world)
    }

    /// Lets so much time pass for AWS alone.
    pub fn pass(&self, ms: u64) {
        self.shared.sim().ahead_ms += ms;
    }

    pub fn calls(&mut self, account: Option<&str>) -> BTreeMap<String, u64> {
        let mut calls = BTreeMap::new();
        for entry in &self.shared.sim().log {
            if account.is_none_or(|account| entry.account == account) {
                *calls.entry(entry.call.action.clone()).or_default() += 1;
            }
        }
        calls
    }

    pub fn log(&mut self) -> Vec<Call> {
        self.shared.sim().log.iter().map(|entry| entry.call.clone()).collect()
    }

    pub fn forget_calls(&mut self) {
        self.shared.sim().log.clear();
    }

    pub fn hold(&mut self, fault: Fault<'_>) {
        self.disturb(Kind::Hold, fault);
    }

    pub fn release(&mut self, action: &str) {
        self.heal(|fault| fault.kind == Kind::Hold && fault.action == action);
    }

    pub fn refuse(&mut self, fault: Fault<'_>, code: &str) {
        self.disturb(Kind::Refuse(code.to_owned()), fault);
    }

    pub fn drop_answer(&mut self, fault: Fault<'_>) {
        self.disturb(Kind::Drop, fault);
    }

    pub fn mend(&mut self, account: Option<&str>) {
        self.heal(|fault| account.is_none_or(|account| fault.account.as_deref() == Some(account)));
    }

    fn disturb(&mut self, kind: Kind, fault: Fault<'_>) {
        let Fault { action, account, region, times } = fault;
        let own = |text: Option<&str>| text.map(str::to_owned);
        let (account, region) = (own(account), own(region));
        let standing = Standing { kind, action: action.to_owned(), account, region, left: times };
        self.shared.sim().faults.push(standing);
        self.shared.change.send_replace(());
    }

    fn heal(&mut self, is_over: impl Fn(&Standing) -> bool) {
        self.shared.sim().faults.retain(|fault| !is_over(fault));
        self.shared.change.send_replace(());
    }
}

impl Drop for Ec2sim {
    fn drop(&mut self) {
        // Dropping a runtime inside another would panic.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Shared {
    fn sim(&self) -> MutexGuard<'_, Sim> {
        // A test that failed while it looked must not take the others with it.
        self.sim.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sim {
    fn new() -> Self {
        let mut world = World::new();
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
        // Keys of sessions end by the callers' calendar.
        world.set_wall_at_zero(unix.as_millis() as i64);
        world.keep_log(false);
        Sim { world, started: Instant::now(), ahead_ms: 0, faults: Vec::new(), log: Vec::new() }
    }

    fn tick(&mut self) {
        let passed_ms = self.started.elapsed().as_millis() as u64;
        self.world.advance(passed_ms + self.ahead_ms);
    }

    fn is_held(&self, call: &wire::Call) -> bool {
        self.faults.iter().any(|fault| fault.kind == Kind::Hold && fault.meets(call))
    }

    /// What else is to befall it.
    fn fault(&mut self, call: &wire::Call) -> Option<Kind> {
        let fault = self.faults.iter_mut().find(|fault| fault.kind != Kind::Hold && fault.meets(call))?;
        fault.left = fault.left.map(|left| left - 1);
        Some(fault.kind.clone())
    }
}

impl Standing {
    fn meets(&self, call: &wire::Call) -> bool {
        let caller = call.caller();
        let any_or = |wanted: &Option<String>, is: &str| wanted.as_deref().is_none_or(|wanted| wanted == is);
        (self.action == "*" || self.action == call.action())
            && any_or(&self.account, &account_of(call))
            && any_or(&self.region, caller.region.as_str())
            && self.left != Some(0)
    }
}

fn account_of(call: &wire::Call) -> String {
    let role = call.text("RoleArn").and_then(|arn| arn.split(':').nth(4));
    role.unwrap_or(call.caller().account.as_str()).to_owned()
}

async fn serve(listener: std::net::TcpListener, shared: Arc<Shared>) {
    let listener = TcpListener::from_std(listener).expect("it does not block");
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(converse(stream, shared.clone()));
    }
}

/// The requests of one connection, one after the other.
async fn converse(stream: TcpStream, shared: Arc<Shared>) {
    let service = service_fn(move |request: Request<Incoming>| {
        // A task of its own: what was sent is carried out, even if who sent it is dead by then.
        let answered = tokio::spawn(answer(shared.clone(), request));
        async move { answered.await.ok().flatten().ok_or(Unanswered) }
    });
    // It ends with an error when an answer is lost on purpose, or the caller goes.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

/// Ends the connection without a word.
#[derive(Debug, thiserror::Error)]
#[error("unanswered on request")]
struct Unanswered;

async fn answer(shared: Arc<Shared>, request: Request<Incoming>) -> Option<Response<Full<Bytes>>> {
    let request = plain(request).await?;
    let mut change = shared.change.subscribe();
    let call = match shared.sim().take_in(&request) {
        Ok(call) => call,
        Err(refusal) => return Some(response(refusal)),
    };
    while shared.sim().is_held(&call) {
        change.changed().await.ok()?;
    }
    shared.sim().carry_out(&call).map(response)
}

impl Sim {
    fn take_in(&mut self, request: &HttpRequest) -> Result<wire::Call, HttpAnswer> {
        self.tick();
        let call = wire::Call::read(&mut self.world, request)?;
        let at = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs_f64();
        let (action, key) = (call.action().to_owned(), call.key().to_owned());
        self.log.push(Entry { call: Call { at, action, key }, account: account_of(&call) });
        Ok(call)
    }

    /// `None`: it is done, and nobody is told.
    fn carry_out(&mut self, call: &wire::Call) -> Option<HttpAnswer> {
        self.tick();
        let fault = self.fault(call);
        if let Some(Kind::Refuse(code)) = &fault {
            return Some(call.refuse(code, &format!("{} refused on request", call.action())));
        }
        let answer = call.carry_out(&mut self.world, &mut Brisk);
        match (fault, answer) {
            (None, HttpResponse::Answer(answer)) => Some(answer),
            _ => None,
        }
    }
}

/// `None`: it never came to an end.
async fn plain(request: Request<Incoming>) -> Option<HttpRequest> {
    let (head, body) = request.into_parts();
    let headers = head.headers.iter();
    let text = |(name, value): (&hyper::header::HeaderName, &hyper::header::HeaderValue)| {
        (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    Some(HttpRequest {
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: headers.map(text).collect(),
        body: body.collect().await.ok()?.to_bytes().to_vec(),
    })
}

fn response(answer: HttpAnswer) -> Response<Full<Bytes>> {
    let mut response = Response::builder().status(answer.status);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    response.body(Full::new(answer.body.into())).expect("names and values that HTTP allows")
}
