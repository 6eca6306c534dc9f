//! One request of AWS's API, from its bytes to the bytes of its answer.

use super::caller::{self, Scope};
use super::errors::{self, REQUEST_ID};
use super::http::{HttpAnswer, HttpRequest, HttpResponse};
use super::mapping::{self, Asked, Mapping};
use super::query::{self, Params};
use super::shapes::{self, Operation, Protocol, Service};
use super::value::Struct;
use super::{json, xml};
use crate::chance::Chance;
use crate::error::{AwsError, Failure};
use crate::queue::Receive;
use crate::request::Caller;
use crate::world::World;

/// Where a request without any sign of a Region is served.
const SOMEWHERE: &str = "us-east-1";
/// Operations that nobody signs: the token in them says who asks.
const UNSIGNED: &[&str] = &["AssumeRoleWithWebIdentity"];

/// Answers one request, now. Whatever the bytes are, the answer is AWS's: a result, an error with AWS's code, or none.
pub fn respond(world: &mut World, request: &HttpRequest, chance: &mut dyn Chance) -> HttpResponse {
    match Call::read(world, request) {
        Ok(call) => call.carry_out(world, chance),
        Err(refused) => HttpResponse::Answer(refused),
    }
}

/// A request that is understood as far as: who calls what, and where. Nothing has been done about it yet.
pub struct Call {
    service: &'static Service,
    operation: &'static Operation,
    mapping: &'static Mapping,
    caller: Caller,
    key: String,
    host: String,
    /// A wrong one is refused when it is carried out, not before: who disturbs calls on purpose disturbs these too.
    input: Result<Struct, AwsError>,
    request_id: String,
}

/// What a failed request must still know to be refused in the right words.
struct Refused {
    service: &'static Service,
    error: AwsError,
    /// What it asked for, if that is not simulated.
    unknown: Option<String>,
}

impl Call {
    /// Reads a request; an error is the whole answer to it.
    pub fn read(world: &mut World, request: &HttpRequest) -> Result<Self, HttpAnswer> {
        let request_id = world.next_request_id();
        read(world, request, &request_id).map_err(|refused| {
            let Refused { service, error, unknown } = *refused;
            if let Some(name) = unknown {
                world.count_unknown(service.name, &name);
            }
            errors::answer(service, error.code, &error.message, &request_id)
        })
    }

    /// `ec2`, `sts`, `sqs`, `cloudtrail`, `events` or `servicequotas`.
    pub fn service(&self) -> &'static str {
        self.service.name
    }

    pub fn action(&self) -> &'static str {
        self.operation.name
    }

    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The access key that signed it; empty if nothing did.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// A member of the input, if it is there and a text.
    pub fn text(&self, member: &str) -> Option<&str> {
        self.input.as_ref().ok()?.text(member)
    }

    pub fn carry_out(&self, world: &mut World, chance: &mut dyn Chance) -> HttpResponse {
        let Self { service, operation, mapping, caller, host, input, request_id, .. } = self;
        let answer = match input {
            Ok(input) => {
                let asked = Asked { caller, input, epoch_ms: world.wall_at(0), host };
                mapping::call(world, mapping, &asked, chance)
            }
            Err(error) => Err(Failure::Aws(error.clone())),
        };
        // What has a record in CloudTrail is answered with the id that is in it.
        let recorded = input.as_ref().ok().and_then(|_| world.recorded_request_id());
        let request_id = recorded.unwrap_or(request_id);
        match answer {
            Ok(output) => HttpResponse::Answer(success(service, operation, &output, request_id)),
            Err(Failure::Aws(error)) => {
                HttpResponse::Answer(errors::answer(service, error.code, &error.message, request_id))
            }
            Err(Failure::NoReply) => HttpResponse::NoReply,
        }
    }

    /// The receive that this call is, if it may wait for a message, and for how many seconds. The world answers at
    /// once: who carries bytes does the waiting, before the call is carried out.
    pub fn may_wait(&self, world: &World) -> Option<(Receive, u32)> {
        if (self.service.name, self.operation.name) != ("sqs", "ReceiveMessage") {
            return None;
        }
        let Self { caller, host, .. } = self;
        let input = self.input.as_ref().ok()?;
        let receive = super::sqs::receive(&Asked { caller, input, epoch_ms: 0, host }).ok()?;
        let wait_s = world.receive_wait_s(&receive);
        (wait_s > 0).then_some((receive, wait_s))
    }

    /// The answer to this call if it is to fail so. Nothing is carried out.
    pub fn refuse(&self, code: &str, message: &str) -> HttpAnswer {
        errors::answer(self.service, code, message, &self.request_id)
    }
}

fn read(world: &World, request: &HttpRequest, request_id: &str) -> Result<Call, Box<Refused>> {
    let params = match request.method.as_str() {
        "GET" | "HEAD" => Params::parse(request.query.as_bytes()),
        _ => Params::parse(&request.body),
    };
    let in_url = Params::parse(request.query.as_bytes());
    let presigned = params.get("X-Amz-Credential").or_else(|| in_url.get("X-Amz-Credential"));
    let signed = caller::scope(request, presigned);
    let refused = |service, error, unknown| Box::new(Refused { service, error, unknown });

    let scope = signed.as_ref().ok().and_then(Option::as_ref);
    let service = service(request, &params, scope).map_err(|error| {
        let name = scope.map_or("", |scope| &scope.service).to_owned();
        refused(shapes::EC2, error, Some(name))
    })?;
    let scope = signed.map_err(|error| refused(service, error, None))?;
    let named = action(service, request, &params);
    let unsigned = scope.is_none() && !named.as_deref().is_ok_and(|name| UNSIGNED.contains(&name));
    if unsigned {
        return Err(refused(service, caller::missing(), None));
    }
    let (key, region) = match &scope {
        Some(Scope { key, region, .. }) => (key.clone(), region.clone()),
        None => (String::new(), SOMEWHERE.to_owned()),
    };
    let token = request.get("X-Amz-Security-Token").or_else(|| params.get("X-Amz-Security-Token"));
    let caller = caller::owner(world, &key, token, &region, request.get("User-Agent"))
        .map_err(|error| refused(service, error, None))?;

    let name = named.map_err(|error| refused(service, error, None))?;
    let known = operation(service, &name, &params);
    let operation = known.map_err(|error| refused(service, error, Some(name.clone())))?;
    let mapping = mapping::find(service.name, operation.name).ok_or_else(|| {
        refused(service, query::no_such_operation(service, &name, None), Some(name.clone()))
    })?;
    let input = match service.protocol {
        Protocol::Json { .. } => json::decode(service, operation, &request.body),
        _ => query::decode(service, operation, &params),
    };
    let host =
        request.get("Host").map_or_else(|| format!("{}.{region}.amazonaws.com", service.name), str::to_owned);
    Ok(Call { service, operation, mapping, caller, key, host, input, request_id: request_id.to_owned() })
}

/// By the credential scope, else by the host, else by what is asked.
fn service(
    request: &HttpRequest,
    params: &Params<'_>,
    scope: Option<&Scope>,
) -> Result<&'static Service, AwsError> {
    if let Some(scope) = scope {
        return shapes::service(&scope.service).ok_or_else(|| {
            let known = shapes::SERVICES.map(|service| service.name).join(", ");
            let message = format!("The service {} is not simulated. These are: {known}.", scope.service);
            AwsError::new("InvalidAction", message)
        });
    }
    let host = request.get("Host").unwrap_or_default();
    let by_host = shapes::service(host.split('.').next().unwrap_or_default());
    let by_target = || {
        let (prefix, _) = request.get("X-Amz-Target")?.rsplit_once('.')?;
        shapes::SERVICES.into_iter().find(|service| is_target(service, prefix))
    };
    let by_version = || {
        let version = params.get("Version")?;
        let form = |service: &&&Service| !matches!(service.protocol, Protocol::Json { .. });
        shapes::SERVICES.iter().filter(form).find(|service| service.api_version == version).copied()
    };
    Ok(by_host.or_else(by_target).or_else(by_version).unwrap_or(shapes::EC2))
}

/// Some SDKs write a service's target in full, as `com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101`, others its
/// last part alone; AWS takes both.
fn is_target(service: &Service, prefix: &str) -> bool {
    service.target_prefix.is_some_and(|full| full == prefix || full.rsplit('.').next() == Some(prefix))
}

/// The name that the request gives of what it asks for.
fn action(service: &Service, request: &HttpRequest, params: &Params<'_>) -> Result<String, AwsError> {
    let name = match service.protocol {
        Protocol::Json { .. } => {
            let target = request.get("X-Amz-Target").and_then(|target| target.rsplit_once('.'));
            target.filter(|(prefix, _)| is_target(service, prefix)).map(|(_, name)| name)
        }
        _ => params.get("Action"),
    };
    let name = name.filter(|name| !name.is_empty()).map(str::to_owned);
    name.ok_or_else(|| AwsError::new("MissingAction", "The request must contain the parameter Action"))
}

fn operation(
    service: &'static Service,
    name: &str,
    params: &Params<'_>,
) -> Result<&'static Operation, AwsError> {
    match service.protocol {
        Protocol::Json { .. } => {
            service.operation(name).ok_or_else(|| query::no_such_operation(service, name, None))
        }
        _ => query::operation(service, params),
    }
}

fn success(service: &Service, operation: &Operation, output: &Struct, request_id: &str) -> HttpAnswer {
    let body = match service.protocol {
        Protocol::Json { version } => {
            let content_type = format!("application/x-amz-json-{version}");
            json::encode(operation, output).map(|body| (content_type, body))
        }
        Protocol::Ec2 | Protocol::Query => xml::encode(service, operation, output, request_id)
            .map(|body| ("text/xml;charset=UTF-8".to_owned(), body.into_bytes())),
    };
    match body {
        Ok((content_type, body)) => {
            HttpAnswer::new(200, &content_type, body).with_header(REQUEST_ID, request_id)
        }
        // A mistake of the simulator's own: a test meets it before a client does.
        Err(error) => errors::answer(service, "InternalError", &error.to_string(), request_id),
    }
}
