use std::fmt;
use std::fmt::Write as _;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

/// What kind of mistake a diagnostic is about; its number never changes its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u16)]
pub enum Code {
    /// The file is not YAML.
    Syntax = 100,
    /// The file, a list or the nesting exceeds a limit.
    Limit = 101,
    /// A key that nothing reads stands here.
    UnknownKey = 102,
    /// A key that must stand here does not.
    MissingKey = 103,
    /// The value is of another kind than the key needs.
    WrongType = 104,
    /// The same key stands twice in one mapping.
    KeyTwice = 105,
    /// The value is none of those that may stand here.
    NotAChoice = 107,
    /// Two keys contradict each other.
    Contradiction = 108,
    /// YAML reads this expression as something else; it must be quoted.
    Quote = 109,
    /// A part of YAML that definitions do not use.
    Yaml = 110,
    /// An address is not `topic/event-type`.
    Address = 201,
    /// A name has characters that it may not have.
    Name = 202,
    /// The same name is given twice.
    NameTwice = 203,
    /// A duration does not parse.
    Duration = 204,
    /// A number is out of its range.
    Range = 205,
    /// A data field that nothing fills is read.
    UnknownField = 206,
    /// A name has no meaning in this place.
    OutOfScope = 207,
    /// The engine writes this header itself.
    OwnHeader = 208,
    /// A call does not say `METHOD https://host/path`.
    Url = 209,
    /// The name is the engine's own.
    Reserved = 210,
    /// A topic looks like one of the engine's own.
    EngineTopic = 211,
    /// Something is assumed of a command that no step sends.
    UnknownCommand = 212,
    /// A `saga` step names a saga that is not there, or that no parent may start.
    UnknownSaga = 213,
    /// A field is read whose name is spelt almost like that of another.
    UnlikelyField = 214,
    /// The same version of a saga stands over two texts.
    VersionTwice = 215,
    /// An expression does not parse.
    Expression = 301,
    /// A template does not parse.
    Template = 302,
    /// A value is of a kind that what is done with it does not take.
    Kinds = 303,
    /// A text in which nothing is evaluated reads like an expression.
    TextForExpression = 304,
    /// What is of one kind at one place is of another at the next.
    KindsDiffer = 305,
    /// A step in front of the pivot does not say how it is undone.
    NoCompensation = 401,
    /// A rejection behind the pivot does not say what it means.
    NoThen = 402,
    /// A pivot stands behind a pivot.
    Pivots = 403,
    /// The way back is asked for where there is none.
    NoWayBack = 404,
    /// Something is said that has no effect.
    NoEffect = 405,
    /// A pivot stands where it may not.
    PivotPlace = 406,
    /// A child with a pivot stands where its parent could still go back.
    ChildPivot = 409,
    /// A child undoes what it did, but its parent never asks it to.
    ChildNotTakenBack = 410,
    /// What should undo an action, or ask for it, does it again.
    DoneAgain = 411,
    /// The undoing is answered by what says that the action was done or refused.
    UndoneByAction = 412,
    /// The undoing is another step's, at another participant.
    UndoneByAnother = 413,
    /// The undoing is a command that can be refused, and it does not say so.
    UndoRefused = 414,
    /// The saga can be stuck, tells its other ends, and tells nobody of that.
    StuckUntold = 415,
    /// A field is read that may not be set here.
    Unset = 501,
    /// A compensation reads a field that may not be set when it is needed.
    UnsetOnWayBack = 502,
    /// The fact of an end, or a cancel, reads a field that may not be set by then.
    UnsetAtEnd = 503,
    /// A branch reads what a branch beside it sets.
    ReadsBeside = 504,
    /// Two branches beside each other set the same field.
    SetsBeside = 505,
    /// A field that the undoing of an earlier step reads is set again.
    UndoReads = 506,
    /// Two steps could take the same event.
    SameReply = 601,
    /// A rule stands for events that nothing reads.
    UnreadEvent = 602,
    /// An event is read from a topic where its answer will hardly come.
    UnlikelyTopic = 603,
    /// What the saga tells starts it again, without an end.
    StartsItself = 604,
    /// Nothing leads here.
    Unreachable = 701,
    /// The guards of a choice may leave a gap.
    NotTotal = 702,
    /// A request is repeated longer than the deadline around it allows.
    RetryTooLong = 703,
    /// A step waits longer than the deadline around it allows.
    WaitTooLong = 704,
    /// An ended instance is forgotten before its last answers can come.
    LateTooShort = 705,
    /// A step could wait for ever.
    NoDeadline = 706,
    /// More events may come early than an instance keeps.
    ManyEarly = 707,
    /// A lock stands inside a lock.
    LockInLock = 801,
    /// A child that locks is started under a lock.
    ChildLocks = 802,
    /// Two children would have the same key.
    SameChild = 803,
    /// What was done under a lock can be undone after its release.
    ReleasedEarly = 804,
    /// A parent and its child do not agree on a field.
    ChildFields = 805,
    /// A sensitive field leaves the saga in the open.
    Sensitive = 901,
    /// A field cannot be searched by: it is sensitive, nothing fills it, or there are too many.
    NotSearchable = 902,
    /// A run comes to where nothing leads to an end.
    Endless = 1001,
    /// A run completes although something was undone.
    UndoneAndCompleted = 1002,
    /// A run is compensated, and not all that may have happened was undone in reverse order.
    NotUndone = 1003,
    /// Something is sent after the end.
    SentAfterEnd = 1004,
    /// A run ends, and a lock is held or a child left behind.
    LeftBehind = 1005,
    /// A step waits for ever on some run.
    WaitsForEver = 1006,
    /// An answer is not taken by the step that asked for it.
    AnswerAstray = 1007,
    /// What comes a second time changes something.
    TakenTwice = 1008,
    /// What is read was never set on some run.
    NotFilled = 1009,
    /// There are more states than were looked at.
    TooLarge = 1010,
}

impl Code {
    /// The first code of those that tell what goes wrong on a run.
    pub const RUNS: u16 = 1000;
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SG{:04}", *self as u16)
    }
}

/// Whether a definition can run in spite of a diagnostic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// It cannot.
    Error,
    /// It can, but its author should look.
    Warning,
}

/// One mistake in a definition: what, where and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Which kind of mistake.
    pub code: Code,
    /// Whether it stops the definition from running.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// The file's name, as the caller gave it.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The place in the file's text, in bytes.
    pub span: Range<usize>,
    /// The line itself.
    pub line_text: String,
    /// How to mend it.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error that is about the whole of a line, with nothing said yet.
    #[must_use]
    pub fn of_line(code: Code, file: &str, line: u32, line_text: &str) -> Self {
        let text = line_text.trim();
        let before = line_text.len() - line_text.trim_start().len();
        Self {
            code,
            severity: Severity::Error,
            message: String::new(),
            file: file.to_owned(),
            line: line as usize,
            column: before + 1,
            span: before..before + text.len(),
            line_text: line_text.to_owned(),
            help: None,
        }
    }

    /// The diagnostic as rustc would print it.
    #[must_use]
    pub fn render(&self, colour: bool) -> String {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let line_text = if self.line_text.is_empty() { " " } else { &self.line_text };
        let snippet = Snippet::source(line_text)
            .path(self.file.as_str())
            .line_start(self.line)
            .annotation(AnnotationKind::Primary.span(self.span_in_line()));
        let code = self.code.to_string();
        let mut group = level.primary_title(self.message.as_str()).id(code).element(snippet);
        if let Some(help) = &self.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        renderer.render(&[group])
    }

    fn span_in_line(&self) -> Range<usize> {
        let before =
            self.line_text.chars().take(self.column - 1).map(char::len_utf8).sum::<usize>();
        let end = (before + self.span.len()).min(self.line_text.len()).max(before);
        let end = (before..=end).rev().find(|i| self.line_text.is_char_boundary(*i));
        before..end.unwrap_or(before)
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

/// All that is wrong with a definition, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    /// The most diagnostics that are printed of one definition.
    pub const PRINTED_MAX: usize = 50;

    pub(super) fn new(mut all: Vec<Diagnostic>) -> Self {
        all.sort_by_key(|d| (d.span.start, d.severity, d.code));
        Self(all)
    }

    /// Diagnostics of several files, in the order in which they were found.
    pub(super) fn in_order(all: Vec<Diagnostic>) -> Self {
        Self(all)
    }

    /// The diagnostics as data, in the order of the file.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Diagnostic> {
        self.0.iter()
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many of them are errors.
    #[must_use]
    pub fn errors(&self) -> usize {
        self.0.iter().filter(|d| d.severity == Severity::Error).count()
    }

    /// Adds another definition's diagnostics behind these.
    pub fn append(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// The diagnostics as rustc would print them, one after the other.
    #[must_use]
    pub fn render(&self, colour: bool) -> String {
        let shown = self.0.iter().take(Self::PRINTED_MAX).map(|d| d.render(colour));
        let mut text = shown.collect::<Vec<_>>().join("\n\n");
        if self.0.len() > Self::PRINTED_MAX {
            let more = self.0.len() - Self::PRINTED_MAX;
            write!(text, "\n\n… and {more} more").expect("writing to a string never fails");
        }
        text
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Diagnostics {}
