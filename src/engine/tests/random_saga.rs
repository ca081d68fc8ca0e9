//! Draws definitions over the whole language, as their text.

use super::drive::Dice;

/// A child that can be taken back until its pivot, which half of them reach.
pub(crate) const CHILD: &str = "
saga: child
version: 1
start: { by: parent }
late: 1d
within: 10d
events: { t/*: { by: command-id } }
data: { id: event.id }
steps:
  - { step: dig, command: t/Dig, done: t/Dug, failed: t/DigNo, within: 5s, retry: { attempts: 1 },
      compensate: { command: t/Fill, done: t/Filled, within: 5s, retry: { for: 1m } } }
  - { step: rest, sleep: 1h }
  - { step: plant, command: t/Plant, done: t/Planted, failed: t/PlantNo, within: 5s,
      retry: { attempts: 1 },
      compensate: { command: t/Pull, done: t/Pulled, within: 5s, retry: { for: 1m } } }
";

/// Where a step is drawn.
#[derive(Clone, Copy)]
struct Spot {
    depth: u32,
    after_pivot: bool,
    in_lock: bool,
    in_each: bool,
}

struct Draw<'d> {
    dice: &'d mut Dice,
    names: u32,
}

/// Draws a definition.
pub(crate) fn random_saga(dice: &mut Dice) -> String {
    let mut draw = Draw { dice, names: 0 };
    let before = Spot { depth: 0, after_pivot: false, in_lock: false, in_each: false };
    let mut steps = Vec::new();
    for _ in 0..=draw.dice.roll(3) {
        steps.push(draw.step(before));
    }
    if draw.dice.roll(2) == 0 {
        steps.push(draw.pivot());
        for _ in 0..draw.dice.roll(3) {
            steps.push(draw.step(Spot { after_pivot: true, ..before }));
        }
    }
    let after = if draw.dice.roll(2) == 0 { ", after: new" } else { "" };
    let steps: Vec<String> = steps.iter().map(|step| format!("  - {step}")).collect();
    format!(
        "saga: s\nversion: 1\nstart: {{ on: t/Placed, key: event.id{after} }}\n\
         late: 3d\nwithin: 9d\n\
         cancel: {{ on: t/Cancelled, key: event.id }}\nevents: {{ t/*: {{ by: command-id }} }}\n\
         data: {{ id: event.id, n: event.n, flag: event.flag, list: event.list }}\n\
         steps:\n{}\nends: {{ completed: {{ emit: t/End }}, compensated: {{ emit: t/Back }}, \
         stuck: {{ emit: t/Help }} }}\n",
        steps.join("\n")
    )
}

impl Draw<'_> {
    fn name(&mut self) -> String {
        self.names += 1;
        format!("s{}", self.names)
    }

    fn one<'t>(&mut self, of: &[&'t str]) -> &'t str {
        self.dice.pick(of).expect("some")
    }

    fn step(&mut self, spot: Spot) -> String {
        let deep = spot.depth >= 2;
        match self.dice.roll(if deep { 11 } else { 17 }) {
            0..=3 => self.command(spot),
            4 => self.emit(spot),
            5 => self.set(),
            6 => self.wait(spot),
            7 => self.sleep(),
            8 => self.ask(spot),
            9 => self.call(spot),
            10 => self.child(spot),
            11 | 12 => self.parallel(spot),
            13 => self.each(spot),
            14 => self.choose(spot),
            15 if !spot.in_lock => self.lock(spot),
            _ => self.fail(spot),
        }
    }

    fn steps(&mut self, spot: Spot) -> String {
        let spot = Spot { depth: spot.depth + 1, ..spot };
        let steps: Vec<String> = (0..=self.dice.roll(2)).map(|_| self.step(spot)).collect();
        steps.join(", ")
    }

    fn when(&mut self) -> &'static str {
        if self.dice.roll(6) == 0 { ", when: data.flag" } else { "" }
    }

    /// What a rejection means here: after the pivot it must be said.
    fn then(&mut self, spot: Spot) -> &'static str {
        if spot.after_pivot {
            self.one(&["go-on", "park"])
        } else {
            self.one(&["go-back", "go-back", "go-on", "park"])
        }
    }

    fn verdict(&mut self, spot: Spot) -> String {
        format!(", failed: {{ then: {} }}", self.then(spot))
    }

    fn command(&mut self, spot: Spot) -> String {
        let (name, then) = (self.name(), self.then(spot));
        let retry = self.one(&["attempts: 1", "attempts: 2, first: 1s", "for: 20s"]);
        // What insists for a day does so slowly: runs should be cheap.
        let retry = if spot.after_pivot { "attempts: 1, most: 5h" } else { retry };
        let when = self.when();
        let mut more = String::new();
        if spot.after_pivot {
            more.push_str(self.one(&["", ", unknown: park", ", unknown: retry"]));
        } else {
            let (probe, unknown) = match self.dice.roll(5) {
                0 | 1 => (true, ", unknown: probe"),
                2 => (true, ""),
                3 => (false, ", unknown: park"),
                _ => (false, ""),
            };
            more.push_str(unknown);
            if probe {
                more.extend([format!(
                    ", probe: {{ command: t/{name}-ask, done: t/{name}-found, \
                     absent: t/{name}-absent, within: 3s, retry: {{ attempts: 2 }} }}"
                )]);
            }
            let undo = self.one(&["for: 1m", "attempts: 1"]);
            more.extend([format!(
                ", compensate: {{ command: t/{name}-undo, done: t/{name}-undone, within: 5s, \
                 retry: {{ {undo} }} }}"
            )]);
        }
        format!(
            "{{ step: {name}, command: t/{name}, done: t/{name}-done, \
             failed: {{ on: t/{name}-no, then: {then} }}, within: 5s, \
             retry: {{ {retry} }}{when}{more} }}"
        )
    }

    fn pivot(&mut self) -> String {
        let name = self.name();
        let unknown = self.one(&["park", "retry"]);
        let pivot = format!(
            "{{ step: {name}, pivot: true, command: t/{name}, done: t/{name}-done, \
             failed: t/{name}-no, within: 5s, \
             retry: {{ attempts: 2, most: 5h }}, unknown: {unknown} }}"
        );
        match self.dice.roll(3) {
            0 => format!(
                "{{ step: {name}-lock, lock: [y, x], within: 2m, release: pivot, \
                 steps: [{pivot}] }}"
            ),
            _ => pivot,
        }
    }

    fn emit(&mut self, spot: Spot) -> String {
        let name = self.name();
        let undo = if spot.after_pivot {
            String::new()
        } else {
            format!(", compensate: {{ emit: t/{name}-sorry }}")
        };
        let when = self.when();
        format!("{{ step: {name}, emit: t/{name}-told{when}{undo} }}")
    }

    fn set(&mut self) -> String {
        let name = self.name();
        format!("{{ step: {name}, set: {{ f{name}: key }} }}")
    }

    fn wait(&mut self, spot: Spot) -> String {
        let name = self.name();
        let late =
            if spot.after_pivot { ", late: go-on" } else { self.one(&["", ", late: go-on"]) };
        let failed = if self.dice.roll(2) == 0 {
            format!(", failed: {{ on: w/{name}-wont, then: {} }}", self.then(spot))
        } else {
            String::new()
        };
        let filter = if spot.in_each { ", where: event.n == index" } else { "" };
        let remind = self.one(&["", ", remind: { after: 1h, every: 2h, emit: t/Remind }"]);
        format!(
            "{{ step: {name}, wait: {{ on: w/{name}-fact{filter} }}{failed}, \
             within: 6h{late}{remind} }}"
        )
    }

    fn sleep(&mut self) -> String {
        let name = self.name();
        let time = self.one(&["2h", "5s"]);
        format!("{{ step: {name}, sleep: {time} }}")
    }

    fn ask(&mut self, spot: Spot) -> String {
        let name = self.name();
        let late =
            if spot.after_pivot { ", late: go-on" } else { self.one(&["", ", late: go-on"]) };
        let no = if spot.after_pivot { "done" } else { "failed" };
        format!(
            "{{ step: {name}, ask: team, question: 'Well ${{data.id}}?', \
             choices: {{ yes: done, no: {no} }}, within: 5h{late} }}"
        )
    }

    fn call(&mut self, spot: Spot) -> String {
        let (name, then) = (self.name(), self.then(spot));
        let more = if spot.after_pivot {
            ", unknown: park".to_owned()
        } else {
            format!(
                ", compensate: {{ call: 'DELETE https://x.internal/{name}', within: 2s, \
                 retry: {{ for: 1m }} }}"
            )
        };
        format!(
            "{{ step: {name}, call: 'POST https://x.internal/{name}', done: {{ status: 2xx }}, \
             failed: {{ status: [409], then: {then} }}, within: 2s, \
             retry: {{ attempts: 2 }}{more} }}"
        )
    }

    fn child(&mut self, spot: Spot) -> String {
        let name = self.name();
        let verdict = self.verdict(spot);
        let undo = if spot.after_pivot { "" } else { ", compensate: child" };
        let within = self.one(&["", ", within: 30m"]);
        format!(
            "{{ step: {name}, saga: child, with: {{ id: '${{data.id}}' }}{within}{verdict}{undo} }}"
        )
    }

    fn parallel(&mut self, spot: Spot) -> String {
        let name = self.name();
        let inner = Spot { ..spot };
        let first = self.dice.roll(2) == 0;
        let dropping = Spot { after_pivot: false, ..inner };
        let inner = if first { dropping } else { inner };
        let (one, two) = (self.steps(inner), self.steps(inner));
        let within = self.dice.roll(3) == 0;
        let mut more = String::new();
        if first {
            more.push_str(", join: first");
        }
        if within {
            more.push_str(", within: 20m");
        }
        if first || within {
            more.push_str(&self.verdict(spot));
        }
        format!("{{ step: {name}, parallel: {{ one: [{one}], two: [{two}] }}{more} }}")
    }

    fn each(&mut self, spot: Spot) -> String {
        let name = self.name();
        let drop = self.dice.roll(2) == 0;
        let inner = Spot { in_each: true, ..spot };
        let inner = if drop { Spot { after_pivot: false, ..inner } } else { inner };
        let steps = self.steps(inner);
        let drop = if drop { ", on-failed: drop" } else { "" };
        let at_once = self.one(&["", ", at-once: 1"]);
        let verdict = self.verdict(spot);
        format!(
            "{{ step: {name}, each: data.list, at-most: 2{at_once}{drop}{verdict}, \
             steps: [{steps}] }}"
        )
    }

    fn choose(&mut self, spot: Spot) -> String {
        let name = self.name();
        let (yes, no) = (self.steps(spot), self.steps(spot));
        format!(
            "{{ step: {name}, choose: [ {{ when: data.n > 1, steps: [{yes}] }}, \
             {{ otherwise: true, steps: [{no}] }} ] }}"
        )
    }

    fn lock(&mut self, spot: Spot) -> String {
        let name = self.name();
        let steps = self.steps(Spot { in_lock: true, ..spot });
        let release = self.one(&["", ", release: end"]);
        let keys = self.one(&["x", "y, x", "'${data.id}'"]);
        let verdict = self.verdict(spot);
        format!(
            "{{ step: {name}, lock: [{keys}], within: 10m{verdict}{release}, steps: [{steps}] }}"
        )
    }

    fn fail(&mut self, spot: Spot) -> String {
        if spot.after_pivot {
            return self.set();
        }
        "{ fail: 'no way', when: data.flag }".to_owned()
    }
}
