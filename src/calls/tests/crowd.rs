use std::time::Duration;

use serde_json::json;
use tokio::sync::{Semaphore, mpsc};
use tokio::time;

use super::*;

const ERROR: &str = "HTTP/1.1 500 Broken\r\ncontent-length: 0\r\n\r\n";

/// A server that says when it was asked and answers when it is allowed to.
struct Gate {
    server: Server,
    asked: mpsc::UnboundedReceiver<()>,
    answers: Arc<Semaphore>,
}

impl Gate {
    async fn start() -> Self {
        let (told, asked) = mpsc::unbounded_channel();
        let answers = Arc::new(Semaphore::new(0));
        let gate = Arc::clone(&answers);
        let server = Server::start(move |mut wire| {
            let (told, gate) = (told.clone(), Arc::clone(&gate));
            async move {
                while wire.request().await.is_some() {
                    let _ = told.send(());
                    gate.acquire().await.expect("it is open").forget();
                    wire.send(OK).await;
                }
            }
        })
        .await;
        Self { server, asked, answers }
    }

    /// Waits until so many calls are with the server; there are no more.
    async fn asked(&mut self, calls: usize) {
        for _ in 0..calls {
            self.asked.recv().await.expect("a call");
        }
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
        assert!(self.asked.try_recv().is_err(), "more than {calls} calls at once");
    }
}

#[tokio::test]
async fn a_host_gets_so_many_calls_at_once_and_the_next_one_when_one_ends() {
    let mut gate = Gate::start().await;
    let settings = Settings { host_at_once_max: 3, ..near(&[&gate.server.address.to_string()]) };
    let mut queue = queue_with(settings, Arc::default());
    for _ in 0..10 {
        queue.start(get(&gate.server.url("/")), traced());
    }
    gate.asked(3).await;
    for left in (0..10).rev() {
        gate.answers.add_permits(1);
        assert_eq!(answered(queue.next().await.outcome), (200, json!({})));
        assert_eq!(queue.under_way(), left);
        gate.asked(usize::from(left >= 3)).await;
    }
    assert!(gate.server.connections() <= 3);
}

#[tokio::test]
async fn all_hosts_together_get_so_many_calls_at_once() {
    let (mut one, mut two) = (Gate::start().await, Gate::start().await);
    let hosts = [one.server.address.to_string(), two.server.address.to_string()];
    let settings =
        Settings { at_once_max: 3, host_at_once_max: 2, ..near(&[&hosts[0], &hosts[1]]) };
    let mut queue = queue_with(settings, Arc::default());
    for _ in 0..2 {
        queue.start(get(&one.server.url("/")), traced());
    }
    one.asked(2).await;
    for _ in 0..2 {
        queue.start(get(&two.server.url("/")), traced());
    }
    two.asked(1).await;
    one.answers.add_permits(1);
    queue.next().await;
    two.asked(1).await;
}

#[tokio::test]
async fn what_does_not_fit_fails_at_once_and_room_comes_back() {
    let mut gate = Gate::start().await;
    let other = Server::answering(OK).await;
    let hosts = [gate.server.address.to_string(), other.address.to_string()];
    let settings = Settings {
        at_once_max: 4,
        host_at_once_max: 1,
        waiting_max: 100,
        host_waiting_max: 2,
        ..near(&[&hosts[0], &hosts[1]])
    };
    let mut queue = queue_with(settings.clone(), Arc::default());
    for _ in 0..5 {
        queue.start(get(&gate.server.url("/")), traced());
    }
    gate.asked(1).await;
    for called in queue.finished() {
        assert_eq!(reason(called.outcome), "too many calls wait for this host");
    }
    assert_eq!(queue.under_way(), 3);
    // Another host has room of its own.
    assert_eq!(answered(made(&mut queue, get(&other.url("/"))).await).0, 200);
    gate.answers.add_permits(10);
    for _ in 0..3 {
        assert_eq!(answered(queue.next().await.outcome).0, 200);
    }
    assert_eq!(answered(made(&mut queue, get(&gate.server.url("/"))).await).0, 200);

    let mut gate = Gate::start().await;
    let host = gate.server.address.to_string();
    let all = Settings { waiting_max: 1, at_once_max: 1, host_waiting_max: 100, ..near(&[&host]) };
    let mut queue = queue_with(all, Arc::default());
    for _ in 0..3 {
        queue.start(get(&gate.server.url("/")), traced());
    }
    gate.asked(1).await;
    let refused: Vec<_> =
        queue.finished().into_iter().map(|called| reason(called.outcome)).collect();
    assert_eq!(refused, ["too many calls wait"]);
}

#[tokio::test]
async fn a_call_whose_time_is_up_before_its_turn_is_never_sent() {
    let mut gate = Gate::start().await;
    let settings = Settings { host_at_once_max: 1, ..near(&[&gate.server.address.to_string()]) };
    let mut queue = queue_with(settings, Arc::default());
    queue.start(get(&gate.server.url("/")), traced());
    gate.asked(1).await;
    queue.start(Call { within: Span::seconds(2), ..get(&gate.server.url("/")) }, traced());
    tokio::task::yield_now().await;
    time::pause();
    let reason = reason(queue.next().await.outcome);
    assert_eq!(reason, "2s were over before it was its turn; nothing was sent");
    time::resume();
    gate.answers.add_permits(1);
    assert_eq!(answered(queue.next().await.outcome).0, 200);
    gate.asked(0).await;
}

#[tokio::test]
async fn one_dead_host_holds_up_nobody() {
    let mut dead = Gate::start().await;
    let alive = Server::answering(OK).await;
    let named: Vec<String> = (0..50).map(|n| format!("h{n}.example:{}", alive.port())).collect();
    let dead_host = dead.server.address.to_string();
    let mut hosts: Vec<&str> = named.iter().map(String::as_str).collect();
    hosts.push(&dead_host);
    let addresses: &[&[&str]] = &[&["127.0.0.1"]];
    let names: Vec<String> = (0..50).map(|n| format!("h{n}.example")).collect();
    let known: Vec<_> = names.iter().map(|name| (name.as_str(), addresses)).collect();
    let settings = Settings {
        at_once_max: 8,
        host_at_once_max: 4,
        failures_max: 4,
        pause: Duration::from_secs(3600),
        ..near(&hosts)
    };
    let mut queue = queue_with(settings, Arc::new(Names::of(&known)));
    for number in 0..100 {
        let within = Span::seconds(if number < 4 { 30 } else { 60 });
        queue.start(Call { within, ..get(&dead.server.url("/")) }, traced());
    }
    dead.asked(4).await;
    for host in &named {
        queue.start(get(&format!("http://{host}/")), traced());
    }
    for _ in 0..50 {
        assert_eq!(answered(queue.next().await.outcome).0, 200);
    }
    assert_eq!(queue.under_way(), 100);
    // Four run out of time and open the circuit. By then the next three may have been sent; all
    // others are told at once, long before their own time is up.
    time::pause();
    let mut late = 0;
    for _ in 0..100 {
        let reason = reason(queue.next().await.outcome);
        if reason.starts_with("no answer within ") {
            late += 1;
        } else {
            assert!(reason.contains(" times in a row and is not called"), "{reason}");
        }
    }
    assert!((4..8).contains(&late), "{late} were sent");
}

#[tokio::test]
async fn errors_in_a_row_open_the_circuit_and_a_probe_closes_it() {
    let (switch, ill) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (well, count) = (Arc::clone(&switch), Arc::clone(&ill));
    let server = Server::start(move |mut wire| {
        let (well, count) = (Arc::clone(&well), Arc::clone(&count));
        async move {
            while wire.request().await.is_some() {
                count.fetch_add(1, Ordering::Relaxed);
                wire.send(if well.load(Ordering::Relaxed) == 0 { ERROR } else { OK }).await;
            }
        }
    })
    .await;
    let mut queue = queue(&[&server]);
    for _ in 0..5 {
        assert_eq!(answered(made(&mut queue, get(&server.url("/"))).await).0, 500);
    }
    let reason = reason(made(&mut queue, get(&server.url("/"))).await);
    let words =
        format!("{} failed 5 times in a row and is not called for another ", server.address);
    assert!(reason.starts_with(&words), "{reason}");
    pass(Duration::from_secs(11)).await;
    // The probe fails, and the circuit is open for another pause.
    assert_eq!(answered(made(&mut queue, get(&server.url("/"))).await).0, 500);
    let reason = super::reason(made(&mut queue, get(&server.url("/"))).await);
    assert!(reason.contains("failed 6 times in a row"), "{reason}");
    assert_eq!(ill.load(Ordering::Relaxed), 6, "it was left alone");
    pass(Duration::from_secs(11)).await;
    switch.store(1, Ordering::Relaxed);
    for _ in 0..3 {
        assert_eq!(answered(made(&mut queue, get(&server.url("/"))).await).0, 200);
    }
}

#[tokio::test]
async fn while_a_probe_is_under_way_other_calls_fail_at_once() {
    let mut gate = Gate::start().await;
    let host = gate.server.address.to_string();
    // The probe has the only place: nobody waits for it.
    let settings = Settings { failures_max: 1, host_at_once_max: 1, ..near(&[&host]) };
    let mut queue = queue_with(settings, Arc::default());
    queue.start(get(&gate.server.url("/")), traced());
    gate.asked(1).await;
    time::pause();
    assert!(reason(queue.next().await.outcome).starts_with("no answer within 30s"));
    time::advance(Duration::from_secs(10)).await;
    time::resume();
    gate.answers.add_permits(1);
    queue.start(get(&gate.server.url("/")), traced());
    gate.asked(1).await;
    let reason = reason(made(&mut queue, get(&gate.server.url("/"))).await);
    assert!(reason.ends_with("one call finds out whether it is well"), "{reason}");
    gate.answers.add_permits(1);
    assert_eq!(answered(queue.next().await.outcome).0, 200);
    gate.answers.add_permits(1);
    assert_eq!(answered(made(&mut queue, get(&gate.server.url("/"))).await).0, 200);
}

#[tokio::test]
async fn the_circuit_of_one_host_is_no_others() {
    let (ill, well) = (Server::answering(ERROR).await, Server::answering(OK).await);
    let mut queue = queue(&[&ill, &well]);
    for _ in 0..6 {
        made(&mut queue, get(&ill.url("/"))).await;
        assert_eq!(answered(made(&mut queue, get(&well.url("/"))).await).0, 200);
    }
    assert!(reason(made(&mut queue, get(&ill.url("/"))).await).contains("failed 5 times"));
}

/// Lets so much time pass at once.
async fn pass(time: Duration) {
    time::pause();
    time::advance(time).await;
    time::resume();
}
