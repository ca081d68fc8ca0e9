use super::instance::{bytes, json};
use super::{Error, wire};
use crate::engine::{CallOutcome, Called};

impl wire::Called {
    /// Takes what came of a call.
    #[must_use]
    pub fn new(called: &Called) -> Self {
        use wire::called::Outcome;
        let outcome = match &called.outcome {
            CallOutcome::Answered { status, headers, body } => {
                let header = |(name, value): &(String, String)| wire::Header {
                    name: name.clone(),
                    value: value.clone(),
                };
                Outcome::Answered(wire::CallAnswer {
                    status: u32::from(*status),
                    headers: headers.iter().map(header).collect(),
                    body: bytes(body),
                })
            }
            CallOutcome::Failed { reason, .. } => Outcome::Failed(reason.clone()),
        };
        let unsent = matches!(called.outcome, CallOutcome::Failed { unsent: true, .. });
        Self { command: called.command.clone(), outcome: Some(outcome), unsent }
    }

    /// What came of the call.
    ///
    /// # Errors
    /// When it cannot be understood.
    pub fn read(&self) -> Result<Called, Error> {
        use wire::called::Outcome;
        let outcome = match self.outcome.as_ref().ok_or(Error::Field("outcome"))? {
            Outcome::Answered(answer) => CallOutcome::Answered {
                status: u16::try_from(answer.status).map_err(|_| Error::Field("status"))?,
                headers: answer.headers.iter().map(|h| (h.name.clone(), h.value.clone())).collect(),
                body: json(&answer.body)?,
            },
            Outcome::Failed(reason) => {
                CallOutcome::Failed { reason: reason.clone(), unsent: self.unsent }
            }
        };
        Ok(Called { command: self.command.clone(), outcome })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_came_of_a_call_reads_back_as_it_was_written() {
        let answered = CallOutcome::Answered {
            status: 409,
            headers: vec![("etag".to_owned(), "x".to_owned())],
            body: json!({"why": "late"}),
        };
        let failed = |unsent| CallOutcome::Failed { reason: "refused".to_owned(), unsent };
        for outcome in [answered, failed(false), failed(true)] {
            let called = Called { command: "a/b/1/c/1".to_owned(), outcome };
            assert_eq!(wire::Called::new(&called).read(), Ok(called));
        }
        assert!(wire::Called::default().read().is_err());
    }
}
