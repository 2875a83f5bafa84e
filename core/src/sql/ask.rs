//! One statement and its answer.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use chrono_tz::Tz;
use rusqlite::config::DbConfig;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, Statement};
use serde_json::{Number, Value};

use super::events::Events;
use super::guard::{Refusal, guard};
use super::history::Histories;
use super::scene::Scene;
use super::schema::{Kind, Named, RESERVED, fields, meant, named};
use super::states::States;
use super::streams::Streams;
use super::view::{SqlColumn, SqlEnd, SqlView};
use super::words::{self, Word, near, words};
use super::wrap::{Wrapped, wrap};
use super::{SqlError, events, exact, history, states, streams};
use crate::finding::Severity;
use crate::model::{ModelSet, json};
use crate::pages::Pages;
use crate::progress::WorkProgress;
use crate::question::IntervalIndex;
use crate::store::Log;
use crate::written::line_and_column;

/// Rows that an answer gives where nothing else is asked for.
pub const ROWS: usize = 1_000;
/// Time that a statement may take where nothing else is asked for.
pub const TIME: Duration = Duration::from_secs(60);

/// Largest answer, in bytes of its cells, roughly.
const MAX_BYTES: usize = 64 << 20;
/// Steps of the engine between two looks whether to go on.
const PACE: i32 = 2_000;

/// Steps of the engine that calculate.
const ARITHMETIC: [&str; 5] = ["Add", "Subtract", "Multiply", "Divide", "Remainder"];

/// Functions of SQLite that read the clock where they are told no time.
const CLOCKS: [&str; 7] = [
    "date",
    "time",
    "datetime",
    "julianday",
    "unixepoch",
    "strftime",
    "timediff",
];

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Question<'q> {
    /// One statement that reads.
    pub sql: &'q str,
    /// What `:at` stands for in it; nothing where that is not given.
    pub at: Option<&'q str>,
    /// What `:known` stands for in it.
    pub known: Option<&'q str>,
    /// Zone of times that name none.
    pub zone: Tz,
    /// Most rows to give.
    pub rows: usize,
    /// Most time to take.
    pub time: Duration,
    /// The interval index, where there is one: fields that it holds, or that it is worth to put in, are not folded again.
    pub index: Option<&'q Arc<IntervalIndex>>,
}

impl<'q> Question<'q> {
    /// A statement, at most [`ROWS`] of its rows, times in UTC.
    #[must_use]
    pub fn new(sql: &'q str) -> Question<'q> {
        Question {
            sql,
            at: None,
            known: None,
            zone: Tz::UTC,
            rows: ROWS,
            time: TIME,
            index: None,
        }
    }
}

/// Answers a statement. `progress` counts events read, and cancels.
///
/// # Errors
/// [`SqlError`] if the statement is none, does something else than reading, takes too long or was cancelled, or the log
/// cannot be read.
///
/// ```
/// # use annals_core::{model::ModelSet, store::Log, sql};
/// # let folder = tempfile::tempdir()?;
/// # let store = folder.path().join("guide.annals");
/// annals_core::sample::guide(&store)?;
/// let (log, (models, _)) = (Log::explore(&store)?, ModelSet::load(&store)?);
/// let question = sql::Question::new("SELECT balance FROM account_at('2024-01-10')");
/// let answer = sql::ask(&log, &models.into(), &question, &Default::default())?;
/// assert_eq!(answer.rows[0][0].to_string(), "1450.00");
/// assert_eq!(answer.readings[0].reading.as_deref(), Some("end of 2024-01-10 (UTC)"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn ask(
    log: &Log,
    models: &Arc<ModelSet>,
    question: &Question<'_>,
    progress: &Arc<WorkProgress>,
) -> Result<SqlView, SqlError> {
    let mut rows = Vec::new();
    let mut bytes = 0;
    let mut end = SqlEnd::Whole;
    let Ran { columns, scene } = run(log, models, question, progress, &mut |_, row| {
        if rows.len() == question.rows {
            end = SqlEnd::Rows;
            return Ok(false);
        }
        bytes += row.iter().map(size).sum::<usize>();
        if bytes > MAX_BYTES && !rows.is_empty() {
            end = SqlEnd::Bytes;
            return Ok(false);
        }
        rows.push(row);
        Ok(true)
    })?;
    Ok(SqlView {
        rows,
        end,
        ..view(question, columns, &scene)
    })
}

/// Answers a statement and gives each row to `each`, whatever the question's limit; the view has none of them.
pub(crate) fn ask_each(
    log: &Log,
    models: &Arc<ModelSet>,
    question: &Question<'_>,
    progress: &Arc<WorkProgress>,
    each: EachRow<'_>,
) -> Result<SqlView, SqlError> {
    let Ran { columns, scene } = run(log, models, question, progress, each)?;
    Ok(view(question, columns, &scene))
}

/// Answers a statement and keeps all its rows in `pages`, at most [`crate::pages::MAX_PAGED_BYTES`] of them; the view has
/// the first, as many as the question asks for, and `end` tells whether all are in the pages.
///
/// # Errors
/// As [`ask`]; [`SqlError::Io`] if the rows cannot be kept.
pub fn ask_paged(
    log: &Log,
    models: &Arc<ModelSet>,
    question: &Question<'_>,
    progress: &Arc<WorkProgress>,
    pages: &mut Pages,
) -> Result<SqlView, SqlError> {
    let mut rows = Vec::new();
    let mut end = SqlEnd::Whole;
    let view = ask_each(log, models, question, progress, &mut |_, row| {
        if !pages.push(&row)? {
            end = SqlEnd::Bytes;
            return Ok(false);
        }
        if rows.len() < question.rows {
            rows.push(row);
        }
        Ok(true)
    })?;
    Ok(SqlView { rows, end, ..view })
}

/// What there is to be said of an answer, without its rows.
fn view(question: &Question<'_>, columns: Vec<SqlColumn>, scene: &Scene) -> SqlView {
    let (readings, readings_count, findings, events_examined) = scene.told();
    SqlView {
        sql: question.sql.to_owned(),
        columns,
        rows: Vec::new(),
        limit: question.rows as u64,
        end: SqlEnd::Whole,
        known: scene.known,
        zone: question.zone.to_string(),
        readings,
        readings_count,
        events_examined,
        from_index: scene.of_index(),
        findings,
    }
}

fn size(cell: &Value) -> usize {
    match cell {
        Value::String(text) => 16 + text.len(),
        Value::Object(fields) => 16 + fields.values().map(size).sum::<usize>(),
        _ => 16,
    }
}

/// What a statement left when it had run.
pub(super) struct Ran {
    pub(super) columns: Vec<SqlColumn>,
    pub(super) scene: Arc<Scene>,
}

/// Takes the columns and a row, and says whether to go on.
pub(crate) type EachRow<'e> = &'e mut dyn FnMut(&[SqlColumn], Vec<Value>) -> Result<bool, SqlError>;

/// Runs a statement; `each` is given its rows, and ends it by saying no.
pub(super) fn run(
    log: &Log,
    models: &Arc<ModelSet>,
    question: &Question<'_>,
    progress: &Arc<WorkProgress>,
    each: EachRow<'_>,
) -> Result<Ran, SqlError> {
    let words = words(question.sql);
    check(question.sql, &words)?;
    let scene = Scene::new(
        log,
        models,
        question.zone,
        question.time,
        question.index,
        progress,
    )?;
    let scene = Arc::new(scene);
    let categories = named(&log.info()?.categories);
    let stage = Stage::set(log, &scene, &categories, &words)?;
    let wrapped = wrap(question.sql, &words, &stage.decimals);
    let told = |error| stage.told(question.sql, &wrapped, error);
    let mut statement = stage.conn.prepare(&wrapped.sql).map_err(told)?;
    if statement.column_count() == 0 {
        let what = "the statement gives no rows".to_owned();
        return Err(SqlError::Refused { what });
    }
    let (mut columns, mut kinds) = (Vec::new(), Vec::new());
    for column in statement.columns() {
        let name = wrapped.name(column.name());
        let computed = wrapped.is_decimal(&name).then_some(Kind::Decimal);
        let kind = column.decl_type().and_then(Kind::of_declared).or(computed);
        kinds.push(kind);
        columns.push(SqlColumn {
            kind: kind.map(|kind| kind.name().to_owned()),
            name,
        });
    }
    bind(&mut statement, question)?;
    let mut reals = BTreeSet::new();
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next().map_err(told)? {
        let mut cells = Vec::with_capacity(kinds.len());
        for (at, kind) in kinds.iter().enumerate() {
            let value = row.get_ref(at).map_err(told)?;
            if matches!(value, ValueRef::Real(_)) {
                reals.insert(at);
            }
            cells.push(cell(value, *kind));
        }
        if !each(&columns, cells)? {
            break;
        }
    }
    if reals.is_empty() && stage.calculates(&wrapped.sql) {
        scene.not_exact(
            Severity::Warning,
            "the statement calculates with + - * / or %, which take decimals for floating-point numbers; dec_add, dec_sub, dec_mul and dec_div keep every digit",
        );
    }
    for at in reals {
        scene.not_exact(
            Severity::Warning,
            &format!(
                "column {} ({}) holds floating-point numbers, which may be off in their last digits: + - * /, round, json_extract and CAST AS REAL calculate with them; dec_add, dec_mul, dec_round and value_at keep every digit",
                at + 1,
                columns[at].name
            ),
        );
    }
    drop(rows);
    drop(statement);
    Ok(Ran { columns, scene })
}

/// Gives `:at` and `:known` their values.
fn bind(statement: &mut Statement<'_>, question: &Question<'_>) -> Result<(), SqlError> {
    for at in 1..=statement.parameter_count() {
        let value = match statement.parameter_name(at) {
            Some(":at") => question.at,
            Some(":known") => question.known,
            other => {
                let name = other.unwrap_or("?");
                return Err(SqlError::Failed {
                    message: format!("there is no parameter {name}; there are :at and :known"),
                });
            }
        };
        statement.raw_bind_parameter(at, value).map_err(engine)?;
    }
    Ok(())
}

/// Names of the parameters that a statement has, without their colons.
pub(crate) fn parameters(sql: &str) -> Vec<String> {
    let words = words(sql);
    let pairs = words.windows(2).filter(|pair| {
        pair[0].kind == words::Kind::Other
            && pair[0].says == ":"
            && pair[1].kind == words::Kind::Name
            && pair[0].at.end == pair[1].at.start
    });
    pairs.map(|pair| pair[1].says.clone()).collect()
}

/// What can be told before the engine looks.
fn check(sql: &str, words: &[Word]) -> Result<(), SqlError> {
    let is = |word: &Word, sign: &str| word.kind == words::Kind::Other && word.says == sign;
    let first = words.iter().position(|word| !is(word, ";"));
    let Some(first) = first else {
        return Err(SqlError::Empty);
    };
    let mut ended = false;
    for word in &words[first..] {
        match (is(word, ";"), ended) {
            (true, _) => ended = true,
            (false, false) => {}
            (false, true) => {
                let (line, column) = line_and_column(sql, word.at.start);
                return Err(SqlError::Several { line, column });
            }
        }
    }
    let clock = words.iter().enumerate().find(|(at, word)| {
        let now = word.kind == words::Kind::Text && word.says.eq_ignore_ascii_case("now");
        let called = CLOCKS
            .iter()
            .any(|name| word.says.eq_ignore_ascii_case(name))
            && word.kind == words::Kind::Name
            && words.get(at + 1).is_some_and(|next| is(next, "("))
            && words.get(at + 2).is_some_and(|next| is(next, ")"));
        now || called
    });
    if let Some((_, word)) = clock {
        let (line, column) = line_and_column(sql, word.at.start);
        return Err(SqlError::Text {
            message: "this reads the clock, and the same question would be answered differently tomorrow; write the date or the instant".to_owned(),
            line,
            column,
            near: Vec::new(),
        });
    }
    Ok(())
}

/// A connection with the tables on it that a statement names.
struct Stage {
    conn: Connection,
    refusal: Refusal,
    scene: Arc<Scene>,
    /// Names of all tables, and of the columns of those that are there.
    tables: Vec<String>,
    columns: Vec<String>,
    /// Names of the columns of decimals of those that are there, in lower case.
    decimals: BTreeSet<String>,
}

impl Stage {
    fn set(
        log: &Log,
        scene: &Arc<Scene>,
        categories: &[Named],
        words: &[Word],
    ) -> Result<Stage, SqlError> {
        let said: BTreeSet<&str> = words
            .iter()
            .filter(|word| word.kind != words::Kind::Other)
            .map(|word| word.says.as_str())
            .collect();
        let mut columns: Vec<String> = [&events::COLUMNS[..], &history::COLUMNS]
            .concat()
            .into_iter()
            .map(|(name, _)| name.to_owned())
            .collect();
        let mut decimals: BTreeSet<String> = ["value".to_owned()].into();
        let mut of_categories = Vec::new();
        // Looking for the fields of a category takes a while, so only those are looked at that are meant.
        for named in meant(categories, &said)? {
            let (fields, _) = fields(log, &scene.models, &named.category)?;
            columns.extend(fields.iter().map(|field| field.column.clone()));
            let exact = fields.iter().filter(|field| field.kind == Kind::Decimal);
            decimals.extend(exact.map(|field| field.column.to_ascii_lowercase()));
            of_categories.push(States {
                scene: Arc::clone(scene),
                table: named.table.clone(),
                category: Some(named.category.clone()),
                fields,
            });
        }
        let tables: Vec<String> = RESERVED
            .into_iter()
            .map(str::to_owned)
            .chain(categories.iter().map(|named| named.table.clone()))
            .collect();
        let (conn, refusal) = connect(scene, of_categories, &tables).map_err(engine)?;
        Ok(Stage {
            conn,
            refusal,
            scene: Arc::clone(scene),
            tables,
            columns,
            decimals,
        })
    }

    /// Whether the statement calculates by the engine's own arithmetic, and reads columns of decimals.
    fn calculates(&self, sql: &str) -> bool {
        let reads = self.refusal.columns_read();
        if self.decimals.is_disjoint(&reads) {
            return false;
        }
        let steps = || -> rusqlite::Result<Vec<String>> {
            let mut statement = self.conn.prepare(&format!("EXPLAIN {sql}"))?;
            statement.query_map([], |row| row.get(1))?.collect()
        };
        // An EXPLAIN cannot be explained, and calculates nothing.
        let steps = steps().unwrap_or_default();
        steps.iter().any(|step| ARITHMETIC.contains(&step.as_str()))
    }

    /// What an error of the engine means.
    fn told(&self, sql: &str, wrapped: &Wrapped, error: rusqlite::Error) -> SqlError {
        if let Some(failure) = self.scene.failure() {
            return match failure {
                // Long reads end when the time is up, too.
                SqlError::Read(crate::store::ReadError::Cancelled) => {
                    self.scene.stopped().unwrap_or(SqlError::Cancelled)
                }
                failure => failure,
            };
        }
        if let Some(what) = self.refusal.take() {
            return SqlError::Refused { what };
        }
        match error {
            rusqlite::Error::SqlInputError { msg, offset, .. } => {
                let at = usize::try_from(offset).ok();
                self.wrong(sql, msg, at.map(|at| wrapped.written(at)))
            }
            rusqlite::Error::SqliteFailure(code, message) => match (code.code, message) {
                (ErrorCode::OperationInterrupted, _) => {
                    self.scene.stopped().unwrap_or(SqlError::Cancelled)
                }
                (ErrorCode::TooBig, _) => SqlError::Failed {
                    message: "a text or a blob grows larger than 64 MiB".to_owned(),
                },
                // What the engine says of the tables, which it knows cannot be written.
                (_, Some(message)) if message.ends_with("may not be modified") => {
                    SqlError::Refused { what: message }
                }
                (_, Some(message)) => self.wrong(sql, message, None),
                (_, None) => SqlError::Failed {
                    message: code.to_string(),
                },
            },
            other => engine(other),
        }
    }

    /// A statement that is wrong, at a byte of it or at the name that the message ends with.
    fn wrong(&self, sql: &str, message: String, at: Option<usize>) -> SqlError {
        let name = ["no such table: ", "no such column: ", "no such function: "]
            .into_iter()
            .find_map(|what| Some((what, message.strip_prefix(what)?)));
        let Some((what, name)) = name else {
            return match at {
                None => SqlError::Failed { message },
                Some(at) => {
                    let (line, column) = line_and_column(sql, at);
                    SqlError::Text {
                        message,
                        line,
                        column,
                        near: Vec::new(),
                    }
                }
            };
        };
        let last = name.rsplit('.').next().unwrap_or(name);
        let last = last.trim().trim_matches('"');
        let near = match what {
            "no such table: " => near(last, self.tables.iter().cloned()),
            "no such column: " => near(last, self.columns.iter().cloned()),
            _ => {
                let calls = exact::FUNCTIONS.iter().map(|(call, _)| *call);
                let names = calls.map(|call| call.split('(').next().unwrap_or(call).to_owned());
                near(last, names)
            }
        };
        let word = words(sql)
            .into_iter()
            .find(|word| word.kind == words::Kind::Name && word.says.eq_ignore_ascii_case(last));
        let at = at.or_else(|| word.map(|word| word.at.start));
        let (line, column) = line_and_column(sql, at.unwrap_or(0));
        SqlError::Text {
            message,
            line,
            column,
            near,
        }
    }
}

fn connect(
    scene: &Arc<Scene>,
    of_categories: Vec<States>,
    tables: &[String],
) -> rusqlite::Result<(Connection, Refusal)> {
    let mut conn = Connection::open_in_memory()?;
    // A name in double quotes is a name, never a text: a misspelt one is told and not compared with.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
    exact::register(&conn, scene)?;
    annals_tables::add(&conn, events::NAME, Events(Arc::clone(scene)))?;
    annals_tables::add(&conn, streams::NAME, Streams(Arc::clone(scene)))?;
    annals_tables::add(&conn, history::NAME, Histories(Arc::clone(scene)))?;
    let any = States {
        scene: Arc::clone(scene),
        table: states::NAME.to_owned(),
        category: None,
        fields: Vec::new(),
    };
    annals_tables::add(&conn, states::NAME, any)?;
    for states in of_categories {
        let name = states.table.clone();
        annals_tables::add(&conn, &name, states)?;
    }
    let refusal = guard(&mut conn, tables.iter().cloned())?;
    let watched = Arc::clone(scene);
    conn.progress_handler(PACE, Some(move || watched.stopped().is_some()))?;
    Ok((conn, refusal))
}

fn engine(error: rusqlite::Error) -> SqlError {
    SqlError::Failed {
        message: error.to_string(),
    }
}

/// A cell as JSON: decimals of a column of decimals as numbers, digit for digit.
fn cell(value: ValueRef<'_>, kind: Option<Kind>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(n) if kind == Some(Kind::Boolean) => Value::Bool(n != 0),
        ValueRef::Integer(n) => Value::Number(n.into()),
        ValueRef::Real(real) if real.is_finite() => {
            Value::Number(Number::from_string_unchecked(format!("{real:?}")))
        }
        ValueRef::Real(real) => Value::String(real.to_string()),
        ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) if kind == Some(Kind::Decimal) => match json::parse(text) {
                Ok(read) if read.value.is_number() => read.value,
                _ => Value::String(text.to_owned()),
            },
            Ok(text) => Value::String(text.to_owned()),
            Err(_) => hex(bytes),
        },
        ValueRef::Blob(bytes) => hex(bytes),
    }
}

fn hex(bytes: &[u8]) -> Value {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Value::Object(
        [("hex".to_owned(), Value::String(digits))]
            .into_iter()
            .collect(),
    )
}
