//! Pictures of answers.

use super::picture;
use crate::chart::{PlotAxis, PlotKind};
use crate::model::ModelSet;
use crate::question::{Asking, Question, ROWS, ask};
use crate::store::Log;
use crate::temporal::AsOf;

/// Kind and axis of the picture, and how many rows it has.
fn drawn(text: &str) -> Option<(PlotKind, PlotAxis, usize)> {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("q.annals");
    crate::sample::questions(&store).unwrap();
    let log = Log::explore(&store).unwrap();
    let (models, _) = ModelSet::load(&store).unwrap();
    let asking = Asking {
        log: &log,
        models: &models,
        zone: chrono_tz::UTC,
        limit: ROWS,
        index: None,
        as_of: AsOf::default(),
    };
    let answer = ask(&asking, &Question::parse(text).unwrap(), &mut |_| true).unwrap();
    let plot = picture(&answer)?;
    assert!(!plot.alt.is_empty());
    Some((plot.kind, plot.axis, plot.rows.len()))
}

#[test]
fn each_kind_of_question_has_the_picture_that_fits_it() {
    use PlotAxis::{Names, Time};
    use PlotKind::{Area, Bar, Line, Timeline};
    let kinds = |text: &str| drawn(text).map(|(kind, axis, _)| (kind, axis));
    for (text, want) in [
        ("balance of account-12345", Some((Line, Time))),
        ("status of order-789", Some((Timeline, Time))),
        (
            r#"count order where status = "Pending" during 2024-01"#,
            Some((Area, Time)),
        ),
        (
            r#"count order where status = "Pending" entered during 2024-01"#,
            Some((Bar, Time)),
        ),
        (
            "list customer active during 2024-11-20..2024-12-01",
            Some((Bar, Time)),
        ),
        ("count order group by status", Some((Bar, Names))),
        (r#"count order where status = "Pending""#, None),
    ] {
        assert_eq!(kinds(text), want, "{text}");
    }
    let (.., days) = drawn("count order during 2024-01").unwrap();
    assert_eq!(days, 31);
}
