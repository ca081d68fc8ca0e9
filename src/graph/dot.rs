use std::fmt::Write as _;

use super::Orientation;
use super::clusters::{Clusters, Link, Look, Member, Single};
use super::mark::{Mark, Marked};
use super::picture::{EdgeRole, Picture, Shape};

/// Writes a picture as a graph for Graphviz, with how far one life is if that is given.
pub(super) fn draw(
    picture: &Picture,
    lanes: bool,
    direction: Orientation,
    marked: Option<&Marked>,
) -> String {
    let clusters = Clusters::of(picture, lanes, marked);
    let way = direction.rank_dir();
    let about = format!("{}, version {}: {}", picture.saga, picture.version, picture.title);
    let title: Vec<String> = [about].into_iter().chain(picture.notes.iter().cloned()).collect();
    let mut text = format!(
        "digraph {} {{\n  graph [rankdir={way}, labelloc=t, fontname=\"Helvetica\", label={}]\n  \
         node [shape=box, style=filled, fillcolor=\"#f3f8ff\", color=\"#4a7ebb\", \
         fontname=\"Helvetica\", fontsize=11]\n  \
         edge [color=\"#424a53\", fontname=\"Helvetica\", fontsize=10]\n",
        quoted(std::slice::from_ref(&picture.saga)),
        quoted(&title),
    );
    for member in &clusters.members {
        write(member, 1, &mut text);
    }
    for link in &clusters.links {
        let _ = writeln!(text, "  {}", arrow(link));
    }
    text.push_str("}\n");
    text
}

fn write(member: &Member, depth: usize, text: &mut String) {
    let indent = "  ".repeat(depth);
    match member {
        Member::Single(single) => {
            let (id, label, look) = (&single.id, quoted(&single.label), look(single));
            let _ = writeln!(text, "{indent}{id} [label={label}{look}]");
        }
        Member::Cluster { id, label, members } => {
            let _ = writeln!(text, "{indent}subgraph \"cluster_{id}\" {{");
            let label = quoted(label);
            let _ = writeln!(
                text,
                "{indent}  graph [label={label}, style=rounded, color=\"#8c959f\", fontsize=11]"
            );
            for member in members {
                write(member, depth + 1, text);
            }
            let _ = writeln!(text, "{indent}}}");
        }
    }
}

fn look(single: &Single) -> String {
    let shape = match single.look {
        Look::Choice => ", shape=diamond, fillcolor=\"#eaeef2\"",
        Look::Fork => ", shape=oval, fillcolor=\"#eaeef2\"",
        Look::Join => ", shape=circle, width=0.15, fixedsize=true, fillcolor=\"#eaeef2\"",
        Look::Node(shape) => match shape {
            Shape::Start => ", shape=oval, fillcolor=\"#f6f8fa\"",
            Shape::Completed => ", shape=oval, fillcolor=\"#e8f6ec\", color=\"#1f883d\"",
            Shape::Compensated => ", shape=oval, fillcolor=\"#fff8ee\", color=\"#b86114\"",
            Shape::Command => ", style=\"filled,rounded\"",
            Shape::Emit => {
                ", shape=cds, margin=\"0.3,0.15\", fillcolor=\"#eefaf5\", color=\"#2b8a6b\""
            }
            Shape::Set => ", fillcolor=\"#f6f8fa\", color=\"#8c959f\"",
            Shape::Fail => ", shape=octagon, fillcolor=\"#fff2f0\", color=\"#cf4a42\"",
            Shape::Wait => ", shape=tab, fillcolor=\"#f9f5ff\", color=\"#8465c4\"",
            Shape::Sleep => ", shape=oval, fillcolor=\"#f9f5ff\", color=\"#8465c4\"",
            Shape::Ask => ", shape=house, fillcolor=\"#f9f5ff\", color=\"#8465c4\"",
            Shape::Call => ", shape=hexagon",
            Shape::Child => ", peripheries=2",
            Shape::Undo => {
                ", style=\"filled,rounded,dashed\", fillcolor=\"#fff8ee\", color=\"#b86114\""
            }
        },
    };
    let pivot = if single.pivot { ", penwidth=3, color=\"#0b5cad\"" } else { "" };
    // Of an attribute that stands twice Graphviz takes the last.
    let mark = single.mark.map_or("", colours);
    format!("{shape}{pivot}{mark}")
}

fn colours(mark: Mark) -> &'static str {
    match mark {
        Mark::LeftOut => ", fillcolor=\"#f6f8fa\", color=\"#8c959f\"",
        Mark::Done => ", fillcolor=\"#e8f6ec\", color=\"#1f883d\"",
        Mark::Undone => ", fillcolor=\"#fff8ee\", color=\"#b86114\"",
        Mark::GivenUp => ", fillcolor=\"#fff8ee\", color=\"#9a6700\"",
        Mark::Failed => ", fillcolor=\"#fff2f0\", color=\"#cf4a42\"",
        Mark::UnderWay => ", penwidth=3, fillcolor=\"#ddf0ff\", color=\"#0b5cad\"",
        Mark::Owed => ", penwidth=3, fillcolor=\"#fff8ee\", color=\"#b86114\"",
        Mark::Stuck => ", penwidth=3, fillcolor=\"#fff2f0\", color=\"#cf4a42\"",
    }
}

fn arrow(link: &Link) -> String {
    let mut about = Vec::new();
    about.extend(link.label.clone().map(|label| format!("label={}", quoted(&[label]))));
    match link.role {
        EdgeRole::Forward => {}
        EdgeRole::Undo => about.push("style=dashed, color=\"#b86114\"".to_owned()),
        EdgeRole::Back => about.push("color=\"#b86114\", constraint=false".to_owned()),
    }
    let about = if about.is_empty() { String::new() } else { format!(" [{}]", about.join(", ")) };
    format!("{} -> {}{about}", link.from, link.to)
}

/// Lines of text in quotes; Graphviz reads entities and escapes in them.
fn quoted(lines: &[String]) -> String {
    let escaped =
        |line: &String| line.replace('\\', "\\\\").replace('"', "\\\"").replace('&', "&amp;");
    format!("\"{}\"", lines.iter().map(escaped).collect::<Vec<_>>().join("\\n"))
}
