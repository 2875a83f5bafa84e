use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::Deserialize;

use super::*;
use crate::event::NewEvent;
use crate::store::{EventQuery, ExpectedVersion, Log, LogWriter, StreamAppend};
use crate::surroundings::Surroundings;

/// A purse of coins that never holds more than it can, and a till that purses are filled from.
#[derive(Debug, Clone, Default, PartialEq)]
struct Purse {
    coins: u64,
    closed: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Ask {
    Put { coins: u64 },
    Take { coins: u64 },
    Close,
    MayTake { coins: u64 },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Happened {
    CoinsPut { coins: u64 },
    CoinsTaken { coins: u64 },
    PurseClosed,
}

#[derive(Debug, PartialEq, thiserror::Error)]
enum No {
    #[error("{asked} coins are not there, only {there}")]
    TooFew { asked: u64, there: u64 },
    #[error("the purse is closed")]
    Closed,
}

impl Rejection for No {
    fn rule(&self) -> &str {
        match self {
            No::TooFew { .. } => "no-more-than-there-is",
            No::Closed => "closed-for-good",
        }
    }

    fn looked_at(&self) -> &[&str] {
        match self {
            No::TooFew { .. } => &["coins"],
            No::Closed => &["closed"],
        }
    }
}

impl Aggregate for Purse {
    type Command = Ask;
    type Event = Happened;
    type Rejection = No;

    fn handle(&self, ask: Ask) -> Result<Vec<Happened>, No> {
        if self.closed {
            return Err(No::Closed);
        }
        let enough = |asked| match asked <= self.coins {
            true => Ok(()),
            false => Err(No::TooFew {
                asked,
                there: self.coins,
            }),
        };
        Ok(match ask {
            Ask::Put { coins: 0 } => vec![],
            Ask::Put { coins } => vec![Happened::CoinsPut { coins }],
            Ask::Take { coins } => {
                enough(coins)?;
                vec![Happened::CoinsTaken { coins }]
            }
            Ask::MayTake { coins } => {
                enough(coins)?;
                vec![]
            }
            Ask::Close if self.coins == 0 => vec![Happened::PurseClosed],
            // What is left is taken out first.
            Ask::Close => vec![
                Happened::CoinsTaken { coins: self.coins },
                Happened::PurseClosed,
            ],
        })
    }

    fn apply(&mut self, event: Happened) {
        match event {
            Happened::CoinsPut { coins } => self.coins += coins,
            Happened::CoinsTaken { coins } => self.coins -= coins,
            Happened::PurseClosed => self.closed = true,
        }
    }

    fn apply_linked(&mut self, event: Happened, qualifier: &str) {
        // What is given by one is put into another.
        if let (Happened::CoinsTaken { coins }, "given to") = (event, qualifier) {
            self.coins += coins;
        }
    }

    fn links(&self, event: &Happened) -> Vec<NewLink> {
        match event {
            Happened::CoinsTaken { coins: 7 } => vec![NewLink {
                stream: id("purse-seven"),
                qualifier: "given to".to_owned(),
            }],
            _ => vec![],
        }
    }
}

fn id(name: &str) -> StreamId {
    StreamId::new(name).unwrap()
}

fn new() -> (tempfile::TempDir, LogWriter) {
    let folder = tempfile::tempdir().unwrap();
    let now = Time::parse_rfc3339("2024-01-15T10:30:00Z").unwrap();
    let store = folder.path().join("purses.annals");
    let writer = LogWriter::create(&store, Surroundings::fixed(now, 1)).unwrap();
    (folder, writer)
}

fn types(log: &Log) -> Vec<String> {
    let page = log.events(&EventQuery::default(), 1_000).unwrap();
    let names = page.events.iter().map(|event| event.event_type.to_string());
    names.collect()
}

#[test]
fn rules_are_tested_without_a_log() {
    let put = |coins| Happened::CoinsPut { coins };
    given::<Purse>([put(3)])
        .when(Ask::Take { coins: 3 })
        .then([Happened::CoinsTaken { coins: 3 }]);
    given::<Purse>([put(3)])
        .when(Ask::Take { coins: 4 })
        .then_rejected("no-more-than-there-is");
    given::<Purse>([Happened::PurseClosed])
        .when(Ask::Put { coins: 1 })
        .then_rejected("closed-for-good");
    given::<Purse>([])
        .linked(Happened::CoinsTaken { coins: 7 }, "given to")
        .when(Ask::Close)
        .then([Happened::CoinsTaken { coins: 7 }, Happened::PurseClosed]);
}

#[test]
fn events_carry_the_command_as_cause_and_who_and_the_correlation() {
    let (_folder, writer) = new();
    let purses = Commands::new(&writer);
    let put = Ask::Put { coins: 2 };
    let context = Context::new("cmd-1").by("ada").within("corr-9");
    let done = purses.execute::<Purse>(&id("purse-1"), put.clone(), &context);
    assert_eq!(done.unwrap().events[0].position, Position(1));
    let event = writer.log().event(Position(1)).unwrap().unwrap();
    assert_eq!(event.id.unwrap().as_str(), "cmd-1:1");
    assert_eq!(event.actor.unwrap().as_str(), "ada");
    assert_eq!(event.correlation.as_deref(), Some("corr-9"));
    assert_eq!(event.causation.as_deref(), Some("cmd-1"));
    let time = Time::parse_rfc3339("2024-01-10T00:00:00Z").unwrap();
    let context = Context::new("cmd-2").because_of("cmd-1:1").at(time);
    purses
        .execute::<Purse>(&id("purse-1"), put, &context)
        .unwrap();
    let event = writer.log().event(Position(2)).unwrap().unwrap();
    assert_eq!(event.causation.as_deref(), Some("cmd-1:1"));
    assert_eq!(event.time.time, time);
    assert_eq!(
        event.metadata.unwrap().json_text().unwrap(),
        r#"{"causationId":"cmd-1:1","commandId":"cmd-2"}"#
    );
}

#[test]
fn a_command_that_comes_again_changes_nothing_even_where_it_would_decide_otherwise_now() {
    let (_folder, writer) = new();
    let purse = id("purse-1");
    let purses = Commands::new(&writer);
    let ask = |coins, command: &str| {
        purses.execute::<Purse>(&purse, Ask::Put { coins }, &Context::new(command))
    };
    ask(5, "put").unwrap();
    let close = || purses.execute::<Purse>(&purse, Ask::Close, &Context::new("close"));
    let first = close().unwrap();
    assert_eq!((first.events.len(), first.repeated), (2, false));
    // A closed purse refuses whatever is new, and tells what it did of what is not.
    let again = close().unwrap();
    assert!(again.repeated);
    let places = |done: &Done| done.events.iter().map(|e| e.position).collect::<Vec<_>>();
    assert_eq!(places(&again), places(&first));
    assert!(matches!(ask(1, "more"), Err(CommandError::Rejected(_))));
    assert!(ask(5, "put").unwrap().repeated);
    assert_eq!(writer.log().head().unwrap().size, Position(3));
}

#[test]
fn a_rejection_names_rule_version_and_paths_and_is_recorded_where_that_is_wanted() {
    let (_folder, writer) = new();
    let purse = id("purse-1");
    let take = Ask::Take { coins: 9 };
    let quiet = Commands::new(&writer);
    let context = Context::new("cmd-1");
    let refused = quiet.execute::<Purse>(&purse, take.clone(), &context);
    let Err(CommandError::Rejected(rejected)) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(rejected.rule, "no-more-than-there-is");
    assert_eq!(rejected.looked_at, ["coins"]);
    assert_eq!(rejected.version, Version::NONE);
    let own: &No = rejected.reason.downcast_ref().unwrap();
    assert_eq!(*own, No::TooFew { asked: 9, there: 0 });
    assert_eq!(types(&writer.log()), Vec::<String>::new());
    let recording = Commands::new(&writer).recording_rejections();
    for _ in 0..2 {
        let refused = recording.execute::<Purse>(&purse, take.clone(), &context);
        assert!(matches!(refused, Err(CommandError::Rejected(_))));
    }
    assert_eq!(types(&writer.log()), ["CommandRejected"]);
    let event = writer.log().event(Position(1)).unwrap().unwrap();
    assert_eq!(event.stream.unwrap().as_str(), "rejected-purse-1");
    assert_eq!(
        event.data.unwrap().json_text().unwrap(),
        r#"{"stream":"purse-1","version":0,"rule":"no-more-than-there-is","lookedAt":["coins"],"reason":"9 coins are not there, only 0","commandId":"cmd-1"}"#
    );
    // The aggregate is as it was: the record is of another stream.
    recording
        .execute::<Purse>(&purse, Ask::Put { coins: 1 }, &Context::new("cmd-2"))
        .unwrap();
}

#[test]
fn writers_that_are_not_alone_lose_no_command_and_overdraw_nothing() {
    let (_folder, writer) = new();
    let purse = id("purse-1");
    let (one, other) = (
        Commands::new(&writer).with_retries(10_000),
        Commands::new(&writer).with_retries(10_000),
    );
    one.execute::<Purse>(&purse, Ask::Put { coins: 40 }, &Context::new("fill"))
        .unwrap();
    // 2 x 4 threads want 80 coins of 40: half of them get one each.
    let taken = std::sync::atomic::AtomicU64::new(0);
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let commands = if thread % 2 == 0 { &one } else { &other };
            let (purse, taken) = (&purse, &taken);
            scope.spawn(move || {
                for n in 0..10 {
                    let context = Context::new(format!("take-{thread}-{n}"));
                    match commands.execute::<Purse>(purse, Ask::Take { coins: 1 }, &context) {
                        Ok(_) => {
                            taken.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                        }
                        Err(CommandError::Rejected(_)) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
            });
        }
    });
    assert_eq!(taken.into_inner(), 40);
    let (left, version) = one.load::<Purse>(&purse).unwrap();
    assert_eq!((left.coins, version), (0, Version(41)));
}

#[test]
fn retries_are_bounded_and_say_what_they_met() {
    let (_folder, writer) = new();
    let purse = id("purse-1");
    let purses = Commands::new(&writer).with_retries(3);
    let mut asked = 0;
    let conflict = purses.transact(&Context::new("cmd-1"), |work| {
        work.send::<Purse>(&purse, Ask::Put { coins: 1 })?;
        asked += 1;
        // Somebody is faster each time.
        writer
            .append(vec![StreamAppend {
                stream: purse.clone(),
                category: None,
                expected: ExpectedVersion::Any,
                events: vec![NewEvent::json("CoinsPut", r#"{"coins":1}"#).unwrap()],
            }])
            .unwrap();
        Ok(())
    });
    let message = conflict.unwrap_err().to_string();
    assert_eq!(
        message,
        "gave up after 4 tries: stream purse-1 is at version 4, expected was version 3"
    );
    assert_eq!(asked, 4);
}

#[test]
fn work_over_several_streams_depends_on_all_that_it_read() {
    let (_folder, writer) = new();
    let purses = Commands::new(&writer);
    let (from, to) = (id("purse-from"), id("purse-to"));
    purses
        .execute::<Purse>(&from, Ask::Put { coins: 5 }, &Context::new("fill"))
        .unwrap();
    let other = Commands::new(&writer);
    let mut first = true;
    let done = purses.transact(&Context::new("give"), |work| {
        // The first purse is only asked, not changed; and yet the work falls with it.
        work.send::<Purse>(&from, Ask::MayTake { coins: 5 })?;
        work.send::<Purse>(&to, Ask::Put { coins: 1 })?;
        if std::mem::take(&mut first) {
            let take = Ask::Take { coins: 4 };
            other
                .execute::<Purse>(&from, take, &Context::new("meanwhile"))
                .unwrap();
        }
        Ok(())
    });
    assert!(matches!(done, Err(CommandError::Rejected(rejected)) if rejected.stream == from));
    assert_eq!(purses.load::<Purse>(&to).unwrap().1, Version::NONE);
}

#[test]
fn an_event_that_is_linked_counts_for_the_streams_that_it_is_linked_into() {
    let (_folder, writer) = new();
    let purses = Commands::new(&writer);
    let (from, seven) = (id("purse-from"), id("purse-seven"));
    let ask = |stream: &StreamId, ask, command: &str| {
        purses.execute::<Purse>(stream, ask, &Context::new(command))
    };
    ask(&seven, Ask::Put { coins: 1 }, "one").unwrap();
    ask(&from, Ask::Put { coins: 7 }, "seven").unwrap();
    ask(&from, Ask::Take { coins: 7 }, "give").unwrap();
    // What was warm does not know of it, and asks before it refuses.
    ask(&seven, Ask::Take { coins: 8 }, "take").unwrap();
    let memory = Memory::default();
    let work = |stream: &StreamId, ask| memory.transact(|work| work.send::<Purse>(stream, ask));
    work(&seven, Ask::Put { coins: 1 }).unwrap();
    work(&from, Ask::Put { coins: 7 }).unwrap();
    work(&from, Ask::Take { coins: 7 }).unwrap();
    work(&seven, Ask::Take { coins: 8 }).unwrap();
    let refused = work(&seven, Ask::Take { coins: 1 });
    assert!(matches!(refused, Err(CommandError::Rejected(_))));
}

#[test]
fn an_event_that_the_aggregate_cannot_read_is_named_with_its_place() {
    for (event_type, data, reason) in [
        (
            "CoinsLost",
            "{}",
            "the aggregate knows no event of this type",
        ),
        (
            "CoinsPut",
            r#"{"coins":-1}"#,
            "invalid value: integer `-1`, expected u64 at line 1 column 11",
        ),
        ("CoinsPut", "{}", "missing field `coins` at line 1 column 2"),
    ] {
        let (_folder, writer) = new();
        let purse = id("purse-1");
        writer
            .append(vec![StreamAppend {
                stream: purse.clone(),
                category: None,
                expected: ExpectedVersion::Any,
                events: vec![NewEvent::json(event_type, data).unwrap()],
            }])
            .unwrap();
        let purses = Commands::new(&writer);
        let asked = purses.execute::<Purse>(&purse, Ask::Close, &Context::new("cmd-1"));
        let message = asked.unwrap_err().to_string();
        let place = format!("purse-1: version 1 ({event_type}, position 1) cannot be read: ");
        assert_eq!(message.strip_prefix(&place), Some(reason), "{message}");
    }
}

fn any_ask() -> impl Strategy<Value = Ask> {
    prop_oneof![
        (0u64..9).prop_map(|coins| Ask::Put { coins }),
        (0u64..9).prop_map(|coins| Ask::Take { coins }),
        (0u64..9).prop_map(|coins| Ask::MayTake { coins }),
        Just(Ask::Close),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Whatever is asked in whatever order, the log and the memory decide alike, and the log gives the same again.
    #[test]
    fn any_commands_in_any_order_leave_what_their_replay_gives(
        asks in prop::collection::vec((0usize..2, any_ask()), 1..40)
    ) {
        let (_folder, writer) = new();
        let purses = Commands::new(&writer);
        let memory = Memory::default();
        let streams = [id("purse-1"), id("purse-2"), id("purse-seven")];
        let mut expected: BTreeMap<&StreamId, Purse> = BTreeMap::new();
        // Memory knows of links into a stream from its first reading on.
        let _ = memory.transact(|work| work.read::<Purse>(&streams[2]).map(|_| ()));
        for (n, (at, ask)) in asks.into_iter().enumerate() {
            let stream = &streams[at];
            let context = Context::new(format!("cmd-{n}"));
            let logged = purses.execute::<Purse>(stream, ask.clone(), &context);
            let remembered = memory.transact(|work| {
                work.send::<Purse>(stream, ask)?;
                work.read::<Purse>(stream).cloned()
            });
            prop_assert_eq!(logged.is_ok(), remembered.is_ok());
            if let (Ok(done), Ok(decided)) = (logged, remembered) {
                prop_assert_eq!(done.events.len(), decided.len());
            }
        }
        for stream in &streams {
            let _ = memory.transact(|work| {
                expected.insert(stream, work.read::<Purse>(stream)?.clone());
                Ok(())
            });
            let (replayed, _) = purses.load::<Purse>(stream).unwrap();
            prop_assert_eq!(&replayed, &expected[stream]);
        }
    }
}

/// A purse that may be kept.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Tally {
    coins: u64,
    /// Events that it took one by one: none of those that a snapshot stands for.
    #[serde(skip)]
    taken: u64,
}

impl Aggregate for Tally {
    type Command = Ask;
    type Event = Happened;
    type Rejection = No;

    fn handle(&self, ask: Ask) -> Result<Vec<Happened>, No> {
        match ask {
            Ask::Take { coins } if coins > self.coins => Err(No::TooFew {
                asked: coins,
                there: self.coins,
            }),
            Ask::Take { coins } => Ok(vec![Happened::CoinsTaken { coins }]),
            Ask::Put { coins } => Ok(vec![Happened::CoinsPut { coins }]),
            Ask::Close | Ask::MayTake { .. } => Ok(vec![]),
        }
    }

    fn apply(&mut self, event: Happened) {
        self.taken += 1;
        match event {
            Happened::CoinsPut { coins } => self.coins += coins,
            Happened::CoinsTaken { coins } => self.coins -= coins,
            Happened::PurseClosed => {}
        }
    }

    const SNAPSHOT: Option<&'static str> = Some("tally 1");

    fn to_snapshot(&self) -> Option<String> {
        serde_json::to_string(self).ok()
    }

    fn from_snapshot(text: &str) -> Option<Tally> {
        serde_json::from_str(text).ok()
    }
}

#[test]
fn a_long_aggregate_is_loaded_from_a_snapshot_and_the_events_after_it() {
    use crate::snapshot::Snapshots;
    let (_folder, writer) = new();
    let (purse, log) = (id("purse-1"), writer.log());
    let clock = || Surroundings::system().clock;
    let open = || Snapshots::open(&log, None, clock()).unwrap();
    let with = || Commands::new(&writer).with_snapshots(open(), 20);
    let plain = Commands::new(&writer);
    let put = |n: u64| {
        let context = Context::new(format!("cmd-{n}"));
        plain
            .execute::<Tally>(&purse, Ask::Put { coins: n }, &context)
            .unwrap();
    };
    (1..=19).for_each(put);
    let loaded = || with().load::<Tally>(&purse).unwrap();
    assert_eq!(
        (loaded().0.taken, loaded().0.taken),
        (19, 19),
        "too few to keep"
    );
    put(20);
    assert_eq!((loaded().0.taken, loaded().0.taken), (20, 0));
    (21..=25).for_each(put);
    let (tally, version) = loaded();
    assert_eq!((tally.taken, tally.coins, version), (5, 325, Version(25)));
    // It decides as one that was read from its first event does.
    let take = |coins, name: &str| {
        with().execute::<Tally>(&purse, Ask::Take { coins }, &Context::new(name))
    };
    assert!(matches!(
        take(326, "too-many"),
        Err(CommandError::Rejected(_))
    ));
    assert_eq!(take(325, "all").unwrap().events[0].version, Version(26));
    // One whose bytes were flipped is dropped, and the events are read.
    let file = open().file().0;
    let conn = rusqlite::Connection::open(file).unwrap();
    conn.execute("UPDATE snapshots SET state = x'7b7d'", [])
        .unwrap();
    assert_eq!(loaded().0.coins, 0);
    assert_eq!(loaded().0.taken, 0, "it was kept again");
    // It is no fold by a model, and no check of those takes it for one.
    let models = crate::model::ModelSet::default();
    let view = crate::temporal::verify_snapshots(&log, &models, &open(), None, 10, &mut |_| true);
    let view = view.unwrap();
    assert_eq!(
        (view.checked, view.aggregates, view.problems),
        (0, 1, false)
    );
}
