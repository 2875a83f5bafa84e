//! Callers that append at the same time share commits.
//!
//! There is no thread of its own. Of the callers that wait, one leads: it takes all waiting appends into one
//! transaction, commits, and answers them. The next one that leads is the last of them to come back, so that their
//! appends are together again; whoever waits looks at the clock, and leads where the others stay away. So one caller
//! alone pays for no switch of threads, and many share each commit.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::commit::Given;
use crate::store::{AppendError, Appended};

/// Most appends that one transaction takes beside the leader's own.
const MAX_GROUP: usize = 512;

/// How long callers wait for the others of the last turn to come back. Without it they fall into two halves
/// that take turns, each with a commit of its own, and a commit takes longer than this on any disk.
const GATHER: Duration = Duration::from_micros(200);

/// Most turns that go without waiting after one that waited in vain.
const MAX_IN_A_HURRY: u32 = 63;

/// What a caller hears.
pub(super) type Answer = Result<Appended, AppendError>;

/// Appends that wait, in order of arrival.
#[derive(Debug, Default)]
pub(super) struct Queue {
    state: Mutex<QueueState>,
}

#[derive(Debug, Default)]
struct QueueState {
    waiting: VecDeque<Arc<Ticket>>,
    /// Somebody leads, or was told to.
    led: bool,
    /// Callers of the last turn that did not come back yet.
    away: usize,
    /// How many were away when one of those that wait began to look at the clock. `None` where none does.
    gathering: Option<usize>,
    /// Turns to go without waiting for them.
    in_a_hurry: u32,
    /// How many those were after the last wait in vain; 0 after one that was not.
    hurry: u32,
}

/// One caller's append, and where its answer is put.
#[derive(Debug)]
struct Ticket {
    state: Mutex<TicketState>,
    changed: Condvar,
}

#[derive(Debug)]
enum TicketState {
    Waiting(Given),
    /// Its caller is to lead if the others of the last turn stay away.
    Gathering(Given),
    Taken,
    /// Its caller is to lead.
    Lead(Given),
    Done(Answer),
}

/// A leader's turn. However it ends, the lead is passed on and everyone is answered.
pub(super) struct Turn<'q> {
    queue: &'q Queue,
    own: Given,
    group: Vec<Arc<Ticket>>,
    passed_on: bool,
}

impl Queue {
    /// Queues the caller's append and returns its answer. `commit` is called if the caller is to lead: it takes
    /// the appends of its turn as late as it can, and returns an answer for each in order.
    pub(super) fn append(
        &self,
        own: Given,
        commit: impl FnOnce(&mut Turn<'_>) -> Vec<Answer>,
    ) -> Answer {
        let mut state = lock(&self.state);
        state.away = state.away.saturating_sub(1);
        let own = if state.leads_now() {
            drop(state);
            own
        } else {
            let ticket = Arc::new(Ticket {
                state: Mutex::new(match state.begins_gathering() {
                    true => TicketState::Gathering(own),
                    false => TicketState::Waiting(own),
                }),
                changed: Condvar::new(),
            });
            state.waiting.push_back(Arc::clone(&ticket));
            drop(state);
            match self.wait(&ticket) {
                Ok(answer) => return answer,
                Err(own) => own,
            }
        };
        let mut turn = Turn {
            queue: self,
            own,
            group: Vec::new(),
            passed_on: false,
        };
        let answers = commit(&mut turn);
        turn.end(answers)
    }

    /// Waits for the answer, or for having to lead with the append handed in.
    fn wait(&self, ticket: &Arc<Ticket>) -> Result<Answer, Given> {
        let mut until: Option<Instant> = None;
        let mut state = lock(&ticket.state);
        loop {
            match std::mem::replace(&mut *state, TicketState::Taken) {
                TicketState::Done(answer) => return Ok(answer),
                TicketState::Lead(streams) => return Err(streams),
                TicketState::Gathering(streams) => {
                    *state = TicketState::Waiting(streams);
                    until = Some(Instant::now() + GATHER);
                }
                waiting => *state = waiting,
            }
            let Some(end) = until else {
                state = ticket
                    .changed
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let left = end.saturating_duration_since(Instant::now());
            if !left.is_zero() {
                (state, _) = ticket
                    .changed
                    .wait_timeout(state, left)
                    .unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            drop(state);
            if let Some(own) = self.end_gathering(ticket) {
                return Err(own);
            }
            // Another leads and has this append.
            until = None;
            state = lock(&ticket.state);
        }
    }

    /// Lets the caller of a ticket lead, after a wait for the others, if its append is not taken yet.
    fn end_gathering(&self, ticket: &Arc<Ticket>) -> Option<Given> {
        let mut state = lock(&self.state);
        let at = state.waiting.iter().position(|t| Arc::ptr_eq(t, ticket))?;
        let own = ticket.take()?;
        state.waiting.remove(at);
        if state.gathering.take() == Some(state.away) {
            state.hurry = (2 * state.hurry + 1).min(MAX_IN_A_HURRY);
            state.in_a_hurry = state.hurry;
        } else {
            state.hurry = 0;
        }
        state.led = true;
        Some(own)
    }
}

impl QueueState {
    /// Whether the caller that has just come leads: nobody does, and there is nobody to wait for.
    ///
    /// So it is the last one to come that leads: it starts at once, and nobody has to be woken for that.
    fn leads_now(&mut self) -> bool {
        if self.led {
            return false;
        }
        if self.away == 0 {
            if self.gathering.take().is_some() {
                self.hurry = 0;
            }
        } else if self.gathering.is_none() && self.in_a_hurry > 0 {
            self.in_a_hurry -= 1;
        } else {
            return false;
        }
        self.led = true;
        true
    }

    /// Whether the caller that has to wait is the one that looks at the clock.
    fn begins_gathering(&mut self) -> bool {
        let begins = !self.led && self.gathering.is_none();
        if begins {
            self.gathering = Some(self.away);
        }
        begins
    }
}

impl Turn<'_> {
    /// Takes the leader's own append and all that wait.
    pub(super) fn take_all(&mut self) -> Vec<Given> {
        let mut state = lock(&self.queue.state);
        let take = state.waiting.len().min(MAX_GROUP);
        self.group.extend(state.waiting.drain(..take));
        drop(state);
        let mut all = vec![std::mem::take(&mut self.own)];
        all.extend(self.group.iter().map(|t| t.take().unwrap_or_default()));
        all
    }

    /// Answers everyone; returns the leader's own answer.
    fn end(mut self, answers: Vec<Answer>) -> Answer {
        // The next leader starts while the others are being answered.
        self.pass_on();
        let mut answers = answers.into_iter();
        let own = answers.next().unwrap_or(Err(AppendError::Closed));
        for ticket in self.group.drain(..) {
            ticket.answer(answers.next().unwrap_or(Err(AppendError::Closed)));
        }
        own
    }

    fn pass_on(&mut self) {
        self.passed_on = true;
        let mut state = lock(&self.queue.state);
        state.away = self.group.len() + 1;
        if state.in_a_hurry > 0
            && let Some(next) = state.waiting.pop_front()
        {
            state.in_a_hurry -= 1;
            next.lead();
            return;
        }
        state.led = false;
        if let Some(first) = state.waiting.front() {
            first.gather();
            state.gathering = Some(state.away);
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        // Only a turn that panicked has anyone left to answer.
        for ticket in self.group.drain(..) {
            ticket.answer(Err(AppendError::Closed));
        }
        if !self.passed_on {
            self.pass_on();
        }
    }
}

impl Ticket {
    fn take(&self) -> Option<Given> {
        match std::mem::replace(&mut *lock(&self.state), TicketState::Taken) {
            TicketState::Waiting(streams)
            | TicketState::Gathering(streams)
            | TicketState::Lead(streams) => Some(streams),
            TicketState::Taken | TicketState::Done(_) => None,
        }
    }

    fn lead(&self) {
        self.tell(TicketState::Lead);
    }

    fn gather(&self) {
        self.tell(TicketState::Gathering);
    }

    fn tell(&self, what: impl FnOnce(Given) -> TicketState) {
        let streams = self.take().unwrap_or_default();
        *lock(&self.state) = what(streams);
        self.changed.notify_one();
    }

    fn answer(&self, answer: Answer) {
        *lock(&self.state) = TicketState::Done(answer);
        self.changed.notify_one();
    }
}

/// A lock that is never poisoned in a way that matters: what it guards is whole between statements.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::integrity::Hash;
    use crate::position::Position;
    use crate::store::Head;

    fn answers(turn: &mut Turn<'_>) -> Vec<Answer> {
        let head = Head {
            size: Position(0),
            root: Hash([0; 32]),
        };
        let events = Vec::new();
        let answer = Appended { events, head };
        let group = turn.take_all();
        group.iter().map(|_| Ok(answer.clone())).collect()
    }

    #[test]
    fn every_caller_is_answered_whoever_leads() {
        let queue = Queue::default();
        let answered = std::sync::atomic::AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for thread in 0..6 {
                let (queue, answered) = (&queue, &answered);
                // Some go early, so that turns wait in vain for them.
                scope.spawn(move || {
                    for _ in 0..(50 << thread) {
                        queue.append(Given::default(), answers).unwrap();
                        answered.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    }
                });
            }
        });
        assert_eq!(answered.into_inner(), 50 * 63);
        let state = lock(&queue.state);
        assert!(!state.led && state.waiting.is_empty(), "{state:?}");
    }

    #[test]
    fn the_others_are_answered_where_a_leader_panics() {
        let queue = Queue::default();
        let led = std::sync::Barrier::new(2);
        std::thread::scope(|scope| {
            let leader = scope.spawn(|| {
                queue.append(Given::default(), |turn| {
                    led.wait();
                    while lock(&turn.queue.state).waiting.is_empty() {
                        std::thread::yield_now();
                    }
                    turn.take_all();
                    panic!("the disk is on fire")
                })
            });
            led.wait();
            let answer = queue.append(Given::default(), answers);
            assert!(matches!(answer, Err(AppendError::Closed)), "{answer:?}");
            assert!(leader.join().is_err());
        });
        queue.append(Given::default(), answers).unwrap();
    }

    #[test]
    fn the_last_to_come_back_leads_for_all() {
        let queue = Queue::default();
        // As after a turn of two: both are away.
        lock(&queue.state).away = 2;
        let sizes = Mutex::new(Vec::new());
        let commit = |turn: &mut Turn<'_>| {
            let answers = answers(turn);
            lock(&sizes).push(answers.len());
            answers
        };
        std::thread::scope(|scope| {
            scope.spawn(|| queue.append(Given::default(), commit).unwrap());
            while lock(&queue.state).away == 2 {
                std::thread::yield_now();
            }
            queue.append(Given::default(), commit).unwrap();
        });
        // Where the machine is slow, the first did not wait so long.
        let sizes = sizes.into_inner().unwrap();
        assert!(sizes == [2] || sizes == [1, 1], "{sizes:?}");
    }
}
