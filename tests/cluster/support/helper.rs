//! The scripts in `tools/`: they say one JSON line when ready, answer each line with one, and end when their
//! stdin closes, so nothing outlives a test that is killed.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use serde_json::Value;

pub struct Helper {
    what: &'static str,
    child: Child,
    stdin: Option<ChildStdin>,
    // Behind a lock only so that tests can share what they stand on.
    lines: Mutex<Receiver<String>>,
}

impl Helper {
    /// Starts `tools/<script> <args>` and waits for its ready line.
    #[track_caller]
    pub fn start(what: &'static str, script: &str, args: &[String], ready_within: Duration) -> (Self, Value) {
        let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_string());
        let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tools").join(script);
        let mut child = Command::new(&python)
            .arg(&script)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{python} {} does not start: {error}", script.display()));
        let stdin = child.stdin.take();
        let stdout = BufReader::new(child.stdout.take().expect("stdout is piped"));
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        let helper = Helper { what, child, stdin, lines: Mutex::new(lines) };
        let ready = helper.answer(ready_within);
        (helper, ready)
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Says one line and returns the answer.
    #[track_caller]
    pub fn ask(&mut self, line: &str, within: Duration) -> Value {
        let stdin = self.stdin.as_mut().expect("stdin is open until drop");
        if let Err(error) = writeln!(stdin, "{line}").and_then(|()| stdin.flush()) {
            panic!("{} can't be told {line:?}: {error}", self.what);
        }
        self.answer(within)
    }

    #[track_caller]
    pub fn answer(&self, within: Duration) -> Value {
        match self.answer_or_none(within) {
            Some(answer) => answer,
            None => panic!("{} said nothing for {within:?}", self.what),
        }
    }

    #[track_caller]
    pub fn answer_or_none(&self, within: Duration) -> Option<Value> {
        let line = match self.lines.lock().expect("nobody panics while waiting").recv_timeout(within) {
            Ok(line) => line,
            Err(RecvTimeoutError::Timeout) => return None,
            Err(RecvTimeoutError::Disconnected) => panic!("{} ended; its last words are above", self.what),
        };
        let answer: Value = serde_json::from_str(&line)
            .unwrap_or_else(|error| panic!("{} said {line:?}: {error}", self.what));
        assert_ne!(answer["event"], "error", "{}: {}", self.what, answer["message"]);
        Some(answer)
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        // Closing stdin is the order to end. Kill only what does not obey.
        self.stdin = None;
        let deadline = Instant::now() + Duration::from_secs(15);
        while Instant::now() < deadline {
            match self.child.try_wait() {
                Ok(None) => std::thread::sleep(Duration::from_millis(10)),
                _ => return,
            }
        }
        eprintln!("{} did not end when told to; killing it", self.what);
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
