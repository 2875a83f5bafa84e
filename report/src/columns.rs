//! How wide each column of a table is, and which way the paper lies.

use annals_core::compliance::{CellKind, Layout};

/// Left and right margin, in points.
pub const MARGIN_PT: f64 = 48.0;
/// Space between two columns, in points.
pub const GUTTER_PT: f64 = 7.0;

/// The paper that a report is printed on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Paper {
    /// The typesetter's name for its format.
    pub format: &'static str,
    /// Width of a line on upright paper, in points; `None`: it never stands upright.
    upright_pt: Option<f64>,
    /// Width of a line on paper that lies on its side, in points; `None`: it never does.
    sideways_pt: Option<f64>,
}

impl Paper {
    /// The paper that a layout asks for.
    pub fn of(layout: Layout) -> Paper {
        let line = |width_pt: f64| Some(width_pt - 2.0 * MARGIN_PT);
        let a4 = Paper {
            format: "a4",
            upright_pt: line(595.28),
            sideways_pt: line(841.89),
        };
        match layout {
            Layout::Report => a4,
            Layout::Letter => Paper {
                format: "us-letter",
                upright_pt: line(612.0),
                sideways_pt: line(792.0),
            },
            Layout::Ledger => Paper {
                upright_pt: None,
                ..a4
            },
            Layout::Portrait => Paper {
                sideways_pt: None,
                ..a4
            },
        }
    }

    /// Whether all of it lies on its side.
    pub fn lies(&self) -> bool {
        self.upright_pt.is_none()
    }

    /// Which way a table that needs so much at least and would like to be so wide lies, and the width of its line: on
    /// its side only where upright paper has no room, or much less than wanted.
    fn lay(&self, needed_pt: f64, wanted_pt: f64) -> (bool, f64) {
        match (self.upright_pt, self.sideways_pt) {
            (Some(upright), Some(sideways)) => {
                match needed_pt > upright || wanted_pt > upright * 1.25 {
                    true => (true, sideways),
                    false => (false, upright),
                }
            }
            (Some(line), None) => (false, line),
            (None, line) => (true, line.unwrap_or(wanted_pt)),
        }
    }
}

/// What is known of a column before it is given its width.
#[derive(Debug, Clone, Copy)]
pub struct Wish {
    /// What its values are.
    pub kind: CellKind,
    /// Width of its widest cell, heading included, in points.
    pub widest_pt: f64,
    /// Whether no cell of it holds a value.
    pub is_void: bool,
}

/// The plan for one table.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Whether it needs the paper on its side.
    pub sideways: bool,
    /// Width of each column in points, the gutter left aside; `None`: it stands on lines of its own below the row.
    pub widths_pt: Vec<Option<f64>>,
}

/// Plans a table. Columns that have no room are printed below each row: first those that hold no value, then the widest.
pub fn plan(wishes: &[Wish], paper: &Paper) -> Plan {
    let wanted: f64 = wishes.iter().map(|wish| most_pt(wish) + GUTTER_PT).sum();
    let needed = wishes.iter().filter(|wish| !wish.is_void);
    let needed = needed.map(|wish| least_pt(wish) + GUTTER_PT).sum();
    let (sideways, line_pt) = paper.lay(needed, wanted);
    let mut beside = vec![true; wishes.len()];
    loop {
        let least: f64 = wishes
            .iter()
            .zip(&beside)
            .filter(|(_, beside)| **beside)
            .map(|(wish, _)| least_pt(wish) + GUTTER_PT)
            .sum();
        if least <= line_pt {
            break;
        }
        let first = (0..wishes.len())
            .filter(|index| beside[*index])
            .max_by(|a, b| {
                let (a, b) = (&wishes[*a], &wishes[*b]);
                let void = a.is_void.cmp(&b.is_void);
                void.then(least_pt(a).total_cmp(&least_pt(b)))
            });
        match first {
            Some(index) if beside.iter().filter(|beside| **beside).count() > 1 => {
                beside[index] = false;
            }
            _ => break,
        }
    }
    Plan {
        sideways,
        widths_pt: share(wishes, &beside, line_pt),
    }
}

/// Gives every column its least width, and what is left to those that want more, in proportion.
fn share(wishes: &[Wish], beside: &[bool], line_pt: f64) -> Vec<Option<f64>> {
    let columns = || wishes.iter().zip(beside).filter(|(_, beside)| **beside);
    let sum = |width: fn(&Wish) -> f64| columns().map(|(wish, _)| width(wish)).sum::<f64>();
    let (least, most) = (sum(least_pt), sum(most_pt));
    let words = columns().filter(|(wish, _)| is_words(wish.kind)).count();
    let free = line_pt - columns().count() as f64 * GUTTER_PT;
    let width = |wish: &Wish| {
        let (low, high) = (least_pt(wish), most_pt(wish));
        if most <= free {
            // Room for all: words take what is over, so that the table fills the line.
            match (words, is_words(wish.kind)) {
                (0, _) => high + (free - most) * (high / most),
                (_, true) => high + (free - most) / words as f64,
                (_, false) => high,
            }
        } else if most > least && free > least {
            low + (high - low) * (free - least) / (most - least)
        } else {
            low * free / least
        }
    };
    wishes
        .iter()
        .zip(beside)
        .map(|(wish, beside)| beside.then(|| (width(wish) * 100.0).floor() / 100.0))
        .collect()
}

fn is_words(kind: CellKind) -> bool {
    matches!(kind, CellKind::Text | CellKind::Value | CellKind::Name)
}

/// A text that is wider than this needs a column of its own kind, in points.
const LONG_PT: f64 = 600.0;

/// Below this a column is hard to read, in points.
fn least_pt(wish: &Wish) -> f64 {
    let floor = match wish.kind {
        CellKind::Time => 118.0,
        CellKind::Number | CellKind::Position | CellKind::Version => 90.0,
        CellKind::Name => 62.0,
        CellKind::Hash => 62.0,
        CellKind::Text | CellKind::Value if wish.widest_pt > LONG_PT => 140.0,
        CellKind::Text | CellKind::Value => 76.0,
    };
    wish.widest_pt.min(floor).max(12.0)
}

/// More than this a column does not need, in points.
fn most_pt(wish: &Wish) -> f64 {
    let ceiling = match wish.kind {
        CellKind::Time => 118.0,
        CellKind::Number | CellKind::Position | CellKind::Version => 130.0,
        CellKind::Name => 120.0,
        CellKind::Hash => 140.0,
        CellKind::Text | CellKind::Value => 200.0,
    };
    wish.widest_pt.min(ceiling).max(12.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const UPRIGHT_PT: f64 = 595.28 - 2.0 * MARGIN_PT;
    const SIDEWAYS_PT: f64 = 841.89 - 2.0 * MARGIN_PT;

    fn plan(wishes: &[Wish]) -> Plan {
        super::plan(wishes, &Paper::of(Layout::Report))
    }

    fn wish(kind: CellKind, widest_pt: f64) -> Wish {
        Wish {
            kind,
            widest_pt,
            is_void: false,
        }
    }

    fn filled(plan: &Plan) -> f64 {
        let widths = plan.widths_pt.iter().flatten();
        widths.map(|width| width + GUTTER_PT).sum()
    }

    #[test]
    fn a_narrow_table_stands_upright_and_fills_the_line() {
        let plan = plan(&[wish(CellKind::Position, 20.0), wish(CellKind::Name, 60.0)]);
        assert!(!plan.sideways);
        assert!((filled(&plan) - UPRIGHT_PT).abs() < 1.0, "{plan:?}");
    }

    #[test]
    fn a_wide_table_turns_the_paper_and_fits() {
        let plan = plan(&[
            wish(CellKind::Position, 30.0),
            wish(CellKind::Time, 118.0),
            wish(CellKind::Name, 90.0),
            wish(CellKind::Name, 90.0),
            wish(CellKind::Value, 2000.0),
            wish(CellKind::Value, 900.0),
            wish(CellKind::Text, 300.0),
        ]);
        assert!(plan.sideways);
        assert!(plan.widths_pt.iter().all(Option::is_some));
        assert!(filled(&plan) <= SIDEWAYS_PT, "{plan:?}");
    }

    #[test]
    fn a_table_without_room_on_upright_paper_lies_on_its_side() {
        let narrow = [30.0, 50.0, 60.0, 45.0, 30.0, 40.0, 70.0, 50.0];
        let mut wishes: Vec<Wish> = narrow.map(|pt| wish(CellKind::Name, pt)).into();
        wishes.push(wish(CellKind::Time, 118.0));
        let turned = plan(&wishes);
        assert!(turned.sideways, "{turned:?}");
        assert!(turned.widths_pt.iter().all(Option::is_some), "{turned:?}");
        // A column that holds nothing is not worth turning the paper.
        wishes[8].is_void = true;
        let upright = plan(&wishes);
        assert!(!upright.sideways, "{upright:?}");
        assert_eq!(upright.widths_pt[8], None);
    }

    #[test]
    fn columns_without_room_go_below_the_row() {
        let plan = plan(&[wish(CellKind::Value, 400.0); 14]);
        let below = plan.widths_pt.iter().filter(|w| w.is_none()).count();
        assert!(plan.sideways && below > 0 && below < 14, "{plan:?}");
        assert!(filled(&plan) <= SIDEWAYS_PT, "{plan:?}");
    }

    #[test]
    fn a_column_without_a_value_goes_below_before_any_other() {
        let mut wishes = [wish(CellKind::Value, 400.0); 14];
        for index in [2, 5, 9] {
            wishes[index].is_void = true;
            wishes[index].widest_pt = 40.0;
        }
        let plan = plan(&wishes);
        let below = |index: usize| plan.widths_pt[index].is_none();
        assert!(below(2) && below(5) && below(9), "{plan:?}");
    }

    #[test]
    fn a_layout_that_lies_one_way_never_turns_a_table() {
        let narrow = [wish(CellKind::Position, 20.0), wish(CellKind::Name, 60.0)];
        let wide = [wish(CellKind::Value, 400.0); 8];
        for (layout, sideways, below) in [
            (Layout::Ledger, [true, true], false),
            (Layout::Portrait, [false, false], true),
            (Layout::Letter, [false, true], false),
        ] {
            let paper = Paper::of(layout);
            let plans = [&narrow[..], &wide].map(|wishes| super::plan(wishes, &paper));
            assert_eq!(
                plans.each_ref().map(|plan| plan.sideways),
                sideways,
                "{layout:?}"
            );
            let line_pt = paper.lay(0.0, filled(&plans[1])).1;
            assert!(filled(&plans[1]) <= line_pt, "{layout:?} {:?}", plans[1]);
            assert_eq!(plans[1].widths_pt.contains(&None), below, "{layout:?}");
        }
    }

    #[test]
    fn a_table_of_nothing_has_a_plan() {
        assert_eq!(plan(&[]).widths_pt, Vec::<Option<f64>>::new());
    }
}
