//! What every kind of picture draws with: texts that are measured, shapes in whole pixels, marks that can be pointed at.

use plotters::backend::SVGBackend;
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind};
use plotters::element::{Circle, PathElement, Polygon, Rectangle, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontTransform, IntoFont, RGBColor, TextStyle};

use super::scale::{fitted, width_of};
use super::{Mark, Plot, PlotSeries};
use crate::chart::Palette;

pub(super) type Drawn = Result<(), DrawingAreaErrorKind<std::io::Error>>;
pub(super) type Colour = [u8; 3];

/// Height of letters in running text, in pixels.
pub(super) const TEXT_PX: i32 = 12;
/// Height of a line of a legend, in pixels.
const LEGEND_PX: i32 = 20;

/// Where a text stands about its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stand {
    Left,
    Middle,
    Right,
}

/// A picture being drawn.
pub(super) struct Canvas<'a> {
    pub area: DrawingArea<SVGBackend<'a>, Shift>,
    pub palette: &'a Palette,
    pub width_px: i32,
    pub height_px: i32,
    pub marks: Vec<Mark>,
}

impl Canvas<'_> {
    /// A text whose middle is at that height.
    pub fn text(&self, text: &str, at: (i32, i32), stand: Stand, colour: Colour) -> Drawn {
        self.text_of(text, at, stand, colour, TEXT_PX)
    }

    /// A text with letters that high.
    pub fn text_of(
        &self,
        text: &str,
        at: (i32, i32),
        stand: Stand,
        colour: Colour,
        size_px: i32,
    ) -> Drawn {
        let across = match stand {
            Stand::Left => HPos::Left,
            Stand::Middle => HPos::Center,
            Stand::Right => HPos::Right,
        };
        let style = style(colour, size_px, across, VPos::Center);
        self.area.draw(&Text::new(text.to_owned(), at, style))
    }

    /// A text that is read from below, beside an axis.
    pub fn upright(&self, text: &str, at: (i32, i32)) -> Drawn {
        let style = style(self.palette.muted, TEXT_PX, HPos::Center, VPos::Top)
            .transform(FontTransform::Rotate270);
        self.area.draw(&Text::new(text.to_owned(), at, style))
    }

    pub fn line(&self, points: &[(i32, i32)], colour: Colour, width_px: u32) -> Drawn {
        let path = PathElement::new(points.to_vec(), rgb(colour).stroke_width(width_px));
        self.area.draw(&path)
    }

    pub fn rectangle(&self, corners: [(i32, i32); 2], colour: Colour) -> Drawn {
        self.area
            .draw(&Rectangle::new(corners, rgb(colour).filled()))
    }

    pub fn polygon(&self, points: Vec<(i32, i32)>, colour: Colour) -> Drawn {
        self.area.draw(&Polygon::new(points, rgb(colour).filled()))
    }

    /// The sign of a series: colour is never the only one.
    pub fn sign(&self, series: usize, (x, y): (i32, i32)) -> Drawn {
        let colour = self.colour(series);
        match series % 4 {
            0 => self
                .area
                .draw(&Circle::new((x, y), 3, rgb(colour).filled())),
            1 => self.rectangle([(x - 3, y - 3), (x + 3, y + 3)], colour),
            2 => self.polygon(vec![(x, y - 4), (x + 4, y + 3), (x - 4, y + 3)], colour),
            _ => self.polygon(vec![(x, y - 4), (x + 4, y), (x, y + 4), (x - 4, y)], colour),
        }
    }

    /// Colour of a series.
    pub fn colour(&self, series: usize) -> Colour {
        let colours = &self.palette.series;
        colours[series % colours.len()]
    }

    /// A place that can be pointed at.
    pub fn mark(&mut self, row: usize, series: usize, corners: [(i32, i32); 2]) {
        let [(left, top), (right, bottom)] = corners;
        let whole = |n: i32| u32::try_from(n).unwrap_or(0);
        self.marks.push(Mark {
            row: u32::try_from(row).unwrap_or(u32::MAX),
            series: u32::try_from(series).unwrap_or(u32::MAX),
            x_px: whole(left),
            y_px: whole(top),
            width_px: whole((right - left).max(1)),
            height_px: whole((bottom - top).max(1)),
        });
    }

    /// Signs and names of the series, from the top on; nothing where there is one.
    pub fn legend(&self, plot: &Plot) -> Drawn {
        for (series, name, (x, y)) in legend_places(plot, self.width_px) {
            self.sign(series, (x + 4, y))?;
            self.text(&name, (x + 14, y), Stand::Left, self.palette.ink)?;
        }
        Ok(())
    }
}

/// Height of the legend, in pixels.
pub(super) fn legend_height(plot: &Plot, width_px: i32) -> i32 {
    legend_places(plot, width_px)
        .last()
        .map_or(0, |(_, _, (_, y))| y + LEGEND_PX / 2 + 4)
}

fn legend_places(plot: &Plot, width_px: i32) -> Vec<(usize, String, (i32, i32))> {
    if plot.series.len() < 2 {
        return Vec::new();
    }
    let (mut x, mut y) = (8, LEGEND_PX / 2);
    let place = |(series, named): (usize, &PlotSeries)| {
        let name = fitted(&named.name, TEXT_PX, width_px - 30);
        let wide = 14 + width_of(&name, TEXT_PX) + 14;
        if x > 8 && x + wide > width_px {
            (x, y) = (8, y + LEGEND_PX);
        }
        let at = (x, y);
        x += wide;
        (series, name, at)
    };
    plot.series.iter().enumerate().map(place).collect()
}

fn rgb([red, green, blue]: Colour) -> RGBColor {
    RGBColor(red, green, blue)
}

fn style(colour: Colour, size_px: i32, across: HPos, along: VPos) -> TextStyle<'static> {
    TextStyle {
        // The backend writes sizes divided by 1.24.
        font: ("sans-serif", (size_px * 124 + 50) / 100).into_font(),
        color: rgb(colour).to_backend_color(),
        pos: Pos::new(across, along),
    }
}

/// A colour between two, `part` of `whole` of the way.
pub(super) fn between(from: Colour, to: Colour, part: i32, whole: i32) -> Colour {
    let channel = |index: usize| {
        let (from, to) = (i32::from(from[index]), i32::from(to[index]));
        u8::try_from(from + (to - from) * part / whole.max(1)).unwrap_or(0)
    };
    [channel(0), channel(1), channel(2)]
}
