//! Which snapshots are made and kept, category by category: `snapshots.toml` in the store's folder.
//!
//! ```toml
//! [policies.order]
//! strategy     = "rolling"
//! every_events = 100
//! keep         = 10
//! keep_first   = true
//!
//! [policies."*"]            # every other category
//! strategy  = "on_demand"
//! replay_ms = 20
//! ```

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use toml::Spanned;
use ts_rs::TS;

use crate::time::Time;
use crate::written::line_and_column;

/// Name of the policy for categories that have none of their own.
pub const OTHERS: &str = "*";

/// When snapshots are made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum SnapshotStrategy {
    /// Never.
    #[default]
    None,
    /// At every so many versions, or at the end of every day.
    Periodic,
    /// Where a fold was slow, large or slower than before, and for named streams.
    OnDemand,
    /// As periodic, and older ones go: the newest so many stay, and, where asked for, the first and each month's last.
    Rolling,
}

impl SnapshotStrategy {
    /// Its name in the file.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            SnapshotStrategy::None => "none",
            SnapshotStrategy::Periodic => "periodic",
            SnapshotStrategy::OnDemand => "on_demand",
            SnapshotStrategy::Rolling => "rolling",
        }
    }
}

/// What is made and kept of the streams of one category.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(default, deny_unknown_fields)]
pub struct SnapshotPolicy {
    /// When.
    pub strategy: SnapshotStrategy,
    /// Periodic, rolling: at versions that are multiples of this.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "number")]
    pub every_events: Option<u64>,
    /// Periodic, rolling: at the last event of each day, UTC, once a later day has begun.
    #[serde(skip_serializing_if = "is_false")]
    #[ts(optional, as = "Option<bool>")]
    pub every_day: bool,
    /// On demand: where folding the rest took longer than so many milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "number")]
    pub replay_ms: Option<u64>,
    /// On demand: where the fold took more memory than about so many bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "number")]
    pub state_bytes: Option<u64>,
    /// On demand: where an event took more than so many percent of the time that it took in the stream's fastest
    /// replay measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "number")]
    pub slower_percent: Option<u64>,
    /// On demand: streams that always have a snapshot at their last event.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<Vec<String>>")]
    pub critical: Vec<String>,
    /// Only the newest so many of a stream stay.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "number")]
    pub keep: Option<u64>,
    /// The first of a stream stays, too.
    #[serde(skip_serializing_if = "is_false")]
    #[ts(optional, as = "Option<bool>")]
    pub keep_first: bool,
    /// The last of each month, UTC, stays, too.
    #[serde(skip_serializing_if = "is_false")]
    #[ts(optional, as = "Option<bool>")]
    pub keep_month_ends: bool,
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks with a reference"
)]
fn is_false(value: &bool) -> bool {
    !*value
}

/// What a replay cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplayCost {
    /// Number of events folded.
    pub events: u64,
    /// How long it took, in microseconds.
    pub us: u64,
    /// About how many bytes the fold took.
    pub bytes: u64,
    /// The least time that 1,000 events of the stream took in a replay measured before, in microseconds.
    pub best_us: Option<u64>,
}

/// Events that a replay must have for its speed to be told from noise.
const ENOUGH: u64 = 50;

impl SnapshotPolicy {
    /// Whether a snapshot is due at an event: `version` it has, `time` it happened, `next` the one after it did.
    #[must_use]
    pub fn is_due(&self, version: u64, time: Time, next: Option<Time>) -> bool {
        match self.strategy {
            SnapshotStrategy::None | SnapshotStrategy::OnDemand => false,
            SnapshotStrategy::Periodic | SnapshotStrategy::Rolling => {
                let counted = self
                    .every_events
                    .is_some_and(|n| n > 0 && version.is_multiple_of(n));
                let ended = next.is_some_and(|next| day(time) < day(next));
                counted || self.every_day && ended
            }
        }
    }

    /// Whether a replay asks for a snapshot at its end, and why.
    #[must_use]
    pub fn demand(&self, stream: &str, cost: &ReplayCost) -> Option<String> {
        if self.strategy != SnapshotStrategy::OnDemand || cost.events == 0 {
            return None;
        }
        let ReplayCost {
            events,
            us,
            bytes,
            best_us,
        } = *cost;
        if self.critical.iter().any(|name| name == stream) {
            return Some("the stream is named as critical".to_owned());
        }
        if let Some(budget) = self.replay_ms.filter(|budget| us > budget * 1_000) {
            return Some(format!("the replay took more than {budget} ms"));
        }
        if let Some(budget) = self.state_bytes.filter(|budget| bytes > *budget) {
            return Some(format!("the fold took more than {budget} bytes"));
        }
        let now = us.saturating_mul(1_000) / events;
        match (self.slower_percent, best_us) {
            (Some(percent), Some(best)) if events >= ENOUGH && now * 100 > best * percent => Some(
                format!("an event took more than {percent} % of the fastest replay's"),
            ),
            _ => None,
        }
    }

    /// Whether some go when others come.
    #[must_use]
    pub fn retains(&self) -> bool {
        self.keep.is_some()
    }

    /// Of snapshots by version and time, ascending: which of them stay.
    #[must_use]
    pub fn stay(&self, kept: &[(u64, Time)]) -> Vec<bool> {
        let Some(newest) = self.keep else {
            return vec![true; kept.len()];
        };
        let from = kept
            .len()
            .saturating_sub(usize::try_from(newest).unwrap_or(usize::MAX));
        let ends_month = |at: usize| match kept.get(at + 1) {
            Some((_, next)) => month(kept[at].1) != month(*next),
            None => true,
        };
        (0..kept.len())
            .map(|at| {
                at >= from || self.keep_first && at == 0 || self.keep_month_ends && ends_month(at)
            })
            .collect()
    }

    /// What is wrong with it; `None` if nothing.
    fn wrong(&self) -> Option<&'static str> {
        let periodic = self.every_events.is_some() || self.every_day;
        let demand = self.replay_ms.is_some()
            || self.state_bytes.is_some()
            || self.slower_percent.is_some()
            || !self.critical.is_empty();
        let retains = self.keep.is_some() || self.keep_first || self.keep_month_ends;
        match self.strategy {
            SnapshotStrategy::None if periodic || demand || retains => {
                Some("strategy none makes no snapshots, so nothing else belongs here")
            }
            SnapshotStrategy::Periodic | SnapshotStrategy::Rolling if !periodic => {
                Some("say how often: every_events = 100, or every_day = true")
            }
            SnapshotStrategy::Periodic | SnapshotStrategy::Rolling if demand => {
                Some("replay_ms, state_bytes, slower_percent and critical belong to on_demand")
            }
            SnapshotStrategy::OnDemand if !demand => {
                Some("say when: replay_ms, state_bytes, slower_percent or critical")
            }
            SnapshotStrategy::OnDemand if periodic => {
                Some("every_events and every_day belong to periodic and rolling")
            }
            SnapshotStrategy::Rolling if self.keep.is_none() => {
                Some("say how many stay: keep = 10")
            }
            _ if self.every_events == Some(0) => Some("every_events is at least 1"),
            _ if self.keep == Some(0) => Some("keep is at least 1"),
            _ if self.keep.is_none() && retains => {
                Some("keep_first and keep_month_ends say what stays beside keep = N")
            }
            _ => None,
        }
    }
}

fn day(time: Time) -> i64 {
    time.us().div_euclid(86_400_000_000)
}

fn month(time: Time) -> (i32, u32) {
    use chrono::Datelike as _;
    let date = time.to_utc();
    (date.year(), date.month())
}

/// What is wrong with a file of policies, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}:{column}: {message}")]
pub struct PolicyError {
    /// The file.
    pub file: String,
    /// Line, first is 1.
    pub line: usize,
    /// Column, first is 1.
    pub column: usize,
    /// What is wrong, and what would be right.
    pub message: String,
}

/// The policies of a store, by category.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policies(BTreeMap<String, SnapshotPolicy>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    policies: BTreeMap<String, Spanned<SnapshotPolicy>>,
}

impl Policies {
    /// The file of a store.
    #[must_use]
    pub fn file(store: &Path) -> PathBuf {
        crate::model::folder(store).join("snapshots.toml")
    }

    /// Reads a store's policies; none where there is no file.
    ///
    /// # Errors
    /// [`super::SnapshotError::Policy`] with line and column; [`super::SnapshotError::Io`].
    pub fn load(store: &Path) -> Result<Policies, super::SnapshotError> {
        let file = Policies::file(store);
        match std::fs::read_to_string(&file) {
            Ok(text) => Ok(Policies::parse(&text)?),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Policies::default()),
            Err(error) => {
                let named = format!("{}: {error}", file.display());
                Err(std::io::Error::new(error.kind(), named).into())
            }
        }
    }

    /// Reads policies from a text.
    ///
    /// # Errors
    /// [`PolicyError`].
    ///
    /// ```
    /// use annals_core::snapshot::Policies;
    /// let policies = Policies::parse("[policies.order]\nstrategy = 'periodic'\nevery_events = 100").unwrap();
    /// assert_eq!(policies.of("order").every_events, Some(100));
    /// let error = Policies::parse("[policies.order]\nstrategy = 'rolling'\nevery_events = 100").unwrap_err();
    /// assert_eq!((error.line, error.message.as_str()), (1, "order: say how many stay: keep = 10"));
    /// ```
    pub fn parse(text: &str) -> Result<Policies, PolicyError> {
        let error = |at: usize, message: String| {
            let (line, column) = line_and_column(text, at);
            PolicyError {
                file: "snapshots.toml".to_owned(),
                line,
                column,
                message,
            }
        };
        let file: File = toml::from_str(text).map_err(|told| {
            let at = told.span().map_or(0, |span| span.start);
            error(at, told.message().trim().replace('\n', " "))
        })?;
        let mut policies = BTreeMap::new();
        for (category, policy) in file.policies {
            let at = policy.span().start;
            let policy = policy.into_inner();
            if let Some(wrong) = policy.wrong() {
                return Err(error(at, format!("{category}: {wrong}")));
            }
            policies.insert(category, policy);
        }
        Ok(Policies(policies))
    }

    /// Writes a policy into a store's file.
    ///
    /// # Errors
    /// [`super::SnapshotError::Policy`] if it makes no sense, or the file is wrong or holds comments, which would be
    /// lost; [`super::SnapshotError::Io`]. The file is as it was.
    pub fn set(
        store: &Path,
        category: &str,
        policy: SnapshotPolicy,
    ) -> Result<Policies, super::SnapshotError> {
        let file = Policies::file(store);
        let said = |message: String| PolicyError {
            file: "snapshots.toml".to_owned(),
            line: 1,
            column: 1,
            message,
        };
        if let Some(wrong) = policy.wrong() {
            return Err(said(format!("{category}: {wrong}")).into());
        }
        let mut policies = Policies::load(store)?;
        let has_comments = std::fs::read_to_string(&file).is_ok_and(|text| text.contains('#'));
        if has_comments {
            let message = "the file holds comments, which would be lost: change it by hand";
            return Err(said(message.to_owned()).into());
        }
        policies.0.insert(category.to_owned(), policy);
        #[derive(Serialize)]
        struct Whole<'p> {
            policies: &'p BTreeMap<String, SnapshotPolicy>,
        }
        let whole = Whole {
            policies: &policies.0,
        };
        let text = toml::to_string(&whole).map_err(std::io::Error::other)?;
        let folder = crate::model::folder(store);
        std::fs::create_dir_all(&folder)?;
        let mut new = tempfile::NamedTempFile::new_in(&folder)?;
        std::io::Write::write_all(&mut new, text.as_bytes())?;
        new.persist(&file).map_err(|error| error.error)?;
        Ok(policies)
    }

    /// The policy of a category: its own, the one for all others, or none.
    #[must_use]
    pub fn of(&self, category: &str) -> SnapshotPolicy {
        let own = self.0.get(category).or_else(|| self.0.get(OTHERS));
        own.cloned().unwrap_or_default()
    }

    /// The policies as written, by category.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &SnapshotPolicy)> {
        self.0
            .iter()
            .map(|(category, policy)| (category.as_str(), policy))
    }

    /// Whether none is written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
