//! Which files are read.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::{Place, Problem};

/// Where manifests come from. Shared by all commands that read them.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct ManifestArgs {
    /// A file or folder of manifests, or `-` for standard input: YAML, also of several documents, or JSON. May be given
    /// several times. Of a folder, files that end in .yaml, .yml and .json are read.
    #[arg(short, long = "filename", value_name = "PATH", required = true)]
    pub filename: Vec<String>,
    /// Read the folders within folders too.
    #[arg(short = 'R', long)]
    pub recursive: bool,
    /// The namespace of objects that name none.
    #[arg(short, long, default_value = "default", value_name = "NAMESPACE")]
    pub namespace: String,
}

/// The text of each file, in order. What can't be read is a problem, and the others are read all the same.
pub fn read(args: &ManifestArgs, problems: &mut Vec<Problem>) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for given in &args.filename {
        if given == "-" {
            let mut bytes = Vec::new();
            let read = std::io::stdin().lock().read_to_end(&mut bytes);
            add("standard input", read.map(|_| bytes), &mut found, problems);
            continue;
        }
        let path = Path::new(given);
        if !path.is_dir() {
            add(given, fs::read(path), &mut found, problems);
            continue;
        }
        let files = list(path, args.recursive, problems);
        if files.is_empty() {
            let what =
                "holds no file that ends in .yaml, .yml or .json (with -R, folders within it are read too)";
            problems.push(problem(given, what.to_owned()));
        }
        for file in files {
            add(&file.display().to_string(), fs::read(&file), &mut found, problems);
        }
    }
    found
}

fn problem(file: &str, what: String) -> Problem {
    Problem { place: Place { file: file.to_owned(), line: 1 }, object: String::new(), what }
}

fn add(
    file: &str,
    read: std::io::Result<Vec<u8>>,
    found: &mut Vec<(String, String)>,
    problems: &mut Vec<Problem>,
) {
    match read.map(String::from_utf8) {
        Ok(Ok(text)) => found.push((file.to_owned(), text)),
        Ok(Err(_)) => problems.push(problem(file, "is no text: it is not UTF-8".to_owned())),
        Err(error) => problems.push(problem(file, format!("can't be read: {error}"))),
    }
}

/// In the order of their names.
fn list(folder: &Path, recursive: bool, problems: &mut Vec<Problem>) -> Vec<PathBuf> {
    let entries = match fs::read_dir(folder).and_then(Iterator::collect::<std::io::Result<Vec<_>>>) {
        Ok(entries) => entries,
        Err(error) => {
            problems.push(problem(&folder.display().to_string(), format!("can't be read: {error}")));
            return Vec::new();
        }
    };
    let mut paths: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
    paths.sort();
    let mut found = Vec::new();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_manifest =
            ["yaml", "yml", "json"].iter().any(|end| path.extension().is_some_and(|e| e == *end));
        if path.is_dir() {
            if recursive && !name.starts_with('.') {
                found.extend(list(&path, recursive, problems));
            }
        } else if is_manifest {
            found.push(path);
        }
    }
    found
}
