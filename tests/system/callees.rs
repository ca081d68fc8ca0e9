use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use segue::definition::Method;
use segue::engine::Call;
use segue::message::{Span, Timestamp, header, read_json};
use segue::participants::{Callees, Script};

const METHODS: [Method; 5] =
    [Method::Get, Method::Post, Method::Put, Method::Patch, Method::Delete];

/// The services behind `call` steps, each on a port of its own.
pub struct Services {
    ports: BTreeMap<String, u16>,
}

impl Services {
    /// Starts every service that some scripts know; they live as long as the process.
    pub fn start(scripts: &[Script], seed: u64) -> Self {
        let callees = Arc::new(Mutex::new(Callees::new(scripts, seed)));
        let calls = scripts.iter().flat_map(|script| &script.calls);
        let authorities: BTreeSet<String> = calls.map(|call| call.on.authority.clone()).collect();
        let serve = |authority: String| {
            let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
            let port = listener.local_addr().expect("an address").port();
            let (callees, name) = (Arc::clone(&callees), authority.clone());
            thread::spawn(move || {
                for stream in listener.incoming() {
                    let (callees, name) = (Arc::clone(&callees), name.clone());
                    thread::spawn(move || {
                        // A client that is killed, or has waited enough, closes.
                        let _ = answer(&stream.expect("a connection"), &name, &callees);
                    });
                }
            });
            (authority, port)
        };
        Self { ports: authorities.into_iter().map(serve).collect() }
    }

    /// A definition that finds them.
    pub fn reached(&self, text: &str) -> String {
        self.ports.iter().fold(text.to_owned(), |text, (authority, port)| {
            text.replace(&format!("https://{authority}/"), &format!("http://127.0.0.1:{port}/"))
        })
    }

    /// What allows the engine to call them.
    pub fn config(&self) -> String {
        let hosts: Vec<_> = self.ports.values().map(|p| format!("\"127.0.0.1:{p}\"")).collect();
        format!("calls: {{ allow-private: [{}], failures-max: 100000 }}\n", hosts.join(", "))
    }
}

/// Answers the requests of one connection, one after the other.
fn answer(stream: &TcpStream, authority: &str, callees: &Mutex<Callees>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    while let Some(call) = request(&mut reader, authority)? {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
        let now = Timestamp(i64::try_from(now.as_millis()).expect("a time of these days"));
        let decided = callees.lock().expect("nobody panics").decide(&call, now);
        let Some(response) = decided.expect("the scripts know it") else {
            // Silence: until the client has waited enough.
            reader.read_to_end(&mut Vec::new())?;
            return Ok(());
        };
        let body = response.body.to_string();
        let head = format!(
            "HTTP/1.1 {} it\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            response.status,
            if response.status == 204 { 0 } else { body.len() },
        );
        let body = if response.status == 204 { "" } else { &body };
        (&*stream).write_all((head + body).as_bytes())?;
    }
    Ok(())
}

/// The next request; none when the client closes.
fn request(reader: &mut BufReader<&TcpStream>, authority: &str) -> std::io::Result<Option<Call>> {
    let (mut line, mut headers) = (String::new(), BTreeMap::new());
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let text = |name: &str| headers.get(name).cloned();
    let length = text("content-length").map_or(0, |l| l.parse().expect("a length"));
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let method = METHODS.into_iter().find(|m| m.text() == words[0]).expect("a method");
    Ok(Some(Call {
        id: text(header::COMMAND).expect("its command").parse().expect("a command id"),
        idempotency_key: text(header::IDEMPOTENCY_KEY).expect("its key"),
        undoes: text(header::UNDOES),
        method,
        url: format!("https://{authority}{}", words[1]),
        headers: Vec::new(),
        body: (length > 0).then(|| read_json(&body).expect("JSON")),
        within: Span::millis(1_000),
    }))
}
