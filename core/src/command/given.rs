//! Rules tested without a log: given what happened, when a command comes, then these events or this rejection.

use std::fmt::Debug;

use super::{Aggregate, Rejection, typed};

/// An aggregate to which something happened. The example is at the top of [`crate::command`].
#[derive(Debug)]
pub struct Given<A>(A);

/// What an aggregate made of a command.
#[derive(Debug)]
pub struct When<A: Aggregate>(Result<Vec<A::Event>, A::Rejection>);

/// Starts a test: these events happened. Each goes through its form in the log, so that is tested with them.
///
/// # Panics
/// If an event does not come back from its form in the log.
#[must_use]
pub fn given<A: Aggregate>(events: impl IntoIterator<Item = A::Event>) -> Given<A> {
    let mut aggregate = A::default();
    for event in events {
        let (event_type, data) = typed::encode(&event).expect("the event has a form in the log");
        let read = typed::decode(&event_type, data.as_bytes());
        let event = read.unwrap_or_else(|error| panic!("{event_type} {data}: {error}"));
        aggregate.apply(event.unwrap_or_else(|| panic!("{event_type} is no event")));
    }
    Given(aggregate)
}

impl<A: Aggregate> Given<A> {
    /// An event of another stream, linked into this one, happened too.
    #[must_use]
    pub fn linked(mut self, event: A::Event, qualifier: &str) -> Given<A> {
        self.0.apply_linked(event, qualifier);
        self
    }

    /// A command comes.
    #[must_use]
    pub fn when(self, command: A::Command) -> When<A> {
        When(self.0.handle(command))
    }
}

impl<A: Aggregate> When<A> {
    /// These events come of it, and no others.
    ///
    /// # Panics
    /// If others do.
    pub fn then(self, events: impl IntoIterator<Item = A::Event>)
    where
        A::Event: Debug + PartialEq,
    {
        let events: Vec<A::Event> = events.into_iter().collect();
        match self.0 {
            Ok(came) => assert_eq!(came, events, "other events came of the command"),
            Err(rejection) => panic!("rejected by {}: {rejection}", rejection.rule()),
        }
    }

    /// This rule refuses it.
    ///
    /// # Panics
    /// If it is carried out, or another rule refuses it.
    pub fn then_rejected(self, rule: &str)
    where
        A::Event: Debug,
    {
        match self.0 {
            Ok(events) => panic!("rule {rule} did not refuse the command; it gave {events:?}"),
            Err(rejection) => assert_eq!(
                rejection.rule(),
                rule,
                "another rule refused it: {rejection}"
            ),
        }
    }
}
