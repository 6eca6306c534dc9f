//! Parses the command line and dispatches.

use clap::{Parser, Subcommand};
use peerkeeper::cli;
use std::{error::Error, io, process::ExitCode};

#[derive(Parser)]
#[command(name = "peerkeeper", version, about)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Apply(Box<cli::apply::ApplyArgs>),
    Crd(cli::crd::CrdArgs),
    Plan(Box<cli::plan::PlanArgs>),
    Run(Box<cli::run::RunArgs>),
}

fn main() -> ExitCode {
    let args = match Args::try_parse() {
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
        Command::Crd(args) => cli::crd::run(args, &mut io::stdout()).map(well).map_err(Into::into),
        Command::Plan(args) => cli::plan::run(args).map_err(Into::into),
        Command::Run(args) => cli::run::run(args).map(well).map_err(Into::into),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("peerkeeper: {error}");
            ExitCode::FAILURE
        }
    }
}
