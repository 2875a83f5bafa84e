//! Verification of a whole log: every event hashed again, the tree made anew, and every table that is made of the
//! events compared with them.
//!
//! Work is shared by two threads or more, each with its own connection: stretches of events, and walks over the
//! other tables. Nothing is written. What was signed over the log is not looked at here.
//!
//! | module | what it holds |
//! |---|---|
//! | `names` | names, in memory |
//! | `rows` | events and their leaves |
//! | `derived` | tables made of the events |
//! | `imports` | the list of imports |
//! | `sums` | comparing tables without holding them |
//! | `whole` | tree, counters and schema |

mod derived;
mod imports;
mod names;
mod rows;
mod sums;
mod whole;

use std::path::Path;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::{Connection, OptionalExtension};

use self::derived::{TABLES, Table, Walked};
use self::names::Names;
use self::rows::{Stretch, Work};
use self::sums::Key;
use super::log::Log;
use super::packed::Packing;
use super::schema;
use super::tiles::TILE;
use crate::id::LogId;
use crate::integrity::Hash;
use crate::position::Position;
use crate::progress::WorkProgress;
use crate::store::verify::{Checked, VerifyFindings};
use crate::store::{OpenError, ReadError};
use crate::surroundings::Random;

/// Events that a thread takes at a time: whole tiles.
pub(super) const STRETCH: u64 = 16 * TILE as u64;

/// What verification of a log found.
#[derive(Debug)]
pub struct LogCheck {
    /// Which log it says that it is.
    pub id: LogId,
    /// Number of events that the log says it holds.
    pub size: Position,
    /// Number of events that were hashed again.
    pub events: u64,
    /// Root over the leaves; `None` where leaves are missing, so that there is none.
    pub root: Option<Hash>,
    /// Roots at the sizes that were asked for, where there are that many events.
    pub roots: Vec<(u64, Hash)>,
    /// What was checked, and how many.
    pub checked: Vec<Checked>,
    /// What was found.
    pub findings: VerifyFindings,
    /// What was not checked, and why.
    pub not_checked: Vec<String>,
}

/// What is verified.
#[derive(Debug)]
pub(super) struct Aim {
    size: u64,
    indexed: u64,
    /// Rows of streams tell of the events up to this position, and maybe of later ones.
    told: u64,
    has_links: bool,
    erased_identities: bool,
    packing: Packing,
    /// Sizes whose root is wanted.
    sizes: Vec<u64>,
}

/// Progress in events, counted in steps.
#[derive(Debug, Clone)]
pub(super) struct Progress {
    progress: WorkProgress,
    steps: Arc<AtomicU64>,
}

impl Progress {
    fn advance(&self, steps: u64) {
        let before = self.steps.fetch_add(steps, Ordering::Relaxed);
        let (done, after) = (before / STEPS, (before + steps) / STEPS);
        self.progress.advance(after - done);
    }

    fn is_cancelled(&self) -> bool {
        self.progress.is_cancelled()
    }

    /// Counts the entries of a walk.
    fn steps(&self) -> Steps<'_> {
        Steps { of: self, n: 0 }
    }
}

/// Entries of a walk, counted some thousands at a time.
struct Steps<'p> {
    of: &'p Progress,
    n: u64,
}

impl Steps<'_> {
    /// Counts one; says whether the work is to stop.
    fn one_more(&mut self) -> bool {
        self.n += 1;
        if !self.n.is_multiple_of(STEPS_AT_ONCE) {
            return false;
        }
        self.of.advance(STEPS_AT_ONCE);
        self.of.is_cancelled()
    }
}

impl Drop for Steps<'_> {
    fn drop(&mut self) {
        self.of.advance(self.n % STEPS_AT_ONCE);
    }
}

const STEPS_AT_ONCE: u64 = 4_096;

/// Steps that count as one event: four for the event itself, six for its entries elsewhere.
const STEPS: u64 = 10;

/// A piece of work.
#[derive(Debug, Clone, Copy)]
enum Job {
    Walk(Table),
    Stretch(u64),
}

/// Verifies everything in the file of a log; also of one that [`Log::explore`] refuses, because its end is cut off.
///
/// `sizes` are sizes whose roots are wanted. `threads` share the work. `random` makes sums that nobody can foresee.
///
/// # Errors
/// [`OpenError`] where the file is not there, or no log that can be read; in the inner result
/// [`ReadError::Cancelled`], and [`ReadError`] where the engine fails at the start.
pub fn check(
    path: &Path,
    sizes: &[u64],
    threads: usize,
    random: &Random,
    progress: &WorkProgress,
) -> Result<Result<LogCheck, ReadError>, OpenError> {
    let log = Log::explore_cut(path)?;
    Ok(check_log(&log, sizes, threads, random, progress))
}

fn check_log(
    log: &Log,
    sizes: &[u64],
    threads: usize,
    random: &Random,
    progress: &WorkProgress,
) -> Result<LogCheck, ReadError> {
    log.read(|conn| {
        let head = whole::Head::load(conn)?;
        let count = |question: &str| -> rusqlite::Result<bool> {
            Ok(conn
                .query_row(question, [], |_| Ok(()))
                .optional()?
                .is_some())
        };
        let mut sizes = sizes.to_vec();
        sizes.retain(|size| *size <= head.size);
        sizes.sort_unstable();
        sizes.dedup();
        let aim = Aim {
            size: head.size,
            indexed: head.indexed.min(head.size),
            told: match schema::streams_wait(conn)? {
                true => head.indexed.min(head.size),
                false => head.size,
            },
            has_links: count(
                "SELECT 1 FROM links WHERE qualifier IS NOT NULL
                 UNION ALL SELECT 1 FROM links_tail WHERE qualifier IS NOT NULL LIMIT 1",
            )?,
            erased_identities: count("SELECT 1 FROM erasures WHERE part = 'identity' LIMIT 1")?,
            packing: Packing::of(conn)?,
            sizes,
        };
        progress.expect(head.size.max(1));
        let (names, faults) = names_and_faults(log, conn, threads)?;
        let key = Key::new(random);
        let steps = Progress {
            progress: progress.clone(),
            steps: Arc::default(),
        };
        let outcome = Outcome {
            faults,
            ..share(log, &names, &key, &aim, threads, &steps)?
        };
        if progress.is_cancelled() {
            return Err(ReadError::Cancelled);
        }
        progress.reach(head.size);
        Ok(whole::join(conn, log.id(), &head, &names, &aim, outcome)?)
    })
}

/// Names of a log, and what the engine says of their tables and of what is kept beside the events, with their indexes.
/// One thread's work each.
fn names_and_faults(
    log: &Log,
    conn: &Connection,
    threads: usize,
) -> Result<(Names, rusqlite::Result<Vec<String>>), ReadError> {
    if threads < 2 {
        return Ok((Names::load(conn)?, whole::small_tables(conn)));
    }
    std::thread::scope(|scope| {
        let faults = scope.spawn(|| log.read(|conn| Ok(whole::small_tables(conn))));
        let names = Names::load(conn);
        let faults = faults.join().unwrap_or(Err(ReadError::Cancelled));
        Ok((names?, faults?))
    })
}

/// What threads found.
struct Outcome<'a> {
    works: Vec<Work<'a>>,
    stretches: Vec<Option<Stretch>>,
    walks: Vec<(Table, rusqlite::Result<Walked>)>,
    /// Stretches that could not be read at all.
    unread: Vec<(u64, rusqlite::Error)>,
    /// What the engine says of small tables.
    faults: rusqlite::Result<Vec<String>>,
}

fn share<'a>(
    log: &Log,
    names: &'a Names,
    key: &'a Key,
    aim: &'a Aim,
    threads: usize,
    progress: &Progress,
) -> Result<Outcome<'a>, ReadError> {
    let stretches = aim.size.div_ceil(STRETCH);
    let next = AtomicU64::new(0);
    let walks = TABLES.len() as u64;
    let job = || -> Option<Job> {
        let n = next.fetch_add(1, Ordering::Relaxed);
        match usize::try_from(n).ok().and_then(|n| TABLES.get(n)) {
            Some(table) => Some(Job::Walk(*table)),
            None if n - walks < stretches => Some(Job::Stretch(n - walks)),
            None => None,
        }
    };
    let all = Mutex::new(Outcome {
        works: Vec::new(),
        stretches: (0..stretches).map(|_| None).collect(),
        walks: Vec::new(),
        unread: Vec::new(),
        faults: Ok(Vec::new()),
    });
    let lock = || all.lock().unwrap_or_else(PoisonError::into_inner);
    let work = || -> Result<(), ReadError> {
        let mut work = Work::new(names, key, aim);
        log.read(|conn| {
            // Another process may have appended since the first look.
            let grows = super::log::head(conn)?.size.0 > aim.size;
            while let Some(job) = job().filter(|_| !progress.is_cancelled()) {
                match job {
                    Job::Walk(table) => {
                        let walked = derived::walk(conn, names, key, aim, (table, grows), progress);
                        lock().walks.push((table, walked));
                    }
                    Job::Stretch(index) => match work.stretch(conn, index, progress) {
                        Ok(stretch) => lock().stretches[index as usize] = Some(stretch),
                        Err(error) => lock().unread.push((index, error)),
                    },
                }
            }
            Ok(())
        })?;
        lock().works.push(work);
        Ok(())
    };
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads.max(1)).map(|_| scope.spawn(work)).collect();
        let mut result = work();
        for other in others {
            result = result.and(other.join().unwrap_or(Err(ReadError::Cancelled)));
        }
        result
    })?;
    Ok(all.into_inner().unwrap_or_else(PoisonError::into_inner))
}
