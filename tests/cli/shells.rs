//! Completions, the manual, the names that the binary goes by, and what `make install` puts where.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const BIN: &str = env!("CARGO_BIN_EXE_peerkeeper");

fn run(program: impl AsRef<std::ffi::OsStr>, args: &[&str]) -> Output {
    Command::new(program).args(args).stdin(Stdio::null()).output().expect("it starts")
}

#[track_caller]
fn said(program: impl AsRef<std::ffi::OsStr>, args: &[&str]) -> String {
    let output = run(program, args);
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    let (out, err) = (text(output.stdout), text(output.stderr));
    assert!(output.status.success() && err.is_empty(), "{args:?}: {err}");
    out
}

/// What the binary says of itself: its commands and, for each, its long flags.
fn commands() -> Vec<(String, BTreeSet<String>)> {
    let help = said(BIN, &["--help"]);
    let list = help.split("Commands:\n").nth(1).expect("commands").split("\n\n").next().expect("their end");
    let names = list.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names = names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help");
    let flags = |name: &str| {
        let help = said(BIN, &[name, "--help"]);
        let words = help.lines().filter(|line| line.trim_start().starts_with('-'));
        let words = words.flat_map(|line| line.split([' ', ',', '=']).map(str::to_owned).collect::<Vec<_>>());
        words.filter(|word| word.len() > 2 && word.starts_with("--")).collect()
    };
    names.map(|name| (name.to_owned(), flags(name))).collect()
}

/// Where a program is not installed, that is said, and what is known of its input without it still holds.
fn is_there(program: &str) -> bool {
    let found = Command::new(program).arg("--version").stdin(Stdio::null()).output().is_ok();
    if !found {
        eprintln!("NOT CHECKED by {program}: it is not installed");
    }
    found
}

fn feed(program: &str, args: &[&str], text: &str) -> Output {
    use std::io::Write;
    let mut child = Command::new(program);
    let child = child.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = child.spawn().expect("it starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    let text = text.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(text.as_bytes()));
    let output = child.wait_with_output().expect("it ends");
    writer.join().expect("no panic").expect("it reads all");
    output
}

#[test]
fn completions_know_every_command_and_flag() {
    let commands = commands();
    assert!(commands.len() >= 6, "{commands:?}");
    for (shell, check) in [
        ("bash", Some(("bash", "-n"))),
        ("zsh", Some(("zsh", "-n"))),
        ("fish", Some(("fish", "--no-execute"))),
        ("powershell", None),
        ("elvish", None),
    ] {
        let script = said(BIN, &["completions", shell]);
        for (name, flags) in &commands {
            assert!(script.contains(name.as_str()), "{shell} does not know {name}");
            for flag in flags {
                // fish names a long flag without its dashes.
                let found = script.contains(flag.as_str()) || script.contains(&format!("-l {}", &flag[2..]));
                assert!(found, "{shell} does not know {name} {flag}");
            }
        }
        if let Some((program, flag)) = check.filter(|(program, _)| is_there(program)) {
            let checked = feed(program, &[flag], &script);
            assert!(checked.status.success(), "{shell}: {}", String::from_utf8_lossy(&checked.stderr));
        }
    }
    let wrong = run(BIN, &["completions", "tcsh"]);
    assert_eq!(wrong.status.code(), Some(1));
}

/// A real bash, asked as it asks itself after Tab.
#[test]
fn bash_completes_a_command_and_a_value() {
    let script = said(BIN, &["completions", "bash"]);
    let asks = r#"
complete_words() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _peerkeeper peerkeeper "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"; echo "${COMPREPLY[*]}"; }
complete_words peerkeeper pla
complete_words peerkeeper plan --output ""
"#;
    let output = feed("bash", &[], &(script + asks));
    let out = String::from_utf8(output.stdout).expect("UTF-8");
    assert_eq!(out, "plan\ntext json markdown\n", "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_manual_has_a_page_for_each_command() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("man1");
    let listed = said(BIN, &["man", "--output-dir", path.to_str().expect("UTF-8")]);
    let commands = commands();
    for (name, flags) in &commands {
        let file = path.join(format!("peerkeeper-{name}.1"));
        assert!(listed.contains(file.to_str().expect("UTF-8")), "{listed}");
        let page = fs::read_to_string(&file).expect("a page");
        assert!(page.contains(&format!(".TH peerkeeper-{name} 1")), "{page}");
        assert!(page.contains(".SH DESCRIPTION"), "{page}");
        for flag in flags {
            let roff = flag.replace('-', "\\-");
            assert!(page.contains(&roff), "{name}: {flag} is not told");
        }
        rendered(&page, name);
    }
    let main = said(BIN, &["man"]);
    assert_eq!(main, fs::read_to_string(path.join("peerkeeper.1")).expect("the first page"));
    for (name, _) in &commands {
        assert!(main.contains(&format!("peerkeeper\\-{name}(1)")), "{name} is not in the first page");
    }
}

/// What a reader sees, with no complaint of the formatter's.
fn rendered(page: &str, name: &str) {
    for (program, args) in
        [("groff", &["-man", "-Tutf8", "-ww", "-z"][..]), ("mandoc", &["-Tlint", "-Werror"])]
    {
        if is_there(program) {
            let output = feed(program, args, page);
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.success() && said.trim().is_empty(), "{program}, {name}: {said}");
        }
    }
    if is_there("groff") {
        let output = feed("groff", &["-man", "-Tascii", "-P-cbou"], page);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        // Lines are filled up to both margins.
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains("SYNOPSIS") && text.contains(&format!("peerkeeper {name}")), "{text}");
    }
}

#[test]
fn by_kubectls_name_it_is_kubectls_command() {
    let folder = tempfile::tempdir().expect("a folder");
    let plugin = folder.path().join("kubectl-peerkeeper");
    symlink(BIN, &plugin).expect("a link");
    let usage = |text: &str| text.lines().find(|line| line.starts_with("Usage:")).expect("usage").to_owned();
    assert!(usage(&said(&plugin, &["--help"])).starts_with("Usage: kubectl peerkeeper "));
    assert!(usage(&said(&plugin, &["plan", "--help"])).starts_with("Usage: kubectl peerkeeper plan "));
    assert!(usage(&said(BIN, &["plan", "--help"])).starts_with("Usage: peerkeeper plan "));
    let wrong = run(&plugin, &["plan", "--nothing"]);
    assert_eq!(wrong.status.code(), Some(1));
    assert!(usage(&String::from_utf8_lossy(&wrong.stderr)).starts_with("Usage: kubectl peerkeeper plan "));
    // A script of completions is for the binary's own name.
    assert_eq!(said(&plugin, &["completions", "bash"]), said(BIN, &["completions", "bash"]));
}

#[test]
fn kubectl_is_told_what_to_offer() {
    let folder = tempfile::tempdir().expect("a folder");
    let asked = folder.path().join("kubectl_complete-peerkeeper");
    symlink(BIN, &asked).expect("a link");
    let commands = commands();
    let offered = said(&asked, &[""]);
    let names: BTreeSet<&str> = offered.lines().filter_map(|line| line.split('\t').next()).collect();
    for (name, flags) in &commands {
        assert!(names.contains(name.as_str()), "{offered}");
        let of_it = said(&asked, &[name, "--"]);
        for flag in flags.iter().filter(|flag| *flag != "--help") {
            assert!(
                of_it.lines().any(|line| line.split('\t').next() == Some(flag)),
                "{name} {flag}: {of_it}"
            );
        }
    }
    assert_eq!(offered.lines().last(), Some(":4"));
    assert_eq!(said(&asked, &["plan", "-f", ""]), ":0\n");
}

#[test]
fn install_puts_both_names_manual_and_completions_in_their_places() {
    let folder = tempfile::tempdir().expect("a folder");
    let destination = format!("DESTDIR={}", folder.path().display());
    let root = env!("CARGO_MANIFEST_DIR");
    let make = run("make", &["-C", root, "install", &format!("BIN={BIN}"), &destination, "PREFIX=/usr"]);
    assert!(make.status.success(), "{}", String::from_utf8_lossy(&make.stderr));
    let usr = folder.path().join("usr");
    let version = said(BIN, &["--version"]);
    for name in ["peerkeeper", "kubectl-peerkeeper"] {
        assert_eq!(said(usr.join("bin").join(name), &["--version"]), version, "{name}");
    }
    let link = fs::read_link(usr.join("bin/kubectl_complete-peerkeeper")).expect("a link");
    assert_eq!(link, Path::new("peerkeeper"), "it leads nowhere outside of what was installed");
    for (file, shell) in [
        ("share/bash-completion/completions/peerkeeper", "bash"),
        ("share/zsh/site-functions/_peerkeeper", "zsh"),
        ("share/fish/vendor_completions.d/peerkeeper.fish", "fish"),
    ] {
        let installed = fs::read_to_string(usr.join(file)).expect(file);
        assert_eq!(installed, said(BIN, &["completions", shell]), "{file}");
    }
    let pages = folder.path().join("pages");
    let listed = said(BIN, &["man", "--output-dir", pages.to_str().expect("UTF-8")]);
    for page in listed.lines().map(Path::new) {
        let installed = usr.join("share/man/man1").join(page.file_name().expect("a file"));
        assert_eq!(
            fs::read(installed).expect("a page"),
            fs::read(page).expect("a page"),
            "{}",
            page.display()
        );
    }
    assert!(listed.lines().count() > commands().len(), "{listed}");
}
