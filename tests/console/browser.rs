//! A Chromium without a window, driven over the `WebDriver` protocol.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// The most that a page may take to become what is expected on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);
/// The name under which the protocol hands out elements.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A browser, ended with this value.
pub struct Browser {
    driver: Child,
    port: u16,
    session: String,
}

impl Browser {
    pub fn start() -> Self {
        let mut command = Command::new("chromedriver");
        command.arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null());
        let mut driver = command.spawn().expect("chromedriver: `tests/run --packages` names it");
        let lines = BufReader::new(driver.stdout.take().expect("it is piped")).lines();
        let port = lines.map(|line| line.expect("UTF-8 text")).find_map(|line| {
            let port = line.split_once("started successfully on port ")?.1;
            port.trim_end_matches('.').parse().ok()
        });
        let port = port.expect("it says on which port it listens");
        let mut browser = Self { driver, port, session: String::new() };
        let arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            "--disable-dev-shm-usage",
        ];
        let asked = json!({"capabilities": {"alwaysMatch": {
            "goog:chromeOptions": {"args": arguments},
            "goog:loggingPrefs": {"browser": "ALL"},
        }}});
        let session = browser.ask("POST", "/session", &asked);
        session["sessionId"].as_str().expect("a session").clone_into(&mut browser.session);
        browser
    }

    pub fn open(&self, address: &str) {
        self.told("POST", "/url", &json!({ "url": address }));
    }

    pub fn address(&self) -> String {
        self.told("GET", "/url", &Value::Null).as_str().expect("an address").to_owned()
    }

    /// What a script answers.
    pub fn script(&self, script: &str) -> Value {
        self.told("POST", "/execute/sync", &json!({"script": script, "args": []}))
    }

    /// Waits until a script answers true.
    #[allow(clippy::disallowed_methods, reason = "it is given up by the clock of the test")]
    pub fn until(&self, what: &str, script: &str) {
        let begun = Instant::now();
        while self.script(&format!("return Boolean({script})")) != true {
            let page = self.script("return document.body.innerText");
            assert!(begun.elapsed() < PATIENCE, "not {what} at {}:\n{page}", self.address());
        }
    }

    pub fn click(&self, selector: &str) {
        let path = format!("/element/{}/click", self.element(selector));
        self.told("POST", &path, &json!({}));
    }

    pub fn write(&self, selector: &str, text: &str) {
        let path = format!("/element/{}/value", self.element(selector));
        self.told("POST", &path, &json!({ "text": text }));
    }

    /// Presses keys one after another, wherever the focus is.
    pub fn press(&self, keys: &str) {
        let mut actions = Vec::new();
        for key in keys.chars() {
            let key = key.to_string();
            actions.push(json!({"type": "keyDown", "value": key}));
            actions.push(json!({"type": "keyUp", "value": key}));
        }
        let keys = json!({"type": "key", "id": "keys", "actions": actions});
        self.told("POST", "/actions", &json!({ "actions": [keys] }));
    }

    /// The size of what is seen, and the scheme that the person prefers.
    pub fn look(&self, width: u32, height: u32, scheme: &str) {
        let size = json!({
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600,
        });
        self.devtools("Emulation.setDeviceMetricsOverride", &size);
        let scheme = json!({"name": "prefers-color-scheme", "value": scheme});
        self.devtools("Emulation.setEmulatedMedia", &json!({ "features": [scheme] }));
    }

    /// A picture of what is seen, as base64.
    pub fn picture(&self) -> String {
        let taken = self.told("GET", "/screenshot", &Value::Null);
        taken.as_str().expect("a picture").to_owned()
    }

    /// What the browser has complained of since it was last asked.
    pub fn complaints(&self) -> Vec<String> {
        let told = self.told("POST", "/se/log", &json!({"type": "browser"}));
        let lines = told.as_array().expect("a list").iter();
        lines.map(|line| line["message"].as_str().unwrap_or_default().to_owned()).collect()
    }

    fn devtools(&self, name: &str, said: &Value) {
        self.told("POST", "/goog/cdp/execute", &json!({"cmd": name, "params": said}));
    }

    fn element(&self, selector: &str) -> String {
        let asked = json!({"using": "css selector", "value": selector});
        let found = self.told("POST", "/element", &asked);
        found[ELEMENT].as_str().expect("an element").to_owned()
    }

    fn told(&self, method: &str, path: &str, said: &Value) -> Value {
        self.ask(method, &format!("/session/{}{path}", self.session), said)
    }

    fn ask(&self, method: &str, path: &str, said: &Value) -> Value {
        let answer = self.exchange(method, path, said).expect("chromedriver answers");
        let value = &answer["value"];
        assert!(value.get("error").is_none(), "{method} {path} {said}: {value}");
        value.clone()
    }

    fn exchange(&self, method: &str, path: &str, said: &Value) -> std::io::Result<Value> {
        let body = if said.is_null() { String::new() } else { said.to_string() };
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )?;
        let mut reader = BufReader::new(stream);
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().expect("a number");
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let mut text = vec![0; length];
        reader.read_exact(&mut text)?;
        Ok(serde_json::from_slice(&text)?)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // A driver that has gone has taken its browser with it.
        let _ = self.exchange("DELETE", &format!("/session/{}", self.session), &Value::Null);
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
