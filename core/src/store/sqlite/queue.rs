//! Callers that append at the same time share commits.
//!
//! There is no thread of its own. Of the callers that wait, one leads: it takes all waiting appends into one
//! transaction, commits, answers them, and hands the lead to the next that came meanwhile. So one caller alone
//! pays for no switch of threads, and many share each commit.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::store::{AppendError, Appended, StreamAppend};

/// Most appends that one transaction takes beside the leader's own.
const MAX_GROUP: usize = 512;

/// How long a leader waits for the callers of the last turn to come back. Without it they fall into two halves
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
    /// Told when all callers of the last turn are back.
    gathered: Condvar,
}

#[derive(Debug, Default)]
struct QueueState {
    waiting: VecDeque<Arc<Ticket>>,
    /// Somebody leads, or was told to.
    led: bool,
    /// Callers of the last turn that did not come back yet.
    away: usize,
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
    Waiting(Vec<StreamAppend>),
    Taken,
    /// Its caller is to lead.
    Lead(Vec<StreamAppend>),
    Done(Answer),
}

/// A leader's turn. However it ends, the lead is passed on and everyone is answered.
pub(super) struct Turn<'q> {
    queue: &'q Queue,
    own: Vec<StreamAppend>,
    group: Vec<Arc<Ticket>>,
    passed_on: bool,
}

impl Queue {
    /// Queues the caller's append and returns its answer. `commit` is called if the caller is to lead: it takes
    /// the appends of its turn as late as it can, and returns an answer for each in order.
    pub(super) fn append(
        &self,
        own: Vec<StreamAppend>,
        commit: impl FnOnce(&mut Turn<'_>) -> Vec<Answer>,
    ) -> Answer {
        let mut state = lock(&self.state);
        state.away = state.away.saturating_sub(1);
        let own = if state.led {
            let ticket = Arc::new(Ticket {
                state: Mutex::new(TicketState::Waiting(own)),
                changed: Condvar::new(),
            });
            state.waiting.push_back(Arc::clone(&ticket));
            if state.away == 0 {
                self.gathered.notify_one();
            }
            drop(state);
            match ticket.wait() {
                Ok(answer) => return answer,
                Err(own) => own,
            }
        } else {
            state.led = true;
            drop(state);
            own
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
}

impl Queue {
    /// Waits for the callers of the last turn, unless that was in vain lately.
    fn gather(&self) -> MutexGuard<'_, QueueState> {
        let mut state = lock(&self.state);
        if state.away == 0 {
            return state;
        }
        if state.in_a_hurry > 0 {
            state.in_a_hurry -= 1;
            return state;
        }
        let away = state.away;
        let (mut state, _) = self
            .gathered
            .wait_timeout_while(state, GATHER, |state| state.away > 0)
            .unwrap_or_else(PoisonError::into_inner);
        if state.away == away {
            state.hurry = (2 * state.hurry + 1).min(MAX_IN_A_HURRY);
            state.in_a_hurry = state.hurry;
        } else {
            state.hurry = 0;
        }
        state
    }
}

impl Turn<'_> {
    /// Takes the leader's own append and all that wait.
    pub(super) fn take_all(&mut self) -> Vec<Vec<StreamAppend>> {
        let mut state = self.queue.gather();
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
        match state.waiting.pop_front() {
            Some(next) => next.lead(),
            None => state.led = false,
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
    /// Waits for the answer, or for being told to lead with the append handed in.
    fn wait(&self) -> Result<Answer, Vec<StreamAppend>> {
        let mut state = lock(&self.state);
        loop {
            match std::mem::replace(&mut *state, TicketState::Taken) {
                TicketState::Done(answer) => return Ok(answer),
                TicketState::Lead(streams) => return Err(streams),
                waiting => *state = waiting,
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn take(&self) -> Option<Vec<StreamAppend>> {
        match std::mem::replace(&mut *lock(&self.state), TicketState::Taken) {
            TicketState::Waiting(streams) | TicketState::Lead(streams) => Some(streams),
            TicketState::Taken | TicketState::Done(_) => None,
        }
    }

    fn lead(&self) {
        let streams = self.take().unwrap_or_default();
        *lock(&self.state) = TicketState::Lead(streams);
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
