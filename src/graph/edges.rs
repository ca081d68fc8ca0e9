use super::picture::{Edge, EdgeRole, Item, LineId, NodeId, Picture, Port, Shape};

/// Every edge of a picture, line by line.
pub(super) fn edges(picture: &Picture) -> Vec<Edge> {
    let mut edges = Vec::new();
    for index in 0..picture.lines.len() {
        let line = LineId(index);
        forward(picture, line, &mut edges);
        undo(picture, line, &mut edges);
        back(picture, line, &mut edges);
    }
    edges
}

fn forward(picture: &Picture, line: LineId, edges: &mut Vec<Edge>) {
    let items = &picture.line(line).items;
    let owner = picture.line(line).owner;
    let mut before = owner.map(Port::Open);
    for (index, item) in items.iter().enumerate() {
        let (first, last) = ends(*item);
        if let Some(from) = before {
            let label = picture.label_before(line, index);
            edges.push(Edge { line, from, to: first, role: EdgeRole::Forward, label });
        }
        before = (!picture.is_dead_end(*item)).then_some(last);
    }
    if let (Some(from), Some(owner)) = (before, owner) {
        let label = picture.label_before(line, items.len());
        edges.push(Edge { line, from, to: Port::Close(owner), role: EdgeRole::Forward, label });
    }
}

/// Where the way forward comes to an item, and where it leaves it.
fn ends(item: Item) -> (Port, Port) {
    match item {
        Item::Node(id) => (Port::Node(id), Port::Node(id)),
        Item::Region(id) => (Port::Open(id), Port::Close(id)),
    }
}

/// From each step to what undoes it.
fn undo(picture: &Picture, line: LineId, edges: &mut Vec<Edge>) {
    for item in &picture.line(line).items {
        let Item::Node(id) = *item else { continue };
        let node = picture.node(id);
        if let Some(undo) = node.about.undo.filter(|_| node.shape != Shape::Start) {
            let (from, to) = (Port::Node(id), Port::Node(undo));
            edges.push(Edge { line, from, to, role: EdgeRole::Undo, label: None });
        }
    }
}

/// The way back beside a line, from its end to its beginning.
fn back(picture: &Picture, line: LineId, edges: &mut Vec<Edge>) {
    let owner = picture.line(line).owner;
    let mut joins: Vec<Port> = Vec::new();
    joins.extend(owner.filter(|_| comes_back(picture, line)).map(Port::Close));
    for item in picture.line(line).items.iter().rev() {
        let Some((enters, leaves)) = station(picture, *item) else {
            if picture.about(*item).goes_back {
                joins.push(side(*item));
            }
            continue;
        };
        edges.extend(joins.drain(..).map(|from| edge(line, from, enters)));
        joins.push(leaves);
    }
    if let Some(owner) = owner {
        edges.extend(joins.drain(..).map(|from| edge(line, from, Port::Open(owner))));
    }
}

/// Whether what follows a line can come back to it: something is undone there, and no pivot stands
/// behind that.
fn comes_back(picture: &Picture, line: LineId) -> bool {
    let items = &picture.line(line).items;
    let last = items.iter().rposition(|item| picture.is_station(*item));
    last.is_some_and(|last| !items[last..].iter().any(|item| holds_pivot(picture, *item)))
}

fn holds_pivot(picture: &Picture, item: Item) -> bool {
    let inside = match item {
        Item::Node(_) => return picture.about(item).pivot,
        Item::Region(id) => &picture.region(id).lines,
    };
    let mut items = inside.iter().flat_map(|line| &picture.line(*line).items);
    picture.about(item).pivot || items.any(|item| holds_pivot(picture, *item))
}

fn edge(line: LineId, from: Port, to: Port) -> Edge {
    Edge { line, from, to, role: EdgeRole::Back, label: None }
}

/// Where the way back comes to an item, and where it leaves it, if something is undone there.
fn station(picture: &Picture, item: Item) -> Option<(Port, Port)> {
    let undone = |id: NodeId| (Port::Node(id), Port::Node(id));
    match (picture.about(item).undo, item) {
        (Some(undo), _) => Some(undone(undo)),
        (None, Item::Region(id)) if picture.is_crossed(item) => {
            Some((Port::Close(id), Port::Open(id)))
        }
        (None, _) => None,
    }
}

fn side(item: Item) -> Port {
    match item {
        Item::Node(id) => Port::Node(id),
        Item::Region(id) => Port::Side(id),
    }
}
