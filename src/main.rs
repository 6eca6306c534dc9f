//! Parses the command line and dispatches.

use clap::{Parser, Subcommand};
use peerkeeper::cli;
use std::{io, process::ExitCode};

#[derive(Parser)]
#[command(name = "peerkeeper", version, about)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Crd(cli::crd::CrdArgs),
}

fn main() -> ExitCode {
    let args = Args::parse();
    let done = match &args.command {
        Command::Crd(args) => cli::crd::run(args, &mut io::stdout()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("peerkeeper: {error}");
            ExitCode::FAILURE
        }
    }
}
