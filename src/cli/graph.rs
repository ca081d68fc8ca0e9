use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::ValueEnum;

use super::{FINDINGS, complain, say};
use crate::definition::{self, Definition};
use crate::graph::{self, Options};
use crate::node::files;

/// What is drawn, and how.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// In what to draw
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Give each participant a lane of its own
    #[arg(long)]
    lanes: bool,
    /// Which way the way forward runs; the tree of `text` always runs down
    #[arg(long, value_enum, default_value_t = Orientation::Down)]
    direction: Orientation,
    /// Write to this file; for several definitions a folder, which gets a file for each
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Definitions, or folders that hold some; a child that is among them is drawn in its parent
    #[arg(required = true)]
    paths: Vec<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A drawing for browsers and documents, in light and dark
    Svg,
    /// A flowchart for Mermaid
    Mermaid,
    /// A graph for Graphviz
    Dot,
    /// A tree for the terminal
    Text,
}

impl Format {
    /// How the name of its file ends.
    fn extension(self) -> &'static str {
        match self {
            Self::Svg => "svg",
            Self::Mermaid => "mmd",
            Self::Dot => "dot",
            Self::Text => "txt",
        }
    }

    fn drawn(self) -> graph::Format {
        match self {
            Self::Svg => graph::Format::Svg,
            Self::Mermaid => graph::Format::Mermaid,
            Self::Dot => graph::Format::Dot,
            Self::Text => graph::Format::Text,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Orientation {
    /// Top down
    Down,
    /// Left to right
    Right,
}

/// Draws definitions; what is wrong with one goes to stderr.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let (definitions, wrong) = read(&arguments.paths)?;
    let known: Vec<&Definition> = definitions.iter().collect();
    let options = Options {
        format: arguments.format.drawn(),
        lanes: arguments.lanes,
        direction: match arguments.direction {
            Orientation::Down => graph::Orientation::Down,
            Orientation::Right => graph::Orientation::Right,
        },
    };
    let draw = |definition: &Definition| graph::draw(definition, &known, &options);
    match (&arguments.output, definitions.as_slice()) {
        (_, []) => {}
        (Some(folder), several) if several.len() > 1 || folder.is_dir() => {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("{}: no folder can be made here", folder.display()))?;
            for definition in several {
                let name = format!("{}.{}", definition.saga, arguments.format.extension());
                write(&folder.join(name), &draw(definition))?;
            }
        }
        (Some(file), several) => write(file, &several.iter().map(draw).collect::<String>())?,
        (None, several) if several.len() > 1 && arguments.format != Format::Text => anyhow::bail!(
            "{} definitions make {0} pictures; name a folder for them with --output",
            several.len()
        ),
        (None, several) => print(&several.iter().map(draw).collect::<Vec<_>>().join("\n")),
    }
    Ok(if wrong { ExitCode::from(FINDINGS) } else { ExitCode::SUCCESS })
}

/// The definitions that can be drawn, and whether some cannot.
fn read(paths: &[PathBuf]) -> anyhow::Result<(Vec<Definition>, bool)> {
    let (mut definitions, mut wrong) = (Vec::new(), false);
    for file in files::find(paths)? {
        match definition::parse(&file.shown(), &file.text()?) {
            Ok(definition) => definitions.push(definition),
            Err(found) => {
                wrong = true;
                complain(found.render(false).trim_end());
            }
        }
    }
    Ok((definitions, wrong))
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(path, text)
        .with_context(|| format!("{}: the picture cannot be written", path.display()))?;
    say(&path.display().to_string());
    Ok(())
}

/// Writes a picture to stdout; a reader that has gone is no failure.
fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}
