//! `peerkeeper completions`: what shells offer while a command line is being written.

use clap::{Command, ValueEnum};

/// Prints a completion script, as in `source <(peerkeeper completions bash)`.
#[derive(Clone, Debug, clap::Args)]
pub struct CompletionsArgs {
    /// For which shell.
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    Bash,
    Zsh,
    Fish,
    #[value(name = "powershell")]
    PowerShell,
    Elvish,
}

impl From<Shell> for clap_complete::Shell {
    fn from(shell: Shell) -> Self {
        match shell {
            Shell::Bash => Self::Bash,
            Shell::Zsh => Self::Zsh,
            Shell::Fish => Self::Fish,
            Shell::PowerShell => Self::PowerShell,
            Shell::Elvish => Self::Elvish,
        }
    }
}

/// Of the whole command, whatever name it was called by: kubectl asks for its plugins' completions in its own way.
pub fn run(args: &CompletionsArgs, mut command: Command) -> std::io::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(clap_complete::Shell::from(args.shell), &mut command, "peerkeeper", &mut script);
    super::show::print(&String::from_utf8_lossy(&script))
}
