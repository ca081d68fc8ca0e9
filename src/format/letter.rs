use super::instance::{bytes, coordinate, failure_in, failure_out, instance_id, json};
use super::{Error, wire};
use crate::engine::{Letter, Say};
use crate::message::LifeId;

impl wire::Letter {
    /// Takes a letter.
    #[must_use]
    pub fn new(letter: &Letter) -> Self {
        Self {
            id: letter.id.clone(),
            saga: letter.from.saga.to_string(),
            key: letter.from.key.to_string(),
            life: letter.life.number,
            mark: letter.life.mark,
            step: letter.step.to_string(),
            round: letter.round,
            say: Some(say_out(&letter.say)),
        }
    }

    /// The letter itself.
    ///
    /// # Errors
    /// When it says nothing that can be understood.
    pub fn read(&self) -> Result<Letter, Error> {
        let say = self.say.as_ref().ok_or(Error::Field("letter"))?;
        Ok(Letter {
            id: self.id.clone(),
            from: instance_id(&self.saga, &self.key)?,
            life: LifeId { number: self.life, mark: self.mark },
            step: coordinate(&self.step)?,
            round: self.round,
            say: say_in(say)?,
        })
    }
}

fn say_out(say: &Say) -> wire::letter::Say {
    use wire::letter::Say as Out;
    match say {
        Say::Start { body, trace_parent } => {
            Out::Start(wire::Start { body: bytes(body), trace_parent: trace_parent.clone() })
        }
        Say::TakeBack { reason, reopen } => {
            Out::TakeBack(wire::TakeBack { reason: reason.clone(), reopen: *reopen })
        }
        Say::ParentGone => Out::ParentGone(true),
        Say::Ended { completed, data, failure } => Out::Ended(wire::Ended {
            completed: *completed,
            data: bytes(data),
            failure: failure.as_ref().map(failure_out),
        }),
        Say::Taken => Out::Taken(true),
        Say::TakenBack => Out::TakenBack(true),
        Say::Kept => Out::Kept(true),
        Say::Acquire { above } => Out::Acquire(*above),
        Say::Release { fence } => Out::Release(*fence),
        Say::Withdraw => Out::Withdraw(true),
        Say::Granted { fence } => Out::Granted(*fence),
        Say::Full => Out::Full(true),
    }
}

fn say_in(say: &wire::letter::Say) -> Result<Say, Error> {
    use wire::letter::Say as Out;
    Ok(match say {
        Out::Start(start) => {
            Say::Start { body: json(&start.body)?, trace_parent: start.trace_parent.clone() }
        }
        Out::TakeBack(back) => Say::TakeBack { reason: back.reason.clone(), reopen: back.reopen },
        Out::ParentGone(_) => Say::ParentGone,
        Out::Ended(ended) => Say::Ended {
            completed: ended.completed,
            data: json(&ended.data)?,
            failure: ended.failure.clone().map(failure_in).transpose()?,
        },
        Out::Taken(_) => Say::Taken,
        Out::TakenBack(_) => Say::TakenBack,
        Out::Kept(_) => Say::Kept,
        Out::Acquire(above) => Say::Acquire { above: *above },
        Out::Release(fence) => Say::Release { fence: *fence },
        Out::Withdraw(_) => Say::Withdraw,
        Out::Granted(fence) => Say::Granted { fence: *fence },
        Out::Full(_) => Say::Full,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::engine::{Failure, FailureKind};

    #[test]
    fn every_letter_reads_back_as_it_was_written() {
        let failure = Failure {
            step: "pay".parse().ok(),
            kind: FailureKind::Rejected,
            reason: "no money".to_owned(),
        };
        let says = [
            Say::Start { body: json!({"n": 1.50}), trace_parent: "00-1".to_owned() },
            Say::TakeBack { reason: "cancelled".to_owned(), reopen: true },
            Say::ParentGone,
            Say::Ended { completed: false, data: json!({}), failure: Some(failure) },
            Say::Ended { completed: true, data: json!({"a": []}), failure: None },
            Say::Taken,
            Say::TakenBack,
            Say::Kept,
            Say::Acquire { above: 0 },
            Say::Release { fence: 7 },
            Say::Withdraw,
            Say::Granted { fence: u64::MAX },
            Say::Full,
        ];
        for say in says {
            let letter = Letter {
                id: "l".to_owned(),
                from: instance_id("order", "o/1").expect("a name and a key"),
                life: LifeId { number: 2, mark: 7 },
                step: "settle[0]".parse().expect("a coordinate"),
                round: 1,
                say,
            };
            assert_eq!(wire::Letter::new(&letter).read(), Ok(letter));
        }
        assert!(wire::Letter::default().read().is_err());
    }
}
