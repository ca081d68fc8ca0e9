//! Tells once that a broker is away, and once that it is back.
//!
//! Every client of the process notices a lost broker for itself, again and again. What they notice
//! is gathered here for all of them, and tried out: a broker counts as away when nobody takes a
//! connection at its address.

use std::collections::BTreeMap;
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How long a connection that was lost may take to be possible again before anything is said.
const FIRST_LOOK: Duration = Duration::from_millis(150);
/// How often it is tried at first, and at last.
const LOOK_EVERY: (Duration, Duration) = (Duration::from_millis(250), Duration::from_millis(500));
const CONNECT_MAX: Duration = Duration::from_millis(500);
/// A broker that stays away for so long was taken out of the cluster; it is no longer looked for.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(60 * 60);

static BROKERS: Mutex<Brokers> =
    Mutex::new(Brokers { noticed: BTreeMap::new(), watched: false, ended: None });

/// The brokers that some client has lost.
#[derive(Debug)]
struct Brokers {
    noticed: BTreeMap<String, Noticed>,
    /// Whether a thread looks for them.
    watched: bool,
    /// When a broker that had been away was last seen to be back.
    ended: Option<Instant>,
}

#[derive(Debug, Clone, Copy)]
struct Noticed {
    since: Instant,
    /// Whether it was said that it is away.
    told: bool,
}

/// Takes what a client says of a lost connection.
pub(super) fn notice(reason: &str) {
    let Some(address) = address(reason) else {
        return;
    };
    let mut brokers = brokers();
    let fresh = Noticed { since: Instant::now(), told: false };
    brokers.noticed.entry(address.to_owned()).or_insert(fresh);
    if !brokers.watched {
        let watching = thread::Builder::new().name("outage".to_owned()).spawn(watch);
        brokers.watched = watching.is_ok();
    }
}

/// Whether some broker is away now.
#[must_use]
pub fn is_any_away() -> bool {
    brokers().noticed.values().any(|noticed| noticed.told)
}

/// How long ago a broker came back that had been away; none if none ever was.
#[must_use]
pub fn since_return() -> Option<Duration> {
    brokers().ended.map(|ended| ended.elapsed())
}

fn brokers() -> MutexGuard<'static, Brokers> {
    BROKERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Tries the brokers that were lost until all of them are back.
fn watch() {
    let mut pause = FIRST_LOOK;
    let mut next = LOOK_EVERY.0;
    loop {
        thread::sleep(pause);
        let noticed = brokers().noticed.clone();
        for (address, noticed) in noticed {
            look(&address, noticed);
        }
        let mut brokers = brokers();
        if brokers.noticed.is_empty() {
            brokers.watched = false;
            return;
        }
        pause = next;
        next = (next * 5 / 4).min(LOOK_EVERY.1);
    }
}

fn look(address: &str, noticed: Noticed) {
    let Noticed { since, told } = noticed;
    let away_s = since.elapsed().as_secs_f32();
    if is_there(address) {
        let mut brokers = brokers();
        brokers.noticed.remove(address);
        if told {
            brokers.ended = Some(Instant::now());
            drop(brokers);
            tracing::info!(broker = address, away_s, "kafka.broker_back");
        }
    } else if !told {
        if let Some(noticed) = brokers().noticed.get_mut(address) {
            noticed.told = true;
        }
        tracing::warn!(broker = address, "kafka.broker_away: nobody takes a connection there");
    } else if since.elapsed() >= FORGOTTEN_AFTER {
        brokers().noticed.remove(address);
    }
}

fn is_there(address: &str) -> bool {
    let Ok(mut addresses) = address.to_socket_addrs() else {
        return false;
    };
    addresses.any(|address| TcpStream::connect_timeout(&address, CONNECT_MAX).is_ok())
}

/// The address in what the client says, such as `sasl_ssl://kafka-1:9092/2: Disconnected` or
/// `GroupCoordinator: kafka-1:9092: Connect to ipv4#10.0.0.1:9092 failed`.
fn address(reason: &str) -> Option<&str> {
    for part in reason.split(": ").take(2) {
        let part = part.rsplit("://").next().unwrap_or(part);
        let part = part.split('/').next().unwrap_or(part);
        if let Some((host, port)) = part.rsplit_once(':')
            && !host.is_empty()
            && !host.contains(' ')
            && port.parse::<u16>().is_ok()
        {
            return Some(part);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_broker_is_found_in_the_clients_words() {
        for (reason, found) in [
            ("127.0.0.1:9092/2: Disconnected (after 5ms in state UP)", Some("127.0.0.1:9092")),
            ("sasl_ssl://kafka-1:9093/bootstrap: Connect failed", Some("kafka-1:9093")),
            ("GroupCoordinator: kafka-1:9092: Receive failed", Some("kafka-1:9092")),
            ("[::1]:9092/1: Connection refused", Some("[::1]:9092")),
            ("2/2 brokers are down", None),
            ("Fatal error: Broker: Static consumer fenced", None),
        ] {
            assert_eq!(address(reason), found, "{reason}");
        }
    }
}
