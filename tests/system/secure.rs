//! A Kafka that wants TLS and a login, of the engine as of everybody else.

use std::fs;
use std::time::Duration;

use crate::books::books;
use crate::world::{EXACTLY_ONCE, Login, World};

/// Much less than the engine's patience with a cluster that does not answer.
const REFUSED_MAX: Duration = Duration::from_secs(30);

#[test]
#[ignore = "needs a real Kafka: tests/run starts one"]
fn the_books_balance_over_tls_with_a_login_on_kafka() {
    books(World::secure("secure", EXACTLY_ONCE, 51), 100, 100.0);
}

/// Starts an engine whose login is wrong; it must say so and end.
fn told(name: &str, spoil: impl FnOnce(&mut Login), words: &str) {
    let mut world = World::secure(name, EXACTLY_ONCE, 52);
    spoil(world.login.as_mut().expect("it is secure"));
    let status = world.engine("a").end(REFUSED_MAX);
    let said = fs::read_to_string(world.log("a")).expect("a log");
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains(words) && said.contains("error: Kafka refused"), "{said}");
    let password = world.login.as_ref().map(Login::password).expect("it is secure");
    assert!(!said.contains(&password), "a password is never told: {said}");
}

#[test]
#[ignore = "needs a real Kafka: tests/run starts one"]
fn a_wrong_password_is_told_on_kafka() {
    let spoil = |login: &mut Login| {
        let wrong = login.password_file.with_extension("wrong");
        fs::write(&wrong, "hunter2-hunter2").expect("a file");
        login.password_file = wrong;
    };
    told("wrong-password", spoil, "Authentication failed");
}

#[test]
#[ignore = "needs a real Kafka: tests/run starts one"]
fn a_certificate_that_nobody_vouches_for_is_told_on_kafka() {
    // The system's own authorities know nothing of the test's.
    told("no-authority", |login| login.ca_file = None, "`kafka.security.ca-file` names");
}
