use std::fmt::Write as _;

use super::geometry::{Point, Rect};
use super::picture::Shape;

/// How far slanted and pointed sides reach into a box.
const SLANT: i32 = 12;
/// The radius of round corners.
const CORNER: i32 = 7;

/// The outline of a node, as the data of an SVG path.
pub(super) fn outline(shape: Shape, at: Rect) -> String {
    let (left, top, right, bottom) = (at.x, at.y, at.right(), at.bottom());
    let middle = at.y + at.height / 2;
    match shape {
        Shape::Command | Shape::Undo | Shape::Child => rounded(at, CORNER),
        Shape::Set => rounded(at, 0),
        Shape::Start | Shape::Completed | Shape::Compensated | Shape::Sleep => {
            rounded(at, (at.height / 2).min(22))
        }
        Shape::Emit => polygon(&[
            (left, top),
            (right - SLANT, top),
            (right, middle),
            (right - SLANT, bottom),
            (left, bottom),
        ]),
        Shape::Wait => polygon(&[
            (left, top),
            (right, top),
            (right, bottom),
            (left, bottom),
            (left + SLANT, middle),
        ]),
        Shape::Ask => polygon(&[
            (left + SLANT, top),
            (right, top),
            (right, bottom),
            (left, bottom),
            (left, top + SLANT),
        ]),
        Shape::Call => polygon(&[
            (left + SLANT, top),
            (right - SLANT, top),
            (right, middle),
            (right - SLANT, bottom),
            (left + SLANT, bottom),
            (left, middle),
        ]),
        Shape::Fail => polygon(&[
            (left + SLANT, top),
            (right - SLANT, top),
            (right, top + SLANT),
            (right, bottom - SLANT),
            (right - SLANT, bottom),
            (left + SLANT, bottom),
            (left, bottom - SLANT),
            (left, top + SLANT),
        ]),
    }
}

/// A path through points, its corners rounded.
pub(super) fn path(points: &[Point]) -> String {
    let mut data = String::new();
    for (index, point) in points.iter().enumerate() {
        let corner = index > 0 && index + 1 < points.len();
        if corner {
            let (before, after) = (points[index - 1], points[index + 1]);
            let (from, to) = (towards(*point, before), towards(*point, after));
            let _ =
                write!(data, "L{} {}Q{} {} {} {}", from.x, from.y, point.x, point.y, to.x, to.y);
        } else {
            let command = if index == 0 { 'M' } else { 'L' };
            let _ = write!(data, "{command}{} {}", point.x, point.y);
        }
    }
    data
}

/// The place a corner's radius away from a point, in the direction of another.
fn towards(point: Point, other: Point) -> Point {
    let step = |from: i32, to: i32| from + (to - from).clamp(-CORNER, CORNER) / 2 * 2;
    let (dx, dy) = ((other.x - point.x).abs(), (other.y - point.y).abs());
    let near = |d: i32| d / 2 < CORNER;
    match (dx >= dy, near(dx.max(dy))) {
        (true, false) => Point { x: step(point.x, other.x), y: point.y },
        (false, false) => Point { x: point.x, y: step(point.y, other.y) },
        (_, true) => {
            Point { x: i32::midpoint(point.x, other.x), y: i32::midpoint(point.y, other.y) }
        }
    }
}

fn polygon(corners: &[(i32, i32)]) -> String {
    let mut data = String::new();
    for (index, (x, y)) in corners.iter().enumerate() {
        let command = if index == 0 { 'M' } else { 'L' };
        let _ = write!(data, "{command}{x} {y}");
    }
    data.push('Z');
    data
}

fn rounded(at: Rect, radius: i32) -> String {
    let (across, down) = (at.width - 2 * radius, at.height - 2 * radius);
    if radius == 0 {
        return format!("M{} {}h{across}v{down}h-{across}Z", at.x, at.y);
    }
    let r = radius;
    format!(
        "M{} {}h{across}a{r} {r} 0 0 1 {r} {r}v{down}a{r} {r} 0 0 1 -{r} {r}h-{across}\
         a{r} {r} 0 0 1 -{r} -{r}v-{down}a{r} {r} 0 0 1 {r} -{r}Z",
        at.x + r,
        at.y
    )
}
