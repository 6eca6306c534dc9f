//! A connector for the AWS SDK for Rust that calls a [`World`] in its own process: no socket, no thread, no waiting.
//!
//! The world's time follows tokio's, so under a paused clock a test of hours takes milliseconds. What the world answers
//! can be twisted on its way back: late, in half, as rubbish, or not at all.
//!
//! ```no_run
//! # async fn example() {
//! use ec2sim::sdk::InProcess;
//! use ec2sim::{Calm, world_of_today};
//!
//! let aws = InProcess::new(world_of_today(), Calm);
//! let client = aws.client(); // for `http_client(...)` of any service's or the shared configuration
//! aws.with_world(|world| world.create_vpc("111122223333", "eu-west-1", "10.1.0.0/16"));
//! # drop(client);
//! # }
//! ```

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest as SdkRequest, HttpResponse as SdkResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http_body::Frame;
use tokio::time::Instant;

use crate::chance::Chance;
use crate::request::Caller;
use crate::wire::{Call, HttpAnswer, HttpRequest, HttpResponse};
use crate::world::World;

/// Between two looks for a message that a receive waits for: under a paused clock they cost nothing.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// What becomes of an answer on its way back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fate {
    Arrives(HttpAnswer),
    /// So many bytes of the body, then the connection breaks.
    BreaksOff(HttpAnswer, usize),
    /// The connection is reset before the first byte.
    Reset,
    /// Nothing, ever: only the client's own timeout ends it.
    Silence,
    /// So much later.
    Late(Duration, Box<Fate>),
}

/// A call that was understood, as it came.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Seen {
    pub at_ms: u64,
    pub action: &'static str,
    pub caller: Caller,
}

type Twist = Box<dyn FnMut(&Seen, Fate) -> Fate + Send>;

struct Inner {
    world: World,
    chance: Box<dyn Chance + Send>,
    /// When the world's clock showed what. `None`: it stands still.
    clock: Option<Clock>,
    twist: Option<Twist>,
    seen: Vec<Seen>,
}

enum Clock {
    /// It starts with the first call, as there may be no runtime before.
    Waiting,
    Since(Instant, u64),
}

/// One AWS of all accounts and Regions. Clones are the same one.
#[derive(Clone)]
pub struct InProcess(Arc<Mutex<Inner>>);

impl fmt::Debug for InProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InProcess").finish_non_exhaustive()
    }
}

impl InProcess {
    pub fn new(world: World, chance: impl Chance + Send + 'static) -> Self {
        let clock = Some(Clock::Waiting);
        let inner = Inner { world, chance: Box::new(chance), clock, twist: None, seen: Vec::new() };
        Self(Arc::new(Mutex::new(inner)))
    }

    /// The world's time moves only by [`World::advance`].
    #[must_use]
    pub fn standing_still(self) -> Self {
        self.lock().clock = None;
        self
    }

    /// For `http_client(...)` of a configuration.
    pub fn client(&self) -> SharedHttpClient {
        let connector = SharedHttpConnector::new(self.clone());
        http_client_fn(move |_, _| connector.clone())
    }

    /// Looks at the world, or changes it, between two calls. Its clock is set first.
    pub fn with_world<R>(&self, look: impl FnOnce(&mut World) -> R) -> R {
        let mut inner = self.lock();
        inner.set_clock();
        let result = look(&mut inner.world);
        // If it moved the world ahead, time goes on from there.
        inner.set_clock();
        result
    }

    pub fn set_chance(&self, chance: impl Chance + Send + 'static) {
        self.lock().chance = Box::new(chance);
    }

    /// Decides on every answer from now on; it is called with the fate that the answer would have.
    pub fn twist(&self, twist: impl FnMut(&Seen, Fate) -> Fate + Send + 'static) {
        self.lock().twist = Some(Box::new(twist));
    }

    /// Answers arrive as the world gives them.
    pub fn untwist(&self) {
        self.lock().twist = None;
    }

    /// Every call that was understood, in order.
    pub fn seen(&self) -> Vec<Seen> {
        self.lock().seen.clone()
    }

    pub fn count(&self, action: &str) -> usize {
        self.lock().seen.iter().filter(|seen| seen.action == action).count()
    }

    /// A long poll: until there is a message, or for as long as the call allows.
    async fn await_message(&self, request: &HttpRequest) {
        let began = Instant::now();
        loop {
            let wait = self.lock().wait_for_message(request, began.elapsed());
            let Some(wait) = wait else { return };
            tokio::time::sleep(wait).await;
        }
    }

    /// A panic while it was held (a test's closure may) leaves a whole world behind: every call is one step.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Outside a runtime there is no time that could have passed.
    fn set_clock(&mut self) {
        if self.clock.is_none() || tokio::runtime::Handle::try_current().is_err() {
            return;
        }
        let (since, then_ms) = match self.clock {
            Some(Clock::Since(since, then_ms)) => (since, then_ms),
            _ => (Instant::now(), self.world.now_ms()),
        };
        let passed_ms = u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX);
        let now_ms = then_ms.saturating_add(passed_ms);
        if self.world.now_ms() > now_ms {
            // Somebody moved the world ahead: the clock follows.
            self.clock = Some(Clock::Since(Instant::now(), self.world.now_ms()));
        } else {
            self.clock = Some(Clock::Since(since, then_ms));
            self.world.advance(now_ms);
        }
    }

    /// How much longer a receive without a message should wait before it looks again. `None`: no longer.
    fn wait_for_message(&mut self, request: &HttpRequest, waited: Duration) -> Option<Duration> {
        if request.get("X-Amz-Target") != Some("AmazonSQS.ReceiveMessage") {
            return None;
        }
        self.set_clock();
        let call = Call::read(&mut self.world, request).ok()?;
        let (receive, wait_s) = call.may_wait(&self.world)?;
        let left = Duration::from_secs(wait_s.into()).checked_sub(waited).filter(|left| !left.is_zero())?;
        self.world.can_wait(call.caller(), &receive).then_some(left.min(LOOK_AGAIN))
    }

    fn fate(&mut self, request: &HttpRequest) -> Fate {
        self.set_clock();
        let call = match Call::read(&mut self.world, request) {
            Ok(call) => call,
            Err(answer) => return Fate::Arrives(answer),
        };
        let caller = call.caller().clone();
        let seen = Seen { at_ms: self.world.now_ms(), action: call.action(), caller };
        self.seen.push(seen.clone());
        let fate = match call.carry_out(&mut self.world, self.chance.as_mut()) {
            HttpResponse::Answer(answer) => Fate::Arrives(answer),
            HttpResponse::NoReply => Fate::Reset,
        };
        match &mut self.twist {
            Some(twist) => twist(&seen, fate),
            None => fate,
        }
    }
}

impl HttpConnector for InProcess {
    fn call(&self, request: SdkRequest) -> HttpConnectorFuture {
        let request = plain(&request);
        let waits = self.lock().wait_for_message(&request, Duration::ZERO).is_some();
        if waits {
            // Whoever gives up while there is no message takes none.
            let aws = self.clone();
            return HttpConnectorFuture::new(async move {
                aws.await_message(&request).await;
                let fate = aws.lock().fate(&request);
                arrive(fate).await
            });
        }
        // The world hears of it now, as of a request that has been sent; dropping the future takes nothing back.
        let fate = self.lock().fate(&request);
        HttpConnectorFuture::new(arrive(fate))
    }
}

fn plain(request: &SdkRequest) -> HttpRequest {
    let uri = request.uri();
    let after_scheme = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    let (host, target) = match after_scheme.find(['/', '?']) {
        Some(at) => after_scheme.split_at(at),
        None => (after_scheme, "/"),
    };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let header = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    let mut headers: Vec<_> = request.headers().iter().map(header).collect();
    if request.headers().get("host").is_none() {
        headers.push(("Host".to_owned(), host.to_owned()));
    }
    HttpRequest {
        method: request.method().to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers,
        body: request.body().bytes().unwrap_or_default().to_vec(),
    }
}

async fn arrive(mut fate: Fate) -> Result<SdkResponse, ConnectorError> {
    while let Fate::Late(delay, then) = fate {
        tokio::time::sleep(delay).await;
        fate = *then;
    }
    match fate {
        Fate::Arrives(answer) => {
            let body = SdkBody::from(answer.body);
            response(answer.status, answer.headers, body)
        }
        Fate::BreaksOff(answer, at) => {
            let mut sent = answer.body;
            sent.truncate(at);
            let body = SdkBody::from_body_1_x(Broken(Some(Bytes::from(sent))));
            response(answer.status, answer.headers, body)
        }
        Fate::Reset => Err(reset()),
        Fate::Silence | Fate::Late(..) => std::future::pending().await,
    }
}

fn reset() -> ConnectorError {
    ConnectorError::io(Box::new(io::Error::from(io::ErrorKind::ConnectionReset)))
}

fn response(
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: SdkBody,
) -> Result<SdkResponse, ConnectorError> {
    let status = status.try_into().map_err(|error| ConnectorError::other(Box::new(error), None))?;
    let mut response = SdkResponse::new(status, body);
    for (name, value) in headers {
        // HTTP/2 would want them small, and clients look in any case.
        response
            .headers_mut()
            .try_insert(name.to_ascii_lowercase(), value)
            .map_err(|error| ConnectorError::other(Box::new(error), None))?;
    }
    Ok(response)
}

/// A body that ends in an error.
struct Broken(Option<Bytes>);

impl http_body::Body for Broken {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        Poll::Ready(Some(match self.0.take() {
            Some(bytes) => Ok(Frame::data(bytes)),
            None => Err(io::Error::from(io::ErrorKind::ConnectionReset)),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::{Calm, Fault, Script};
    use crate::queue::{NewMessage, QueueId};
    use crate::request::{Action, Request};

    const US: &str = "111122223333";

    fn request(action: &str, members: &str) -> SdkRequest {
        let body = format!("Action={action}&Version=2016-11-15{members}");
        let mut request = SdkRequest::new(SdkBody::from(body));
        request.set_method("POST").expect("a method");
        request.set_uri("https://ec2.eu-west-1.amazonaws.com/").expect("a URI");
        let signed = format!(
            "AWS4-HMAC-SHA256 Credential={US}/20260102/eu-west-1/ec2/aws4_request, SignedHeaders=host, Signature=0"
        );
        request.headers_mut().insert("authorization", signed);
        request
    }

    async fn ask(aws: &InProcess, request: SdkRequest) -> Result<(u16, String), ConnectorError> {
        let response = SharedHttpConnector::new(aws.clone()).call(request).await?;
        let body = response.body().bytes().expect("a whole body");
        Ok((response.status().as_u16(), String::from_utf8_lossy(body).into_owned()))
    }

    #[tokio::test(start_paused = true)]
    async fn the_worlds_time_is_tokios() {
        let aws = InProcess::new(World::new(), Calm);
        assert_eq!(aws.with_world(|world| world.now_ms()), 0);
        tokio::time::sleep(Duration::from_secs(7_200)).await;
        let (status, _) = ask(&aws, request("CreateVpc", "&CidrBlock=10.1.0.0/16")).await.expect("an answer");
        assert_eq!((status, aws.with_world(|world| world.now_ms())), (200, 7_200_000));
        aws.with_world(|world| world.advance(8_000_000));
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(aws.with_world(|world| world.now_ms()), 8_001_000);
        assert_eq!(aws.seen()[0].action, "CreateVpc");

        let still = InProcess::new(World::new(), Calm).standing_still();
        tokio::time::sleep(Duration::from_secs(7_200)).await;
        assert_eq!(still.with_world(|world| world.now_ms()), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_receive_waits_for_its_message_in_the_worlds_time_and_takes_none_once_given_up() {
        let aws = InProcess::new(World::new(), Calm);
        let queue = QueueId::new(US, "eu-west-1", "q");
        let create = Request::CreateQueue {
            name: "q".to_owned(),
            attributes: Default::default(),
            tags: Default::default(),
        };
        aws.with_world(|world| world.as_human(US, "eu-west-1", create)).expect("a queue");
        let receive = || {
            let body = format!(r#"{{"QueueUrl":"http://x/{US}/q","WaitTimeSeconds":20}}"#);
            let mut request = request("", "");
            *request.body_mut() = SdkBody::from(body);
            let signed = request.headers().get("authorization").map(|scope| scope.replace("/ec2/", "/sqs/"));
            request.headers_mut().insert("authorization", signed.expect("a signature"));
            request.headers_mut().insert("x-amz-target", "AmazonSQS.ReceiveMessage");
            request
        };
        let began = Instant::now();
        let (_, body) = ask(&aws, receive()).await.expect("an answer");
        assert_eq!((body.as_str(), began.elapsed().as_secs()), ("{}", 20));

        let send = |aws: &InProcess| {
            let message = NewMessage::new("hello");
            let send = Request::SendMessage { queue: queue.clone(), message };
            aws.with_world(|world| world.as_human(US, "eu-west-1", send)).expect("sent");
        };
        let given_up = tokio::time::timeout(Duration::from_secs(5), ask(&aws, receive())).await;
        assert!(given_up.is_err());
        send(&aws);
        assert!(aws.with_world(|world| world.has_message(&queue)));
        let began = Instant::now();
        let (_, body) = ask(&aws, receive()).await.expect("an answer");
        assert!(body.contains("hello") && began.elapsed().is_zero(), "{body}");
        let (waiting, ()) = tokio::join!(ask(&aws, receive()), async {
            tokio::time::sleep(Duration::from_secs(3)).await;
            send(&aws);
        });
        assert!(waiting.expect("an answer").1.contains("hello"));
        assert!(began.elapsed() < Duration::from_secs(4));
        assert_eq!(aws.count("ReceiveMessage"), 3, "who gave up while waiting never got so far");
    }

    #[tokio::test(start_paused = true)]
    async fn a_lost_answer_is_a_reset_and_the_call_took_effect() {
        let trouble = Script::new().fault(Action::CreateVpc, Fault::TimeoutAfterEffect);
        let aws = InProcess::new(World::new(), trouble);
        let lost = ask(&aws, request("CreateVpc", "&CidrBlock=10.1.0.0/16")).await;
        assert!(lost.is_err_and(|error| error.is_io()));
        let (_, body) = ask(&aws, request("DescribeVpcs", "")).await.expect("an answer");
        assert_eq!(body.matches("<vpcId>").count(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn answers_come_late_in_half_or_never() {
        let aws = InProcess::new(World::new(), Calm);
        let minute = Duration::from_secs(60);
        aws.twist(move |seen, fate| match (seen.action, fate) {
            ("DescribeVpcs", fate) => Fate::Late(minute, Box::new(fate)),
            ("DescribeRouteTables", Fate::Arrives(answer)) => Fate::BreaksOff(answer, 10),
            _ => Fate::Silence,
        });
        let start = Instant::now();
        assert_eq!(ask(&aws, request("DescribeVpcs", "")).await.expect("an answer").0, 200);
        assert_eq!(start.elapsed(), minute);

        let half = SharedHttpConnector::new(aws.clone()).call(request("DescribeRouteTables", "")).await;
        let mut body = half.expect("a head").into_body();
        let mut read = Vec::new();
        let end = loop {
            let next = std::future::poll_fn(|cx| http_body::Body::poll_frame(Pin::new(&mut body), cx));
            match next.await {
                Some(Ok(frame)) => read.extend(frame.into_data().expect("data")),
                other => break other,
            }
        };
        assert_eq!((read.len(), end.is_some_and(|end| end.is_err())), (10, true));

        let never = ask(&aws, request("CreateVpc", "&CidrBlock=10.1.0.0/16"));
        assert!(tokio::time::timeout(minute, never).await.is_err());
        aws.untwist();
        assert_eq!(
            ask(&aws, request("DescribeVpcs", "")).await.expect("an answer").1.matches("<vpcId>").count(),
            1
        );
    }
}
