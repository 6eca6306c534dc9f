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
    Crd(cli::crd::CrdArgs),
    Run(Box<cli::run::RunArgs>),
}

fn main() -> ExitCode {
    let args = Args::parse();
    let done: Result<(), Box<dyn Error>> = match &args.command {
        Command::Crd(args) => cli::crd::run(args, &mut io::stdout()).map_err(Into::into),
        Command::Run(args) => cli::run::run(args).map_err(Into::into),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("peerkeeper: {error}");
            ExitCode::FAILURE
        }
    }
}
