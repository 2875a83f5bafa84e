//! Following the open store: telling the window that the log has grown.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use annals_core::position::Position;
use annals_core::store::Access;
use tauri::ipc::Channel;
use tauri::{State, Webview};

use crate::error::HostError;
use crate::host::{Answer, Host, OpenStore, blocking, json};
use crate::wire::{FollowArgs, FollowView};

/// Least time between two messages to the window.
const PACE: Duration = Duration::from_millis(250);

/// Over how long the rate of events is taken.
const RATE_SECONDS: u64 = 5;

/// Tells the window where the log stands, at once and whenever that changes. Answers when the store is closed,
/// another one is opened, another following begins, or the window has gone.
#[tauri::command]
pub async fn follow(webview: Webview, host: State<'_, Host>, args: FollowArgs) -> Answer {
    let store = host.open_store()?;
    let host = host.inner().clone();
    let channel: Channel<FollowView> = args.channel.channel_on(webview);
    let turn = host.begin_following();
    blocking(move || {
        let mut follower = Follower::new(&store)?;
        let mut shown = None;
        while host.is_following(turn, &store) {
            let view = follower.look()?;
            if shown.as_ref() != Some(&view) {
                if channel.send(view.clone()).is_err() {
                    break;
                }
                shown = Some(view);
            }
            // What comes in between is in the next message.
            std::thread::sleep(PACE);
        }
        json(&())
    })
    .await
}

/// Ends the following.
#[tauri::command]
pub async fn follow_stop(host: State<'_, Host>) -> Answer {
    let _ended = host.begin_following();
    json(&())
}

/// What a following remembers between two messages.
struct Follower {
    store: Arc<OpenStore>,
    began: Position,
    /// Length of the log at moments of the last seconds, oldest first.
    lengths: VecDeque<(Instant, u64)>,
}

impl Follower {
    fn new(store: &Arc<OpenStore>) -> Result<Follower, HostError> {
        Ok(Follower {
            store: store.clone(),
            began: store.log.head()?.size,
            lengths: VecDeque::new(),
        })
    }

    fn look(&mut self) -> Result<FollowView, HostError> {
        let pulse = self.store.log.pulse()?;
        let index = self.store.index.view()?;
        Ok(FollowView {
            head: pulse.head,
            first_time: pulse.first_time,
            last_time: pulse.last_time,
            last_recorded_at: pulse.last_recorded_at,
            arrived: pulse.head.0.saturating_sub(self.began.0),
            events_per_second: self.rate(Instant::now(), pulse.head.0),
            live: self.store.log.access() == Access::ReadOnly,
            indexed: index.covered,
            indexing: index.covered < pulse.head,
            notes: index.notes,
        })
    }

    fn rate(&mut self, now: Instant, length: u64) -> u64 {
        let window = Duration::from_secs(RATE_SECONDS);
        self.lengths.push_back((now, length));
        while let Some((then, _)) = self.lengths.get(1)
            && now.duration_since(*then) >= window
        {
            self.lengths.pop_front();
        }
        let oldest = self.lengths.front().map_or(length, |(_, length)| *length);
        (length.saturating_sub(oldest) + RATE_SECONDS / 2) / RATE_SECONDS
    }
}

#[cfg(test)]
mod tests {
    use annals_core::event::NewEvent;
    use annals_core::id::StreamId;
    use annals_core::store::{ExpectedVersion, LogWriter, StreamAppend};
    use annals_core::surroundings::Surroundings;

    use super::*;

    #[test]
    fn what_somebody_else_appends_is_told_with_the_index_behind_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.annals");
        let writer = LogWriter::create(&path, Surroundings::system()).unwrap();
        let append = |n: usize| {
            let events = (0..n).map(|_| NewEvent::json("Ticked", r#"{"w":"tick"}"#).unwrap());
            let append = StreamAppend {
                stream: StreamId::new("clock-1").unwrap(),
                category: None,
                expected: ExpectedVersion::Any,
                events: events.collect(),
            };
            writer.append(vec![append]).unwrap();
        };
        append(2);
        let store = Arc::new(OpenStore::open(path.clone(), folder.path()).unwrap());
        let mut follower = Follower::new(&store).unwrap();
        let first = follower.look().unwrap();
        assert_eq!(
            (first.head, first.arrived, first.live),
            (Position(2), 0, true)
        );
        assert_eq!((first.indexed, first.indexing), (Position::ZERO, true));
        append(3);
        let then = follower.look().unwrap();
        assert_eq!((then.head, then.arrived), (Position(5), 3));
        assert!(then.last_recorded_at >= first.last_recorded_at);
        // In the background, until it is there.
        store.keep_indexing();
        while follower.look().unwrap().indexing {
            std::thread::yield_now();
        }
        assert_eq!(follower.look().unwrap().indexed, Position(5));
    }

    /// A store that was opened anew for a saved model left the window following one that nobody else held.
    #[test]
    fn models_that_are_read_again_leave_the_followed_store_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.annals");
        annals_core::sample::guide(&path).unwrap();
        let text = annals_core::model::show(&path, "user")
            .unwrap()
            .unwrap()
            .text;
        std::fs::remove_file(folder.path().join("x.annals.d/models/user.toml")).unwrap();
        let store = Arc::new(OpenStore::open(path.clone(), folder.path()).unwrap());
        let declared = |store: &OpenStore| {
            let models = store.models();
            models.set.for_category("user").category().is_some()
        };
        let mut follower = Follower::new(&store).unwrap();
        follower.look().unwrap();
        assert!(!declared(&store), "none yet");
        annals_core::model::save(&path, "user", &text, false).unwrap();
        store.reload_models().unwrap();
        assert!(declared(&store), "the store that is followed has the model");
        assert_eq!(follower.look().unwrap().head, Position(52));
    }

    #[test]
    fn the_rate_is_that_of_the_last_seconds() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.annals");
        annals_core::sample::guide(&path).unwrap();
        let store = Arc::new(OpenStore::open(path, folder.path()).unwrap());
        let mut follower = Follower::new(&store).unwrap();
        let start = Instant::now();
        let at = |ms: u64| start + Duration::from_millis(ms);
        assert_eq!(follower.rate(at(0), 100), 0);
        assert_eq!(follower.rate(at(1_000), 150), 10);
        assert_eq!(follower.rate(at(5_000), 150), 10);
        assert_eq!(follower.rate(at(6_000), 150), 0);
    }
}
