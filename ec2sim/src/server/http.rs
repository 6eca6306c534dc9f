//! Bytes from sockets, by hyper; HTTP/1.1 with keep-alive.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::control;
use super::shared::{Shared, Step};
use crate::wire::{Call, HttpAnswer, HttpRequest, HttpResponse};

/// AWS takes less; what is more is a mistake.
const MAX_BODY: usize = 4 << 20;
/// Before the next attempt, where accepting failed for want of file handles or the like.
const BREATH: Duration = Duration::from_millis(50);

/// Ends the connection without an answer: hyper closes it on any error of the service.
#[derive(Debug)]
struct Lost;

impl std::fmt::Display for Lost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the answer is lost on purpose")
    }
}

impl std::error::Error for Lost {}

pub(crate) async fn serve(listener: TcpListener, shared: Arc<Shared>, mut stopped: watch::Receiver<bool>) {
    // Only fails outside a runtime.
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    loop {
        tokio::select! {
            _ = stopped.wait_for(|stopped| *stopped) => return,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    tokio::spawn(connection(stream, Arc::clone(&shared)));
                }
                Err(_) => tokio::time::sleep(BREATH).await,
            },
        }
    }
}

async fn connection(stream: TcpStream, shared: Arc<Shared>) {
    // Without it the kernel may keep small answers back; a socket that refuses is only slower.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| answer(Arc::clone(&shared), request));
    // An error is a client that went away, or an answer lost on purpose.
    let _ =
        http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(shared: Arc<Shared>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Lost> {
    let (head, body) = request.into_parts();
    let Ok(body) = Limited::new(body, MAX_BODY).collect().await else {
        return Ok(built(HttpAnswer::new(413, "text/plain", "the body is too long, or it broke off")));
    };
    let header = |(name, value): (&hyper::header::HeaderName, &hyper::header::HeaderValue)| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    let request = HttpRequest {
        method: head.method.as_str().to_owned(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers.iter().map(header).collect(),
        body: body.to_bytes().to_vec(),
    };
    if let Some(order) = request.path.strip_prefix(control::PREFIX) {
        return Ok(built(control::obey(&shared, order, &request)));
    }
    let call = match shared.admit(&request) {
        Ok(call) => call,
        Err(HttpResponse::Answer(answer)) => return Ok(built(answer)),
        Err(HttpResponse::NoReply) => return Err(Lost),
    };
    // Not on its own: whoever hangs up while there is no message takes none.
    await_message(&shared, &call).await;
    // On its own: a request that has arrived is carried out, though its client may hang up while it is held.
    let arrived = tokio::spawn(async move { api(&shared, &call).await });
    match arrived.await {
        Ok(HttpResponse::Answer(answer)) => Ok(built(answer)),
        Ok(HttpResponse::NoReply) | Err(_) => Err(Lost),
    }
}

/// A long poll: until there is a message, or for as long as the call allows, in real time.
async fn await_message(shared: &Shared, call: &Call) {
    let began = Instant::now();
    loop {
        let changed = shared.changed.notified();
        let Some(wait) = shared.wait_for_message(call, began.elapsed()) else { return };
        // Either way it is time to look again.
        let _ = tokio::time::timeout(wait, changed).await;
    }
}

async fn api(shared: &Shared, call: &Call) -> HttpResponse {
    loop {
        // Before the look, so that no change between look and wait is missed.
        let changed = shared.changed.notified();
        match shared.step(call) {
            Step::Answered(response) => return response,
            Step::Held => changed.await,
        }
    }
}

fn built(answer: HttpAnswer) -> Response<Full<Bytes>> {
    let HttpAnswer { status, headers, body } = answer;
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(name, value);
    }
    response.body(Full::new(Bytes::from(body))).unwrap_or_else(|_| {
        // A header that HTTP does not allow: no answer of ours has one.
        let mut response = Response::new(Full::new(Bytes::new()));
        *response.status_mut() = hyper::StatusCode::INTERNAL_SERVER_ERROR;
        response
    })
}
