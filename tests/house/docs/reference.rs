//! `docs/reference.md`: written from the code, so that it can't say anything else.

use super::{root, text};
use clap::{Arg, Args, Command};
use peerkeeper::{
    api::reasons::{ConditionType, Reason},
    aws::{CallKey, CallResult, Meter},
    cli,
    metrics::{Metrics, Snapshot},
    signal::{News, Parsed, parse::record},
};
use peerkeeper_core::ids::{AccountRegion, Region};
use std::{collections::BTreeSet, env, fmt::Write, fs, sync::Arc};

const PAGE: &str = "docs/reference.md";
const STOP_LOGGING: &str = r#"{"eventVersion": "1.11", "eventSource": "cloudtrail.amazonaws.com", "eventName": "StopLogging",
    "eventTime": "2026-06-08T07:53:32Z", "awsRegion": "eu-west-1", "recipientAccountId": "111122223333",
    "requestID": "a", "eventID": "b"}"#;
pub const UPDATE: &str = "PEERKEEPER_UPDATE_DOCS";

#[test]
fn the_reference_is_that_of_the_code() {
    let page = page();
    if env::var_os(UPDATE).is_some() {
        fs::write(root(PAGE), &page).expect(PAGE);
    }
    assert!(text(PAGE) == page, "{PAGE} is not what the code says: run `{UPDATE}=1 cargo test --test house`");
}

/// What the pages tell people to watch and to set is there.
#[test]
fn every_metric_and_flag_that_a_page_names_exists() {
    let reference = page();
    let mut named = 0;
    for page in super::pages() {
        let text = text(&page);
        let words = text.split(|c: char| !(c.is_alphanumeric() || "_-.".contains(c)));
        let metrics =
            words.filter(|word| word.starts_with("peerkeeper_") && !word.starts_with("peerkeeper_core"));
        for metric in metrics {
            assert!(reference.contains(&format!("`{metric}`")), "{page}: there is no metric {metric}");
            named += 1;
        }
    }
    assert!(named > 5, "only {named} metrics were found named");
    let flags = ["--owner-id", "--max-restores", "--max-removals", "--sweep-interval", "--aws-budget-share"];
    for page in ["docs/operations.md", "docs/install.md", "docs/limits.md"] {
        let text = text(page);
        for word in text.split('`').skip(1).step_by(2).filter(|code| code.starts_with("--")) {
            let flag = word.split([' ', '=']).next().unwrap_or_default();
            assert!(reference.contains(&format!("`{flag}")), "{page}: there is no flag {flag}");
        }
    }
    for flag in flags {
        assert!(reference.contains(&format!("`{flag}")), "{flag} is not in the reference");
    }
}

fn page() -> String {
    let mut page = String::from(
        "# Reference\n\nWritten from the code, so it is complete. How to read it and what to do: \
         [operations](operations.md).\n\n",
    );
    conditions(&mut page);
    reasons(&mut page);
    flags(&mut page);
    metrics(&mut page);
    page
}

fn conditions(page: &mut String) {
    page.push_str("## Conditions\n\n| type | meaning |\n|---|---|\n");
    for of in ConditionType::ALL {
        row(page, &[&format!("`{of}`"), meaning(*of)]);
    }
}

fn reasons(page: &mut String) {
    page.push_str("\n## Reasons\n\nOf conditions and of Kubernetes Events alike.\n\n");
    page.push_str("| reason | meaning, and what to do |\n|---|---|\n");
    for reason in Reason::ALL {
        row(page, &[&format!("`{reason}`"), reason.doc()]);
    }
}

/// Every command, with its flags.
pub fn commands() -> Vec<Command> {
    vec![
        cli::run::RunArgs::augment_args(Command::new("run")),
        cli::plan::PlanArgs::augment_args(Command::new("plan")),
        cli::apply::ApplyArgs::augment_args(Command::new("apply")),
        cli::graph::GraphArgs::augment_args(Command::new("graph")),
        cli::explain::ExplainArgs::augment_args(Command::new("explain")),
        cli::incidents::IncidentsArgs::augment_args(Command::new("incidents")),
        cli::check::CheckArgs::augment_args(Command::new("check")),
        cli::import::ImportArgs::augment_args(Command::new("import")),
        cli::crd::CrdArgs::augment_args(Command::new("crd")),
        cli::completions::CompletionsArgs::augment_args(Command::new("completions")),
        cli::man::ManArgs::augment_args(Command::new("man")),
    ]
}

/// The operator's own; the others are where their commands are told of.
fn flags(page: &mut String) {
    let run = commands().remove(0);
    let about = run.get_about().expect("a command says what it does").to_string();
    let about = about.trim_end_matches('.');
    let _ = write!(page, "\n## `peerkeeper {}`\n\n{about}.\n\n{}", run.get_name(), table(&run));
    page.push_str("\nThe flags of the other commands are with [each of them](cli.md).\n");
}

/// What a command takes, flags and operands. Empty, where that is nothing.
pub fn table(command: &Command) -> String {
    let rows: Vec<[String; 4]> =
        command.get_arguments().filter(|arg| !arg.is_hide_set()).map(cells).collect();
    if rows.is_empty() {
        return String::new();
    }
    let mut table = "| flag | default | environment | what |\n|---|---|---|---|\n".to_owned();
    for cells in rows {
        row(&mut table, &cells.each_ref().map(String::as_str));
    }
    table
}

fn cells(arg: &Arg) -> [String; 4] {
    let takes_value = arg.get_action().takes_values();
    let value = arg.get_value_names().and_then(<[_]>::first).filter(|_| takes_value);
    let value = value.map_or_else(|| arg.get_id().as_str().to_uppercase(), ToString::to_string);
    let name = match arg.get_long() {
        Some(long) => {
            let short = arg.get_short().map(|short| format!("-{short}, ")).unwrap_or_default();
            if takes_value { format!("{short}--{long} {value}") } else { format!("{short}--{long}") }
        }
        None => value,
    };
    let default: Vec<_> =
        arg.get_default_values().iter().filter(|_| takes_value).map(|v| v.to_string_lossy()).collect();
    let default = if default.is_empty() { String::new() } else { format!("`{}`", default.join(",")) };
    let env = arg.get_env().map(|name| format!("`{}`", name.to_string_lossy())).unwrap_or_default();
    let help = arg.get_long_help().or(arg.get_help()).expect("every flag is described").to_string();
    [format!("`{name}`"), default, env, help.replace('\n', " ")]
}

fn metrics(page: &mut String) {
    page.push_str("\n## Metrics\n\nAt `/metrics`, in Prometheus's format.\n\n");
    page.push_str("| metric | type | labels | what |\n|---|---|---|---|\n");
    let scrape = scrape();
    for kind in scrape.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let (name, kind) = kind.split_once(' ').expect("a name and a type");
        let help = scrape.lines().find_map(|line| line.strip_prefix(&format!("# HELP {name} ")));
        // Histograms have several series; people ask for the family.
        let suffix = if kind == "counter" { "_total" } else { "" };
        let labels: Vec<String> = labels(&scrape, name).iter().map(|label| format!("`{label}`")).collect();
        let help = help.expect("every metric is described");
        row(page, &[&format!("`{name}{suffix}`"), kind, &labels.join(", "), help]);
    }
}

/// What a process answers that has done a little of everything.
fn scrape() -> String {
    let region: Region = "eu-west-1".parse().expect("a Region");
    let meter = Arc::new(Meter::default());
    meter.count(CallKey {
        account: "111122223333".parse().expect("an account id"),
        region: Some(region),
        action: "DescribeVpcs",
        result: CallResult::Success,
    });
    let metrics = Metrics::new(meter);
    metrics.reason(Reason::InSync);
    metrics.swept("prod", &region, true, 1);
    metrics.reconciled(1);
    metrics.queue("q", &News::Failed("gone"));
    let told = AccountRegion { account: "111122223333".parse().expect("an account id"), region };
    let Parsed::Event(event) = record(STOP_LOGGING, told) else { panic!("it is an event") };
    metrics.queue("q", &News::Event(&event));
    metrics.degraded_lanes([told].iter());
    metrics.strange_call("prod", "suspected");
    metrics.misused("prod", Some(true));
    let objects = vec![("True", "InSync".to_owned())];
    metrics
        .encode(&Snapshot {
            leading: true,
            queue_length: 1,
            queue_lag_ms: 1,
            event_queues_silent_ms: vec![("q".to_owned(), 1)],
            objects,
        })
        .expect("text")
}

fn labels(scrape: &str, name: &str) -> BTreeSet<String> {
    let samples = scrape.lines().filter(|line| !line.starts_with('#'));
    let of_this = samples.filter_map(|line| line.split_once('{')).filter(|(series, _)| {
        series.strip_prefix(name).is_some_and(|rest| ["", "_total", "_bucket"].contains(&rest))
    });
    let names = |(_, rest): (&str, &str)| -> Vec<String> {
        rest.split('}')
            .next()
            .unwrap_or_default()
            .split(',')
            .filter_map(|l| Some(l.split_once('=')?.0.to_owned()))
            .collect()
    };
    of_this.flat_map(names).filter(|label| label != "le").collect()
}

fn row(page: &mut String, cells: &[&str]) {
    let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
    let _ = writeln!(page, "| {} |", cells.join(" | "));
}

fn meaning(of: ConditionType) -> &'static str {
    match of {
        ConditionType::Ready => {
            "Everything is as declared. False says why not; Unknown: AWS has not been read for too long."
        }
        ConditionType::Reconciling => "Work is under way, and needs nobody. Present only while True.",
        ConditionType::Stalled => "Work has stopped, and needs somebody. Present only while True.",
        ConditionType::PeeringActive => "The peering connection is active.",
        ConditionType::RoutesInSync => "Every declared route was read back as declared.",
        ConditionType::EventLaneDegraded => {
            "Of AwsAccounts: events of the account can't be relied on to come, so that losses are noticed by sweeps alone. Present only while True."
        }
        ConditionType::OperatorCredentialsMisused => {
            "Of AwsAccounts: somebody else used Peerkeeper's own credentials, so everything in the account is held. Unknown: a message says so, and nothing bears it out. Absent otherwise."
        }
        ConditionType::DnsInSync => {
            "The declared DNS options were read back as declared. Absent where none is declared."
        }
        ConditionType::UnexpectedlyDeleted => {
            "The peering connection that should be there has been deleted, and that is not settled yet."
        }
    }
}
