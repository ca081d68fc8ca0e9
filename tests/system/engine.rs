use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

/// How long a process may take to end.
const END_MAX: Duration = Duration::from_secs(30);
/// How often a log is looked at again.
const LOOK: Duration = Duration::from_millis(20);
const LAST_LINES: usize = 30;

/// An engine as a process of its own; killed when dropped.
pub struct Engine {
    child: Child,
    /// Closes when the process ends, however it ends: its stdout does then.
    ended: Receiver<()>,
    log: PathBuf,
}

impl Engine {
    /// Starts `segue run` on a configuration; what it says is added to a file. Several engines run
    /// on this machine, and what is tested is the engine: it serves no API.
    pub fn start(config: &Path, log: &Path) -> Self {
        Self::start_at(config, log, "")
    }

    /// The same with an API at a port that is free.
    pub fn serving(config: &Path, log: &Path) -> Self {
        Self::start_at(config, log, "127.0.0.1:0")
    }

    fn start_at(config: &Path, log: &Path, api: &str) -> Self {
        let file = File::options().create(true).append(true).open(log).expect("a log file");
        let mut command = Command::new(program());
        command.arg("run").arg("--config").arg(config);
        // A variable of the caller's would silently change what is tested.
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("SEGUE_")) {
            command.env_remove(name);
        }
        command.env("SEGUE_API__LISTEN", api);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(file);
        let mut child = command.spawn().expect("the engine's program");
        let mut stdout = child.stdout.take().expect("it is piped");
        let (end, ended) = channel();
        thread::spawn(move || {
            // Blocks until the process has ended; what it says on stdout means nothing here.
            let _ = stdout.read_to_end(&mut Vec::new());
            drop(end);
        });
        Self { child, ended, log: log.to_owned() }
    }

    /// Ends it as a power cut would.
    pub fn kill(mut self) {
        assert!(self.lives(), "the engine ended before it was killed:\n{}", self.last_words());
        self.child.kill().expect("it lives");
        self.child.wait().expect("it was ours");
    }

    /// Asks it to stop and waits for its end.
    pub fn terminate(self) -> ExitStatus {
        self.signal("TERM");
        self.end(END_MAX)
    }

    /// Ends it, by force if it must be, whatever state it is in.
    pub fn stop(mut self) {
        if self.lives() {
            self.signal("TERM");
        }
        // What does not end in time is killed when dropped.
        let _ = self.ended.recv_timeout(END_MAX);
    }

    /// Sends it a signal, such as `STOP`.
    pub fn signal(&self, name: &str) {
        let process = self.child.id().to_string();
        let sent = Command::new("kill").args([&format!("-{name}"), &process]).status();
        assert!(sent.expect("kill").success(), "it lives");
    }

    /// Waits for its end.
    pub fn end(mut self, wait: Duration) -> ExitStatus {
        let ended = self.ended.recv_timeout(wait);
        assert_eq!(
            ended,
            Err(RecvTimeoutError::Disconnected),
            "it does not end:\n{}",
            self.last_words()
        );
        self.child.wait().expect("it was ours")
    }

    /// Waits until it has said something.
    pub fn says(&mut self, words: &str) {
        let begun = Instant::now();
        while !fs::read_to_string(&self.log).unwrap_or_default().contains(words) {
            let lives = self.ended.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout);
            let in_time = lives && begun.elapsed() < END_MAX;
            assert!(in_time, "it does not say `{words}` but:\n{}", self.last_words());
        }
    }

    /// Where its API is, once it has said so.
    pub fn api(&mut self) -> String {
        const WORDS: &str = "its API is at ";
        self.says(WORDS);
        let said = fs::read_to_string(&self.log).expect("a log");
        let address = said.split_once(WORDS).and_then(|(_, behind)| behind.lines().next());
        address.expect("it says where").to_owned()
    }

    /// Whether it runs.
    pub fn lives(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// The last lines that it wrote.
    pub fn last_words(&self) -> String {
        last_words(&self.log)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The last lines of a log.
pub fn last_words(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LAST_LINES)..].join("\n")
}

/// The program under test: the one that was built with the tests, unless told otherwise.
pub fn program() -> PathBuf {
    std::env::var_os("SEGUE_TEST_BINARY")
        .map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_segue")), PathBuf::from)
}
