use std::time::Duration;

use super::cluster::Cluster;
use super::drill::Drill;
use super::rounds;
use crate::cast::Cast;

/// Longer than a node's session, which is 6 s.
const FROZEN: Duration = Duration::from_secs(9);
/// The other node must hear of the session's end, and of that of an open transaction.
const BACK_MAX: Duration = Duration::from_secs(30);
const RATE: f64 = 50.0;

/// An engine stands still past its session while another one runs, and then goes on.
#[test]
#[ignore = "needs a real Kafka: tests/run starts some"]
fn an_engine_that_stood_still_does_no_harm() {
    let mut drill = Drill::on(Cluster::start(1), "engine stands still", Cast::orders, 131);
    drill.begin(&["a", "b"], RATE);
    for _ in 0..rounds(1, 10) {
        for node in ["a", "b"] {
            drill.engine(node).signal("STOP");
            drill.wait(FROZEN);
            drill.engine(node).signal("CONT");
            drill.measure();
            drill.work();
        }
    }
    drill.close().check(BACK_MAX);
}
