//! `peerkeeper crd`: the CustomResourceDefinitions of this very binary.

use crate::api::crd::{CrdError, crd_files, crds_yaml};
use std::{fs, io, path::PathBuf};

/// Prints the CustomResourceDefinitions as YAML, ready for `kubectl apply --server-side -f -`.
#[derive(Debug, clap::Args)]
pub struct CrdArgs {
    /// Write one file per kind into this folder instead, and print their paths.
    #[arg(long, value_name = "FOLDER")]
    pub out_dir: Option<PathBuf>,
}

#[derive(Debug, thiserror::Error)]
pub enum CrdCommandError {
    #[error(transparent)]
    Crd(#[from] CrdError),
    #[error("can't write {path}: {cause}; choose a folder that can be written to")]
    Write { path: String, cause: io::Error },
}

pub fn run(args: &CrdArgs, out: &mut dyn io::Write) -> Result<(), CrdCommandError> {
    let stdout = |cause| CrdCommandError::Write { path: "standard output".to_owned(), cause };
    let Some(folder) = &args.out_dir else {
        return out.write_all(crds_yaml()?.as_bytes()).map_err(stdout);
    };
    fs::create_dir_all(folder)
        .map_err(|cause| CrdCommandError::Write { path: folder.display().to_string(), cause })?;
    for (name, yaml) in crd_files()? {
        let path = folder.join(name);
        fs::write(&path, yaml)
            .map_err(|cause| CrdCommandError::Write { path: path.display().to_string(), cause })?;
        writeln!(out, "{}", path.display()).map_err(stdout)?;
    }
    Ok(())
}
