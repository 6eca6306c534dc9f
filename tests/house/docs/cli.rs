//! The tables of flags in `docs/cli.md`: at the end of the section of each command, written from what clap parses by.

use super::reference::{UPDATE, commands, table};
use super::text;
use clap::Command;
use std::{collections::BTreeSet, env, fs, process};

const PAGE: &str = "docs/cli.md";
const FIRST: &str = "<!-- flags: written from the code -->\n";
const LAST: &str = "<!-- end of flags -->\n";

#[test]
fn the_page_lists_the_flags_that_there_are() {
    let page = of_the_command_line().iter().fold(text(PAGE), |page, command| with_flags(&page, command));
    if env::var_os(UPDATE).is_some() {
        fs::write(super::root(PAGE), &page).expect(PAGE);
    }
    assert!(
        text(PAGE) == page,
        "the flags on {PAGE} are not what the code says: run `{UPDATE}=1 cargo test --test house`"
    );
}

/// The operator's flags are in the reference.
fn of_the_command_line() -> Vec<Command> {
    commands().into_iter().filter(|command| command.get_name() != "run").collect()
}

/// What the lists here and in the reference are made of is every command that the binary has.
#[test]
fn no_command_is_left_out() {
    let help = process::Command::new(env!("CARGO_BIN_EXE_peerkeeper")).arg("--help").output().expect("help");
    let help = String::from_utf8(help.stdout).expect("UTF-8");
    let list = help.split("Commands:\n").nth(1).expect("commands").split("\n\n").next().expect("their end");
    let shown: BTreeSet<&str> = list
        .lines()
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect();
    let commands = commands();
    let listed: BTreeSet<&str> = commands.iter().map(Command::get_name).collect();
    assert_eq!(listed, shown, "tests/house/docs/reference.rs lists other commands than `peerkeeper --help`");
    assert!(shown.len() > 4, "{help}");
}

/// The page with the command's flags at the end of its section.
fn with_flags(page: &str, command: &Command) -> String {
    let heading = format!("## peerkeeper {}\n", command.get_name());
    let start =
        page.find(&format!("\n{heading}")).unwrap_or_else(|| panic!("{PAGE} has no section {heading}")) + 1;
    let body = start + heading.len();
    let end = page[body..].find("\n## ").map_or(page.len(), |at| body + at + 1);
    let section = match page[body..end].split_once(FIRST) {
        Some((before, rest)) => {
            let (_, after) =
                rest.split_once(LAST).unwrap_or_else(|| panic!("{PAGE}: {heading} lacks {LAST}"));
            assert_eq!(after.trim(), "", "{PAGE}: the flags end the section of {heading}");
            before
        }
        None => &page[body..end],
    };
    let block = format!("{}\n\n{FIRST}\n{}\n{LAST}", section.trim_end(), tables(command));
    let rest = &page[end..];
    let gap = if rest.is_empty() { "" } else { "\n" };
    format!("{}{block}{gap}{rest}", &page[..body])
}

/// Of the command, or of each that is below it.
fn tables(command: &Command) -> String {
    let own = table(command);
    let below = command.get_subcommands().filter(|sub| sub.get_name() != "help");
    below.fold(own, |text, sub| {
        let gap = if text.is_empty() { "" } else { "\n" };
        format!("{text}{gap}`{} {}`:\n\n{}", command.get_name(), sub.get_name(), tables(sub))
    })
}

#[test]
fn a_table_is_put_at_the_end_of_its_section_and_replaced_there() {
    use clap::Arg;
    let command = |flag: &'static str| Command::new("x").arg(Arg::new("a").long(flag).help("What"));
    let page = "# P\n\n## peerkeeper x\n\nText.\n\n## Other\n\nMore.\n";
    let once = with_flags(page, &command("old"));
    let table = "| flag | default | environment | what |\n|---|---|---|---|\n| `--new A` |  |  | What |\n";
    let expected =
        format!("# P\n\n## peerkeeper x\n\nText.\n\n{FIRST}\n{table}\n{LAST}\n## Other\n\nMore.\n");
    assert_eq!(with_flags(&once, &command("new")), expected);
    assert_eq!(with_flags(&expected, &command("new")), expected);
}
