use std::fmt;
use std::fs::File;
use std::io::Write as _;
use std::time::{Duration, Instant};

use segue::books::Report;

use super::is_long;

/// The most lines that an engine may write about one restart of a broker.
const LINES_MAX: usize = 12;

/// What a test saw: a line of the table, and what is asked of it.
#[derive(Debug)]
pub struct Outcome {
    pub name: String,
    /// When the test began.
    begun: Instant,
    /// The sagas that were begun, and those that have ended.
    pub placed: u64,
    pub ended: u64,
    pub report: Report,
    /// The last words of each engine that ended without being asked to.
    pub died: Vec<String>,
    /// How long after each return of a broker every shard had committed something again.
    pub back: Vec<Duration>,
    /// How often the engines were not back within all patience.
    pub never_back: usize,
    /// For each outage, how long the shard that suffered most committed nothing.
    pub pauses: Vec<Duration>,
    /// What an engine has written about each restart after which it was left alone.
    pub lines: Vec<Vec<String>>,
    /// Other things that should not have happened.
    pub complaints: Vec<String>,
}

impl Outcome {
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            begun: Instant::now(),
            placed: 0,
            ended: 0,
            report: Report::default(),
            died: Vec::new(),
            back: Vec::new(),
            never_back: 0,
            pauses: Vec::new(),
            lines: Vec::new(),
            complaints: Vec::new(),
        }
    }

    /// How many sagas were undone because no answer came.
    pub fn undone_for_silence(&self) -> u64 {
        let reasons = self.report.tally.compensated.iter();
        reasons.filter(|(reason, _)| reason.contains("has not answered")).map(|(_, n)| n).sum()
    }

    /// Adds the outcome to the table, and fails unless nothing was lost, doubled or left open, no
    /// engine ended by itself, and all came back in time.
    pub fn check(mut self, back_max: Duration) {
        let Report { violations, more, tally } = &self.report;
        let violated = violations.len() as u64 + more;
        let mut wrong = std::mem::take(&mut self.complaints);
        if violated > 0 {
            wrong.push(format!("the books do not balance:\n{}", self.report));
        }
        if self.ended < self.placed {
            wrong.push(format!("{} sagas did not end", self.placed - self.ended));
        }
        if tally.started != self.placed {
            wrong.push(format!("{} sagas started", tally.started));
        }
        for words in &self.died {
            let lines: Vec<String> = words.lines().map(str::to_owned).collect();
            wrong.push(format!("an engine ended by itself:\n{}", folded(&lines)));
        }
        if self.never_back > 0 {
            wrong.push(format!("not back at work, {} times", self.never_back));
        }
        // A machine that runs other things as well says nothing about time.
        let late = self.back.iter().max().filter(|late| is_long() && **late > back_max);
        if let Some(late) = late {
            wrong.push(format!("back at work only after {late:?}, not {back_max:?}"));
        }
        for lines in self.lines.iter().filter(|lines| lines.len() > LINES_MAX) {
            let (count, said) = (lines.len(), folded(lines));
            wrong.push(format!("{count} lines about one restart, not {LINES_MAX}:\n{said}"));
        }
        let table = format!("{HEAD}\n{self}");
        println!("{table}\n{}", self.report);
        write_down(&self);
        assert!(wrong.is_empty(), "\n{table}\n\n{}\n", wrong.join("\n\n"));
    }
}

/// The head of the table that outcomes are the lines of.
pub const HEAD: &str = "test                            sagas   open  viol.  silence  died  \
                        back p50    p99    max   pause max  lines  took";

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let open = self.placed.saturating_sub(self.ended);
        let violated = self.report.violations.len() as u64 + self.report.more;
        let (silence, died) = (self.undone_for_silence(), self.died.len());
        write!(f, "{:<30} {:>6} {open:>6} {violated:>6} ", self.name, self.placed)?;
        write!(f, "{silence:>8} {died:>5} {:>9} ", share(&self.back, 50))?;
        let never = if self.never_back > 0 { "never".to_owned() } else { share(&self.back, 100) };
        write!(f, "{:>6} {never:>6} {:>11} ", share(&self.back, 99), share(&self.pauses, 100))?;
        let lines = self.lines.iter().map(Vec::len).max();
        write!(f, "{:>6}", lines.map_or_else(|| "-".to_owned(), |lines| lines.to_string()))?;
        write!(f, " {:>5}", self.begun.elapsed().as_secs())
    }
}

/// Lines of a log without their times, each that comes again at once with its number.
fn folded(lines: &[String]) -> String {
    let timeless = |line: &String| {
        let cut = line.find("Z ").filter(|_| line.starts_with("20")).map_or(0, |at| at + 2);
        line[cut..].trim_start().to_owned()
    };
    let mut folded: Vec<(String, usize)> = Vec::new();
    for line in lines.iter().map(timeless) {
        match folded.last_mut().filter(|(last, _)| *last == line) {
            Some((_, times)) => *times += 1,
            None => folded.push((line, 1)),
        }
    }
    let texts: Vec<String> = folded.iter().map(|(line, n)| format!("{n:>4} × {line}")).collect();
    texts.join("\n")
}

/// The duration that a share of all, in percent, does not exceed; in seconds.
fn share(durations: &[Duration], percent: usize) -> String {
    let mut durations = durations.to_vec();
    durations.sort();
    let place = (durations.len() * percent).div_ceil(100).saturating_sub(1);
    durations.get(place).map_or_else(|| "-".to_owned(), |d| format!("{:.2}", d.as_secs_f64()))
}

/// Adds the line to the file that `tests/run` shows at its end.
fn write_down(outcome: &Outcome) {
    if let Some(path) = std::env::var_os("SEGUE_TEST_TABLE") {
        let file = File::options().create(true).append(true).open(path);
        writeln!(file.expect("a file for the table"), "{outcome}").expect("it is written");
    }
}
