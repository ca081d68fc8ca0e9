//! Programs that ask the API, without a process for each look.

use std::time::{Duration, Instant};

use segue::api::{Client, Endpoint, NoAnswer, ProblemTold};
use serde_json::Value;

/// The view may be some seconds behind on a busy machine.
const LOOK_MAX: Duration = Duration::from_secs(60);

/// The status of an answer to who asks too often.
const TOO_OFTEN: u16 = 429;

/// The API of a server, asked by `ana`.
pub struct Asking(Client);

impl Asking {
    pub fn at(server: &str) -> Self {
        Self(Client::new(server, None, "ana").expect("an address"))
    }

    /// Asks again where that is refused only for its being often.
    #[allow(clippy::disallowed_methods, reason = "it is given up by the clock of the test")]
    fn heard(ask: impl Fn() -> Result<Value, NoAnswer>) -> Result<Value, NoAnswer> {
        let begun = Instant::now();
        loop {
            match ask() {
                Err(NoAnswer::Problem(told))
                    if told.status == TOO_OFTEN && begun.elapsed() < LOOK_MAX => {}
                answer => return answer,
            }
        }
    }

    /// What stands there; it must be there.
    pub fn found(&self, endpoint: &Endpoint) -> Value {
        let answer = Self::heard(|| self.0.get(endpoint));
        answer.unwrap_or_else(|e| panic!("{endpoint:?}: {e}"))["found"].take()
    }

    /// Asks again until what stands there is like that: the view follows the topics.
    pub fn until(&self, endpoint: &Endpoint, is: impl Fn(&Value) -> bool) -> Value {
        self.answer(endpoint, |answer| is(&answer["found"]))["found"].take()
    }

    /// Waits until the view has read what stood on the topics when it began.
    pub fn until_whole(&self) {
        self.answer(&Endpoint::at(&["counts"]), |answer| answer["freshness"]["is_whole"] == true);
    }

    /// Waits until the view knows the definition of a saga, so that it can be started.
    pub fn until_known(&self, saga: &str) {
        self.until(&Endpoint::at(&["sagas"]), |found| {
            found.as_array().is_some_and(|rows| rows.iter().any(|row| row["saga"] == saga))
        });
    }

    #[allow(clippy::disallowed_methods, reason = "it is given up by the clock of the test")]
    fn answer(&self, endpoint: &Endpoint, is: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        loop {
            let answer = self.0.get(endpoint);
            if let Ok(answer) = &answer
                && is(answer)
            {
                return answer.clone();
            }
            assert!(begun.elapsed() < LOOK_MAX, "{endpoint:?} is another: {answer:?}");
        }
    }

    /// Does something that must be obeyed.
    pub fn done(&self, endpoint: &Endpoint, body: &Value, id: &str) -> Value {
        let answer = Self::heard(|| self.0.post(endpoint, body, Some(id)));
        answer.unwrap_or_else(|e| panic!("{endpoint:?} {body}: {e}"))["found"].take()
    }

    /// Does something that must be refused.
    pub fn refused(&self, endpoint: &Endpoint, body: &Value, id: &str) -> ProblemTold {
        match Self::heard(|| self.0.post(endpoint, body, Some(id))) {
            Err(NoAnswer::Problem(problem)) => problem,
            other => panic!("{endpoint:?} {body}: {other:?}"),
        }
    }

    /// An instance, once it is at that.
    pub fn at_last(&self, saga: &str, key: &str, state: &str) -> Value {
        let endpoint = Endpoint::at(&["instances", saga, key]);
        self.until(&endpoint, |found| found["overview"]["state"] == state)
    }
}
