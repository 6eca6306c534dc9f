//! The names that the binary goes by. A file `kubectl-peerkeeper` on the PATH is the command `kubectl peerkeeper`, and
//! `kubectl_complete-peerkeeper` is what kubectl asks for completions of it: links to the one binary.

use std::ffi::{OsStr, OsString};
use std::fmt::Write;
use std::path::Path;

use clap::{Arg, Command, ValueHint};

/// What the binary was called as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Called {
    Itself,
    /// As `kubectl peerkeeper`.
    Plugin,
    /// By kubectl, with the words of a command line that is being written.
    PluginCompletion,
}

impl Called {
    /// By the name of the file that was run, whatever folder it lies in.
    pub fn by(name: Option<&OsStr>) -> Self {
        let stem = name.map(Path::new).and_then(Path::file_name).and_then(OsStr::to_str).unwrap_or_default();
        match stem.strip_suffix(".exe").unwrap_or(stem) {
            "kubectl-peerkeeper" => Self::Plugin,
            "kubectl_complete-peerkeeper" => Self::PluginCompletion,
            _ => Self::Itself,
        }
    }

    /// Help and errors then show the command as the user wrote it.
    pub fn named(self, command: Command) -> Command {
        match self {
            Self::Itself => command.bin_name("peerkeeper"),
            Self::Plugin | Self::PluginCompletion => command.bin_name("kubectl peerkeeper"),
        }
    }
}

/// Shells offer file names where nothing else was offered.
const FILES: &str = ":0";
/// They don't.
const NO_FILES: &str = ":4";

/// What kubectl expects of a plugin: a completion a line, and last a directive. `words` are those after the plugin's name;
/// the last is the one being written, and may be empty.
pub fn complete(command: &Command, words: &[OsString]) -> String {
    let words: Vec<&str> = words.iter().map(|word| word.to_str().unwrap_or_default()).collect();
    let (begun, before) = words.split_last().map_or(("", &[][..]), |(last, before)| (*last, before));
    let (command, waiting) = walk(command, before);
    let (offers, directive) = match (waiting, begun.split_once('=')) {
        (Some(arg), _) => values(arg, ""),
        (None, Some((flag, _))) if flag.starts_with("--") => match flag_named(command, flag) {
            Some(arg) => values(arg, &format!("{flag}=")),
            None => (Vec::new(), NO_FILES),
        },
        (None, _) if begun.starts_with('-') => (flags(command), NO_FILES),
        (None, _) => operands(command),
    };
    let mut out = String::new();
    for (offer, help) in offers.iter().filter(|(offer, _)| offer.starts_with(begun)) {
        // Writing to a String can't fail.
        let _ = if help.is_empty() { writeln!(out, "{offer}") } else { writeln!(out, "{offer}\t{help}") };
    }
    out + directive + "\n"
}

type Offers = (Vec<(String, String)>, &'static str);

/// Which command the words have come to, and which flag still waits for its value.
fn walk<'a>(command: &'a Command, words: &[&str]) -> (&'a Command, Option<&'a Arg>) {
    let (mut command, mut waiting) = (command, None);
    for word in words {
        if waiting.take().is_some() {
            continue;
        }
        if word.starts_with('-') {
            waiting = flag_named(command, word).filter(|arg| arg.get_action().takes_values());
        } else if let Some(sub) = command.find_subcommand(word) {
            command = sub;
        }
    }
    (command, waiting)
}

fn flag_named<'a>(command: &'a Command, word: &str) -> Option<&'a Arg> {
    command.get_arguments().find(|arg| match word.strip_prefix("--") {
        Some(long) => arg.get_long() == Some(long),
        None => arg.get_short().is_some_and(|short| word == format!("-{short}")),
    })
}

fn flags(command: &Command) -> Vec<(String, String)> {
    let shown = command.get_arguments().filter(|arg| !arg.is_hide_set());
    shown.filter_map(|arg| Some((format!("--{}", arg.get_long()?), first_line(arg.get_help())))).collect()
}

fn operands(command: &Command) -> Offers {
    let subs = command.get_subcommands().filter(|sub| !sub.is_hide_set());
    let mut offers: Vec<_> =
        subs.map(|sub| (sub.get_name().to_owned(), first_line(sub.get_about()))).collect();
    let mut directive = NO_FILES;
    for arg in command.get_positionals() {
        let (more, how) = values(arg, "");
        offers.extend(more);
        directive = how;
    }
    (offers, directive)
}

fn values(arg: &Arg, before: &str) -> Offers {
    let possible = arg.get_possible_values();
    let offers = possible.iter().filter(|value| !value.is_hide_set());
    let offers: Vec<_> =
        offers.map(|v| (format!("{before}{}", v.get_name()), first_line(v.get_help()))).collect();
    let is_path = matches!(
        arg.get_value_hint(),
        ValueHint::AnyPath | ValueHint::FilePath | ValueHint::DirPath | ValueHint::Unknown
    );
    let directive = if offers.is_empty() && is_path { FILES } else { NO_FILES };
    (offers, directive)
}

fn first_line(help: Option<&clap::builder::StyledStr>) -> String {
    help.map(ToString::to_string).unwrap_or_default().lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::plan::PlanArgs;
    use clap::Args;

    fn offered(words: &[&str]) -> String {
        let command = Command::new("peerkeeper")
            .subcommand(PlanArgs::augment_args(Command::new("plan")).about("Plans"))
            .subcommand(Command::new("pause").hide(true));
        complete(&command, &words.iter().map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn it_is_known_by_the_name_of_its_file() {
        let by = |name: &str| Called::by(Some(OsStr::new(name)));
        assert_eq!(by("/usr/local/bin/kubectl-peerkeeper"), Called::Plugin);
        assert_eq!(by("kubectl-peerkeeper.exe"), Called::Plugin);
        assert_eq!(by("kubectl_complete-peerkeeper"), Called::PluginCompletion);
        assert_eq!(by("/kubectl-peerkeeper/peerkeeper"), Called::Itself);
        assert_eq!(Called::by(None), Called::Itself);
    }

    #[test]
    fn commands_flags_and_values_are_offered_where_they_may_stand() {
        assert_eq!(offered(&["p"]), "plan\tPlans\n:4\n");
        assert_eq!(offered(&["x"]), ":4\n");
        let flags = offered(&["plan", "--aws-b"]);
        assert!(flags.starts_with("--aws-budget-share\tThe share"), "{flags}");
        assert_eq!(flags.lines().count(), 2, "{flags}");
        assert_eq!(offered(&["plan", "--output", "j"]), "json\tFor programs\n:4\n");
        assert_eq!(offered(&["plan", "-o", "m"]), "markdown\tFor a comment on a pull request\n:4\n");
        assert_eq!(offered(&["plan", "--output=j"]), "--output=json\tFor programs\n:4\n");
        assert_eq!(offered(&["plan", "-f", "de"]), ":0\n", "the shell knows the files");
        assert_eq!(offered(&["plan", "-f", "plan", "--rec"]).lines().count(), 2, "a value is no command");
    }
}
