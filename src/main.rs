//! Parses the command line and dispatches.

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use peerkeeper::cli::{self, plugin::Called};
use std::io::{self, Write};
use std::{env, error::Error, process::ExitCode};

#[derive(Parser)]
#[command(name = "peerkeeper", version, about)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Apply(Box<cli::apply::ApplyArgs>),
    Check(Box<cli::check::CheckArgs>),
    Completions(cli::completions::CompletionsArgs),
    Crd(cli::crd::CrdArgs),
    Explain(Box<cli::explain::ExplainArgs>),
    Graph(Box<cli::graph::GraphArgs>),
    Import(Box<cli::import::ImportArgs>),
    Incidents(Box<cli::incidents::IncidentsArgs>),
    Man(cli::man::ManArgs),
    Plan(Box<cli::plan::PlanArgs>),
    Run(Box<cli::run::RunArgs>),
}

fn main() -> ExitCode {
    let called = Called::by(env::args_os().next().as_deref());
    if called == Called::PluginCompletion {
        let words: Vec<_> = env::args_os().skip(1).collect();
        let said = cli::show::print(&cli::plugin::complete(&Args::command(), &words));
        return if said.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let parsed = called.named(Args::command()).try_get_matches();
    let args = match parsed.and_then(|matches| Args::from_arg_matches(&matches)) {
        Ok(args) => args,
        Err(error) => {
            // A broken pipe is no error here either. clap's own code for wrong usage is 2, which `plan` gives a meaning.
            let _ = error.print();
            return if error.use_stderr() { ExitCode::FAILURE } else { ExitCode::SUCCESS };
        }
    };
    let well = |()| ExitCode::SUCCESS;
    let done: Result<ExitCode, Box<dyn Error>> = match &args.command {
        Command::Apply(args) => cli::apply::run(args).map_err(Into::into),
        Command::Check(args) => cli::check::run(args).map_err(Into::into),
        Command::Completions(args) => {
            cli::completions::run(args, Args::command()).map(well).map_err(Into::into)
        }
        Command::Crd(args) => cli::crd::run(args, &mut io::stdout()).map(well).map_err(Into::into),
        Command::Explain(args) => cli::explain::run(args).map(well).map_err(Into::into),
        Command::Graph(args) => cli::graph::run(args).map_err(Into::into),
        Command::Import(args) => cli::import::run(args).map_err(Into::into),
        Command::Incidents(args) => cli::incidents::run(args).map(well).map_err(Into::into),
        Command::Man(args) => cli::man::run(args, Args::command()).map(well).map_err(Into::into),
        Command::Plan(args) => cli::plan::run(args).map_err(Into::into),
        Command::Run(args) => cli::run::run(args).map(well).map_err(Into::into),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            // Nobody may be there to read it.
            let _ = writeln!(io::stderr(), "peerkeeper: {error}");
            ExitCode::FAILURE
        }
    }
}
