//! What `peerkeeper apply` shows while it works: on a terminal, and elsewhere.

use std::process::Command;

use crate::apply::{APPLY, with};
use crate::aws::Aws;
use crate::proxy::CutProxy;
use crate::stage::{Network, Stage};
use crate::terminal::{Left, Terminal};

const PAGE: &str = include_str!("../../docs/cli.md");
/// The first line of the bar, as no other line is.
const BAR: &str = "/1 peerings";
const WAITING: &str = "to prove that it is gone (not before 601 s after the start)";

fn on_terminal(stage: &Stage, args: &[&str], term: &str) -> Command {
    let mut command = stage.command(args);
    command.env("TERM", term);
    command
}

/// A pair whose new route would take traffic from a wider one.
async fn wide_pair(stage: &mut Stage) -> (Network, Network) {
    let (one, other) = stage.pair().await;
    let gateway = stage.gateway(&one).await;
    stage.wide_route(&one, &gateway).await;
    stage.aws.forget_calls();
    (one, other)
}

/// AWS has forgotten a peering that routes lead to: a run waits until that is proved.
async fn forgotten_pair(stage: &mut Stage) {
    let (one, other) = stage.pair().await;
    let id = stage.make(&one, &other, "cluster-1/network/prod-shared").await;
    stage.delete(&one.ec2, &id).await;
    if let Aws::Sim(sim) = &stage.aws {
        sim.pass(3 * 24 * 3_600_000);
    }
    stage.aws.forget_calls();
}

/// For ten minutes nothing counts as gone, so a run goes on for that long if nothing ends it.
fn patient(timeout: &str) -> [&str; 8] {
    ["apply", "-f", ".", "--owner-id", "cluster-1", "--settle-window=10m", "--absence-gap=1s", timeout]
}

#[track_caller]
fn is_without_bar(left: &Left) {
    assert!(!left.screen.contains(BAR), "the bar is gone: {}", left.screen);
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_terminal_it_asks_and_a_bar_is_drawn_below_the_lines_and_gone_at_the_end() {
    let mut stage = Stage::sim();
    wide_pair(&mut stage).await;
    let mut terminal = Terminal::run(on_terminal(&stage, &APPLY, "xterm-256color"));
    terminal.until("Go on? [yes/no] ");
    assert_eq!(stage.writes(), [""; 0], "nothing before the answer");
    terminal.type_in("yes\n");
    let left = terminal.end();
    assert_eq!(left.code, 0, "{}", left.screen);
    assert!(left.raw.contains("] 0/1 peerings, 0 writes of 5 planned, 00:0"), "a bar: {:?}", left.raw);
    is_without_bar(&left);
    let told: Vec<&str> = left.screen.lines().filter(|line| line.contains(": done")).collect();
    assert_eq!(told.len(), stage.writes().len(), "a line for each write: {}", left.screen);
    assert!(told.iter().all(|line| line.starts_with("network/prod-shared: ")), "{told:?}");
    let after = left.screen.rsplit(": done").next().unwrap_or_default();
    let report: Vec<&str> = after.lines().skip(1).collect();
    assert!(report[0].starts_with("VpcPeering network/prod-shared: in sync"), "alone: {}", left.screen);
    assert_eq!(report.last(), Some(&"Applied: 1 peering, 1 in sync."), "{}", left.screen);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_no_on_a_terminal_is_a_no() {
    let mut stage = Stage::sim();
    wide_pair(&mut stage).await;
    let mut terminal = Terminal::run(on_terminal(&stage, &APPLY, "xterm"));
    terminal.until("Go on? [yes/no] ");
    terminal.type_in("y\n");
    let left = terminal.end();
    assert_eq!(left.code, 1, "{}", left.screen);
    assert!(left.screen.ends_with("peerkeeper: nothing was done: the answer was not yes"), "{}", left.screen);
    assert!(!left.raw.contains(BAR), "{}", left.raw);
    assert_eq!(stage.writes(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bar_says_what_is_waited_for_and_is_gone_after_ctrl_c() {
    let mut stage = Stage::sim();
    forgotten_pair(&mut stage).await;
    let mut terminal = Terminal::run(on_terminal(&stage, &patient("--timeout=20m"), "xterm"));
    let shown = stage.label(&terminal.until_shown(WAITING));
    terminal.interrupt();
    let left = terminal.end();
    assert_eq!(left.code, 1, "{}", left.screen);
    assert!(left.raw.contains(BAR), "{:?}", left.raw);
    is_without_bar(&left);
    assert!(!left.screen.contains(WAITING), "{}", left.screen);
    assert!(left.screen.contains("\n\nApplied: 1 peering, 0 in sync, 1 held."), "{}", left.screen);
    assert!(left.screen.ends_with("what was begun is finished by the next run"), "{}", left.screen);
    // The page shows the same, at another moment of another run.
    let counts = "[------------------------] 0/1 peerings, ";
    assert!(shown.contains(counts) && PAGE.contains(counts), "{shown}");
    let awaited = shown.rsplit_once("network/prod-shared: ").expect("the last line").1.trim_end();
    let usual = awaited.replace("601 s", "330 s");
    assert!(PAGE.contains(&format!("\n  network/prod-shared: {usual}\n")), "{awaited}");
}

/// AWS does not answer any more: the first Ctrl-C waits for what was asked, the second does not.
#[tokio::test(flavor = "multi_thread")]
async fn a_second_ctrl_c_waits_for_nothing() {
    let mut stage = Stage::sim();
    forgotten_pair(&mut stage).await;
    let endpoint = stage.aws.clients().endpoint().trim_start_matches("http://").parse();
    let proxy = CutProxy::new(endpoint.expect("an address"));
    let mut command = on_terminal(&stage, &patient("--timeout=20m"), "xterm");
    command.env("AWS_ENDPOINT_URL", format!("http://{}", proxy.address()));
    let mut terminal = Terminal::run(command);
    terminal.until_shown(WAITING);
    proxy.cut();
    proxy.until_held().await;
    terminal.interrupt();
    terminal.until_shown("Ctrl-C again to stop at once");
    terminal.interrupt();
    let left = terminal.end();
    assert_eq!(left.code, 130, "{}", left.screen);
    is_without_bar(&left);
    assert!(
        left.screen.ends_with("may have happened all the same: run it again to go on"),
        "{}",
        left.screen
    );
}

/// The page shows all that is said, from the plan to the report.
#[tokio::test(flavor = "multi_thread")]
async fn the_page_shows_what_is_said_while_it_works() {
    let mut stage = Stage::sim();
    let (one, _) = stage.pair().await;
    let mut command = stage.command(&with(&["--yes"]));
    let output = command.output().expect("the binary runs");
    let made = one.ec2.describe_vpc_peering_connections().send().await.expect("peerings");
    let id = made.vpc_peering_connections()[0].vpc_peering_connection_id().expect("an id").to_owned();
    stage.name(&id, "pcx-made");
    let said = stage.said(output);
    assert_eq!(said.code, 0, "{}", said.err);
    let shown = PAGE.split_once("$ peerkeeper apply -f . --owner-id cluster-1\n").expect("an example").1;
    let shown = shown.split_once("```").expect("its end").0;
    // Which of two writes is answered first is not ours to say.
    let lines = |text: &str| -> Vec<String> {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let all = format!("{}{}", said.err, said.out);
    assert_eq!(lines(shown), lines(&all), "docs/cli.md does not show it as it is: {all}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bar_is_gone_when_time_is_up() {
    let mut stage = Stage::sim();
    forgotten_pair(&mut stage).await;
    let left = Terminal::run(on_terminal(&stage, &patient("--timeout=2s"), "xterm")).end();
    assert_eq!(left.code, 1, "{}", left.screen);
    assert!(left.raw.contains(BAR), "{:?}", left.raw);
    is_without_bar(&left);
    assert!(!left.screen.contains(WAITING), "{}", left.screen);
    assert!(left.screen.ends_with("still under way; run it again to go on"), "{}", left.screen);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_that_can_not_draw_and_a_pipe_have_lines_and_no_escape_codes() {
    let mut stage = Stage::sim();
    wide_pair(&mut stage).await;
    let mut terminal = Terminal::run(on_terminal(&stage, &APPLY, "dumb"));
    terminal.until("Go on? [yes/no] ");
    terminal.type_in("yes\n");
    let left = terminal.end();
    assert_eq!(left.code, 0, "{}", left.screen);
    assert!(!left.raw.contains('\u{1b}') && !left.raw.contains(BAR), "{:?}", left.raw);
    assert_eq!(left.raw.matches(": done").count(), stage.writes().len(), "{}", left.raw);

    let mut stage = Stage::sim();
    wide_pair(&mut stage).await;
    let mut command = on_terminal(&stage, &with(&["--yes"]), "xterm-256color");
    let said = stage.said(command.output().expect("the binary runs"));
    assert_eq!(said.code, 0, "{}", said.err);
    for text in [&said.err, &said.out] {
        assert!(!text.contains(['\u{1b}', '\r']) && !text.contains(BAR), "{text:?}");
    }
    assert_eq!(said.err.matches(": done").count(), stage.writes().len(), "{}", said.err);
}

/// Logs and a bar would tear each other apart; and `NO_COLOR` asks for no colour, not for no bar.
#[tokio::test(flavor = "multi_thread")]
async fn who_asks_for_logs_has_lines_and_who_asks_for_no_colour_has_none() {
    let mut stage = Stage::sim();
    stage.pair().await;
    let mut logs = on_terminal(&stage, &APPLY, "xterm-256color");
    logs.env("RUST_LOG", "off");
    let left = Terminal::run(logs).end();
    assert_eq!(left.code, 0, "{}", left.screen);
    assert!(!left.raw.contains(BAR) && left.screen.contains(": done"), "{:?}", left.raw);
    let mut plain = on_terminal(&stage, &APPLY, "xterm-256color");
    plain.env("NO_COLOR", "1");
    let left = Terminal::run(plain).end();
    assert_eq!(left.code, 0, "{}", left.screen);
    assert!(left.raw.contains(BAR), "{:?}", left.raw);
    let coloured = left.raw.split('\u{1b}').skip(1).any(|code| {
        code.trim_start_matches(|c: char| c == '[' || c == ';' || c.is_ascii_digit()).starts_with('m')
    });
    assert!(!coloured, "{:?}", left.raw);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_reads_no_errors_has_the_work_done_all_the_same() {
    let mut stage = Stage::sim();
    stage.pair().await;
    let unread = || std::io::pipe().expect("a pipe").1;
    let mut command = stage.command(&APPLY);
    let said = stage.said(command.stderr(unread()).output().expect("the binary runs"));
    assert_eq!(said.code, 0, "{}", said.out);
    assert!(said.out.ends_with("Applied: 1 peering, 1 in sync.\n"), "{}", said.out);
    let mut command = stage.command(&["apply", "-f", "absent.yaml", "--owner-id", "cluster-1"]);
    let said = stage.said(command.stderr(unread()).output().expect("the binary runs"));
    assert_eq!((said.code, said.out.as_str()), (1, ""));
}
