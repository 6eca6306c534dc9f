//! Points, boxes and curves. Only what every machine computes alike is used (no sine, no power): the same model must give
//! the same bytes everywhere.

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Point {
    pub x: f64,
    pub y: f64,
}

impl Point {
    pub fn new(x: f64, y: f64) -> Self {
        Self { x, y }
    }

    pub fn to(self, other: Self) -> Self {
        Self::new(other.x - self.x, other.y - self.y)
    }

    pub fn plus(self, by: Self, times: f64) -> Self {
        Self::new(self.x + by.x * times, self.y + by.y * times)
    }

    pub fn length(self) -> f64 {
        (self.x * self.x + self.y * self.y).sqrt()
    }

    fn between(self, other: Self, share: f64) -> Self {
        self.plus(self.to(other), share)
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Area {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
}

impl Area {
    pub fn around(middle: Point, width: f64, height: f64) -> Self {
        Self { x: middle.x - width / 2.0, y: middle.y - height / 2.0, width, height }
    }

    pub fn middle(self) -> Point {
        Point::new(self.x + self.width / 2.0, self.y + self.height / 2.0)
    }

    pub fn grown(self, by: f64) -> Self {
        Self { x: self.x - by, y: self.y - by, width: self.width + 2.0 * by, height: self.height + 2.0 * by }
    }

    pub fn holds(self, point: Point) -> bool {
        let Self { x, y, width, height } = self;
        point.x > x && point.x < x + width && point.y > y && point.y < y + height
    }

    pub fn meets(self, other: Self) -> bool {
        self.x < other.x + other.width
            && other.x < self.x + self.width
            && self.y < other.y + other.height
            && other.y < self.y + self.height
    }

    /// The smallest that holds both.
    pub fn with(self, other: Self) -> Self {
        let (x, y) = (self.x.min(other.x), self.y.min(other.y));
        let right = (self.x + self.width).max(other.x + other.width);
        let bottom = (self.y + self.height).max(other.y + other.height);
        Self { x, y, width: right - x, height: bottom - y }
    }

    pub fn is_within(self, other: Self) -> bool {
        self.x >= other.x
            && self.y >= other.y
            && self.x + self.width <= other.x + other.width
            && self.y + self.height <= other.y + other.height
    }
}

/// A cubic Bézier curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Curve {
    pub from: Point,
    pub first: Point,
    pub second: Point,
    pub to: Point,
}

impl Curve {
    pub fn at(&self, t: f64) -> Point {
        let (a, b, c) = (
            self.from.between(self.first, t),
            self.first.between(self.second, t),
            self.second.between(self.to, t),
        );
        a.between(b, t).between(b.between(c, t), t)
    }

    /// A box that holds all of it.
    pub fn area(&self) -> Area {
        let mut area = Area { x: self.from.x, y: self.from.y, width: 0.0, height: 0.0 };
        for step in 1..=24 {
            let at = self.at(f64::from(step) / 24.0);
            area = area.with(Area { x: at.x, y: at.y, width: 0.0, height: 0.0 });
        }
        area
    }

    /// The piece between two places on it.
    pub fn part(&self, start: f64, end: f64) -> Self {
        let right = self.split(start).1;
        let share = if start < 1.0 { (end - start) / (1.0 - start) } else { 1.0 };
        right.split(share).0
    }

    fn split(&self, t: f64) -> (Self, Self) {
        let Self { from, first, second, to } = *self;
        let (a, b, c) = (from.between(first, t), first.between(second, t), second.between(to, t));
        let (d, e) = (a.between(b, t), b.between(c, t));
        let middle = d.between(e, t);
        (Self { from, first: a, second: d, to: middle }, Self { from: middle, first: e, second: c, to })
    }

    /// Without what lies under the boxes at its ends.
    pub fn outside(&self, one: Area, other: Area) -> Self {
        const STEPS: usize = 120;
        let at = |step: usize| step as f64 / STEPS as f64;
        let start = (0..=STEPS).find(|step| !one.holds(self.at(at(*step)))).unwrap_or(0);
        let end = (0..=STEPS).rev().find(|step| !other.holds(self.at(at(*step)))).unwrap_or(STEPS);
        if start < end { self.part(at(start), at(end)) } else { *self }
    }
}
