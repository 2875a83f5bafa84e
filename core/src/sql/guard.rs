//! What a statement may do, enforced by the engine: read the tables of this module, and nothing else.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;

/// Tables that the engine computes and that can be read: JSON taken apart, and what there is to ask.
const TABLES: [&str; 5] = [
    "json_each",
    "json_tree",
    "pragma_table_info",
    "pragma_table_xinfo",
    "pragma_function_list",
];

/// Pragmas that only tell what there is to ask.
const PRAGMAS: [&str; 3] = ["table_info", "table_xinfo", "function_list"];

/// Functions that reach outside, or answer differently each time.
const FUNCTIONS: [(&str, &str); 12] = [
    ("load_extension", "load_extension() loads a program"),
    ("readfile", "readfile() reads a file"),
    ("writefile", "writefile() writes a file"),
    ("edit", "edit() starts a program"),
    (
        "fts3_tokenizer",
        "fts3_tokenizer() takes an address in memory",
    ),
    ("sqlite_log", "sqlite_log() writes to the engine's log"),
    ("random", "random() answers differently each time"),
    ("randomblob", "randomblob() answers differently each time"),
    (
        "current_date",
        "CURRENT_DATE reads the clock; write the date",
    ),
    (
        "current_time",
        "CURRENT_TIME reads the clock; write the time",
    ),
    (
        "current_timestamp",
        "CURRENT_TIMESTAMP reads the clock; write the instant",
    ),
    ("changes", "changes() is about writing"),
];

/// Longest text or blob in a computation, in bytes.
const MAX_VALUE_BYTES: i32 = 64 << 20;

/// What was refused, and what was read.
#[derive(Debug, Clone, Default)]
pub(super) struct Refusal {
    refused: Arc<Mutex<Option<String>>>,
    read: Arc<Mutex<BTreeSet<String>>>,
}

impl Refusal {
    /// What was refused last, if anything.
    pub(super) fn take(&self) -> Option<String> {
        lock(&self.refused).take()
    }

    /// Names of the columns that statements read, in lower case.
    pub(super) fn columns_read(&self) -> BTreeSet<String> {
        lock(&self.read).clone()
    }
}

/// Lets statements on the connection read, of all the tables that it can compute, these and a few harmless ones.
pub(super) fn guard(
    conn: &mut Connection,
    tables: impl IntoIterator<Item = String>,
) -> rusqlite::Result<Refusal> {
    let mut free: BTreeSet<String> = TABLES.map(str::to_owned).into();
    free.extend(tables.into_iter().map(|name| name.to_ascii_lowercase()));
    // The empty database holds no table, so any other name is one that the statement gives itself.
    let closed: BTreeSet<String> = conn
        .prepare("SELECT lower(name) FROM pragma_module_list")?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let is_closed = move |name: &str| {
        let name = name.to_ascii_lowercase();
        !free.contains(&name) && (closed.contains(&name) || name.starts_with("pragma_"))
    };
    for (limit, most) in [
        (Limit::SQLITE_LIMIT_LENGTH, MAX_VALUE_BYTES),
        (Limit::SQLITE_LIMIT_SQL_LENGTH, 1 << 20),
        (Limit::SQLITE_LIMIT_ATTACHED, 0),
        (Limit::SQLITE_LIMIT_EXPR_DEPTH, 200),
        (Limit::SQLITE_LIMIT_COMPOUND_SELECT, 100),
        (Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1_000),
        (Limit::SQLITE_LIMIT_WORKER_THREADS, 0),
    ] {
        conn.set_limit(limit, most)?;
    }
    let refusal = Refusal::default();
    let (told, read) = (Arc::clone(&refusal.refused), Arc::clone(&refusal.read));
    conn.authorizer(Some(move |context: AuthContext<'_>| {
        match refused(&context.action, &is_closed) {
            None => {
                if let AuthAction::Read { column_name, .. } = context.action {
                    lock(&read).insert(column_name.to_ascii_lowercase());
                }
                Authorization::Allow
            }
            Some(what) => {
                lock(&told).get_or_insert(what);
                Authorization::Deny
            }
        }
    }))?;
    Ok(refusal)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What would be done, where it is not reading.
fn refused(action: &AuthAction<'_>, is_closed: &dyn Fn(&str) -> bool) -> Option<String> {
    Some(match action {
        AuthAction::Select | AuthAction::Recursive => return None,
        AuthAction::Read { table_name, .. } => {
            if !is_closed(table_name) {
                return None;
            }
            format!("{table_name} is a table of the engine's own")
        }
        AuthAction::Function { function_name } => {
            let known = FUNCTIONS
                .iter()
                .find(|(name, _)| function_name.eq_ignore_ascii_case(name));
            known?.1.to_owned()
        }
        AuthAction::Pragma { pragma_name, .. } => {
            let known = PRAGMAS
                .iter()
                .any(|name| pragma_name.eq_ignore_ascii_case(name));
            if known {
                return None;
            }
            format!("PRAGMA {pragma_name}")
        }
        AuthAction::Attach { .. } | AuthAction::Detach { .. } => {
            "ATTACH and DETACH are about other files".to_owned()
        }
        AuthAction::Insert { .. } => "this would insert".to_owned(),
        AuthAction::Update { .. } => "this would update".to_owned(),
        AuthAction::Delete { .. } => "this would delete".to_owned(),
        AuthAction::Transaction { .. } | AuthAction::Savepoint { .. } => {
            "a statement needs no transaction".to_owned()
        }
        _ => "this would make or change something".to_owned(),
    })
}
