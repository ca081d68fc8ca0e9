//! The same pages behind tokens: a `segue view` beside the engine of a `segue dev`.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::dev::Dev;

/// The view reads everything from the beginning, on a busy machine.
const LOOK_MAX: Duration = Duration::from_secs(60);

/// A server that lets in whoever has a token, ended with this value.
pub struct Gate {
    child: Child,
    tokens: BTreeMap<&'static str, String>,
    folder: tempfile::TempDir,
    /// Where it is: `http://127.0.0.1:port`.
    pub server: String,
}

impl Gate {
    /// Serves what a dev does to the owners of tokens: their roles, which are their names too.
    pub fn before(dev: &Dev, roles: &[&'static str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (mut tokens, mut lines) = (BTreeMap::new(), String::new());
        for role in roles {
            let mut command = Command::new(env!("CARGO_BIN_EXE_segue"));
            let drawn = command.args(["token", "new", "--role", role, "--name", role]).output();
            let drawn = String::from_utf8(drawn.expect("the binary runs").stdout).expect("text");
            let (token, line) = drawn.trim().split_once('\n').expect("two lines");
            tokens.insert(*role, token.to_owned());
            lines.push_str(line);
            lines.push('\n');
        }
        let file = folder.path().join("tokens");
        std::fs::write(&file, lines).expect("written");
        let mut command = Command::new(env!("CARGO_BIN_EXE_segue"));
        command.arg("view").stderr(Stdio::piped());
        command.envs([
            ("SEGUE_APP", "segue-dev"),
            ("SEGUE_NODE", "gate"),
            ("SEGUE_KAFKA__BROKERS", dev.broker.as_str()),
            ("SEGUE_API__LISTEN", "127.0.0.1:0"),
        ]);
        command.env("SEGUE_API__AUTH__TOKENS", &file);
        command.env("SEGUE_VIEW__PATH", folder.path().join("view"));
        let mut child = command.spawn().expect("the binary runs");
        let lines = BufReader::new(child.stderr.take().expect("it is piped")).lines();
        let mut lines = lines.map_while(Result::ok);
        let told = lines.find_map(|line| {
            let place = line.split_once("serves the API of segue-dev at ")?.1;
            place.split(';').next().map(str::to_owned)
        });
        let server = told.expect("it says where it is");
        // Its log goes on, and has to be read.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, tokens, folder, server }
    }

    pub fn token(&self, role: &str) -> &str {
        &self.tokens[role]
    }

    /// Waits until its view knows an instance.
    #[allow(clippy::disallowed_methods, reason = "it is given up by the clock of the test")]
    pub fn knows(&self, key: &str) {
        let begun = Instant::now();
        loop {
            let mut command = Command::new(env!("CARGO_BIN_EXE_segue"));
            command.args(["list", "--state", "stuck", "--key", key, "--server", &self.server]);
            let role = self.tokens.keys().next().expect("somebody has a token");
            let output = command.env("SEGUE_TOKEN", self.token(role)).output();
            let said = String::from_utf8(output.expect("the binary runs").stdout).expect("text");
            if said.contains(&format!("/{key} ")) {
                return;
            }
            assert!(begun.elapsed() < LOOK_MAX, "not {key}: {said}");
        }
    }

    /// Lets nobody in any more.
    pub fn shut(&self) {
        let file: PathBuf = self.folder.path().join("tokens");
        std::fs::write(file, "# nobody\n").expect("written");
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        // It has nothing to say to a test that is over.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
