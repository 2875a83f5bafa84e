//! Pictures of every kind, in both palettes, compared with the ones that were looked at.
//!
//! `UPDATE_GOLDENS=1` writes them anew; they are then for a person to look at.

use std::path::Path;

use super::*;
use crate::chart::{INK, PAPER, Palette};

fn cells(texts: &[&str]) -> Vec<PlotCell> {
    let cell = |text: &&str| match *text {
        "" => PlotCell::NONE,
        text if scale::decimal(text).is_some() => PlotCell::number(text),
        text => PlotCell::text(text),
    };
    texts.iter().map(cell).collect()
}

fn row(label: &str, texts: &[&str]) -> PlotRow {
    PlotRow {
        label: label.to_owned(),
        document: Some("all".to_owned()),
        path: String::new(),
        cells: cells(texts),
        from: None,
        to: None,
    }
}

fn time(text: &str) -> Option<Time> {
    Some(
        crate::time::SourceTime::parse(text, chrono_tz::UTC)
            .unwrap()
            .time,
    )
}

fn at(label: &str, texts: &[&str]) -> PlotRow {
    PlotRow {
        from: time(label),
        ..row(label, texts)
    }
}

fn span(label: &str, lane: &str, from: &str, to: Option<&str>) -> PlotRow {
    PlotRow {
        from: time(from),
        to: to.and_then(time),
        ..row(label, &[lane])
    }
}

fn unit_of(series: &str) -> String {
    let unit = match series {
        "units" | "n" | "orders" | "placed" | "cancelled" => "",
        _ => "USD",
    };
    unit.to_owned()
}

fn plot(kind: PlotKind, axis: PlotAxis, series: &[&str], rows: Vec<PlotRow>) -> Plot {
    Plot {
        kind,
        title: "A picture".to_owned(),
        axis,
        steps: false,
        zone: "UTC".to_owned(),
        heading: "productId".to_owned(),
        series: series
            .iter()
            .map(|s| PlotSeries {
                name: (*s).to_owned(),
                unit: unit_of(s),
            })
            .collect(),
        rows_count: rows.len() as u64,
        rows,
        rest: None,
        alt: "what it says".to_owned(),
    }
}

/// One plot of every kind, and some that are hard to draw.
fn gallery() -> Vec<(&'static str, Plot)> {
    use PlotAxis::{Names, Time as Times};
    use PlotKind::{Area, Bar, Funnel, HeatMap, Line, Number, Table, Timeline, TopK};
    let days = |from: u32, texts: &[&[&str]]| {
        let day = |(n, texts): (u32, &&[&str])| at(&format!("2024-01-{:02}", from + n), texts);
        (0..).zip(texts).map(day).collect::<Vec<_>>()
    };
    let mut top = plot(
        TopK,
        Names,
        &["revenue"],
        vec![
            row("prod-123", &["5432.10"]),
            row("prod-456", &["3210.50"]),
            row(
                "Wireless headphones, over-ear, with a very long name that does not fit",
                &["999.9"],
            ),
            row("注文番号-七", &["0.01"]),
            row("returned", &["-420.00"]),
        ],
    );
    top.rest = Some(row("12 others", &["1204.00"]));
    let hours = ["00", "03", "06", "09", "12", "15", "18", "21"];
    let heat = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    let heat_rows = heat.iter().enumerate().map(|(day, name)| {
        let texts: Vec<String> = (0..hours.len())
            .map(|hour| match (day, hour) {
                (6, 0) => String::new(),
                _ => (day * 7 + hour * hour * 3).to_string(),
            })
            .collect();
        row(name, &texts.iter().map(String::as_str).collect::<Vec<_>>())
    });
    vec![
        (
            "number",
            plot(
                Number,
                Names,
                &["totalRevenue"],
                vec![row("all", &["45678.90"])],
            ),
        ),
        (
            "numbers",
            plot(
                Number,
                Names,
                &["Revenue", "Largest", "Smallest"],
                vec![row(
                    "all",
                    &["45678.90", "12345678901234567890123.45", "-0.01"],
                )],
            ),
        ),
        (
            "table",
            plot(
                Table,
                Names,
                &["revenue", "units", "status"],
                vec![
                    row("prod-123", &["5432.10", "89", "Active"]),
                    row(
                        "prod-456",
                        &["3210.50", "67", "Discontinued since 2024-01-15"],
                    ),
                    row("prod-789", &["", "1234567", ""]),
                ],
            ),
        ),
        (
            "line",
            plot(
                Line,
                Times,
                &["placed", "cancelled"],
                days(
                    1,
                    &[
                        &["12", "1"],
                        &["18", "0"],
                        &["9", ""],
                        &["31", "4"],
                        &["27", "2"],
                        &["", "3"],
                        &["22", "1"],
                    ],
                ),
            ),
        ),
        (
            "line_far_from_zero",
            plot(
                Line,
                Times,
                &["price"],
                vec![
                    at("2024-01-10T09:30:00Z", &["182.15"]),
                    at("2024-01-10T09:45:00Z", &["182.40"]),
                    at("2024-01-10T11:10:00Z", &["181.95"]),
                    at("2024-01-10T15:59:59Z", &["182.63"]),
                ],
            ),
        ),
        (
            "line_of_names",
            plot(
                Line,
                Names,
                &["n"],
                vec![row("Q1", &["-3"]), row("Q2", &["5"]), row("Q3", &["-1.5"])],
            ),
        ),
        (
            "area",
            plot(
                Area,
                Times,
                &["balance"],
                vec![
                    at("2023-11-30", &["0"]),
                    at("2024-01-01", &["1000.00"]),
                    at("2024-02-15", &["950.00"]),
                    at("2024-06-01", &["1450.00"]),
                    at("2024-12-31", &["-120.50"]),
                ],
            ),
        ),
        ("area_in_steps", {
            let rows = vec![
                at("2024-01-01", &["0.00"]),
                at("2024-01-02", &["1000.00"]),
                at("2024-01-03", &["950.00"]),
                at("2024-01-10", &["1450.00"]),
            ];
            let mut plot = plot(Area, Times, &["balance"], rows);
            plot.steps = true;
            plot
        }),
        (
            "bar_over_time",
            plot(Bar, Times, &["revenue", "refunds"], {
                let mut rows = days(1, &[&["1200.50", "20"], &["800", "0"], &["0", "-35"]]);
                rows.extend(days(9, &[&["2100.75", "12"], &["1", "0"]]));
                rows
            }),
        ),
        (
            "bar_by_name",
            plot(
                Bar,
                Names,
                &["this year", "last year"],
                vec![
                    row("North", &["120", "80"]),
                    row("South", &["-30", "60"]),
                    row("West", &["", "45.5"]),
                ],
            ),
        ),
        ("top_k", top),
        (
            "heat_map",
            plot(HeatMap, Names, &hours, heat_rows.collect()),
        ),
        (
            "timeline",
            plot(
                Timeline,
                Times,
                &["kind"],
                vec![
                    span(
                        "Admitted to ward 3",
                        "stay",
                        "2024-01-10T08:00:00Z",
                        Some("2024-01-14T16:00:00Z"),
                    ),
                    span(
                        "Paracetamol 500 mg",
                        "medication",
                        "2024-01-10T12:00:00Z",
                        None,
                    ),
                    span("Ibuprofen", "medication", "2024-01-11T12:00:00Z", None),
                    span("Blood count", "result", "2024-01-11T09:00:00Z", None),
                    span("Discharged", "stay", "2024-01-14T16:00:00Z", None),
                ],
            ),
        ),
        (
            "funnel",
            plot(
                Funnel,
                Names,
                &["orders"],
                vec![
                    row("Placed", &["234"]),
                    row("Paid", &["198"]),
                    row("Shipped", &["150"]),
                    row("Delivered", &["147"]),
                    row("Reviewed", &["3"]),
                ],
            ),
        ),
        ("nothing", plot(Line, Times, &["n"], vec![])),
        (
            "one_point",
            plot(Line, Times, &["n"], vec![at("2024-01-01", &["7"])]),
        ),
    ]
}

fn check(name: &str, plot: &Plot, theme: &str, palette: &Palette) {
    let width_px = 560;
    let drawing = draw(plot, &Look { palette, width_px });
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src/chart/plot/tests/pictures")
        .join(format!("{name}.{theme}.svg"));
    if std::env::var_os("UPDATE_GOLDENS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &drawing.svg).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        golden == drawing.svg,
        "{} differs; UPDATE_GOLDENS=1 writes it anew, to be looked at",
        path.display()
    );
    for mark in &drawing.marks {
        assert!(
            mark.x_px + mark.width_px <= drawing.width_px
                && mark.y_px + mark.height_px <= drawing.height_px,
            "{name}: {mark:?} leaves the picture"
        );
    }
}

#[test]
fn pictures_are_those_that_were_looked_at() {
    for (name, plot) in gallery() {
        check(name, &plot, "paper", &PAPER);
        check(name, &plot, "ink", &INK);
    }
}

#[test]
fn every_text_stands_within_its_picture() {
    for (name, plot) in gallery() {
        for width_px in [240, 400, 560, 1_200] {
            let palette = &PAPER;
            let drawing = draw(&plot, &Look { palette, width_px });
            for (x, anchor, text) in texts_of(&drawing.svg) {
                let size = if plot.kind == PlotKind::Number {
                    13
                } else {
                    12
                };
                let wide = scale::width_of(&text, size);
                let (left, right) = match anchor.as_str() {
                    "end" => (x - wide, x),
                    "middle" => (x - wide / 2, x + wide / 2),
                    _ => (x, x + wide),
                };
                let most = i32::try_from(drawing.width_px).unwrap();
                assert!(
                    left >= -2 && right <= most + 2,
                    "{name} at {width_px}: {text:?} from {left} to {right}"
                );
            }
        }
    }
}

/// Place, anchor and text of each text that is read across.
fn texts_of(svg: &str) -> Vec<(i32, String, String)> {
    let mut found = Vec::new();
    for piece in svg.split("<text ").skip(1) {
        let (head, rest) = piece.split_once('>').unwrap();
        let head = format!(" {head}");
        if head.contains("rotate") {
            continue;
        }
        let value = |name: &str| {
            let (_, after) = head.split_once(&format!("{name}=\"")).unwrap_or(("", "\""));
            after.split('"').next().unwrap_or_default().to_owned()
        };
        let text = rest.split("</text>").next().unwrap().trim().to_owned();
        found.push((value(" x").parse().unwrap(), value("text-anchor"), text));
    }
    found
}

#[test]
fn hostile_texts_stay_texts() {
    let hostile = "</text><script>alert(1)</script>\u{202e}\u{1}\" onload=\"x";
    for (name, mut plot) in gallery() {
        plot.title = hostile.to_owned();
        plot.heading = hostile.to_owned();
        plot.alt = hostile.to_owned();
        plot.series.iter_mut().for_each(|s| {
            *s = PlotSeries {
                name: hostile.to_owned(),
                unit: hostile.to_owned(),
            }
        });
        for row in &mut plot.rows {
            row.label = hostile.to_owned();
            row.document = Some(hostile.to_owned());
        }
        let palette = &INK;
        let svg = draw(
            &plot,
            &Look {
                palette,
                width_px: 560,
            },
        )
        .svg;
        for part in ["<script", "\u{202e}", "\u{1}", "\" onload"] {
            assert!(!svg.contains(part), "{name} holds {part:?}");
        }
    }
}

#[test]
fn the_largest_and_the_smallest_numbers_are_drawn() {
    let largest = "79228162514264337593543950335";
    let texts = [
        largest,
        "-79228162514264337593543950335",
        "1e-28",
        "1e400",
        "9999999999999999999999999999",
    ];
    for kind in [
        PlotKind::Line,
        PlotKind::Area,
        PlotKind::Bar,
        PlotKind::TopK,
        PlotKind::HeatMap,
        PlotKind::Funnel,
    ] {
        let rows = texts.iter().map(|text| PlotRow {
            cells: vec![PlotCell::number(*text)],
            ..row(text, &[])
        });
        let plot = plot(kind, PlotAxis::Names, &["n"], rows.collect());
        let palette = &PAPER;
        let svg = draw(
            &plot,
            &Look {
                palette,
                width_px: 560,
            },
        )
        .svg;
        assert!(svg.contains("</svg>"), "{kind:?}");
    }
}

#[test]
fn ticks_are_round_and_span_the_values() {
    let ticks = |values: &[&str]| {
        let values = values.iter().map(|text| scale::decimal(text).unwrap());
        let (ticks, _) = scale::Span::of(values, true).ticks();
        scale::tick_texts(&ticks)
    };
    assert_eq!(
        ticks(&["0.05"]),
        ["0.00", "0.01", "0.02", "0.03", "0.04", "0.05"]
    );
    assert_eq!(ticks(&["-30", "120"]), ["-50", "0", "50", "100", "150"]);
    assert_eq!(
        ticks(&["45678.90"]),
        ["0", "10,000", "20,000", "30,000", "40,000", "50,000"]
    );
    assert_eq!(ticks(&["0"]), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
}

#[test]
fn ticks_of_time_are_round_in_the_zone() {
    let ticks = |first: &str, last: &str, zone: chrono_tz::Tz, most: usize| -> Vec<String> {
        let (first, last) = (time(first).unwrap(), time(last).unwrap());
        let ticks = scale::time_ticks(first, last, zone, most);
        ticks.into_iter().map(|(_, text)| text).collect()
    };
    assert_eq!(
        ticks("2024-01-01", "2024-01-08", chrono_tz::UTC, 5),
        ["2024-01-01", "2024-01-03", "2024-01-05", "2024-01-07"]
    );
    assert_eq!(
        ticks("2019-05-01", "2024-05-01", chrono_tz::UTC, 5),
        ["2020", "2021", "2022", "2023", "2024"]
    );
    // Clocks of Berlin go from 02:00 to 03:00 on that night.
    assert_eq!(
        ticks(
            "2024-03-30T20:00:00Z",
            "2024-03-31T10:00:00Z",
            chrono_tz::Europe::Berlin,
            3
        ),
        ["03-31 00:00", "03-31 07:00"]
    );
    assert!(!ticks("0001-01-01", "9999-12-31", chrono_tz::UTC, 6).is_empty());
    assert_eq!(
        ticks(
            "2024-01-01T00:00:00.1Z",
            "2024-01-01T00:00:00.2Z",
            chrono_tz::UTC,
            4
        ),
        ["2024-01-01T00:00:00.100Z"]
    );
}
