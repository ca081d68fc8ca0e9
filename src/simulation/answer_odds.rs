use crate::participants::{Script, Share};

/// How the simulated participants behave, in a thousand, whatever their scripts say of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnswerOdds {
    /// They say no, where their scripts have a no.
    pub declined: u32,
    /// They answer twice.
    pub twice: u32,
    /// They answer after the time is up.
    pub late: u32,
    /// They do not answer; whether they act is open.
    pub silent: u32,
    /// They do not say which command they answer; then an event's type and key must do.
    pub anonymous: u32,
}

impl AnswerOdds {
    /// A usual day.
    pub const USUAL: Self = Self { declined: 200, twice: 50, late: 20, silent: 10, anonymous: 0 };
    /// Nothing is ever sent again, so every command must be answered.
    pub const PROMPT: Self = Self { declined: 200, twice: 50, late: 0, silent: 0, anonymous: 0 };
    /// They do what they are told.
    pub const OBEDIENT: Self = Self { declined: 0, twice: 0, late: 0, silent: 0, anonymous: 0 };

    /// What a script says of answers and their pace; what goes wrong with them is counted as a
    /// fault, so it happens elsewhere.
    pub(super) fn over(self, script: &Script) -> Script {
        let mut script = script.clone();
        for behaviour in script.commands.values_mut() {
            let never = Share::default();
            (behaviour.duplicate, behaviour.silent, behaviour.lost) = (never, never, never);
            behaviour.late = None;
            self.weigh(behaviour.answers.iter_mut().map(|a| (&mut a.weight, a.refusal)).collect());
        }
        for call in &mut script.calls {
            (call.silent, call.failing) = (Share::default(), Share::default());
            self.weigh(call.answers.iter_mut().map(|a| (&mut a.weight, a.refusal)).collect());
        }
        for person in script.people.values_mut() {
            person.silent = Share::default();
        }
        script
    }

    /// Makes refusals as frequent as these odds say; their shares of one another stay.
    fn weigh(self, answers: Vec<(&mut u32, bool)>) {
        let sum = |no: bool| -> u32 {
            answers.iter().filter(|(_, refusal)| *refusal == no).map(|(weight, _)| **weight).sum()
        };
        let (yes, no) = (sum(false), sum(true));
        if yes == 0 || no == 0 {
            return;
        }
        for (weight, refusal) in answers {
            *weight *= if refusal { yes * self.declined } else { no * (1000 - self.declined) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CARD: &str = "
participants:
  pay/Charge:
    silent: 5%
    answers:
      - { event: paid/Paid, weight: 6 }
      - { event: paid/PaidInParts, weight: 3 }
      - { event: paid/Declined, weight: 1, refusal: true }
  pay/Refund:
    answers: [{ event: paid/Refunded, weight: 7 }]
";

    #[test]
    fn answer_odds_say_how_often_no_is_said_and_no_more() {
        let script = Script::parse("participants.yaml", CARD).expect("a script");
        let weights = |declined: u32| {
            let answer_odds = AnswerOdds { declined, ..AnswerOdds::OBEDIENT };
            let script = answer_odds.over(&script);
            let commands = script.commands.into_values();
            let weights = commands.flat_map(|b| b.answers).map(|a| a.weight);
            weights.collect::<Vec<_>>()
        };
        // 6 and 3 of 9 are four fifths, 1 is the rest.
        assert_eq!(weights(200), [6 * 800, 3 * 800, 9 * 200, 7]);
        assert_eq!(weights(0), [6000, 3000, 0, 7]);
    }
}
