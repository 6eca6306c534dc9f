//! What a check says: one line for each thing that was looked at.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Serialize;

use crate::cli::show::Style;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Outcome {
    #[serde(rename = "ok")]
    Ok,
    #[serde(rename = "warn")]
    Warn,
    #[serde(rename = "fail")]
    Fail,
    /// Nothing follows from it, neither good nor bad.
    #[serde(rename = "not checked")]
    NotChecked,
}

impl Outcome {
    pub const ALL: [Self; 4] = [Self::Ok, Self::Warn, Self::Fail, Self::NotChecked];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
            Self::NotChecked => "not checked",
        }
    }

    fn painted(self, style: Style, text: &str) -> String {
        match self {
            Self::Ok => style.good(text),
            Self::Warn => style.changed(text),
            Self::Fail => style.bad(text),
            Self::NotChecked => style.quiet(text),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    pub status: Outcome,
    /// What was looked at, such as `AwsAccount prod eu-west-1 DescribeVpcs`.
    pub what: String,
    pub detail: String,
    /// What to do about it. Every `fail` has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

impl Line {
    pub fn ok(what: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { status: Outcome::Ok, what: what.into(), detail: detail.into(), remedy: None }
    }

    pub fn not_checked(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self { status: Outcome::NotChecked, what: what.into(), detail: why.into(), remedy: None }
    }

    pub fn warn(what: impl Into<String>, detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        let remedy = Some(remedy.into());
        Self { status: Outcome::Warn, what: what.into(), detail: detail.into(), remedy }
    }

    pub fn fail(what: impl Into<String>, detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        let remedy = Some(remedy.into());
        Self { status: Outcome::Fail, what: what.into(), detail: detail.into(), remedy }
    }
}

/// For programs.
#[derive(Serialize)]
struct Shown<'a> {
    lines: &'a [Line],
    summary: BTreeMap<&'static str, usize>,
}

fn count(lines: &[Line], status: Outcome) -> usize {
    lines.iter().filter(|line| line.status == status).count()
}

pub fn json(lines: &[Line]) -> Result<String, serde_json::Error> {
    let summary = Outcome::ALL.iter().map(|status| (status.as_str(), count(lines, *status))).collect();
    Ok(serde_json::to_string_pretty(&Shown { lines, summary })? + "\n")
}

/// For people: what to do stands under the line that it is about.
pub fn text(lines: &[Line], style: Style) -> String {
    let wide = lines.iter().map(|line| line.what.chars().count()).max().unwrap_or_default();
    let mut out = String::new();
    for Line { status, what, detail, remedy } in lines {
        let word = status.painted(style, &format!("{:<11}", status.as_str()));
        let detail = detail.replace('\n', " ");
        // Writing to a String can't fail.
        let _ = writeln!(out, "{}", format!("{word}  {what:<wide$}  {detail}").trim_end());
        if let Some(remedy) = remedy {
            let _ = writeln!(out, "{:<11}  -> {remedy}", "");
        }
    }
    let told = Outcome::ALL.iter().map(|status| format!("{} {}", count(lines, *status), status.as_str()));
    let _ = writeln!(out, "\n{} checks: {}.", lines.len(), told.collect::<Vec<_>>().join(", "));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_each_with_its_remedy_under_it() {
        let lines = [Line::ok("cluster", "v1"), Line::fail("AwsAccount a", "de\nnied", "allow it")];
        let expected = "ok           cluster       v1\n\
                        fail         AwsAccount a  de nied\n             -> allow it\n\n\
                        2 checks: 1 ok, 0 warn, 1 fail, 0 not checked.\n";
        assert_eq!(text(&lines, Style::PLAIN), expected);
        let json: serde_json::Value = serde_json::from_str(&json(&lines).unwrap()).unwrap();
        assert_eq!(json["summary"]["fail"], 1);
        assert_eq!(json["lines"][0], serde_json::json!({"status": "ok", "what": "cluster", "detail": "v1"}));
    }
}
