//! Draws a picture as SVG, by plotters. Places are whole pixels, so that the same picture has the same bytes.

use plotters::backend::SVGBackend;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind, IntoDrawingArea};
use plotters::element::{PathElement, Rectangle, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontTransform, IntoFont, RGBColor, TextStyle};

use super::spec::{ChartForm, ChartSpec};

/// Colours of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Palette {
    /// Of words and of the axis, red, green and blue.
    pub ink: [u8; 3],
    /// Of what steps back: ticks, units.
    pub muted: [u8; 3],
    /// Of the lines behind the columns.
    pub line: [u8; 3],
    /// Of columns and bars.
    pub bar: [u8; 3],
    /// Of what lies below the picture.
    pub page: [u8; 3],
    /// Of series, in turn.
    pub series: [[u8; 3]; 6],
}

/// Dark on white: paper, and the app's light theme.
pub const PAPER: Palette = Palette {
    ink: [0x1f, 0x23, 0x28],
    muted: [0x5b, 0x63, 0x6b],
    line: [0xd9, 0xdd, 0xe1],
    bar: [0x2f, 0x5d, 0x8a],
    page: [0xff, 0xff, 0xff],
    series: [
        [0x2f, 0x5d, 0x8a],
        [0xb3, 0x5a, 0x00],
        [0x1c, 0x7a, 0x4c],
        [0x7a, 0x2a, 0x8f],
        [0xa8, 0x32, 0x2a],
        [0x5b, 0x63, 0x6b],
    ],
};

/// Light on dark: the app's dark theme.
pub const INK: Palette = Palette {
    ink: [0xe6, 0xe8, 0xea],
    muted: [0xa4, 0xab, 0xb3],
    line: [0x3a, 0x40, 0x47],
    bar: [0x7f, 0xb2, 0xe5],
    page: [0x15, 0x18, 0x1c],
    series: [
        [0x7f, 0xb2, 0xe5],
        [0xf3, 0xb9, 0x4f],
        [0x5f, 0xcb, 0x94],
        [0xdd, 0xa3, 0xec],
        [0xf1, 0x89, 0x7f],
        [0xa4, 0xab, 0xb3],
    ],
};

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;
type Drawn<'a> = Result<(), DrawingAreaErrorKind<std::io::Error>>;

const WIDTH_PX: i32 = 680;
const TEXT_PX: i32 = 11;
/// Longest name beside a bar, in characters; the table twin has it whole.
const NAME_CHARS: usize = 30;

/// Draws the picture: axes with units and zone, its `alt` as the title that a screen reader reads.
///
/// ```
/// use annals_core::chart::{ChartForm, ChartPoint, ChartSpec, PAPER, svg};
/// let spec = ChartSpec {
///     id: "types".into(), title: "Events by type".into(), form: ChartForm::ByName, unit: "events".into(),
///     zone: "UTC".into(), points: vec![ChartPoint { label: "OrderPlaced".into(), count: 12 }],
///     rest: 0, rest_names: 0, alt: "12 events of one type".into(),
/// };
/// let picture = svg(&spec, &PAPER);
/// assert!(picture.contains("<title>12 events of one type</title>") && picture.contains("OrderPlaced"));
/// ```
///
/// # Panics
/// Never: a picture in memory is written without an error.
#[must_use]
pub fn svg(spec: &ChartSpec, palette: &Palette) -> String {
    let bars = spec.points.len() + usize::from(spec.rest > 0);
    let height_px = match spec.form {
        ChartForm::OverTime => 200,
        ChartForm::ByName => 34 + 18 * i32::try_from(bars.max(1)).unwrap_or(i32::MAX / 32),
    };
    let mut text = String::new();
    {
        let size = (WIDTH_PX as u32, height_px.unsigned_abs());
        let area = SVGBackend::with_string(&mut text, size).into_drawing_area();
        let drawn = match spec.form {
            ChartForm::OverTime => over_time(&area, spec, palette, height_px),
            ChartForm::ByName => by_name(&area, spec, palette),
        };
        drawn
            .and_then(|()| area.present())
            .expect("a picture in memory is written without an error");
    }
    titled(&text, &spec.alt)
}

/// Puts what the picture says where a screen reader finds it.
fn titled(svg: &str, alt: &str) -> String {
    let escaped = escaped(alt);
    match svg.find('>') {
        Some(end) => format!(
            "{} role=\"img\"><title>{escaped}</title>{}",
            &svg[..end],
            &svg[end + 1..]
        ),
        None => svg.to_owned(),
    }
}

/// A text as XML holds it, in an element or in an attribute; control characters, which XML cannot hold, as `�`.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' => out.push(' '),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            _ => out.push(c),
        }
    }
    out
}

/// Columns along time.
fn over_time<'a>(
    area: &Area<'a>,
    spec: &ChartSpec,
    palette: &Palette,
    height_px: i32,
) -> Drawn<'a> {
    let (left, right, top, bottom) = (62, WIDTH_PX - 8, 12, height_px - 40);
    let most = spec.points.iter().map(|p| p.count).max().unwrap_or(0);
    let ticks = ticks(most);
    let highest = ticks.last().copied().unwrap_or(1).max(1);
    let y = |count: u64| bottom - share(count, highest, bottom - top);
    for tick in &ticks {
        let at = y(*tick);
        line(area, [(left, at), (right, at)], palette.line)?;
        let style = style(palette.muted, HPos::Right, VPos::Center);
        area.draw(&Text::new(grouped(*tick), (left - 6, at), style))?;
    }

    let count = spec.points.len() as u64;
    let x = |index: usize| left + share(index as u64, count.max(1), right - left);
    let bar = rgb(palette.bar).filled();
    for (index, point) in spec.points.iter().enumerate() {
        let (from, to) = (x(index), x(index + 1));
        let gap = i32::from(to - from > 3);
        if point.count > 0 {
            // Nothing that is there is drawn as nothing.
            let high = y(point.count).min(bottom - 1);
            let corners = [(from, high), ((to - gap).max(from + 1), bottom)];
            area.draw(&Rectangle::new(corners, bar))?;
        }
    }
    line(area, [(left, bottom), (right, bottom)], palette.ink)?;

    // As many labels as fit without touching; the first and then every so many.
    let widest = spec.points.iter().map(|p| p.label.chars().count()).max();
    let room = 7 * i32::try_from(widest.unwrap_or(1)).unwrap_or(10) + 14;
    let labels = ((right - left) / room).max(1) as usize;
    let step = spec.points.len().div_ceil(labels).max(1);
    for (index, point) in spec.points.iter().enumerate().step_by(step) {
        let middle = (x(index) + x(index + 1)) / 2;
        line(area, [(middle, bottom), (middle, bottom + 4)], palette.ink)?;
        let anchor = match (middle - room / 2 < left, middle + room / 2 > right) {
            (true, _) => HPos::Left,
            (false, true) => HPos::Right,
            (false, false) => HPos::Center,
        };
        let style = style(palette.muted, anchor, VPos::Top);
        area.draw(&Text::new(point.label.clone(), (middle, bottom + 7), style))?;
    }
    let zone = style(palette.muted, HPos::Right, VPos::Bottom);
    let text = format!("time, {}", spec.zone);
    area.draw(&Text::new(text, (right, height_px - 2), zone))?;
    let unit = style(palette.muted, HPos::Center, VPos::Top).transform(FontTransform::Rotate270);
    area.draw(&Text::new(
        spec.unit.clone(),
        (4, i32::midpoint(top, bottom)),
        unit,
    ))
}

/// Bars, one a name, the count at the end of each.
fn by_name<'a>(area: &Area<'a>, spec: &ChartSpec, palette: &Palette) -> Drawn<'a> {
    let (left, right) = (210, WIDTH_PX - 90);
    let most = spec.points.iter().map(|p| p.count).max().unwrap_or(0);
    let most = most.max(spec.rest).max(1);
    let rest = (spec.rest > 0).then(|| {
        let names = grouped(spec.rest_names);
        (format!("{names} others"), spec.rest, palette.muted)
    });
    let points = spec.points.iter();
    let bars = points
        .map(|point| (cut(&point.label), point.count, palette.bar))
        .chain(rest);
    let mut y = 6;
    for (label, count, colour) in bars {
        let middle = y + 7;
        let name = style(palette.ink, HPos::Right, VPos::Center);
        area.draw(&Text::new(label, (left - 8, middle), name))?;
        let end = left + share(count, most, right - left).max(i32::from(count > 0));
        let corners = [(left, y), (end, y + 14)];
        area.draw(&Rectangle::new(corners, rgb(colour).filled()))?;
        let number = style(palette.muted, HPos::Left, VPos::Center);
        area.draw(&Text::new(grouped(count), (end + 6, middle), number))?;
        y += 18;
    }
    line(area, [(left, 2), (left, y)], palette.ink)?;
    let unit = style(palette.muted, HPos::Left, VPos::Top);
    area.draw(&Text::new(spec.unit.clone(), (left, y + 6), unit))
}

fn rgb([red, green, blue]: [u8; 3]) -> RGBColor {
    RGBColor(red, green, blue)
}

fn style(colour: [u8; 3], across: HPos, along: VPos) -> TextStyle<'static> {
    TextStyle {
        font: ("sans-serif", TEXT_PX).into_font(),
        color: rgb(colour).to_backend_color(),
        pos: Pos::new(across, along),
    }
}

fn line<'a>(area: &Area<'a>, points: [(i32, i32); 2], colour: [u8; 3]) -> Drawn<'a> {
    area.draw(&PathElement::new(points, rgb(colour).stroke_width(1)))
}

/// `length` times `part` of `whole`, in whole pixels.
fn share(part: u64, whole: u64, length: i32) -> i32 {
    let scaled = u128::from(part) * u128::from(length.unsigned_abs()) / u128::from(whole.max(1));
    i32::try_from(scaled).unwrap_or(length)
}

/// Four to six round numbers from 0 to at least `most`.
fn ticks(most: u64) -> Vec<u64> {
    let mut unit: u64 = 1;
    let step = loop {
        let fits = [1, 2, 5]
            .iter()
            .map(|factor| unit.saturating_mul(*factor))
            .find(|step| most.div_ceil(*step) <= 5);
        match fits {
            Some(step) => break step,
            None => unit = unit.saturating_mul(10),
        }
    };
    (0..=most.div_ceil(step).max(1))
        .map(|n| n.saturating_mul(step))
        .collect()
}

/// The number with its digits in groups of three.
///
/// ```
/// assert_eq!(annals_core::chart::grouped(1_048_576), "1,048,576");
/// ```
#[must_use]
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn cut(label: &str) -> String {
    match label.char_indices().nth(NAME_CHARS) {
        None => label.to_owned(),
        Some(_) => {
            let start: String = label.chars().take(NAME_CHARS - 1).collect();
            format!("{start}…")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::ChartPoint;

    fn spec(form: ChartForm, points: &[(&str, u64)]) -> ChartSpec {
        let point = |(label, count): &(&str, u64)| ChartPoint {
            label: (*label).to_owned(),
            count: *count,
        };
        ChartSpec {
            id: "c".into(),
            title: "Activity".into(),
            form,
            unit: "events".into(),
            zone: "Europe/Berlin".into(),
            points: points.iter().map(point).collect(),
            rest: 0,
            rest_names: 0,
            alt: "a < b".into(),
        }
    }

    #[test]
    fn axes_name_their_unit_and_zone() {
        let picture = svg(
            &spec(
                ChartForm::OverTime,
                &[("2024-01-01", 3), ("2024-01-02", 0), ("2024-01-03", 1_200)],
            ),
            &PAPER,
        );
        for text in [
            "events",
            "time, Europe/Berlin",
            "2024-01-01",
            "1,500",
            "<title>a &lt; b</title>",
        ] {
            assert!(picture.contains(text), "{text}: {picture}");
        }
    }

    #[test]
    fn a_picture_of_nothing_and_one_of_the_largest_count_are_drawn() {
        for form in [ChartForm::OverTime, ChartForm::ByName] {
            assert!(svg(&spec(form, &[]), &PAPER).contains("</svg>"));
            let picture = svg(&spec(form, &[("most", u64::MAX), ("one", 1)]), &INK);
            assert!(picture.contains("most"), "{picture}");
        }
    }

    #[test]
    fn names_cannot_leave_their_text() {
        let hostile = "</text><script>alert(1)</script>";
        let picture = svg(&spec(ChartForm::ByName, &[(hostile, 1)]), &PAPER);
        assert!(!picture.contains("<script>"), "{picture}");
    }

    #[test]
    fn ticks_are_round_and_reach_the_most() {
        for (most, want) in [
            (0, vec![0, 1]),
            (5, vec![0, 1, 2, 3, 4, 5]),
            (7, vec![0, 2, 4, 6, 8]),
            (1_200, vec![0, 500, 1_000, 1_500]),
        ] {
            assert_eq!(ticks(most), want, "{most}");
        }
        for most in [u64::MAX, u64::MAX / 3, 999_999] {
            assert!(ticks(most).len() <= 6, "{most}");
        }
    }
}
