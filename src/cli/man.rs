//! `peerkeeper man`: manual pages, written from what the command line is parsed by.

use std::io;
use std::path::PathBuf;

use clap::Command;

/// Prints the manual page, as in `peerkeeper man | man -l -`, or writes all of them.
#[derive(Clone, Debug, clap::Args)]
pub struct ManArgs {
    /// Write one page for each command into this folder instead, and print their paths.
    #[arg(long, value_name = "FOLDER")]
    pub output_dir: Option<PathBuf>,
}

#[derive(Debug, thiserror::Error)]
pub enum ManError {
    #[error("can't write {path}: {cause}; choose a folder that can be written to")]
    Write { path: String, cause: io::Error },
    #[error("the output can't be written: {0}")]
    Output(#[from] io::Error),
}

pub fn run(args: &ManArgs, command: Command) -> Result<(), ManError> {
    let mut command = command.bin_name("peerkeeper");
    command.build();
    let Some(folder) = &args.output_dir else {
        return Ok(super::show::print(&page(&command)?)?);
    };
    let failed = |path: &std::path::Path, cause| ManError::Write { path: path.display().to_string(), cause };
    std::fs::create_dir_all(folder).map_err(|cause| failed(folder, cause))?;
    let mut written = String::new();
    for (name, text) in pages(&command)? {
        let path = folder.join(name);
        std::fs::write(&path, text).map_err(|cause| failed(&path, cause))?;
        written += &format!("{}\n", path.display());
    }
    Ok(super::show::print(&written)?)
}

/// A page for the command and one for each below it, by the names of their files.
fn pages(command: &Command) -> io::Result<Vec<(String, String)>> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    let mut pages = vec![(format!("{name}.1"), page(command)?)];
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set() && sub.get_name() != "help") {
        pages.extend(self::pages(sub)?);
    }
    Ok(pages)
}

fn page(command: &Command) -> io::Result<String> {
    let mut out = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut out)?;
    Ok(String::from_utf8_lossy(&out).into_owned())
}
