//! Draws definitions as their text: with fan-outs whose elements are alike, and with locks.

use crate::engine::tests::drive::Dice;

struct Draw<'d> {
    dice: &'d mut Dice,
    names: u32,
}

/// How many drawn definitions a test looks at, unless `SEGUE_DRAWN_SAGAS` says how many.
pub(super) fn drawn_sagas(unless_said: usize) -> usize {
    said("SEGUE_DRAWN_SAGAS", unless_said)
}

/// How many states one of them has at most, unless `SEGUE_DRAWN_STATES` says how many.
pub(super) fn drawn_states(unless_said: usize) -> usize {
    said("SEGUE_DRAWN_STATES", unless_said)
}

fn said(variable: &str, unless_said: usize) -> usize {
    let said = std::env::var(variable).ok();
    said.map_or(unless_said, |count| count.parse().expect("a number"))
}

/// Draws a definition: a fan-out, and perhaps something before, beside or behind it.
pub(super) fn fan_out(dice: &mut Dice) -> String {
    let mut draw = Draw { dice, names: 0 };
    let each = draw.each();
    let mut steps = match draw.dice.roll(6) {
        0 => vec![draw.beside(&each)],
        1 => vec![draw.command(""), each],
        2 => vec![each, draw.each()],
        _ => vec![each],
    };
    if draw.dice.roll(3) == 0 {
        let when = draw.one(&["", ", when: size(data.all1) > 1"]);
        let step = draw.command(when);
        steps.push(step);
    }
    let steps: Vec<String> = steps.iter().map(|step| format!("  - {step}")).collect();
    let within = draw.one(&["", "within: 9d\n"]);
    format!(
        "saga: s\nversion: 1\nstart: {{ on: t/Placed, key: event.id }}\nlate: 9d\n{within}\
         events: {{ t/*: {{ by: command-id }} }}\ndata: {{ list: event.list }}\n\
         steps:\n{}\n",
        steps.join("\n")
    )
}

/// Draws a definition with branches beside each other, and perhaps something before or behind.
pub(super) fn beside(dice: &mut Dice) -> String {
    let mut draw = Draw { dice, names: 0 };
    let branches = draw.one(&["2", "2", "3"]).parse().expect("a number");
    let mut all = Vec::new();
    for branch in 0..branches {
        let mut steps = vec![draw.branch_step()];
        if branches == 2 && draw.dice.roll(3) == 0 {
            steps.push(draw.branch_step());
        }
        all.push(format!("b{branch}: [{}]", steps.join(", ")));
    }
    let (name, join) = (draw.name(), draw.one(&["", "", ", join: first"]));
    let within = draw.one(&["", "", ", within: 2h", ", within: 2h, failed: { then: go-on }"]);
    let parallel = format!("{{ step: {name}, parallel: {{ {} }}{join}{within} }}", all.join(", "));
    let steps = match draw.dice.roll(4) {
        0 => vec![draw.command(""), parallel],
        1 => vec![parallel, draw.command("")],
        _ => vec![parallel],
    };
    let steps: Vec<String> = steps.iter().map(|step| format!("  - {step}")).collect();
    let within = draw.one(&["", "within: 9d\n"]);
    let by = draw.one(&["", "events: { t/*: { by: command-id } }\n"]);
    format!(
        "saga: s\nversion: 1\nstart: {{ on: t/Placed, key: event.id }}\nlate: 9d\n{within}{by}\
         data: {{ list: event.list, n: event.n }}\nsteps:\n{}\n",
        steps.join("\n")
    )
}

/// Draws a definition with one lock, and steps under it, beside it and behind it.
pub(super) fn locked(dice: &mut Dice) -> String {
    let mut draw = Draw { dice, names: 0 };
    let inside = match draw.dice.roll(4) {
        0 => vec![draw.command("")],
        1 => {
            let (name, one, two) = (draw.name(), draw.command(""), draw.command(""));
            let join = draw.one(&["", ", join: first"]);
            vec![format!("{{ step: {name}, parallel: {{ one: [{one}], two: [{two}] }}{join} }}")]
        }
        2 => vec![draw.command(""), draw.command("")],
        _ => vec![draw.command(""), "{ step: pivot, emit: t/told, pivot: true }".to_owned()],
    };
    let ends_at_pivot = inside.last().is_some_and(|step| step.contains("pivot: true"));
    let releases: &[&str] =
        if ends_at_pivot { &["block", "end"] } else { &["block", "pivot", "end"] };
    let release = draw.one(releases);
    let lock = format!(
        "{{ step: alone, lock: [ 'key/${{data.id}}' ], within: 1d, release: {release}, \
         steps: [{}] }}",
        inside.join(", ")
    );
    let mut steps = vec![lock];
    let has_pivot = steps[0].contains("pivot: true");
    if !has_pivot && draw.dice.roll(2) == 0 {
        steps.push(match draw.dice.roll(2) {
            0 => "{ step: pivot, emit: t/told, pivot: true }".to_owned(),
            _ => {
                "{ step: pivot, command: t/p, done: t/p-done, pivot: true, within: 5s }".to_owned()
            }
        });
    }
    if has_pivot || steps.len() > 1 {
        let name = draw.name();
        let behind = format!("command: t/{name}, done: t/{name}-done, within: 5s");
        match draw.dice.roll(3) {
            0 => steps.push(format!("{{ step: {name}, {behind} }}")),
            1 if release != "end" => steps.push(format!(
                "{{ step: again, lock: [ 'other/${{data.id}}' ], within: 1d, \
                 failed: {{ then: go-on }}, steps: [ {{ step: {name}, {behind} }} ] }}"
            )),
            _ => {}
        }
    }
    let steps: Vec<String> = steps.iter().map(|step| format!("  - {step}")).collect();
    format!(
        "saga: s\nversion: 1\nstart: {{ on: t/Placed, key: event.id }}\nlate: 9d\nwithin: 5d\n\
         events: {{ t/*: {{ by: command-id }} }}\ndata: {{ id: event.id }}\n\
         steps:\n{}\n",
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

    fn each(&mut self) -> String {
        let name = self.name();
        let mut steps = vec![self.inside()];
        if self.dice.roll(3) == 0 {
            steps.push(self.inside());
        }
        let more = self.one(&["", ", on-failed: drop", ", on-failed: drop, at-once: 1"]);
        let within = self.one(&["", "", ", within: 2h", ", within: 2h, failed: { then: go-on }"]);
        let number = &name[1..];
        format!(
            "{{ step: {name}, each: data.list, at-most: 9{more}{within}, \
             collect: {{ all{number}: item }}, steps: [{}] }}",
            steps.join(", ")
        )
    }

    fn beside(&mut self, each: &str) -> String {
        let (name, other) = (self.name(), self.command(""));
        let join = self.one(&["", ", join: first"]);
        format!("{{ step: {name}, parallel: {{ one: [{each}], two: [{other}] }}{join} }}")
    }

    /// A step of a branch that is no element's.
    fn branch_step(&mut self) -> String {
        match self.dice.roll(8) {
            0 => {
                let name = self.name();
                format!(
                    "{{ step: {name}, each: data.list, at-most: 3, steps: [{}] }}",
                    self.command("")
                )
            }
            1 => {
                let (name, one, two) = (self.name(), self.command(""), self.command(""));
                format!("{{ step: {name}, parallel: {{ x{name}: [{one}], y{name}: [{two}] }} }}")
            }
            2 => self.command(", when: data.n > 1"),
            3 => {
                let name = self.name();
                format!("{{ step: {name}, wait: u/{name}-heard, within: 5h }}")
            }
            _ => self.command(""),
        }
    }

    /// A step of a branch.
    fn inside(&mut self) -> String {
        match self.dice.roll(10) {
            0 => {
                let name = self.name();
                format!("{{ step: {name}, emit: t/{name}-told, compensate: none }}")
            }
            1 => {
                let name = self.name();
                format!(
                    "{{ step: {name}, ask: team, question: 'Is ${{item}} well?', \
                     choices: {{ yes: done, no: failed }}, within: 5h }}"
                )
            }
            2 => {
                let name = self.name();
                format!("{{ step: {name}, sleep: 5s }}")
            }
            3 => {
                let (name, yes) = (self.name(), self.command(""));
                format!(
                    "{{ step: {name}, choose: [ {{ when: item.n > 1, steps: [{yes}] }}, \
                     {{ otherwise: true, steps: [] }} ] }}"
                )
            }
            4 => {
                let name = self.name();
                format!("{{ step: {name}, set: {{ f{name}: item.name }} }}")
            }
            _ => {
                let when = self.one(&["", "", "", ", when: item.flag"]);
                self.command(when)
            }
        }
    }

    fn command(&mut self, more: &str) -> String {
        let name = self.name();
        let then = self.one(&["go-back", "go-back", "go-on", "park"]);
        let unknown = self.one(&["", "", ", unknown: park"]);
        let undo = match self.dice.roll(3) {
            0 => "none".to_owned(),
            _ => format!("{{ command: t/{name}-undo, done: t/{name}-undone, within: 5s }}"),
        };
        let done = match self.dice.roll(3) {
            0 => format!("[ {{ on: t/{name}-done, where: event.ok }}, t/{name}-good ]"),
            _ => format!("t/{name}-done"),
        };
        let failed = match self.dice.roll(3) {
            0 => String::new(),
            _ => format!(", failed: {{ on: t/{name}-no, then: {then} }}"),
        };
        format!(
            "{{ step: {name}, command: t/{name}, done: {done}{failed}, within: 5s, \
             compensate: {undo}{unknown}{more} }}"
        )
    }
}
