use std::net::TcpListener as Listener;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::{Mutex as Door, watch};
use tokio::time::sleep;

use super::request::{self, INIT_PRODUCER_ID, Request};

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It arrives later.
    Delayed(Duration),
    /// It never arrives, and its connection breaks.
    Lost,
    /// It arrives, and its connection breaks before the answer.
    Unanswered,
}

/// Whether a client can notice that the end of its transaction is held back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// Its connection breaks, so it knows that the outcome is in doubt.
    Doubt,
    /// It is told to ask again, as if nothing had happened: no rule of the client's can help.
    None,
}

/// What the broker answered to the end of a transaction that came in the middle of a later one: 0
/// means that it ended that one.
pub type Verdict = i16;

/// Stands between clients and a broker, and does to single requests what a network does.
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
    _runtime: Runtime,
}

impl Proxy {
    /// Listens on a free port of loopback; clients wait until it knows where to go.
    pub fn listen() -> Self {
        let listener = Listener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        listener.set_nonblocking(true).expect("a socket of this system");
        let shared = Arc::new(Shared::default());
        let mut threads = tokio::runtime::Builder::new_multi_thread();
        let runtime = threads.worker_threads(2).enable_all().build().expect("threads");
        let served = Arc::clone(&shared);
        runtime.spawn(async move {
            let listener = TcpListener::from_std(listener).expect("a listener");
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(serve(client, Arc::clone(&served)));
            }
        });
        Self { port, shared, _runtime: runtime }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Passes everything on to a broker from now on.
    pub fn open(&self, broker: &str) {
        self.shared.broker.set(broker.to_owned()).expect("it is told once");
    }

    /// Decides over the next request of a kind.
    pub fn next(&self, api: i16, fate: Fate) {
        self.shared.plan().next = Some((api, fate));
    }

    /// Whether a request has met what was decided.
    pub fn has_struck(&self) -> bool {
        self.shared.plan().next.is_none()
    }

    /// Holds back the next end of a transaction, and lets it arrive when a later transaction has
    /// sent messages and not yet its state.
    pub fn hold_back(&self, notice: Notice) {
        self.shared.plan().late = Late::Wanted(notice);
    }

    /// What came of each end of a transaction that was held back.
    pub fn verdicts(&self) -> Vec<Verdict> {
        self.shared.plan().verdicts.clone()
    }
}

#[derive(Default)]
struct Shared {
    broker: OnceLock<String>,
    plan: Mutex<Plan>,
}

impl Shared {
    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn connect(&self) -> std::io::Result<TcpStream> {
        let broker = self.broker.get().ok_or(std::io::ErrorKind::NotConnected)?;
        let stream = TcpStream::connect(broker).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

#[derive(Default)]
struct Plan {
    next: Option<(i16, Fate)>,
    late: Late,
    verdicts: Vec<Verdict>,
}

/// The end of a transaction on its way to come late.
#[derive(Default)]
enum Late {
    #[default]
    Idle,
    Wanted(Notice),
    /// Held back; whether its client has asked again or begun anew, and has sent messages since.
    Held {
        request: Vec<u8>,
        again: bool,
        messages: bool,
    },
}

/// What is done with one request.
enum Step {
    Pass,
    Meet(Fate),
    /// It is held back.
    Hold(Notice),
    /// The end that was held back arrives before it.
    Overtaken(Vec<u8>),
}

impl Plan {
    fn decide(&mut self, request: &Request<'_>) -> Step {
        if let Some((_, fate)) = self.next.take_if(|(api, _)| *api == request.api) {
            return Step::Meet(fate);
        }
        match &mut self.late {
            Late::Idle => Step::Pass,
            Late::Wanted(notice) => {
                let notice = *notice;
                if !request.commits() {
                    return Step::Pass;
                }
                let request = request.frame.to_vec();
                self.late = Late::Held { request, again: false, messages: false };
                Step::Hold(notice)
            }
            Late::Held { request: held, again, messages } => {
                *again |= request.commits() || request.api == INIT_PRODUCER_ID;
                *messages |= *again && request.writes_to(".commands");
                if *messages && request.writes_to(".changelog") {
                    let held = std::mem::take(held);
                    self.late = Late::Idle;
                    return Step::Overtaken(held);
                }
                Step::Pass
            }
        }
    }
}

/// Passes requests and answers of one connection on until one side closes or it is to break.
async fn serve(client: TcpStream, shared: Arc<Shared>) {
    // A broker that is away, or a client that goes, ends the connection as it would without us.
    let Ok(broker) = shared.connect().await else { return };
    let _ = client.set_nodelay(true);
    let (mut requests, answers) = client.into_split();
    let (broker_answers, mut broker_requests) = broker.into_split();
    let answers = Arc::new(Door::new(answers));
    let (keep_back, kept_back) = watch::channel(None);
    let down = tokio::spawn(pass_answers(broker_answers, Arc::clone(&answers), kept_back));
    while let Some(frame) = read(&mut requests).await {
        let request = Request::of(&frame);
        let step = shared.plan().decide(&request);
        match step {
            Step::Pass => {}
            Step::Meet(Fate::Delayed(by)) => sleep(by).await,
            Step::Meet(Fate::Unanswered) => {
                keep_back.send_replace(Some(request.number()));
                write(&mut broker_requests, &frame).await;
                // Ends with the answer: the broker has taken the request then.
                let _ = down.await;
                return;
            }
            Step::Meet(Fate::Lost) | Step::Hold(Notice::Doubt) => break,
            Step::Hold(Notice::None) => {
                let answer = request::ask_again(&request);
                write(&mut *answers.lock().await, &answer).await;
                continue;
            }
            Step::Overtaken(late) => {
                let verdict = deliver(&shared, &late).await;
                shared.plan().verdicts.push(verdict);
            }
        }
        if !write(&mut broker_requests, &frame).await {
            break;
        }
    }
    down.abort();
}

/// Lets an end of a transaction arrive at last; answers the broker's error code.
async fn deliver(shared: &Shared, late: &[u8]) -> Verdict {
    let (mut answers, mut requests) = shared.connect().await.expect("the broker").into_split();
    assert!(write(&mut requests, late).await, "the broker takes it");
    let answer = read(&mut answers).await.expect("the broker answers");
    request::error_of_end(&answer)
}

/// Passes answers on until the broker closes, or until the one that is to be kept back.
async fn pass_answers(
    mut from: OwnedReadHalf,
    to: Arc<Door<OwnedWriteHalf>>,
    kept_back: watch::Receiver<Option<[u8; 4]>>,
) {
    while let Some(frame) = read(&mut from).await {
        let is_kept_back = kept_back.borrow().is_some_and(|number| frame.starts_with(&number));
        if is_kept_back || !write(&mut *to.lock().await, &frame).await {
            break;
        }
    }
    // The client sees the connection close.
    let _ = to.lock().await.shutdown().await;
}

/// The next request or answer, without its length; none when the other side closes.
async fn read(from: &mut OwnedReadHalf) -> Option<Vec<u8>> {
    let length = from.read_i32().await.ok()?;
    let mut frame = vec![0; usize::try_from(length).ok()?];
    from.read_exact(&mut frame).await.ok()?;
    Some(frame)
}

/// Writes a request or an answer behind its length; answers whether the other side took it.
async fn write(to: &mut OwnedWriteHalf, frame: &[u8]) -> bool {
    let length = i32::try_from(frame.len()).expect("it was read with such a length");
    let mut bytes = length.to_be_bytes().to_vec();
    bytes.extend_from_slice(frame);
    to.write_all(&bytes).await.is_ok()
}
