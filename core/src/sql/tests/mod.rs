//! Tests of SQL: what is answered, what is refused, and that states are those of the API.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

mod indexed;

use super::*;
use crate::id::StreamId;
use crate::model::ModelSet;
use crate::position::Position;
use crate::progress::WorkProgress;
use crate::store::Log;
use crate::temporal::{AsOf, Moment, parse_at};

/// The guide's log, and a way to ask it.
struct Guide {
    _folder: tempfile::TempDir,
    store: PathBuf,
    log: Log,
    models: Arc<ModelSet>,
}

impl Guide {
    fn new() -> Guide {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("guide.annals");
        crate::sample::guide(&store).unwrap();
        let log = Log::explore(&store).unwrap();
        let models = Arc::new(ModelSet::load(&store).unwrap().0);
        Guide {
            _folder: folder,
            store,
            log,
            models,
        }
    }

    fn try_ask(&self, sql: &str) -> Result<SqlView, SqlError> {
        let question = Question {
            time: Duration::from_secs(20),
            ..Question::new(sql)
        };
        ask(&self.log, &self.models, &question, &Arc::default())
    }

    fn ask(&self, sql: &str) -> SqlView {
        match self.try_ask(sql) {
            Ok(view) => view,
            Err(error) => panic!("{sql}: {error}"),
        }
    }

    /// The rows as one text each.
    fn rows(&self, sql: &str) -> Vec<String> {
        let cells = |row: &Vec<serde_json::Value>| {
            let cells: Vec<String> = row.iter().map(ToString::to_string).collect();
            cells.join(" ")
        };
        self.ask(sql).rows.iter().map(cells).collect()
    }
}

#[test]
fn a_balance_is_told_as_of_an_instant_with_every_digit() {
    let guide = Guide::new();
    let balance = |at: &str| guide.rows(&format!("SELECT balance FROM account_at('{at}')"));
    assert_eq!(balance("2024-01-09"), ["950.00"]);
    assert_eq!(balance("2024-01-10"), ["1450.00"]);
    let view = guide.ask("SELECT balance FROM account_at('2024-01-10', 26)");
    assert_eq!(view.readings[0].known, Position(26));
    assert_eq!(view.columns[0].kind.as_deref(), Some("decimal"));
}

#[test]
fn what_does_not_read_is_refused_by_the_engine() {
    let guide = Guide::new();
    let other = guide.store.display();
    for sql in [
        "INSERT INTO events(position) VALUES (1)",
        "UPDATE events SET type = 'x'",
        "DELETE FROM events",
        "CREATE TABLE t(x)",
        "CREATE TEMP TABLE t AS SELECT * FROM events",
        "CREATE VIEW v AS SELECT 1",
        "CREATE VIRTUAL TABLE temp.t USING fts5(x)",
        "DROP TABLE events",
        "PRAGMA writable_schema = 1",
        "PRAGMA journal_mode = WAL",
        "PRAGMA database_list",
        "BEGIN",
        "SAVEPOINT s",
        "VACUUM",
        "VACUUM INTO '/tmp/x'",
        "REINDEX",
        "ANALYZE",
        "DETACH main",
        "SELECT load_extension('x')",
        "SELECT random()",
        "SELECT hex(randomblob(4))",
        "SELECT CURRENT_TIMESTAMP",
        "SELECT * FROM pragma_database_list",
        "WITH x AS (SELECT 1) INSERT INTO events SELECT * FROM x",
        "EXPLAIN DELETE FROM events",
        &format!("ATTACH '{other}' AS log"),
        &format!("/* SELECT */ ATTACH '{other}' AS log"),
    ] {
        let outcome = guide.try_ask(sql);
        assert!(
            matches!(outcome, Err(SqlError::Refused { .. })),
            "{sql}: {outcome:?}"
        );
    }
    for sql in [
        "SELECT readfile('/etc/passwd')",
        "SELECT * FROM sqlite_dbpage",
        "SELECT * FROM dbstat",
        "SELECT writefile('x', 'y')",
    ] {
        let outcome = guide.try_ask(sql);
        assert!(outcome.is_err(), "{sql}: {outcome:?}");
    }
}

#[test]
fn one_statement_is_answered() {
    let guide = Guide::new();
    for sql in ["", " ;; ", "-- nothing", "/* nothing"] {
        assert!(matches!(guide.try_ask(sql), Err(SqlError::Empty)), "{sql}");
    }
    assert_eq!(guide.rows("SELECT 1; -- and no more ;"), ["1"]);
    assert_eq!(guide.rows("SELECT ';SELECT 2'"), [r#"";SELECT 2""#]);
    let Err(SqlError::Several { line, column }) = guide.try_ask("SELECT 1;\n DELETE FROM events")
    else {
        panic!()
    };
    assert_eq!((line, column), (2, 2));
    for clock in ["SELECT date('now')", "SELECT datetime()"] {
        let error = guide.try_ask(clock).unwrap_err().to_string();
        assert!(error.contains("reads the clock"), "{clock}: {error}");
    }
}

#[test]
fn an_error_says_where_and_what_comes_close() {
    let guide = Guide::new();
    let told = |sql: &str| match guide.try_ask(sql) {
        Err(SqlError::Text {
            message,
            line,
            column,
            near,
        }) => (message, line, column, near.join(" ")),
        other => panic!("{sql}: {other:?}"),
    };
    let (message, line, column, near) = told("SELECT *\nFROM ordr_at()");
    assert_eq!(message, "no such table: ordr_at");
    assert_eq!((line, column, near.as_str()), (2, 6, "order_at Order_at"));
    let (message, _, column, near) = told("SELECT statuss FROM order_at()");
    assert_eq!(message, "no such column: statuss");
    assert_eq!((column, near.as_str()), (8, "status"));
    let (_, _, _, near) = told("SELECT dec_som(1)");
    assert_eq!(near, "dec_sum dec_sub");
    // A misspelt name in double quotes is no text.
    told("SELECT * FROM order_at() WHERE status = \"Shipped\"");
    let failed = |sql: &str| guide.try_ask(sql).unwrap_err().to_string();
    assert!(failed("SELECT * FROM order_at('2024-02-31')").contains("2024-02-31"));
    assert!(failed("SELECT * FROM order_at(5)").contains("an instant is a text"));
    assert!(failed("SELECT * FROM order_at(NULL, 5000)").contains("has 52 positions"));
    assert!(failed("SELECT * FROM state_at").contains("needs a category"));
    assert!(failed("SELECT * FROM history('order')").contains("a category and a path"));
    assert!(failed("SELECT ?").contains("no parameter ?"));
}

#[test]
fn a_statement_may_name_tables_of_its_own() {
    let guide = Guide::new();
    let counted = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3) SELECT i FROM n";
    assert_eq!(guide.rows(counted), ["1", "2", "3"]);
    let told =
        guide.rows("SELECT name FROM pragma_table_xinfo('account_at') WHERE hidden ORDER BY cid");
    assert_eq!(told, [r#""as_of_at""#, r#""as_of_known""#]);
}

#[test]
fn the_instant_may_stand_beside_the_statement() {
    let guide = Guide::new();
    let question = Question {
        at: Some("2024-01-10"),
        known: Some("7"),
        ..Question::new("SELECT balance FROM account_at(:at, :known)")
    };
    let view = ask(&guide.log, &guide.models, &question, &Arc::default()).unwrap();
    assert_eq!(view.rows[0][0].to_string(), "1450.00");
    assert_eq!(view.readings[0].known, Position(7));
    assert_eq!(guide.rows(question.sql), ["1247.83"]);
}

#[test]
fn names_that_differ_in_case_only_are_taken_as_they_are_spelled() {
    let guide = Guide::new();
    let streams = |table: &str| guide.rows(&format!("SELECT stream FROM {table}"));
    assert_eq!(streams("state_at('user')"), streams("user_at()"));
    assert_eq!(streams("state_at('User')"), streams("User_at"));
    assert_ne!(streams("user_at"), streams("User_at"));
    for both in ["USER_AT", "user_at UNION SELECT stream FROM \"User_at\""] {
        let error = guide
            .try_ask(&format!("SELECT stream FROM {both}"))
            .unwrap_err();
        assert!(
            error.to_string().contains("for one name"),
            "{both}: {error}"
        );
    }
}

#[test]
fn what_runs_forever_is_stopped_and_can_be_cancelled() {
    let guide = Guide::new();
    let forever =
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
    let question = Question {
        time: Duration::from_millis(50),
        ..Question::new(forever)
    };
    let outcome = ask(&guide.log, &guide.models, &question, &Arc::default());
    assert!(
        matches!(outcome, Err(SqlError::TimeUp { .. })),
        "{outcome:?}"
    );
    let progress = Arc::new(WorkProgress::default());
    progress.cancel();
    let outcome = ask(
        &guide.log,
        &guide.models,
        &Question::new(forever),
        &progress,
    );
    assert!(matches!(outcome, Err(SqlError::Cancelled)), "{outcome:?}");
    for large in [
        "SELECT zeroblob(1000000000)",
        "SELECT hex(zeroblob(60000000))",
        "SELECT printf('%.*c', 900000000, 'x')",
    ] {
        let error = guide.try_ask(large).unwrap_err().to_string();
        assert!(error.contains("64 MiB"), "{large}: {error}");
    }
}

#[test]
fn an_answer_says_that_there_are_more_rows() {
    let guide = Guide::new();
    let sql = "SELECT position FROM events ORDER BY position DESC";
    let question = Question {
        rows: 2,
        ..Question::new(sql)
    };
    let view = ask(&guide.log, &guide.models, &question, &Arc::default()).unwrap();
    assert_eq!((view.rows.len(), view.end), (2, SqlEnd::Rows));
    assert_eq!(view.rows[0][0], 52);
    let rows = guide.log.head().unwrap().size.0 as usize;
    let question = Question { rows, ..question };
    let view = ask(&guide.log, &guide.models, &question, &Arc::default()).unwrap();
    assert_eq!((view.rows.len(), view.end), (rows, SqlEnd::Whole));
}

#[test]
fn decimals_are_compared_and_added_exactly() {
    let guide = Guide::new();
    let of = |expression: &str| guide.rows(&format!("SELECT {expression}")).remove(0);
    assert_eq!(of("dec_add('0.1', '0.2')"), "0.3");
    assert_eq!(of("dec_mul('1.10', 3)"), "3.30");
    assert_eq!(of("dec_div(1, 3)"), format!("0.{}", "3".repeat(28)));
    assert_eq!(of("dec_cmp('109.970', '109.97')"), "0");
    assert_eq!(of("dec_cmp('9', '10')"), "-1");
    assert_eq!(of("dec_round('2.345', 2)"), "2.34");
    assert_eq!(of("dec_add(NULL, 1)"), "null");
    assert_eq!(of("value_at('{\"a\":[1.10]}', 'a[0]')"), r#""1.10""#);
    let values = "FROM (SELECT '0.1' AS v UNION ALL SELECT '0.2' UNION ALL SELECT '10')";
    let gathered = |call: &str| guide.rows(&format!("SELECT {call} {values}")).remove(0);
    assert_eq!(gathered("sum(v)"), "10.3");
    assert_eq!(gathered("dec_sum(v)"), "10.3");
    assert_eq!(gathered("dec_max(v)"), "10");
    assert_eq!(of("sum(value) FROM json_each('[1,2]')"), "3");
    assert_eq!(of("avg(value) FROM json_each('[1,2]')"), "1.5");
    assert_eq!(of("total(value) FROM json_each('[]')"), "0");
    let windowed = guide.rows(&format!(
        "SELECT dec_sum(v) OVER (ORDER BY v COLLATE DECIMAL ROWS 1 PRECEDING) {values}"
    ));
    assert_eq!(windowed, ["0.1", "0.3", "10.2"]);
    assert!(guide.try_ask("SELECT dec_add('x', 1)").is_err());
    // By value and not as texts or floating-point numbers.
    assert_eq!(
        guide
            .rows("SELECT balance FROM account_at() WHERE balance > 999.99 AND balance = 1247.830"),
        ["1247.83"]
    );
    let ordered = guide.rows("SELECT value FROM history('account', 'balance') ORDER BY value");
    assert_eq!(ordered, ["0.00", "950.00", "1000.00", "1247.83", "1450.00"]);
}

#[test]
fn computed_decimals_are_compared_and_ordered_by_value() {
    let guide = Guide::new();
    let values =
        "(SELECT '9.5' AS v, 1 AS g UNION ALL SELECT '10.25', 2 UNION ALL SELECT '100', 3)";
    for (sql, want) in [
        (
            "SELECT dec_sum(v) FROM {} GROUP BY g ORDER BY dec_sum(v) DESC",
            "100 10.25 9.5",
        ),
        (
            "SELECT dec_sum(v) AS s FROM {} GROUP BY g ORDER BY s",
            "9.5 10.25 100",
        ),
        (
            "SELECT sum(v) AS s FROM {} GROUP BY g ORDER BY 1 DESC",
            "100 10.25 9.5",
        ),
        (
            "SELECT g FROM {} GROUP BY g HAVING dec_sum(v) > 9.75",
            "2 3",
        ),
        (
            "SELECT s FROM (SELECT dec_mul(v, 2) AS s FROM {}) WHERE s < 100 ORDER BY s DESC",
            "20.50 19.0",
        ),
        (
            "SELECT g FROM {} WHERE dec_add(v, 0) BETWEEN 9.5 AND 10.25",
            "1 2",
        ),
        ("SELECT g FROM {} WHERE 100.0 = dec_abs(v)", "3"),
        (
            "SELECT avg(v) FROM {} HAVING avg(v) > 30",
            "39.91666666666666666666666667",
        ),
    ] {
        let got = guide.rows(&sql.replace("{}", values));
        let cells: Vec<&str> = got.iter().map(|cell| cell.trim_matches('"')).collect();
        assert_eq!(cells.join(" "), want, "{sql}");
    }
    let view = guide.ask("SELECT max(balance) AS most, dec_sum(balance) FROM account_at() WHERE balance > 100 HAVING max(balance) > 1000");
    let cells: Vec<String> = view.rows[0].iter().map(ToString::to_string).collect();
    assert_eq!(cells, ["1247.83", "1247.83"]);
    assert_eq!(view.columns[1].name, "dec_sum(balance)");
    assert!(
        view.columns
            .iter()
            .all(|column| column.kind.as_deref() == Some("decimal"))
    );
    assert!(
        guide
            .rows("SELECT max(balance) FROM account_at() HAVING max(balance) > 2000")
            .is_empty()
    );
}

#[test]
fn a_plain_sum_of_decimals_is_exact_and_flagged() {
    let guide = Guide::new();
    let view = guide.ask("SELECT sum(balance), sum(version) FROM account_at()");
    assert_eq!(view.rows[0][0].to_string(), "1247.83");
    assert!(view.rows[0][1].is_number());
    assert!(view.findings[0].detail.starts_with("sum() met decimals"));
    let view = guide.ask("SELECT balance * 2 AS twice FROM account_at()");
    assert!(
        view.findings[0]
            .detail
            .contains("(twice) holds floating-point numbers")
    );
    let within = guide.ask("SELECT stream FROM account_at() WHERE balance * 2 > 1");
    assert!(within.findings[0].detail.contains("+ - * /"));
    assert!(
        guide
            .ask("SELECT dec_sum(balance) FROM account_at()")
            .findings
            .is_empty()
    );
}

#[test]
fn events_are_found_by_what_a_query_compares() {
    let guide = Guide::new();
    let all = guide.rows("SELECT position, stream, type, time, actor FROM events");
    for (condition, way) in [
        ("position BETWEEN 3 AND 5", "position + 0 BETWEEN 3 AND 5"),
        ("position > 50", "position + 0 > 50"),
        ("position IN (1, 7, 99)", "position + 0 IN (1, 7, 99)"),
        ("stream = 'account-12345'", "stream || '' = 'account-12345'"),
        (
            "type = 'OrderPlaced' AND position < 40",
            "type || '' = 'OrderPlaced' AND position + 0 < 40",
        ),
        ("category = 'user'", "category || '' = 'user'"),
        ("time >= '2024-01-10'", "time || '' >= '2024-01-10'"),
        (
            "time < '2024-01-10T00:00:00+00:00'",
            "time || '' < '2024-01-10'",
        ),
        (
            "stream = 'ACCOUNT-12345' COLLATE NOCASE",
            "lower(stream) = 'account-12345'",
        ),
        ("stream = ''", "0"),
        ("position = 'x'", "0"),
        ("position > 9999999999", "0"),
    ] {
        let columns = "SELECT position, stream, type, time, actor FROM events WHERE";
        let quick = guide.rows(&format!("{columns} {condition}"));
        assert_eq!(
            quick,
            guide.rows(&format!("{columns} {way}")),
            "{condition}"
        );
        assert!(quick.len() < all.len(), "{condition}");
        let count = guide.rows(&format!("SELECT count(*) FROM events WHERE {condition}"));
        assert_eq!(count, [quick.len().to_string()], "{condition}");
    }
    for (written, first) in [("2024-02", "2024-02-01"), ("2024", "2024-01-01")] {
        let since = |text: &str| {
            guide.rows(&format!(
                "SELECT position FROM events WHERE time >= '{text}'"
            ))
        };
        assert_eq!(since(written), since(first));
    }
    let nonsense = guide.try_ask("SELECT 1 FROM events WHERE time > 'last week'");
    assert!(nonsense.unwrap_err().to_string().contains("no instant"));
    assert_eq!(guide.rows("SELECT count(*) FROM events"), ["52"]);
    let backwards = guide
        .rows("SELECT position FROM events WHERE position > 40 ORDER BY position DESC LIMIT 2");
    assert_eq!(backwards, ["52", "51"]);
    let dollars = guide.rows(
        "SELECT dec_sum(value_at(data, 'totalAmount')) FROM events WHERE type = 'OrderPlaced'",
    );
    assert!(dollars[0].contains('.'), "{dollars:?}");
}

#[test]
fn tables_can_be_joined_as_of_instants_of_their_rows() {
    let guide = Guide::new();
    let rows = guide.rows(
        "SELECT e.time, a.balance FROM events e, account_at(e.time) a
         WHERE e.stream = 'account-12345' ORDER BY e.position",
    );
    let balances: Vec<&str> = rows
        .iter()
        .filter_map(|row| row.split(' ').nth(1))
        .collect();
    assert_eq!(
        balances,
        ["0.00", "1000.00", "950.00", "1450.00", "1247.83"]
    );
    let grown = guide.rows(
        "SELECT b.stream FROM streams('2024-01-10') a JOIN streams() b USING (stream) WHERE b.events > a.events ORDER BY 1",
    );
    assert!(
        grown.contains(&r#""account-12345""#.to_owned()),
        "{grown:?}"
    );
}

#[test]
fn queries_are_saved_as_files() {
    let guide = Guide::new();
    let store = &guide.store;
    assert!(list(store).unwrap().queries.is_empty());
    save(store, "late-orders", "SELECT 1", false).unwrap();
    assert!(matches!(
        save(store, "late-orders", "SELECT 2", false),
        Err(SqlError::Exists { .. })
    ));
    save(store, "late-orders", "SELECT 2", true).unwrap();
    assert_eq!(show(store, "late-orders").unwrap().sql, "SELECT 2\n");
    for name in ["", "../x", "a b", ".x", "a/b"] {
        assert!(
            matches!(
                save(store, name, "SELECT 1", true),
                Err(SqlError::Name { .. })
            ),
            "{name}"
        );
        assert!(
            matches!(delete(store, name), Err(SqlError::Name { .. })),
            "{name}"
        );
    }
    delete(store, "late-orders").unwrap();
    assert!(matches!(
        show(store, "late-orders"),
        Err(SqlError::NoQuery { .. })
    ));
}

#[test]
fn an_export_holds_every_row_and_guards_formulas() {
    let guide = Guide::new();
    let folder = tempfile::tempdir().unwrap();
    let question = Question {
        rows: 1,
        ..Question::new("SELECT position, '=1+1' AS \"a,b\", NULL AS a, x'ff' AS a FROM events")
    };
    let out = |name: &str| folder.path().join(name);
    let write = |form, name: &str| {
        export(
            &guide.log,
            &guide.models,
            &question,
            form,
            &out(name),
            &Arc::default(),
        )
        .unwrap()
    };
    let view = write(SqlForm::Csv, "x.csv");
    assert_eq!(view.rows, 52);
    let text = std::fs::read_to_string(out("x.csv")).unwrap();
    assert!(
        text.starts_with("position,\"a,b\",a,a\r\n1,'=1+1,,x'ff'\r\n2,"),
        "{text:?}"
    );
    assert_eq!(text.lines().count(), 53);
    write(SqlForm::Jsonl, "x.jsonl");
    let text = std::fs::read_to_string(out("x.jsonl")).unwrap();
    let first = r#"{"position":1,"a,b":"=1+1","a":null,"a_2":{"hex":"ff"}}"#;
    assert_eq!(text.lines().next(), Some(first));
    let (a, b) = (
        write(SqlForm::Xlsx, "a.xlsx"),
        write(SqlForm::Xlsx, "b.xlsx"),
    );
    assert_eq!(a.sha256, b.sha256);
    let own = export(
        &guide.log,
        &guide.models,
        &question,
        SqlForm::Csv,
        &guide.store,
        &Arc::default(),
    );
    assert!(own.is_err(), "the log itself was written over");
    let refused = Question::new("DELETE FROM events");
    assert!(
        export(
            &guide.log,
            &guide.models,
            &refused,
            SqlForm::Csv,
            &out("no.csv"),
            &Arc::default()
        )
        .is_err()
    );
    assert!(!out("no.csv").exists());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn states_in_sql_are_those_of_the_api(minutes in 0u32..60 * 24 * 40, known in 0u64..=52) {
        let guide = Guide::new();
        let at = crate::time::Time::parse_rfc3339("2024-01-01T00:00:00Z").unwrap();
        let at = at.to_utc() + chrono::Duration::minutes(i64::from(minutes));
        let at = at.format("%Y-%m-%dT%H:%M:%SZ").to_string();
        let as_of = AsOf {
            at: Some(parse_at(&at, chrono_tz::UTC).unwrap().at),
            known: Some(Position(known)),
        };
        for category in guide.log.info().unwrap().categories {
            let table = annals_tables::quoted(&format!("{}_at", category.name));
            let got = guide.rows(&format!("SELECT stream, version, state FROM {table}('{at}', {known})"));
            let general = guide.rows(&format!("SELECT stream, version, state FROM state_at('{}', '{at}', {known})", category.name));
            prop_assert_eq!(&got, &general, "{}", table);
            let mut want = Vec::new();
            let query = crate::store::StreamQuery {
                category: Some(crate::id::Category::new(category.name.as_str()).unwrap()),
                ..Default::default()
            };
            for row in guide.log.streams(&query, 1_000).unwrap().streams {
                let stream = StreamId::new(row.stream.as_str()).unwrap();
                let view = crate::temporal::state(&guide.log, &guide.models, &stream, &Moment::AsOf(as_of)).unwrap();
                if view.version.0 > 0 {
                    let state = serde_json::Value::String(view.state.get().to_owned());
                    want.push(format!("{} {} {state}", serde_json::Value::String(row.stream), view.version));
                }
            }
            prop_assert_eq!(got, want);
        }
    }
}
