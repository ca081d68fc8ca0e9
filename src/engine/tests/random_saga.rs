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
        steps.push(draw.pivot("go-back"));
        let after = Spot { after_pivot: true, ..before };
        for _ in 0..draw.dice.roll(3) {
            steps.push(draw.step(after));
        }
        if draw.dice.roll(5) == 0 {
            steps.push(draw.pivot("park"));
        }
    }
    draw.whole(&steps)
}

impl Draw<'_> {
    /// The definition of some steps.
    fn whole(&mut self, steps: &[String]) -> String {
        let steps: Vec<String> = steps.iter().map(|step| format!("  - {step}")).collect();
        let steps = steps.join("\n");
        let (again, after) = (
            self.one(&["", ", again: ignore", ", again: queue", ", again: reject"]),
            self.one(&["", ", after: ignore", ", after: new", ", after: new"]),
        );
        let start = format!("{{ on: t/Placed, key: event.id{again}{after} }}");
        let second = "{ on: w/PlacedByPhone, where: event.flag, key: event.id }";
        let start = if self.few() { format!("[{start}, {second}]") } else { start };
        let asked = self.one(&["", ", where: event.flag"]);
        // Several elements of a list take the same kinds of answer.
        let by_key = self.few() && !steps.contains("each:");
        let events = if by_key { "{ key: event.id, by: any }" } else { "{ by: command-id }" };
        let mut more = String::new();
        for line in ["early: 20m", "sensitive: [data.secret]"] {
            more.extend(self.few().then(|| format!("{line}\n")));
        }
        if self.few() && steps.contains("command: t/s1,") {
            more.push_str("assume: [t/s1 never late]\n");
        }
        format!(
            "saga: s\nversion: 1\nstart: {start}\n{more}late: 3d\nwithin: 9d\n\
             cancel: {{ on: t/Cancelled, key: event.id{asked} }}\nevents: {{ t/*: {events} }}\n\
             data: {{ id: event.id, n: event.n, flag: event.flag, list: event.list, \
             at: event.at, secret: event.n }}\n\
             steps:\n{steps}\n\
             ends: {{ completed: {{ emit: t/End, with: {{ id: '${{data.id}}' }} }}, \
             compensated: {{ emit: t/Back, with: {{ why: '${{failure.reason}}' }} }}, \
             stuck: {{ emit: t/Help, with: {{ step: '${{failure.step}}' }} }} }}\n"
        )
    }

    /// Now and then.
    fn few(&mut self) -> bool {
        self.dice.roll(4) == 0
    }

    /// This, now and then.
    fn maybe(&mut self, text: &str) -> String {
        if self.few() { text.to_owned() } else { String::new() }
    }

    /// What a message carries besides.
    fn carried(&mut self) -> String {
        let key = self.maybe(", key: data.id");
        let with = self.maybe(", with: { id: '${data.id}', n: '${data.n}' }");
        let headers = self.maybe(", headers: { tenant: '${data.id}' }");
        format!("{key}{with}{headers}")
    }

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
        let (when, carried) = (self.when(), self.carried());
        let mut more = self.maybe(&format!(", set: {{ f{name}: event.n }}"));
        if spot.after_pivot {
            more.push_str(self.one(&["", ", unknown: park", ", unknown: retry"]));
        } else {
            let (probe, unknown) = match self.dice.roll(5) {
                0 | 1 => (true, ", unknown: probe"),
                2 => (true, ", unknown: compensate"),
                3 => (false, ", unknown: park"),
                _ => (false, ""),
            };
            more.push_str(unknown);
            if probe {
                let set = self.maybe(&format!(", set: {{ f{name}: event.n }}"));
                more.extend([format!(
                    ", probe: {{ command: t/{name}-ask, done: {{ on: t/{name}-found{set} }}, \
                     absent: t/{name}-absent, within: 3s, retry: {{ attempts: 2 }} }}"
                )]);
            }
            let undo = self.undo(&name);
            // What a late answer sets is known to its undoing.
            let reads = format!(
                "command: t/{name}-undo, with: {{ \
                 late: \"${{has(data.f{name}) ? data.f{name} : 9}}\" }},"
            );
            let is_set = more.contains(&format!("f{name}:")) && !spot.in_each;
            let plain = format!("command: t/{name}-undo,");
            more.push_str(&if is_set { undo.replace(&plain, &reads) } else { undo });
        }
        let done = match self.dice.roll(6) {
            0 => format!("[{{ on: t/{name}-done, set: {{ g{name}: event.n }} }}, t/{name}-fine]"),
            1 => format!("{{ on: t/{name}-done, where: event.n >= 0 }}"),
            _ => format!("t/{name}-done"),
        };
        let failed = match self.dice.roll(6) {
            0 => format!(
                "[{{ on: t/{name}-no, reason: event.why, then: {then} }}, \
                 {{ on: t/{name}-never, where: event.n > 0, then: {then} }}]"
            ),
            _ => format!("{{ on: t/{name}-no, then: {then} }}"),
        };
        format!(
            "{{ step: {name}, command: t/{name}{carried}, done: {done}, failed: {failed}, \
             within: 5s, retry: {{ {retry} }}{when}{more} }}"
        )
    }

    /// How something is undone: mostly by a command.
    fn undo(&mut self, name: &str) -> String {
        let retry = self.one(&["for: 1m", "attempts: 1"]);
        match self.dice.roll(10) {
            0 => ", compensate: none".to_owned(),
            1 => {
                format!(", compensate: {{ emit: t/{name}-sorry, with: {{ id: '${{data.id}}' }} }}")
            }
            2 => format!(
                ", compensate: {{ call: 'DELETE https://x.internal/{name}', within: 2s, \
                 retry: {{ {retry} }} }}"
            ),
            _ => {
                let set = self.maybe(&format!(", set: {{ u{name}: event.n }}"));
                format!(
                    ", compensate: {{ command: t/{name}-undo, done: t/{name}-undone, within: 5s, \
                     retry: {{ {retry} }}{set} }}"
                )
            }
        }
    }

    /// A pivot, in one of the places where it may stand.
    fn pivot(&mut self, then: &str) -> String {
        match self.dice.roll(4) {
            0 => {
                let (name, pivot) = (self.name(), self.plain_pivot(then));
                let lock = "lock: [y, x], within: 2m, failed: { then: park }, release: pivot";
                let lock = if then == "go-back" { lock.replace("park", then) } else { lock.into() };
                format!("{{ step: {name}, {lock}, steps: [{pivot}] }}")
            }
            1 => {
                let name = self.name();
                let (one, two) = (self.plain_pivot(then), self.plain_pivot(then));
                format!(
                    "{{ step: {name}, choose: [{{ when: data.flag, steps: [{one}] }}, \
                     {{ otherwise: true, steps: [{two}] }}] }}"
                )
            }
            _ => self.plain_pivot(then),
        }
    }

    fn plain_pivot(&mut self, then: &str) -> String {
        let name = self.name();
        let unknown = self.one(&["park", "retry"]);
        let undo = if self.few() { self.undo(&name) } else { String::new() };
        format!(
            "{{ step: {name}, pivot: true, command: t/{name}, done: t/{name}-done, \
             failed: {{ on: t/{name}-no, then: {then} }}, within: 5s, \
             retry: {{ attempts: 2, most: 5h }}, unknown: {unknown}{undo} }}"
        )
    }

    fn emit(&mut self, spot: Spot) -> String {
        let name = self.name();
        let undo = match self.dice.roll(6) {
            _ if spot.after_pivot => String::new(),
            0 | 1 => self.undo(&name),
            _ => format!(", compensate: {{ emit: t/{name}-sorry }}"),
        };
        let (when, carried) = (self.when(), self.carried());
        format!("{{ step: {name}, emit: t/{name}-told{carried}{when}{undo} }}")
    }

    fn set(&mut self) -> String {
        let name = self.name();
        format!("{{ step: {name}, set: {{ f{name}: key }} }}")
    }

    /// A command whose answer is given in two parts: the second one is waited for.
    fn told_in_parts(&mut self, spot: Spot) -> String {
        let (name, then) = (self.name(), self.then(spot));
        let undo = if spot.after_pivot { ", unknown: park".to_owned() } else { self.undo(&name) };
        format!(
            "{{ step: {name}, command: t/{name}, done: {{ on: w/{name}-told, where: event.n < 2 \
             }}, failed: {{ on: t/{name}-no, then: {then} }}, within: 5s, \
             retry: {{ attempts: 1, most: 5h }}{undo} }}, \
             {{ step: {name}-end, wait: {{ on: w/{name}-told, where: event.n == 2 }}, \
             within: 6h, late: go-on }}"
        )
    }

    fn wait(&mut self, spot: Spot) -> String {
        if !spot.in_each && spot.depth > 0 && self.few() {
            return self.told_in_parts(spot);
        }
        let name = self.name();
        let late =
            if spot.after_pivot { ", late: go-on" } else { self.one(&["", ", late: go-on"]) };
        let failed = if self.dice.roll(2) == 0 {
            format!(", failed: {{ on: w/{name}-wont, then: {} }}", self.then(spot))
        } else {
            String::new()
        };
        let filter = if spot.in_each { ", where: event.n == index" } else { "" };
        let remind = self.remind();
        let set = self.maybe(&format!(", set: {{ f{name}: event.n }}"));
        let other =
            if spot.in_each { String::new() } else { self.maybe(&format!(", w/{name}-call")) };
        let start = if spot.in_each { String::new() } else { self.maybe(", w/PlacedByPhone") };
        format!(
            "{{ step: {name}, wait: [{{ on: w/{name}-fact{filter}{set} }}{other}{start}]{failed}, \
             within: 6h{late}{remind} }}"
        )
    }

    fn remind(&mut self) -> &'static str {
        self.one(&["", ", remind: { after: 1h, every: 2h, emit: t/Remind }"])
    }

    fn sleep(&mut self) -> String {
        let name = self.name();
        let time = self.one(&["sleep: 2h", "sleep: 5s", "until: data.at"]);
        format!("{{ step: {name}, {time} }}")
    }

    fn ask(&mut self, spot: Spot) -> String {
        let name = self.name();
        let late =
            if spot.after_pivot { ", late: go-on" } else { self.one(&["", ", late: go-on"]) };
        let no = if spot.after_pivot { "done" } else { "failed" };
        let set = self.maybe(&format!(", set: {{ f{name}: answer.by }}"));
        let remind = self.remind();
        format!(
            "{{ step: {name}, ask: team, question: 'Well ${{data.id}}?', \
             choices: {{ yes: done, no: {no} }}, within: 5h{late}{remind}{set} }}"
        )
    }

    fn call(&mut self, spot: Spot) -> String {
        let (name, then) = (self.name(), self.then(spot));
        let mut more = self.maybe(", body: { id: '${data.id}' }");
        more.extend([
            self.maybe(", headers: { tenant: '${data.id}' }"),
            self.maybe(&format!(", set: {{ f{name}: event.status }}")),
        ]);
        if spot.after_pivot {
            more.push_str(", unknown: park");
        } else {
            more.extend([self.undo(&name)]);
        }
        format!(
            "{{ step: {name}, call: 'POST https://x.internal/{name}', done: {{ status: 2xx }}, \
             failed: {{ status: [409], then: {then} }}, within: 2s, \
             retry: {{ attempts: 2 }}{more} }}"
        )
    }

    fn child(&mut self, spot: Spot) -> String {
        let name = self.name();
        let verdict = self.verdict(spot);
        let undo = match self.dice.roll(6) {
            _ if spot.after_pivot => String::new(),
            0 => self.undo(&name),
            _ => ", compensate: child".to_owned(),
        };
        let within = self.one(&["", ", within: 30m"]);
        let set = self.maybe(&format!(", set: {{ f{name}: child.data.id }}"));
        let key = if spot.in_each { String::new() } else { self.maybe(", key: key + '/own'") };
        let key = key.replace("own", &name);
        format!(
            "{{ step: {name}, saga: child{key}, with: {{ id: '${{data.id}}' \
             }}{within}{set}{verdict}{undo} }}"
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
        let drop = if drop { ", on-failed: drop" } else { ", on-failed: go-back" };
        let at_once = self.one(&["", ", at-once: 1"]);
        let verdict = self.verdict(spot);
        let within = self.maybe(", within: 40m");
        let (first, collect) = if self.few() {
            (
                format!("{{ set: {{ f{name}: index }} }}, "),
                format!(", collect: {{ c{name}: branch.f{name} }}"),
            )
        } else {
            (String::new(), String::new())
        };
        format!(
            "{{ step: {name}, each: data.list, at-most: 2{at_once}{drop}{within}{verdict}{collect}\
             , steps: [{first}{steps}] }}"
        )
    }

    fn choose(&mut self, spot: Spot) -> String {
        let name = self.name();
        let (yes, no) = (self.steps(spot), self.steps(spot));
        let (other, total) = if self.few() {
            ("when: data.n <= 1", ", total: true")
        } else {
            ("otherwise: true", "")
        };
        let within =
            if self.few() { format!(", within: 40m{}", self.verdict(spot)) } else { String::new() };
        format!(
            "{{ step: {name}, choose: [ {{ when: data.n > 1, steps: [{yes}] }}, \
             {{ {other}, steps: [{no}] }} ]{total}{within} }}"
        )
    }

    fn lock(&mut self, spot: Spot) -> String {
        let name = self.name();
        let steps = self.steps(Spot { in_lock: true, ..spot });
        let release = self.one(&["", ", release: block", ", release: end"]);
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
