use super::Orientation;

/// A place in a drawing, in pixels from its upper left corner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Point {
    pub x: i32,
    pub y: i32,
}

/// How large something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Size {
    pub width: i32,
    pub height: i32,
}

/// A box.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Rect {
    pub x: i32,
    pub y: i32,
    pub width: i32,
    pub height: i32,
}

impl Rect {
    pub fn right(self) -> i32 {
        self.x + self.width
    }

    pub fn bottom(self) -> i32 {
        self.y + self.height
    }
}

/// A place on the two axes of a layout: along the way forward, and across it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Spot {
    pub along: i32,
    pub across: i32,
}

/// A box on the two axes of a layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Area {
    pub along: i32,
    pub across: i32,
    pub length: i32,
    pub breadth: i32,
}

impl Area {
    /// Where it ends along the way forward.
    pub fn end(self) -> i32 {
        self.along + self.length
    }

    /// Where it ends across it.
    pub fn side(self) -> i32 {
        self.across + self.breadth
    }

    /// Its middle along the way forward.
    pub fn middle(self) -> i32 {
        self.along + self.length / 2
    }
}

impl Orientation {
    /// A size as length along the way forward and breadth across it.
    pub(super) fn extent(self, size: Size) -> (i32, i32) {
        match self {
            Self::Down => (size.height, size.width),
            Self::Right => (size.width, size.height),
        }
    }

    /// A spot as a point of the drawing.
    pub(super) fn point(self, spot: Spot) -> Point {
        match self {
            Self::Down => Point { x: spot.across, y: spot.along },
            Self::Right => Point { x: spot.along, y: spot.across },
        }
    }

    /// An area as a box of the drawing.
    pub(super) fn rect(self, area: Area) -> Rect {
        let corner = self.point(Spot { along: area.along, across: area.across });
        let (width, height) = match self {
            Self::Down => (area.breadth, area.length),
            Self::Right => (area.length, area.breadth),
        };
        Rect { x: corner.x, y: corner.y, width, height }
    }
}
