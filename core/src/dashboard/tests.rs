use std::sync::Arc;

use serde_json::Value;

use super::*;
use crate::answers::Asker;
use crate::chart::{Look, PAPER, Plot, PlotCell};
use crate::model::ModelSet;
use crate::projection::{DocumentQuery, ProjectionSet, Projections, documents};
use crate::store::Log;
use crate::temporal::{AsOf, parse_at};

fn models(log: &Log) -> Arc<ModelSet> {
    Arc::new(ModelSet::load(log.path()).unwrap().0)
}

fn asker<'a>(log: &'a Log, models: &'a Arc<ModelSet>) -> Asker<'a> {
    Asker {
        store: log.path(),
        log,
        models,
        index: None,
    }
}

/// A dashboard of one panel.
fn one(panel: &str) -> Dashboard {
    let text = format!("title = 'T'\n[[panels]]\ntitle = 'P'\nprojection = 'p'\n{panel}");
    Dashboard::parse("d", &text).unwrap_or_else(|fault| panic!("{fault}; {}", fault.hint))
}

/// The plot of a panel over documents, and what is said about it.
fn made(panel: &str, documents: &[(&str, &str)]) -> (Plot, Vec<String>, Option<String>) {
    let dashboard = one(panel);
    let parsed: Vec<(String, Value)> = documents
        .iter()
        .map(|(key, text)| {
            let value = crate::model::json::parse_state(text).expect("a document of this test");
            ((*key).to_owned(), value)
        })
        .collect();
    let rows::Made { plot, notes, empty } =
        rows::plot(&dashboard.panels[0], dashboard.zone, &parsed);
    (plot, notes, empty)
}

/// Labels with their cells as they are shown.
fn shown(plot: &Plot) -> Vec<String> {
    let rows = plot.rows.iter().chain(&plot.rest);
    rows.map(|row| {
        let cells: Vec<String> = row.cells.iter().map(PlotCell::shown).collect();
        format!("{} {}", row.label, cells.join(" "))
    })
    .collect()
}

#[test]
fn faults_of_a_file_have_their_place_and_say_what_to_write() {
    let head = "title = 'T'\n[[panels]]\n";
    let base = "kind = 'number'\ntitle = 'P'\nprojection = 'p'\n";
    for (text, line, column, says, hint) in [
        (
            "titel = 'T'".to_owned(),
            1,
            1,
            "unknown field `titel`",
            "expected",
        ),
        (
            "title = 'T'\npanels = []".to_owned(),
            2,
            10,
            "1 to 40 panels, not 0",
            "[[panels]]",
        ),
        (
            format!("{head}{}", base.replace("number", "pie")),
            3,
            8,
            "unknown variant `pie`",
            "heat_map",
        ),
        (
            format!("{head}{base}value = 'a..b'"),
            6,
            9,
            "no path",
            "write a path",
        ),
        (
            format!("{head}{base}value = 'a'\nvalues = ['b']"),
            6,
            9,
            "beside each other",
            "keep one",
        ),
        (
            format!("{head}{base}order = 'x'"),
            6,
            9,
            "\"x\" is none of the values",
            "-label",
        ),
        (
            format!("{head}{base}limit = 0"),
            6,
            9,
            "1 to 5000 rows, not 0",
            "smaller",
        ),
        (
            format!("{head}{base}across = 'x'"),
            6,
            10,
            "kind number takes no across",
            "heat_map",
        ),
        (
            format!("{head}{}total = 'sum'", base.replace("number", "bar")),
            6,
            9,
            "kind bar takes no total",
            "number",
        ),
        (
            format!("{head}{}", base.replace("number", "timeline")),
            3,
            8,
            "when its rows begin",
            "from =",
        ),
        (
            format!("zone = 'Mars'\n{head}{base}"),
            1,
            8,
            "Mars",
            "Europe/Berlin",
        ),
        (
            format!("{head}{base}value = 7"),
            6,
            9,
            "no value",
            "path = ",
        ),
        (
            format!("{head}{}", base.replace("'P'", "' '")),
            4,
            9,
            "the title is empty",
            "title =",
        ),
    ] {
        let fault = Dashboard::parse("d", &text).unwrap_err();
        assert_eq!(
            (fault.line, fault.column),
            (line, column),
            "{text}: {fault}"
        );
        assert!(fault.message.contains(says), "{text}: {fault}");
        assert!(fault.hint.contains(hint), "{text}: {}", fault.hint);
    }
}

#[test]
fn rows_are_documents_entries_of_objects_or_elements_of_lists() {
    let documents = [("a", r#"{"n": 1.50}"#), ("b", r#"{"n": 12}"#), ("c", "{}")];
    let (plot, ..) = made("kind = 'table'\nvalue = 'n'", &documents);
    assert_eq!(shown(&plot), ["a 1.50", "b 12", "c –"]);
    let (plot, ..) = made(
        "kind = 'bar'\ndocument = 'a'\nrows = 'x'",
        &[("a", r#"{"x": {"k 1": 3, "k2": 1e2}}"#)],
    );
    assert_eq!(shown(&plot), ["k 1 3", "k2 1e2"]);
    assert_eq!(plot.rows[0].path, r#"x["k 1"]"#);
    let (plot, ..) = made(
        "kind = 'top_k'\ndocument = 'a'\nrows = 'top'\nlabel = 'id'\nvalue = 'r'\nlimit = 2",
        &[(
            "a",
            r#"{"top": [{"id": "x", "r": 1}, {"id": "y", "r": 5432.10}, {"id": "z", "r": 2.5}, {"id": "w", "r": 0.25}]}"#,
        )],
    );
    assert_eq!(shown(&plot), ["y 5,432.10", "z 2.5", "2 others 1.25"]);
    assert_eq!(plot.rows_count, 4);
}

#[test]
fn a_funnel_of_one_document_has_its_values_as_rows() {
    let (plot, ..) = made(
        "kind = 'funnel'\ndocument = 'all'\nvalues = ['placed', { path = 'paid', title = 'Paid' }]",
        &[("all", r#"{"placed": 10, "paid": 7}"#)],
    );
    assert_eq!(shown(&plot), ["placed 10", "Paid 7"]);
}

#[test]
fn rows_along_time_are_in_its_order_and_what_is_no_time_is_said() {
    let (plot, notes, _) = made(
        "kind = 'line'\ndocument = 'a'\nrows = 'days'\nlimit = 2",
        &[(
            "a",
            r#"{"days": {"2024-01-10": 3, "never": 1, "2024-01": 9, "2024-01-02": 2}}"#,
        )],
    );
    assert_eq!(shown(&plot), ["2024-01-02 2", "2024-01-10 3"]);
    assert_eq!(
        notes,
        [
            "1 rows are left out: their labels are no times",
            "the last 2 of 3 rows are shown"
        ]
    );
}

#[test]
fn heat_maps_come_from_objects_of_objects_or_from_a_path_across() {
    let (plot, ..) = made(
        "kind = 'heat_map'\ndocument = 'a'\nrows = 'h'",
        &[("a", r#"{"h": {"Mon": {"10": 1, "9": 2}, "Tue": {"9": 4}}}"#)],
    );
    let columns: Vec<&str> = plot
        .series
        .iter()
        .map(|series| series.name.as_str())
        .collect();
    assert_eq!(columns, ["9", "10"]);
    assert_eq!(shown(&plot), ["Mon 2 1", "Tue 4 –"]);
    let (plot, notes, _) = made(
        "kind = 'heat_map'\ndocument = 'a'\nrows = 'h'\nlabel = 'd'\nacross = 'c'\nvalue = 'n'",
        &[(
            "a",
            r#"{"h": [{"d": "Mon", "c": "x", "n": 1}, {"d": "Mon", "c": "x", "n": 2}, {"d": "Tue", "c": "y", "n": 3}]}"#,
        )],
    );
    assert_eq!(shown(&plot), ["Mon 2 –", "Tue – 3"]);
    assert_eq!(
        notes,
        ["1 cells were given more than once; the last is shown"]
    );
}

#[test]
fn totals_are_exact_and_say_over_how_many() {
    let documents = [
        ("a", r#"{"n": 0.1}"#),
        ("b", r#"{"n": 0.2}"#),
        ("c", r#"{"n": "0.4"}"#),
    ];
    for (total, want) in [
        ("sum", "sum of 3 rows 0.3"),
        ("count", "number of 3 rows 3"),
        ("min", "least of 3 rows 0.1"),
        ("max", "greatest of 3 rows 0.2"),
    ] {
        let (plot, notes, _) = made(
            &format!("kind = 'number'\nvalue = 'n'\ntotal = '{total}'"),
            &documents,
        );
        assert_eq!(shown(&plot), [want]);
        assert_eq!(notes.is_empty(), total == "count", "{notes:?}");
    }
    let (plot, notes, _) = made(
        "kind = 'number'\nvalue = 'n'\ntotal = 'sum'",
        &[
            ("a", r#"{"n": 9999999999999999999999999999}"#),
            ("b", r#"{"n": 0.0000000000000000000000000001}"#),
        ],
    );
    assert_eq!(
        (shown(&plot), notes),
        (
            vec!["sum of 2 rows –".to_owned()],
            vec!["the sum of n does not fit 28 digits".to_owned()]
        )
    );
}

#[test]
fn timelines_have_lanes_and_say_what_has_no_time() {
    let (plot, notes, _) = made(
        "kind = 'timeline'\ndocument = 'a'\nrows = 'e'\nlabel = 't'\nlane = 'k'\nfrom = 'at'\nto = 'end'",
        &[(
            "a",
            r#"{"e": [{"t": "later", "k": "x", "at": "2024-01-02"}, {"t": "first", "k": "x", "at": "2024-01-01T00:00:00Z", "end": "2024-01-03"}, {"t": "no"}]}"#,
        )],
    );
    assert_eq!(shown(&plot), ["first x", "later x"]);
    assert!(plot.rows[0].to.is_some() && plot.rows[1].to.is_none());
    assert_eq!(notes, ["1 rows have no time at at and are left out"]);
}

#[test]
fn an_empty_panel_says_why() {
    for (panel, documents, want) in [
        (
            "kind = 'number'\ndocument = 'k'",
            vec![],
            "has no document k at this instant",
        ),
        ("kind = 'table'", vec![], "has no documents at this instant"),
        (
            "kind = 'bar'\ndocument = 'k'\nrows = 'x'",
            vec![("k", "{}")],
            "x of the document k holds nothing",
        ),
        (
            "kind = 'bar'\nrows = 'x'",
            vec![("k", "{}")],
            "in any of the 1 documents",
        ),
    ] {
        let (_, _, empty) = made(panel, &documents);
        let empty = empty.unwrap_or_default();
        assert!(empty.contains(want), "{panel}: {empty}");
    }
}

#[test]
fn values_that_are_no_numbers_are_shown_and_not_drawn() {
    let (plot, notes, _) = made(
        "kind = 'bar'\nvalue = 'n'",
        &[
            ("a", r#"{"n": "12.50"}"#),
            ("b", r#"{"n": 1e400}"#),
            ("c", r#"{"n": 2}"#),
        ],
    );
    assert_eq!(shown(&plot), ["a 12.50", "b 1e400", "c 2"]);
    assert!(notes[0].starts_with("2 values are no numbers"), "{notes:?}");
}

/// The guide's store, its projections and its dashboard.
fn guide() -> (
    tempfile::TempDir,
    Log,
    ProjectionSet,
    std::sync::Arc<Dashboard>,
) {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("guide.annals");
    crate::sample::guide(&store).unwrap();
    let log = Log::explore(&store).unwrap();
    let (projections, broken) = ProjectionSet::load(&store).unwrap();
    assert!(broken.is_empty(), "{broken:?}");
    let dashboard = DashboardSet::load(&store).unwrap().get("accounts").unwrap();
    (folder, log, projections, dashboard)
}

#[test]
fn the_guides_balance_is_that_of_the_instant() {
    let (_folder, log, projections, dashboard) = guide();
    let models = models(&log);
    for (at, want) in [
        ("2024-01-09", "950.00"),
        ("2024-01-10", "1,450.00"),
        ("2023-01-01", ""),
    ] {
        let as_of = AsOf {
            at: Some(parse_at(at, chrono_tz::UTC).unwrap().at),
            known: None,
        };
        let mut asked = Vec::new();
        let view = look_at(
            &dashboard,
            &projections,
            &as_of,
            None,
            &asker(&log, &models),
            |name, query| {
                asked.push((name.to_owned(), query.key.clone()));
                documents(&log, &projections, name, &as_of, query)
            },
        )
        .unwrap();
        // Panels that read the same share one answer, and one that reads all documents has the single ones, too.
        assert_eq!(asked, [("accounts".to_owned(), None)]);
        let panel = &view.panels[0];
        let balance = panel.plot.rows.first().map(|row| row.cells[0].shown());
        assert_eq!(balance.unwrap_or_default(), want, "{at}");
        assert_eq!(panel.empty.is_some(), want.is_empty());
    }
}

#[test]
fn behind_a_value_are_the_events_that_changed_it() {
    let (_folder, log, projections, _) = guide();
    let models = models(&log);
    let as_of = AsOf::default();
    let clock = crate::surroundings::Surroundings::system().clock;
    let all = Projections::open(&log, projections, None, clock);
    let of = |path: &str| {
        let path = path.parse().unwrap();
        let place = BehindPlace {
            kind: SourceKind::Projection,
            name: "accounts",
            document: "account-12345",
            path: &path,
            zone: chrono_tz::UTC,
        };
        behind(&asker(&log, &models), &all, &place, &as_of, BEHIND).unwrap()
    };
    let versions = |view: &BehindView| -> Vec<u64> {
        view.events.iter().map(|event| event.version.0).collect()
    };
    let day = of("days[\"2024-01-10\"]");
    assert_eq!(
        (versions(&day), day.changed, day.inputs),
        (vec![4], true, 5)
    );
    let deposited = of("deposited");
    assert_eq!(versions(&deposited), [4, 2]);
    assert_eq!(deposited.value.unwrap().get(), "1500.00");
    let whole = of("");
    assert_eq!(
        (versions(&whole), whole.changed),
        (vec![5, 4, 3, 2, 1], false)
    );
}

#[test]
fn a_projection_that_is_not_there_is_said_on_its_panels() {
    let (_folder, log, projections, _) = guide();
    let models = models(&log);
    let dashboard = one("kind = 'number'\ndocument = 'x'");
    let look = Look {
        palette: &PAPER,
        width_px: 400,
    };
    let as_of = AsOf::default();
    let view = look_at(
        &dashboard,
        &projections,
        &as_of,
        Some(&look),
        &asker(&log, &models),
        |name, query| documents(&log, &projections, name, &as_of, query),
    )
    .unwrap();
    let empty = view.panels[0].empty.clone().unwrap_or_default();
    assert!(
        empty.contains("there is no projection p; there is accounts"),
        "{empty}"
    );
    assert!(view.panels[0].drawing.is_none());
    assert!(svg(&view, &PAPER, 400).contains("there is no projection p"));
}

#[test]
fn a_table_of_a_dashboard_runs_nothing_in_a_spreadsheet() {
    let (_folder, log, projections, _) = guide();
    let models = models(&log);
    let dashboard = Dashboard::parse(
        "d",
        "title = 'T'\n[[panels]]\nkind = 'table'\ntitle = '=1+1'\nprojection = 'accounts'\nvalues = [{ path = 'balance', title = '@x, \"y\"' }]",
    )
    .unwrap();
    let as_of = AsOf::default();
    let view = look_at(
        &dashboard,
        &projections,
        &as_of,
        None,
        &asker(&log, &models),
        |name, query: &DocumentQuery| documents(&log, &projections, name, &as_of, query),
    )
    .unwrap();
    let table = csv(&view);
    let line = table.lines().nth(1).unwrap();
    assert_eq!(
        line,
        "1,'=1+1,table,projection,accounts,account-12345,,account-12345,\"'@x, \"\"y\"\"\",1247.83,,,"
    );
}

#[test]
fn every_sample_brings_dashboards_that_show_something() {
    use crate::sample::{World, WorldRequest, make_world};
    for kind in [World::Shop, World::Trading, World::Clinic] {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("w.annals");
        let request = WorldRequest {
            events: 1_000,
            ..WorldRequest::of(kind)
        };
        make_world(&store, &request, &crate::progress::WorkProgress::default()).unwrap();
        let log = Log::explore(&store).unwrap();
        let models = models(&log);
        let (projections, broken) = ProjectionSet::load(&store).unwrap();
        assert!(broken.is_empty(), "{broken:?}");
        let set = DashboardSet::load(&store).unwrap();
        let view = set.view(&store);
        assert!(
            view.broken.is_empty() && !view.dashboards.is_empty(),
            "{view:?}"
        );
        for row in view.dashboards {
            let dashboard = set.get(&row.name).unwrap();
            let as_of = AsOf::default();
            let view = look_at(
                &dashboard,
                &projections,
                &as_of,
                None,
                &asker(&log, &models),
                |name, query| documents(&log, &projections, name, &as_of, query),
            )
            .unwrap();
            for panel in &view.panels {
                assert!(
                    panel.empty.is_none(),
                    "{}: {:?}",
                    panel.plot.title,
                    panel.empty
                );
            }
            for source in &view.sources {
                assert!(source.findings.is_empty(), "{:?}", source.findings);
            }
        }
    }
}

/// A dashboard over the sample of questions, with these panels and what is kept.
struct Asked {
    log: Log,
    models: Arc<ModelSet>,
    dashboard: Dashboard,
    _folder: tempfile::TempDir,
}

impl Asked {
    fn new(panels: &str) -> Asked {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("q.annals");
        crate::sample::questions(&store).unwrap();
        let keep = |name: &str, text: &str| {
            crate::question::saved::save(&store, name, text, None, false).unwrap();
        };
        keep("pending", r#"count order where status = "Pending""#);
        keep(
            "month/pending",
            r#"count order where status = "Pending" during 2024-01"#,
        );
        keep("by-status", "count order group by status");
        keep("balance", "balance of account-12345");
        keep("shipped", r#"first time status = "Pending" of order-802"#);
        keep("nowhere", "count nothing");
        let sql = "SELECT status, count(*) AS n FROM order_at(:at) GROUP BY status ORDER BY 1";
        crate::sql::save(&store, "statuses", sql, false).unwrap();
        crate::sql::save(&store, "all", "SELECT count(*) AS n FROM streams", false).unwrap();
        crate::sql::save(
            &store,
            "last",
            "SELECT stream, version, time FROM events ORDER BY position DESC LIMIT 2",
            false,
        )
        .unwrap();
        let log = Log::explore(&store).unwrap();
        Asked {
            models: models(&log),
            log,
            dashboard: Dashboard::parse("d", &format!("title = 'T'\n{panels}")).unwrap(),
            _folder: folder,
        }
    }

    fn as_of(&self, at: &str) -> AsOf {
        AsOf {
            at: (!at.is_empty()).then(|| parse_at(at, chrono_tz::UTC).unwrap().at),
            known: None,
        }
    }

    fn look(&self, at: &str) -> DashboardView {
        let projections = ProjectionSet::default();
        let as_of = self.as_of(at);
        let asker = asker(&self.log, &self.models);
        look_at(
            &self.dashboard,
            &projections,
            &as_of,
            None,
            &asker,
            |name, query| documents(&self.log, &projections, name, &as_of, query),
        )
        .unwrap()
    }

    fn behind(
        &self,
        (kind, name): (SourceKind, &str),
        path: &str,
        at: &str,
    ) -> Result<BehindView, DashboardError> {
        let path = path.parse().unwrap();
        let place = BehindPlace {
            kind,
            name,
            document: name,
            path: &path,
            zone: chrono_tz::UTC,
        };
        let asker = asker(&self.log, &self.models);
        let clock = crate::surroundings::Surroundings::system().clock;
        let none = Projections::open(&self.log, ProjectionSet::default(), None, clock);
        behind(&asker, &none, &place, &self.as_of(at), BEHIND)
    }
}

#[test]
fn a_panel_of_a_question_asks_it_as_of_the_instant() {
    let asked = Asked::new("[[panels]]\nkind = 'number'\ntitle = 'Pending'\nquestion = 'pending'");
    for at in ["", "2024-01-31", "2024-01-10", "2023-01-01"] {
        let view = asked.look(at);
        let when = if at.is_empty() {
            String::new()
        } else {
            format!(" at {at}")
        };
        let text = format!(r#"count order where status = "Pending"{when}"#);
        let asker = asker(&asked.log, &asked.models);
        let want = asker
            .ask(&text, AsOf::default(), chrono_tz::UTC, 10)
            .unwrap();
        let want = want.value.unwrap().get().to_owned();
        assert_eq!(
            shown(&view.panels[0].plot),
            [format!("after all events {want}")],
            "{at}"
        );
        assert!(view.sources[0].asked.is_some());
    }
}

#[test]
fn kinds_of_panels_read_the_part_of_an_answer_that_fits_them() {
    let panel = |kind: &str, question: &str| {
        format!("[[panels]]\nkind = '{kind}'\ntitle = '{kind}'\nquestion = '{question}'\n")
    };
    let panels = [
        panel("bar", "by-status"),
        panel("table", "pending"),
        panel("line", "balance"),
        panel("area", "month/pending"),
        panel("timeline", "shipped"),
        panel("bar", "pending"),
    ];
    let asked = Asked::new(&panels.concat());
    let view = asked.look("2024-01-12");
    let plots: Vec<(&str, Vec<String>)> = view
        .panels
        .iter()
        .map(|panel| (panel.plot.heading.as_str(), shown(&panel.plot)))
        .collect();
    for (panel, plot) in view.panels.iter().zip(&plots) {
        assert_eq!(panel.empty, None, "{plot:?}");
        assert!(!plot.1.is_empty(), "{plot:?}");
    }
    assert!(
        plots[2].1.last().unwrap().ends_with("1,450.00"),
        "{plots:?}"
    );
    // Nothing is told of the days after the instant.
    assert_eq!(plots[3].1.len(), 12, "{plots:?}");
    assert!(view.panels[2].plot.steps, "a balance stays until the next");
}

#[test]
fn a_panel_of_a_query_is_as_of_the_instant_where_it_says_so() {
    let asked = Asked::new(
        "[[panels]]\nkind = 'bar'\ntitle = 'Statuses'\nquery = 'statuses'\n\
         [[panels]]\nkind = 'number'\ntitle = 'All'\nquery = 'all'",
    );
    let (early, late) = (asked.look("2024-01-01"), asked.look(""));
    assert_ne!(shown(&early.panels[0].plot), shown(&late.panels[0].plot));
    assert_eq!(shown(&early.panels[1].plot), shown(&late.panels[1].plot));
    assert_eq!(early.panels[0].notes, Vec::<String>::new());
    assert_eq!(
        early.panels[1].notes,
        ["the statement does not say :at, so it is not asked as of this instant"]
    );
    assert_eq!(late.panels[1].notes, Vec::<String>::new());
    assert!(shown(&late.panels[1].plot)[0].starts_with("all "));
}

#[test]
fn what_is_wrong_with_a_kept_question_is_said_on_its_panels() {
    let asked = Asked::new(
        "[[panels]]\nkind = 'number'\ntitle = 'A'\nquestion = 'gone'\n\
         [[panels]]\nkind = 'number'\ntitle = 'B'\nquestion = 'nowhere'\n\
         [[panels]]\nkind = 'number'\ntitle = 'C'\nquery = 'gone'",
    );
    let view = asked.look("");
    let empty: Vec<&str> = view
        .panels
        .iter()
        .map(|p| p.empty.as_deref().unwrap_or(""))
        .collect();
    assert!(
        empty[0].starts_with("there is no question gone; there are balance"),
        "{empty:?}"
    );
    assert!(
        empty[1].starts_with("the log has no stream of category \"nothing\""),
        "{empty:?}"
    );
    assert_eq!(empty[2], "there is no saved query gone");
}

#[test]
fn behind_a_number_of_an_answer_are_the_events_that_made_it_so() {
    let asked = Asked::new("[[panels]]\nkind = 'bar'\ntitle = 'A'\nquestion = 'by-status'");
    let view = asked.look("2024-01-31");
    let question = (SourceKind::Question, "by-status");
    let mut all = 0;
    for row in &view.panels[0].plot.rows {
        let behind = asked.behind(question, &row.path, "2024-01-31").unwrap();
        assert_eq!(
            Some(behind.events_count.to_string()),
            row.cells[0].text,
            "{}",
            row.label
        );
        all += behind.events_count;
    }
    assert_eq!(
        asked
            .behind(question, "", "2024-01-31")
            .unwrap()
            .events_count,
        all
    );
    let past = asked
        .behind(question, "groups[99]", "")
        .unwrap_err()
        .to_string();
    assert_eq!(past, "the answer has no such place now");
    let last = asked
        .behind((SourceKind::Query, "last"), "rows[0]", "")
        .unwrap();
    let head = asked.log.head().unwrap().size;
    assert_eq!(last.events[0].position, head);
    let nothing = asked
        .behind((SourceKind::Query, "statuses"), "rows[0]", "")
        .unwrap_err();
    assert!(nothing.to_string().contains("name no event"), "{nothing}");
    let point = asked
        .behind((SourceKind::Question, "balance"), "course.points[0]", "")
        .unwrap();
    assert_eq!(point.events_count, 1);
}

#[test]
fn a_panel_reads_one_thing() {
    let fault = |panel: &str| {
        let text = format!("title = 'T'\n[[panels]]\nkind = 'number'\ntitle = 'P'\n{panel}");
        Dashboard::parse("d", &text).unwrap_err().message
    };
    assert_eq!(fault(""), "the panel names nothing that it reads");
    assert_eq!(
        fault("projection = 'a'\nquery = 'b'"),
        "projection and query stand beside each other"
    );
    assert_eq!(
        fault("question = 'a'\ndocument = 'b'"),
        "a panel of a question takes no document"
    );
    assert_eq!(fault("question = ' '"), "the question is empty");
}
