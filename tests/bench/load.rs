//! Orders and participants: the world around the engine, which knows nothing of the engine but its
//! messages.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use hdrhistogram::Histogram;
use rdkafka::message::{BorrowedMessage, Header, Message, OwnedHeaders};
use rdkafka::producer::BaseRecord;

use crate::kafka::{self, Reader, Writer};

/// Ten minutes; a larger latency counts as this one.
const LATENCY_US_MAX: u64 = 600_000_000;

/// How orders come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Arrival {
    /// So many are open at any time: whenever one ends, another one is placed.
    Open(usize),
    /// So many are placed each second, whatever becomes of them.
    Rate(f64),
}

/// What was seen from outside in the measured time.
#[derive(Debug)]
pub struct Seen {
    /// Microseconds from placing an order to reading its end.
    pub latency: Histogram<u64>,
    /// Orders that ended in the measured time.
    pub ended: u64,
    /// How long that was.
    pub lasted: Duration,
    /// Orders that had not ended when the run was given up.
    pub left_open: u64,
}

/// Places orders and reads their ends.
pub struct Load {
    orders: Writer,
    ends: Reader,
    /// When each order was placed; none once it has ended.
    placed: Vec<Option<Instant>>,
    open: usize,
    /// Ends of orders that had ended before.
    repeated: u64,
}

impl Load {
    /// Connects.
    pub fn open(brokers: &str) -> Result<Self> {
        Ok(Self {
            orders: kafka::writer(brokers, "bench-orders", 0)?,
            ends: kafka::reader(brokers, "bench-ends", &[kafka::ENDS], true)?,
            placed: Vec::new(),
            open: 0,
            repeated: 0,
        })
    }

    /// Places one order and waits for its end: the engine is ready.
    pub fn probe(&mut self, wait: Duration, mut alive: impl FnMut() -> bool) -> Result<()> {
        let deadline = Instant::now() + wait;
        self.place()?;
        while self.open > 0 {
            if !alive() {
                bail!("the engine ended by itself; its log tells why");
            }
            if Instant::now() > deadline {
                bail!("the first order did not end within {} s", wait.as_secs());
            }
            self.read_ends(Duration::from_millis(100), &mut |_| ())?;
        }
        Ok(())
    }

    /// Runs for a time and says what was seen in it.
    pub fn run(&mut self, arrival: Arrival, lasting: Duration) -> Result<Seen> {
        let mut latency = Histogram::new_with_bounds(1, LATENCY_US_MAX, 3)?;
        let mut ended = 0;
        let begun = Instant::now();
        let mut due = begun;
        while begun.elapsed() < lasting {
            let wait = self.arrive(arrival, &mut due)?;
            self.read_ends(wait, &mut |took| {
                ended += 1;
                let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
                latency.saturating_record(took_us);
            })?;
        }
        Ok(Seen { latency, ended, lasted: begun.elapsed(), left_open: 0 })
    }

    /// Places nothing more and waits for the open ones; answers how many never ended.
    pub fn drain(&mut self, wait: Duration) -> Result<u64> {
        let deadline = Instant::now() + wait;
        while self.open > 0 && Instant::now() < deadline {
            self.read_ends(Duration::from_millis(100), &mut |_| ())?;
        }
        Ok(self.open as u64)
    }

    /// How many orders have not ended.
    pub fn open_orders(&self) -> usize {
        self.open
    }

    /// How many ends came for orders that had ended before.
    pub fn repeated(&self) -> u64 {
        self.repeated
    }

    /// Places so many orders at once.
    pub fn place_all(&mut self, orders: usize) -> Result<()> {
        (0..orders).try_for_each(|_| self.place())
    }

    /// Places what is due; answers how long nothing will be due.
    fn arrive(&mut self, arrival: Arrival, due: &mut Instant) -> Result<Duration> {
        match arrival {
            Arrival::Open(most) => {
                while self.open < most {
                    self.place()?;
                }
                Ok(Duration::from_millis(100))
            }
            Arrival::Rate(each_second) => {
                let now = Instant::now();
                while *due <= now {
                    self.place()?;
                    *due += Duration::from_secs_f64(1.0 / each_second);
                }
                Ok(due.saturating_duration_since(now).min(Duration::from_millis(100)))
            }
        }
    }

    fn place(&mut self) -> Result<()> {
        let number = self.placed.len();
        let id = format!("o-{number:08}");
        let body = format!(
            "{{\"order_id\":\"{id}\",\"customer\":\"c-{:05}\",\"lines\":[{{\"sku\":\"teapot-blue\",\
             \"quantity\":1,\"price\":38.50}},{{\"sku\":\"tea-assam-250g\",\"quantity\":2,\
             \"price\":7.25}}],\"total\":53.00,\"currency\":\"EUR\",\"address\":{{\"street\":\
             \"Lindenstrasse 12\",\"city\":\"Bremen\",\"postcode\":\"28203\"}}}}",
            number % 20_000
        );
        let event_id = format!("placed-{id}");
        let headers = cloud_event(&event_id, "OrderPlaced", "shop");
        self.placed.push(Some(Instant::now()));
        self.open += 1;
        let record = BaseRecord::to(kafka::ORDERS)
            .key(id.as_bytes())
            .payload(body.as_bytes())
            .headers(headers);
        kafka::send(&self.orders, record)
    }

    /// Reads what there is, waiting at most `wait` for the first.
    fn read_ends(&mut self, wait: Duration, each: &mut impl FnMut(Duration)) -> Result<()> {
        let mut wait = wait;
        while let Some(message) = self.ends.poll(wait) {
            wait = Duration::ZERO;
            let message = message?;
            let number = order_number(&message)?;
            let placed = self.placed.get_mut(number).and_then(Option::take);
            // A second end of the same order is possible at least once; the first one counts.
            if let Some(placed) = placed {
                each(placed.elapsed());
                self.open -= 1;
            } else {
                self.repeated += 1;
            }
        }
        Ok(())
    }
}

fn order_number(message: &BorrowedMessage<'_>) -> Result<usize> {
    let key = String::from_utf8_lossy(message.key().unwrap_or_default());
    key.strip_prefix("o-")
        .and_then(|n| n.parse().ok())
        .with_context(|| format!("an end with the key '{key}', which is no order's"))
}

/// The headers of an event that is no answer.
pub fn cloud_event(id: &str, kind: &str, source: &str) -> OwnedHeaders {
    let mut headers = OwnedHeaders::new_with_capacity(8);
    for (key, value) in [
        ("ce_specversion", "1.0"),
        ("ce_id", id),
        ("ce_type", kind),
        ("ce_source", source),
        ("content-type", "application/json"),
    ] {
        headers = headers.insert(Header { key, value: Some(value) });
    }
    headers
}

/// How participants behave.
#[derive(Debug, Clone, Copy, Default)]
pub struct Manner {
    /// Of 100 cards so many are declined.
    pub declined_percent: u32,
    /// Nothing about a card is ever answered.
    pub mute_about_cards: bool,
    /// Command ids are kept, so that one that comes twice is noticed.
    pub counting: bool,
}

/// What participants have seen so far.
#[derive(Debug, Default)]
pub struct Tally {
    /// Orders of which a first attempt to charge a card has come; only when counting.
    pub cards: AtomicU64,
    /// Commands with an id that had come before; only when counting.
    pub doubled: AtomicU64,
}

/// Services that answer every command at once, or by another manner.
pub struct Participants {
    stop: Arc<AtomicBool>,
    tally: Arc<Tally>,
    thread: Option<JoinHandle<Result<()>>>,
}

impl Participants {
    /// Starts them, in one thread.
    pub fn start(brokers: &str, manner: Manner, committed: bool) -> Result<Self> {
        let commands = kafka::reader(brokers, "bench-participants", &kafka::COMMANDS, committed)?;
        let events = kafka::writer(brokers, "bench-participants", 0)?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let tally = Arc::new(Tally::default());
        let told = Arc::clone(&tally);
        let serve = move || {
            let mut ids = BTreeSet::new();
            while !stopped.load(Ordering::Relaxed) {
                if let Some(message) = commands.poll(Duration::from_millis(100)) {
                    let message = message?;
                    if manner.counting {
                        count(&message, &mut ids, &told);
                    }
                    answer(&message, &events, manner)?;
                }
            }
            Ok(())
        };
        let thread = std::thread::Builder::new().name("participants".to_owned()).spawn(serve)?;
        Ok(Self { stop, tally, thread: Some(thread) })
    }

    /// What they have seen so far.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Whether they still serve.
    pub fn are_alive(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }

    /// Stops them and says what went wrong, if anything did.
    pub fn stop(mut self) -> Result<()> {
        self.stop.store(true, Ordering::Relaxed);
        let Some(thread) = self.thread.take() else { return Ok(()) };
        match thread.join() {
            Ok(result) => result,
            Err(_) => bail!("the participants' thread panicked"),
        }
    }
}

fn count(command: &BorrowedMessage<'_>, ids: &mut BTreeSet<String>, tally: &Tally) {
    let id = kafka::header(command, "ce_id");
    if !ids.insert(id.to_owned()) {
        tally.doubled.fetch_add(1, Ordering::Relaxed);
    } else if kafka::header(command, "ce_type") == "ChargeCard" && id.ends_with("/1") {
        tally.cards.fetch_add(1, Ordering::Relaxed);
    }
}

fn answer(command: &BorrowedMessage<'_>, events: &Writer, manner: Manner) -> Result<()> {
    let Manner { declined_percent, mute_about_cards, .. } = manner;
    let id = String::from_utf8_lossy(command.key().unwrap_or_default()).into_owned();
    let declined = declined_percent > 0
        && id.strip_prefix("o-").and_then(|n| n.parse::<u32>().ok()).unwrap_or(0) % 100
            < declined_percent;
    let (topic, kind, field) = match kafka::header(command, "ce_type") {
        "ReserveStock" => ("inventory.events", "StockReserved", "reservation_id"),
        "ReleaseStock" => ("inventory.events", "StockReleased", "released_by"),
        "ChargeCard" | "RefundPayment" if mute_about_cards => return Ok(()),
        "ChargeCard" if declined => ("payments.events", "PaymentDeclined", "why"),
        "ChargeCard" => ("payments.events", "PaymentCaptured", "payment_id"),
        "RefundPayment" => ("payments.events", "PaymentRefunded", "refund_id"),
        "CreateShipment" => ("shipping.events", "ShipmentCreated", "parcel"),
        other => bail!("a command of type '{other}', which no participant knows"),
    };
    let asked = kafka::header(command, "segue-command");
    let body = format!("{{\"order_id\":\"{id}\",\"{field}\":\"{field}-{id}\"}}");
    let headers = cloud_event(&format!("{kind}-{asked}"), kind, topic)
        .insert(Header { key: "segue-command", value: Some(asked) });
    let record = BaseRecord::to(topic).key(id.as_bytes()).payload(body.as_bytes()).headers(headers);
    kafka::send(events, record)
}
