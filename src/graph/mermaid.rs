use std::fmt::Write as _;

use super::Orientation;
use super::clusters::{Clusters, Link, Look, Member, Single};
use super::mark::{Mark, Marked};
use super::picture::{EdgeRole, Picture, Shape};

/// How the kinds of boxes look, beyond their shapes.
const CLASSES: &str = "  classDef undo stroke:#b86114,stroke-dasharray:5 3
  classDef compensated stroke:#b86114,stroke-width:2px
  classDef completed stroke:#1f883d,stroke-width:2px
  classDef fail stroke:#cf4a42
  classDef pivot stroke:#0b5cad,stroke-width:4px
";

/// How boxes look whose step is as far as that.
const MARK_CLASSES: &str = "  classDef at_left_out fill:#f6f8fa,stroke:#8c959f
  classDef at_done fill:#e8f6ec,stroke:#1f883d
  classDef at_undone fill:#fff8ee,stroke:#b86114
  classDef at_given_up fill:#fff8ee,stroke:#9a6700
  classDef at_failed fill:#fff2f0,stroke:#cf4a42
  classDef at_under_way fill:#ddf0ff,stroke:#0b5cad,stroke-width:3px
  classDef at_owed fill:#fff8ee,stroke:#b86114,stroke-width:3px
  classDef at_stuck fill:#fff2f0,stroke:#cf4a42,stroke-width:3px
";

/// Writes a picture as a Mermaid flowchart, with how far one life is if that is given.
pub(super) fn draw(
    picture: &Picture,
    lanes: bool,
    direction: Orientation,
    marked: Option<&Marked>,
) -> String {
    let clusters = Clusters::of(picture, lanes, marked);
    let way = direction.rank_dir();
    let title = format!("{}, version {}: {}", picture.saga, picture.version, picture.title);
    let mut text = format!("---\ntitle: {}\n---\nflowchart {way}\n", quoted(&title));
    let mut classes = Vec::new();
    for member in &clusters.members {
        write(member, 1, way, &mut text, &mut classes);
    }
    for link in &clusters.links {
        let _ = writeln!(text, "  {}", arrow(link));
    }
    text.push_str(CLASSES);
    if marked.is_some() {
        text.push_str(MARK_CLASSES);
    }
    for (id, class) in classes {
        let _ = writeln!(text, "  class {id} {class}");
    }
    let back = clusters.links.iter().enumerate().filter(|(_, link)| link.role != EdgeRole::Forward);
    let back: Vec<String> = back.map(|(index, _)| index.to_string()).collect();
    if !back.is_empty() {
        let _ = writeln!(text, "  linkStyle {} stroke:#b86114", back.join(","));
    }
    text
}

fn write<'m>(
    member: &'m Member,
    depth: usize,
    way: &str,
    text: &mut String,
    classes: &mut Vec<(&'m str, &'static str)>,
) {
    let indent = "  ".repeat(depth);
    match member {
        Member::Single(single) => {
            let _ = writeln!(text, "{indent}{}{}", single.id, shaped(single));
            let both = class(single).into_iter().chain(single.mark.map(mark_class));
            classes.extend(both.map(|class| (single.id.as_str(), class)));
        }
        Member::Cluster { id, label, members } => {
            let _ = writeln!(text, "{indent}subgraph {id}[\"{}\"]", lines(label));
            let _ = writeln!(text, "{indent}  direction {way}");
            for member in members {
                write(member, depth + 1, way, text, classes);
            }
            let _ = writeln!(text, "{indent}end");
        }
    }
}

fn shaped(single: &Single) -> String {
    let (before, after) = match single.look {
        Look::Choice => ("{", "}"),
        Look::Fork => ("([", "])"),
        Look::Join => ("((", "))"),
        Look::Node(shape) => match shape {
            Shape::Start | Shape::Completed | Shape::Compensated => ("([", "])"),
            Shape::Command | Shape::Set => ("[", "]"),
            Shape::Emit => ("[/", "/]"),
            Shape::Wait => (">", "]"),
            Shape::Sleep | Shape::Undo => ("(", ")"),
            Shape::Ask => ("[/", "\\]"),
            Shape::Call => ("{{", "}}"),
            Shape::Fail => ("[\\", "\\]"),
            Shape::Child => ("[[", "]]"),
        },
    };
    format!("{before}\"{}\"{after}", lines(&single.label))
}

fn class(single: &Single) -> Option<&'static str> {
    if single.pivot {
        return Some("pivot");
    }
    match single.look {
        Look::Node(Shape::Undo) => Some("undo"),
        Look::Node(Shape::Compensated) => Some("compensated"),
        Look::Node(Shape::Completed) => Some("completed"),
        Look::Node(Shape::Fail) => Some("fail"),
        Look::Node(_) | Look::Choice | Look::Fork | Look::Join => None,
    }
}

fn mark_class(mark: Mark) -> &'static str {
    match mark {
        Mark::LeftOut => "at_left_out",
        Mark::Done => "at_done",
        Mark::Undone => "at_undone",
        Mark::GivenUp => "at_given_up",
        Mark::Failed => "at_failed",
        Mark::UnderWay => "at_under_way",
        Mark::Owed => "at_owed",
        Mark::Stuck => "at_stuck",
    }
}

fn arrow(link: &Link) -> String {
    let line = match link.role {
        EdgeRole::Forward => "-->",
        EdgeRole::Undo | EdgeRole::Back => "-.->",
    };
    let label = link.label.as_ref().map(|label| format!("|\"{}\"|", escape(label)));
    format!("{} {line}{} {}", link.from, label.unwrap_or_default(), link.to)
}

/// The lines of a box; one without text still has a space, for Mermaid wants something there.
fn lines(label: &[String]) -> String {
    if label.is_empty() {
        return " ".to_owned();
    }
    label.iter().map(|line| escape(line)).collect::<Vec<_>>().join("<br/>")
}

/// Text inside Mermaid's quotes: every sign that means something to Mermaid, HTML or Markdown is
/// written by its number.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(c) = letters.next() {
        let plain = c.is_alphanumeric() || matches!(c, ' ' | ',' | ':' | '/' | '·' | '×' | '…');
        // Inside a word they cannot begin a list.
        let inside = escaped.ends_with(char::is_alphanumeric)
            && letters.peek().is_some_and(|next| next.is_alphanumeric());
        if plain || (inside && matches!(c, '-' | '.')) {
            escaped.push(c);
        } else {
            let _ = write!(escaped, "#{};", u32::from(c));
        }
    }
    escaped
}

/// A text as YAML's double quotes carry it; a percent sign could begin a directive of Mermaid's.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string().replace('%', "\\u0025")
}
