//! The drawing of one instance: its definition, with how far a life of it is.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::instances::detail;
use super::problem::{Code, Problem};
use super::request::{Asked, At, instance};
use super::sagas::{format, picture_answer};
use super::service::Service;
use crate::definition::{Catalog, Definition};
use crate::graph::{
    self, EdgeRole, Item, LineId, Mark, Marked, Marks, Options, Orientation, Picture, Port,
    RegionKind,
};
use crate::message::{SagaName, Version};
use crate::status::{LifeState, Masks, Standing};

/// How the drawing of an instance is asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct LifeDrawing {
    /// Which life, such as `2-3f09ac52d7`; without it, the newest.
    life: Option<String>,
    /// `svg`, `json`, `mermaid`, `dot` or `text`; without it `Accept` decides: `application/json`
    /// or `image/svg+xml`, else SVG.
    format: Option<String>,
    /// Whether each participant has a lane of its own; of no meaning for `json`.
    #[serde(default)]
    lanes: bool,
}

/// A drawing of a life as data.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct DrawingTold {
    /// The saga.
    saga: String,
    /// The version that the life runs on.
    version: u32,
    /// The life.
    life: String,
    /// What it is at.
    state: LifeState,
    /// The boxes, in the order in which they stand; those of a branch behind what holds them.
    boxes: Vec<BoxTold>,
    /// What leads where.
    links: Vec<LinkTold>,
}

/// A box of a drawing: a step, an end, or what undoes a step.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct BoxTold {
    /// Its name among the boxes.
    id: String,
    /// What kind of box: `start`, `command`, `parallel`, `undo`, `completed`.
    kind: String,
    /// The step; none for the start, the ends and what undoes a step.
    step: Option<String>,
    /// What it does, for people.
    heading: String,
    /// Whether there is only forward behind it.
    is_pivot: bool,
    /// The box that it stands in.
    inside: Option<String>,
    /// The branch of that, by its name or condition.
    branch: Option<String>,
    /// The box that undoes it.
    undone_by: Option<String>,
    /// How far it is: `left-out`, `done`, `undone`, `given-up`, `failed`, `under-way`, `owed` or
    /// `stuck`; none if it was not reached, or is a step of a child.
    mark: Option<String>,
}

/// What leads from one box of a drawing to another.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct LinkTold {
    /// The box where it begins.
    from: String,
    /// The box where it ends.
    to: String,
    /// `forward`, `undo` or `back`.
    way: String,
    /// What stands at it.
    label: Option<String>,
    /// Whether the life has gone along it.
    is_taken: bool,
}

/// The picture of one instance: its definition, with how far each step is.
#[utoipa::path(
    get, path = "/api/v1/instances/{saga}/{key}/drawing", tag = "instances",
    params(
        ("saga" = String, Path, description = "The saga"),
        ("key" = String, Path, description = "The instance's key"),
        LifeDrawing,
    ),
    responses(
        (status = 200, content(
            (String = "image/svg+xml"),
            (DrawingTold = "application/json"),
            (String = "text/plain"),
        )),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn of_instance(
    State(service): State<Service>,
    At((saga, key)): At<(String, String)>,
    Asked(asked): Asked<LifeDrawing>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let id = instance(&saga, &key)?;
    let is_json = match asked.format.as_deref() {
        Some(word) => word == "json",
        None => prefers_json(&headers),
    };
    let (format, kind) = format(asked.format.as_deref().filter(|_| !is_json))?;
    let found = detail(&service, &id, Masks::On).await?.found;
    let Some(found) = found else { return Err(service.unknown(&id).await) };
    let life = life(&found.overview.lives, asked.life.as_deref())?;
    let catalog = service.look(|view| Ok(view.catalog())).await?;
    let definition = definition(&catalog, &id.saga, life)?;
    let known: Vec<&Definition> = catalog.sagas().map(Arc::as_ref).collect();
    let marks = marks(life);
    if is_json {
        let picture = Picture::of(definition, &known, false);
        return Ok(Json(told(&picture, &marks, life)).into_response());
    }
    let options = Options { format, lanes: asked.lanes, direction: Orientation::Down };
    Ok(picture_answer(graph::draw_life(definition, &known, &options, &marks), kind))
}

/// Whether JSON is the first of the kinds in `Accept` that there are.
fn prefers_json(headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT).and_then(|kinds| kinds.to_str().ok());
    let kinds = accepted.unwrap_or_default().split(',');
    let mut kinds = kinds.map(|kind| kind.split(';').next().unwrap_or_default().trim());
    let first = kinds.find(|kind| ["application/json", "image/svg+xml"].contains(kind));
    first == Some("application/json")
}

fn life<'l>(lives: &'l [Standing], asked: Option<&str>) -> Result<&'l Standing, Problem> {
    let found = match asked {
        None => lives.first(),
        Some(asked) => lives.iter().find(|life| life.life == asked),
    };
    found.ok_or_else(|| {
        let detail = match asked {
            None => "it has no life yet that could be drawn".to_owned(),
            Some(asked) => format!("`life`: it has no life `{asked}`"),
        };
        let near = lives.iter().map(|life| life.life.clone()).collect();
        Problem::new(Code::NotFound, detail, "ask for one of those under `near`").near(near)
    })
}

fn definition<'c>(
    catalog: &'c Catalog,
    saga: &SagaName,
    life: &Standing,
) -> Result<&'c Definition, Problem> {
    let version = life.version.map(Version);
    let found = version.and_then(|version| catalog.version(saga, version));
    found.map(Arc::as_ref).ok_or_else(|| {
        let detail = format!("the definition of life {} is not known here", life.life);
        Problem::new(Code::NotFound, detail, "ask again when the view has read the definitions")
    })
}

/// How far each step of a life is.
fn marks(life: &Standing) -> Marks {
    let reached = life.reached.iter();
    Marks {
        steps: reached
            .filter_map(|reached| Some((reached.step.clone(), Mark::named(&reached.mark)?)))
            .collect(),
        completed: life.state == LifeState::Completed,
        compensated: life.state == LifeState::Compensated,
    }
}

/// A picture as data.
fn told(picture: &Picture, marks: &Marks, life: &Standing) -> DrawingTold {
    let marked = Marked::of(picture, marks);
    let mut boxes = Vec::new();
    line(picture, &marked, LineId::MAIN, &mut boxes);
    let link = |edge: &graph::Edge| LinkTold {
        from: id(edge.from),
        to: id(edge.to),
        way: match edge.role {
            EdgeRole::Forward => "forward",
            EdgeRole::Undo => "undo",
            EdgeRole::Back => "back",
        }
        .to_owned(),
        label: edge.label.clone(),
        is_taken: marked.is_taken(edge.from, edge.to),
    };
    DrawingTold {
        saga: picture.saga.clone(),
        version: picture.version,
        life: life.life.clone(),
        state: life.state,
        boxes,
        links: picture.edges.iter().map(link).collect(),
    }
}

/// The boxes of a line, each with what undoes it and what stands in it.
fn line(picture: &Picture, marked: &Marked, of: LineId, boxes: &mut Vec<BoxTold>) {
    let inside = picture.line(of).owner.map(|region| id(Port::Open(region)));
    let branch = &picture.line(of).label;
    let mut tell = |item: Item| {
        let about = picture.about(item);
        let (port, kind, mark) = match item {
            Item::Node(node) => {
                (Port::Node(node), picture.node(node).shape.text(), marked.node(node.0))
            }
            Item::Region(region) => {
                let kind = region_kind(picture.region(region).kind);
                (Port::Open(region), kind, marked.region(region.0))
            }
        };
        boxes.push(BoxTold {
            id: id(port),
            kind: kind.to_owned(),
            step: Some(about.name.clone()).filter(|name| !name.is_empty()),
            heading: about.heading.clone(),
            is_pivot: about.pivot,
            inside: inside.clone(),
            branch: branch.clone(),
            undone_by: about.undo.map(|undo| id(Port::Node(undo))),
            mark: mark.map(|mark| mark.text().to_owned()),
        });
    };
    let mut held = Vec::new();
    for item in &picture.line(of).items {
        tell(*item);
        if let Some(undo) = picture.about(*item).undo {
            tell(Item::Node(undo));
        }
        if let Item::Region(region) = item {
            held.extend(picture.region(*region).lines.iter().copied());
        }
    }
    for inner in held {
        line(picture, marked, inner, boxes);
    }
}

/// The name of a box; a region is one box, wherever an edge touches it.
fn id(port: Port) -> String {
    match port {
        Port::Node(node) => format!("n{}", node.0),
        Port::Open(region) | Port::Close(region) | Port::Side(region) => format!("r{}", region.0),
    }
}

fn region_kind(kind: RegionKind) -> &'static str {
    match kind {
        RegionKind::Parallel => "parallel",
        RegionKind::Each => "each",
        RegionKind::Choose => "choose",
        RegionKind::Lock => "lock",
        RegionKind::Child => "child",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAGA: &str = "saga: order
version: 1
start: { on: t/Placed, key: event.id }
late: 7d
data: { id: event.id }
steps:
  - step: stock
    command: s/Reserve
    done: s.e/Reserved
    compensate: { command: s/Release, done: s.e/Released }
  - step: both
    parallel:
      one: [{ step: pay, command: p/Charge, done: p.e/Charged, compensate: none }]
      two: [{ step: tell, emit: t.e/Told, compensate: none }]
";

    fn accepting(kinds: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, kinds.parse().expect("a value"));
        headers
    }

    #[test]
    fn the_first_kind_that_there_is_decides() {
        for (kinds, json) in [
            ("application/json", true),
            ("text/html, application/json;q=0.9, */*", true),
            ("image/svg+xml,application/json", false),
            ("text/html,image/*,*/*;q=0.8", false),
            ("", false),
        ] {
            assert_eq!(prefers_json(&accepting(kinds)), json, "{kinds}");
        }
        assert!(!prefers_json(&HeaderMap::new()), "a browser gets a picture");
    }

    #[test]
    fn each_box_says_how_far_it_is_and_what_holds_it() {
        let definition = crate::definition::parse("saga.yaml", SAGA);
        let definition = definition.unwrap_or_else(|e| panic!("\n{e}"));
        let picture = Picture::of(&definition, &[], false);
        let steps = [("stock", Mark::Owed), ("pay", Mark::Failed)];
        let steps = steps.into_iter().map(|(step, mark)| (step.to_owned(), mark)).collect();
        let marks = Marks { steps, ..Marks::default() };
        let marked = Marked::of(&picture, &marks);
        let mut boxes = Vec::new();
        line(&picture, &marked, LineId::MAIN, &mut boxes);
        let of = |step: &str| {
            let found = boxes.iter().find(|told| told.step.as_deref() == Some(step));
            found.unwrap_or_else(|| panic!("{step} in {boxes:?}"))
        };
        let stock = of("stock");
        assert_eq!((stock.mark.as_deref(), stock.kind.as_str()), (Some("owed"), "command"));
        let undo = boxes.iter().find(|told| Some(&told.id) == stock.undone_by.as_ref());
        let undo = undo.expect("what undoes it is a box");
        assert_eq!((undo.kind.as_str(), undo.mark.as_deref()), ("undo", Some("owed")));
        let pay = of("pay");
        let region = boxes.iter().find(|told| Some(&told.id) == pay.inside.as_ref());
        assert_eq!(region.map(|told| told.kind.as_str()), Some("parallel"));
        assert_eq!((pay.branch.as_deref(), pay.mark.as_deref()), (Some("one"), Some("failed")));
        assert_eq!(of("tell").mark, None, "it was not reached");
        let mut ids: Vec<&str> = boxes.iter().map(|told| told.id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), boxes.len(), "each box stands there once");
        assert_eq!(boxes.len(), picture.nodes.len() + picture.regions.len(), "none is left out");
    }
}
