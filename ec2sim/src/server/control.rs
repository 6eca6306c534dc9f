//! The control endpoint: everything that a test may do and that no client of AWS can.
//!
//! `GET` looks, `POST` with a JSON object acts. A wrong order changes nothing and is answered with status 400 and
//! `{"error": "..."}`. The README lists all of them.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::hooks;
use super::order::{Order, named};
use super::script::{Aim, Disturbance};
use super::shared::{Inner, Seen, Shared};
use super::weather::{Ratio, Weather};
use crate::chance::{Choice, Delay, Fault};
use crate::wire::{HttpAnswer, HttpRequest};
use crate::world::Mutation;

pub(crate) const PREFIX: &str = "/_ec2sim/";

type Answer = Result<Value, String>;

pub(crate) fn obey(shared: &Shared, order: &str, request: &HttpRequest) -> HttpAnswer {
    let done = match (request.method.as_str(), order) {
        ("GET", "calls") => Ok(calls(shared, &request.query)),
        ("GET", "requests") => {
            Ok(json!({ "requests": shared.seen().iter().map(show_seen).collect::<Vec<_>>() }))
        }
        ("GET", "log") => Ok(shared.with(|inner| log(inner))),
        ("GET", "clock") => Ok(shared.with(|inner| clock(inner))),
        ("GET", "faults") => Ok(shared.with(|inner| faults(inner))),
        ("GET", "weather") => Ok(shared.with(|inner| weather(&inner.weather))),
        ("GET", "peerings") => Ok(shared.with(|inner| hooks::peerings(&inner.world))),
        ("POST", "forget") => empty(&request.body).map(|()| {
            shared.forget();
            json!({})
        }),
        ("POST", "reset") => empty(&request.body).map(|()| {
            shared.reset();
            json!({})
        }),
        ("POST", "clock") => Order::parse(&request.body).and_then(|order| set_clock(shared, order)),
        ("POST", "faults") => Order::parse(&request.body).and_then(|order| disturb(shared, order)),
        ("POST", "weather") => {
            Order::parse(&request.body).and_then(|order| shared.with(|inner| set_weather(inner, order)))
        }
        ("POST", "world") => Order::parse(&request.body)
            .and_then(|order| shared.with(|inner| hooks::act(&mut inner.world, order))),
        _ => {
            return said(404, &json!({ "error": format!("there is no {} {PREFIX}{order}", request.method) }));
        }
    };
    match done {
        Ok(answer) => said(200, &answer),
        Err(error) => said(400, &json!({ "error": error })),
    }
}

fn said(status: u16, body: &Value) -> HttpAnswer {
    HttpAnswer::new(status, "application/json", format!("{body}\n"))
}

fn empty(body: &[u8]) -> Result<(), String> {
    Order::parse(body)?.end()
}

/// `?account=` counts that account's alone.
fn calls(shared: &Shared, query: &str) -> Value {
    let account = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "account");
    let calls = shared.calls(account.as_ref().map(|(_, account)| account.as_ref()));
    let unknown = shared.with_world(|world| {
        let each = world.unknown_calls().iter();
        each.map(|((service, name), times)| (format!("{service}:{name}"), json!(times)))
            .collect::<Map<_, _>>()
    });
    json!({ "calls": calls, "unknown": unknown })
}

fn show_seen(seen: &Seen) -> Value {
    let Seen { at, at_ms, service, action, account, region, key } = seen;
    json!({
        "at": at, "at_ms": at_ms, "service": service, "action": action,
        "account": account, "region": region, "key": key,
    })
}

fn log(inner: &Inner) -> Value {
    json!({ "log": inner.world.log().map(show_mutation).collect::<Vec<_>>() })
}

fn show_mutation(mutation: &Mutation) -> Value {
    json!({
        "at_ms": mutation.at_ms,
        "account": mutation.caller.account.as_str(),
        "region": mutation.caller.region.as_str(),
        "principal": &*mutation.caller.principal,
        "action": mutation.action.name(),
        "ids": mutation.ids,
        "was": mutation.was.as_ref().map(ToString::to_string),
        "error": mutation.result.as_ref().err(),
        "answered": mutation.answered,
    })
}

fn clock(inner: &Inner) -> Value {
    json!({
        "now_ms": inner.world.now_ms(),
        "wall_ms": inner.world.wall_ms(),
        "speed": inner.clock.speed(),
        "next_due_ms": inner.world.next_due(),
    })
}

/// `advance_ms` leaps, `to_next_due` leaps to when something next happens, `speed` sets the speed.
fn set_clock(shared: &Shared, mut order: Order) -> Answer {
    let (ms, to_next) = (order.number("advance_ms")?, order.truth("to_next_due")? == Some(true));
    let speed = order.float("speed")?;
    order.end()?;
    if let Some(speed) = speed {
        shared.set_speed(speed);
    }
    if let Some(ms) = ms {
        shared.advance_ms(ms);
    }
    if to_next {
        let left = shared.with_world(|world| world.next_due().map(|due| due.saturating_sub(world.now_ms())));
        shared.advance_ms(left.unwrap_or(0));
    }
    Ok(shared.with(|inner| clock(inner)))
}

/// `do`: hold, release, refuse (with `code`), drop, mend.
fn disturb(shared: &Shared, mut order: Order) -> Answer {
    let what = order.must("do")?;
    let aim = order.aim()?;
    let (times, code) = (order.number("times")?, order.text("code")?);
    order.end()?;
    let stray = |name: &str| Err(format!("{what} takes no {name}"));
    if code.is_some() && what != "refuse" {
        return stray("code");
    }
    if times.is_some() && (what == "release" || what == "mend" || what == "hold") {
        return stray("times");
    }
    let what = match what.as_str() {
        "hold" => Disturbance::Hold,
        "drop" => Disturbance::Drop,
        "refuse" => Disturbance::Refuse(code.filter(|code| !code.is_empty()).ok_or("refuse needs a code")?),
        "release" => {
            shared.with(|inner| inner.lines.release(aim.action.as_deref()));
            return Ok(json!({}));
        }
        "mend" => {
            shared.with(|inner| inner.lines.mend(aim.account.as_deref()));
            return Ok(json!({}));
        }
        other => return Err(format!("{other} is none of hold, release, refuse, drop, mend")),
    };
    shared.disturb(aim, what, times);
    Ok(json!({}))
}

fn show_aim(aim: &Aim) -> Map<String, Value> {
    let Aim { action, account, region } = aim;
    let named = [("action", action), ("account", account), ("region", region)];
    named.iter().filter_map(|(name, value)| Some(((*name).to_owned(), json!(value.as_ref()?)))).collect()
}

fn faults(inner: &Inner) -> Value {
    let each = inner.lines.iter().map(|line| {
        let mut shown = show_aim(&line.aim);
        let (what, code) = match &line.what {
            Disturbance::Hold => ("hold", None),
            Disturbance::Refuse(code) => ("refuse", Some(code)),
            Disturbance::Drop => ("drop", None),
        };
        shown.insert("do".to_owned(), json!(what));
        shown.extend(code.map(|code| ("code".to_owned(), json!(code))));
        shown.extend(line.left.map(|left| ("times".to_owned(), json!(left))));
        Value::Object(shown)
    });
    json!({ "faults": each.collect::<Vec<_>>() })
}

/// What chance does: `delays_ms` and `choices` are exact; `delays_up_to_ms`, `choice_ratios` and `fault_ratios` go by
/// the seed. `fault_ratios` with an aim add a rule for the calls that it meets, and replace the one with this aim.
fn set_weather(inner: &mut Inner, mut order: Order) -> Answer {
    let calm = order.truth("calm")? == Some(true);
    let mut next = if calm { Weather::calm() } else { inner.weather.clone() };
    let aim = order.aim()?;
    for (name, ms) in order.numbers("delays_ms")? {
        next.delays_ms.insert(named(Delay::ALL, &name)?, ms);
    }
    for (name, ms) in order.numbers("delays_up_to_ms")? {
        let delay = named(Delay::ALL, &name)?;
        next.delays_ms.remove(&delay);
        next.knobs_mut().delays_ms.insert(delay, ms);
    }
    for (name, way) in order.numbers("choices")? {
        let way = usize::try_from(way).map_err(|_| format!("{name}: there are not so many ways"))?;
        next.choices.insert(named(Choice::ALL, &name)?, way);
    }
    for (name, ratio) in order.numbers("choice_ratios")? {
        let choice = named(Choice::ALL, &name)?;
        next.choices.remove(&choice);
        next.knobs_mut().choices.insert(choice, share(&name, ratio)?);
    }
    for (name, ratio) in order.numbers("fault_ratios")? {
        let (fault, in_ten_thousand) = (named(Fault::ALL, &name)?, share(&name, ratio)?);
        next.ratios.retain(|held| held.fault != fault || held.aim != aim);
        next.ratios.push(Ratio { fault, in_ten_thousand, aim: aim.clone() });
    }
    order.end()?;
    inner.weather = next;
    Ok(weather(&inner.weather))
}

fn share(name: &str, ratio: u64) -> Result<u32, String> {
    let share = u32::try_from(ratio).ok().filter(|share| *share <= 10_000);
    share.ok_or_else(|| format!("{name}: a ratio counts in ten thousand, so it is at most 10000"))
}

fn weather(weather: &Weather) -> Value {
    fn shown<K: std::fmt::Debug, V: Copy + Into<Value>>(held: &BTreeMap<K, V>) -> Map<String, Value> {
        held.iter().map(|(key, value)| (format!("{key:?}"), (*value).into())).collect()
    }
    let ratios = weather.ratios.iter().map(|ratio| {
        let mut one = show_aim(&ratio.aim);
        one.insert("fault".to_owned(), json!(format!("{:?}", ratio.fault)));
        one.insert("in_ten_thousand".to_owned(), json!(ratio.in_ten_thousand));
        Value::Object(one)
    });
    json!({
        "delays_ms": shown(&weather.delays_ms),
        "delays_up_to_ms": shown(&weather.knobs().delays_ms),
        "choices": shown(&weather.choices),
        "choice_ratios": shown(&weather.knobs().choices),
        "fault_ratios": ratios.collect::<Vec<_>>(),
    })
}
