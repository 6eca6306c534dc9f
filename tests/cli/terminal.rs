//! A terminal: what the binary writes to it, and what a person would see.

use std::fs::File;
use std::io::{Read, Write};
use std::num::NonZero;
use std::process::{Child, Command};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

/// So large that nothing is wrapped or scrolls away.
const ROWS: NonZero<u16> = NonZero::new(120).unwrap();
const COLUMNS: NonZero<u16> = NonZero::new(200).unwrap();
/// Far beyond what anything takes: it only ends a test that would hang.
const PATIENCE: Duration = Duration::from_secs(120);

pub struct Terminal {
    keys: File,
    chunks: Receiver<Vec<u8>>,
    child: Child,
    /// Everything that was written.
    raw: Vec<u8>,
}

/// How it ended.
pub struct Left {
    pub code: i32,
    /// Everything that was written, escape codes and all.
    pub raw: String,
    /// What is on the screen at the end.
    pub screen: String,
}

impl Terminal {
    /// The command with all its three streams on a terminal of its own.
    pub fn run(mut command: Command) -> Self {
        let keys = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&keys).expect("it is granted");
        unlockpt(&keys).expect("it is unlocked");
        let size = Winsize { ws_row: ROWS.get(), ws_col: COLUMNS.get(), ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&keys, size).expect("it has a size");
        let name = ptsname(&keys, Vec::new()).expect("its other end has a name");
        let open = || {
            rustix::fs::open(name.as_c_str(), OFlags::RDWR | OFlags::NOCTTY, Mode::empty())
                .expect("the other end is opened")
        };
        command.stdin(open()).stdout(open()).stderr(open());
        let child = command.spawn().expect("the binary runs");
        // Our copies of the other end: as long as they are open, nothing ends.
        drop(command);
        let keys = File::from(keys);
        let mut shown = keys.try_clone().expect("a second handle");
        let (send, chunks) = channel();
        std::thread::spawn(move || {
            let mut chunk = [0; 4096];
            // Once the other end is closed, reading from this one is an error.
            while let Ok(length @ 1..) = shown.read(&mut chunk) {
                if send.send(chunk[..length].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self { keys, chunks, child, raw: Vec::new() }
    }

    /// Until this was written.
    #[track_caller]
    pub fn until(&mut self, text: &str) {
        self.read_until(text, Self::text);
    }

    /// Until this stands on the screen: what stands there then.
    #[track_caller]
    pub fn until_shown(&mut self, text: &str) -> String {
        self.read_until(text, Self::screen)
    }

    #[track_caller]
    fn read_until(&mut self, text: &str, of: impl Fn(&Self) -> String) -> String {
        // A bar is drawn again and again: patience is for all of it.
        let until = Instant::now() + PATIENCE;
        loop {
            let shown = of(self);
            if shown.contains(text) {
                return shown;
            }
            match self.chunks.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(chunk) => self.raw.extend(chunk),
                Err(error) => panic!("{text} was never written ({error}): {}", self.text()),
            }
        }
    }

    pub fn type_in(&mut self, text: &str) {
        self.keys.write_all(text.as_bytes()).expect("a person types");
    }

    /// What Ctrl-C sends to the command that holds the terminal.
    pub fn interrupt(&self) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a process");
        kill_process(pid, Signal::INT).expect("it is there");
    }

    #[track_caller]
    pub fn end(mut self) -> Left {
        while let Ok(chunk) = self.chunks.recv_timeout(PATIENCE) {
            self.raw.extend(chunk);
        }
        let code = self.child.wait().expect("it ends").code().expect("no signal ended it");
        Left { code, raw: self.text(), screen: self.screen() }
    }

    /// What is on the screen by now.
    fn screen(&self) -> String {
        let mut parser = vt100::Parser::new(ROWS, COLUMNS, 0);
        parser.process(&self.raw);
        parser.screen().contents()
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.raw).into_owned()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // A test that failed leaves nothing behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
