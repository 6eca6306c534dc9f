//! The members of a JSON order, each taken once: what is left over is a mistake of the sender's.

use serde_json::{Map, Value};

use super::script::Aim;

pub(crate) struct Order(Map<String, Value>);

type Wrong = String;

impl Order {
    pub(crate) fn parse(body: &[u8]) -> Result<Self, Wrong> {
        let body = if body.trim_ascii().is_empty() { b"{}" } else { body };
        match serde_json::from_slice(body) {
            Ok(Value::Object(members)) => Ok(Self(members)),
            Ok(_) => Err("an order is a JSON object".to_owned()),
            Err(error) => Err(format!("an order is a JSON object: {error}")),
        }
    }

    pub(crate) fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name).filter(|value| !value.is_null())
    }

    pub(crate) fn text(&mut self, name: &str) -> Result<Option<String>, Wrong> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(format!("{name} is a text, not {other}")),
        }
    }

    pub(crate) fn must(&mut self, name: &str) -> Result<String, Wrong> {
        self.text(name)?.ok_or_else(|| format!("{name} is missing"))
    }

    pub(crate) fn number(&mut self, name: &str) -> Result<Option<u64>, Wrong> {
        let Some(value) = self.take(name) else { return Ok(None) };
        value.as_u64().map(Some).ok_or_else(|| format!("{name} is a whole number from 0 on, not {value}"))
    }

    pub(crate) fn count(&mut self, name: &str) -> Result<Option<usize>, Wrong> {
        let Some(number) = self.number(name)? else { return Ok(None) };
        usize::try_from(number).map(Some).map_err(|_| format!("{name} is too large"))
    }

    pub(crate) fn float(&mut self, name: &str) -> Result<Option<f64>, Wrong> {
        let Some(value) = self.take(name) else { return Ok(None) };
        let number = value.as_f64().filter(|number| number.is_finite() && *number >= 0.0);
        number.map(Some).ok_or_else(|| format!("{name} is a number from 0 on, not {value}"))
    }

    pub(crate) fn truth(&mut self, name: &str) -> Result<Option<bool>, Wrong> {
        let Some(value) = self.take(name) else { return Ok(None) };
        value.as_bool().map(Some).ok_or_else(|| format!("{name} is true or false, not {value}"))
    }

    /// Whole numbers by name; none if it is absent.
    pub(crate) fn numbers(&mut self, name: &str) -> Result<Vec<(String, u64)>, Wrong> {
        let numbers = match self.take(name) {
            None => return Ok(Vec::new()),
            Some(Value::Object(numbers)) => numbers,
            Some(other) => return Err(format!("{name} is an object of whole numbers, not {other}")),
        };
        let each = numbers.into_iter().map(|(key, value)| {
            let number =
                value.as_u64().ok_or_else(|| format!("{name}.{key} is a whole number, not {value}"))?;
            Ok((key, number))
        });
        each.collect()
    }

    /// `action` (`*` and none are any), `account`, `region`.
    pub(crate) fn aim(&mut self) -> Result<Aim, Wrong> {
        let action = self.text("action")?.filter(|action| action != "*");
        Ok(Aim { action, account: self.text("account")?, region: self.text("region")? })
    }

    /// Nothing may be left that nobody asked for.
    pub(crate) fn end(self) -> Result<(), Wrong> {
        match self.0.keys().next() {
            None => Ok(()),
            Some(name) => Err(format!("{name} is not known here")),
        }
    }
}

/// One of a fixed list, by the name that the library gives it.
pub(crate) fn named<T: Copy + std::fmt::Debug>(all: &[T], name: &str) -> Result<T, Wrong> {
    all.iter().copied().find(|one| format!("{one:?}") == name).ok_or_else(|| {
        let known: Vec<String> = all.iter().map(|one| format!("{one:?}")).collect();
        format!("{name} is none of {}", known.join(", "))
    })
}
