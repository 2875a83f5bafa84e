//! Statements of any text: rows, or an error that says something; and nothing changes.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use annals_core::model::ModelSet;
use annals_core::progress::WorkProgress;
use annals_core::sql::{Question, ask};
use annals_core::store::Log;

struct Guide {
    log: Log,
    models: Arc<ModelSet>,
    _folder: tempfile::TempDir,
}

/// Runs the target.
pub fn run(bytes: &[u8]) {
    static GUIDE: OnceLock<Guide> = OnceLock::new();
    let Ok(sql) = std::str::from_utf8(bytes) else {
        return;
    };
    let Guide { log, models, .. } = GUIDE.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let store = folder.path().join("guide.annals");
        annals_core::sample::guide(&store).expect("the guide's sample");
        let (models, _) = ModelSet::load(&store).expect("its models");
        Guide {
            log: Log::explore(&store).expect("it opens"),
            models: Arc::new(models),
            _folder: folder,
        }
    });
    let question = Question {
        rows: 20,
        time: Duration::from_secs(2),
        ..Question::new(sql)
    };
    let root = log.info().expect("the log reads").root;
    match ask(log, models, &question, &Arc::new(WorkProgress::default())) {
        Ok(view) => assert!(view.rows.len() <= 20),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    assert_eq!(log.info().expect("the log reads").root, root);
}
