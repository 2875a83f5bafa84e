//! Callers that append at the same time share commits.
//!
//! There is no thread of its own. Of the callers that come, the first leads: it takes what waits into a transaction,
//! and while it writes that the others of the last turn come back and are taken as well, until nobody is left to come.
//! Then it commits and answers them all. So one caller alone pays for no switch of threads, many share each commit, and
//! what they do between two appends is done beside the work of the one that leads.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::commit::Given;
use crate::store::{AppendError, Appended};

/// Most appends that one transaction takes beside the leader's own.
const MAX_GROUP: usize = 512;

/// How long a leader that has nothing left to write waits for the others of the last turn. Without it they fall into
/// two halves that take turns, each with a commit of its own, and a commit takes longer than this on any disk.
const GATHER: Duration = Duration::from_micros(200);

/// Most turns that go without waiting after one that waited in vain.
const MAX_IN_A_HURRY: u32 = 63;

/// So many callers are answered after the lead was passed on.
const LAST_ANSWERED: usize = 7;

/// What a caller hears.
pub(super) type Answer = Result<Appended, AppendError>;

/// Appends that wait, in order of arrival.
#[derive(Debug, Default)]
pub(super) struct Queue {
    state: Mutex<QueueState>,
    /// Somebody came while the leader waited.
    came: Condvar,
}

#[derive(Debug, Default)]
struct QueueState {
    waiting: VecDeque<Arc<Ticket>>,
    /// Somebody leads, or was told to.
    led: bool,
    /// The leader waits for others.
    leader_waits: bool,
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
    Waiting(Given),
    Taken,
    /// Its caller is to lead.
    Lead(Given),
    Done(Answer),
}

/// A leader's turn. However it ends, the lead is passed on and everyone is answered.
pub(super) struct Turn<'q> {
    queue: &'q Queue,
    own: Option<Given>,
    group: Vec<Arc<Ticket>>,
    /// When it began to wait for the others, and how many were away then.
    waits: Option<(Instant, usize)>,
    is_over: bool,
}

impl Queue {
    /// Queues the caller's append and returns its answer. `commit` is called if the caller is to lead: it takes
    /// the appends of its turn with [`Turn::take`] until there are none, and returns an answer for each in order.
    pub(super) fn append(
        &self,
        own: Given,
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
            if std::mem::take(&mut state.leader_waits) {
                self.came.notify_one();
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
            own: Some(own),
            group: Vec::new(),
            waits: None,
            is_over: false,
        };
        let answers = commit(&mut turn);
        turn.end(answers)
    }
}

impl Turn<'_> {
    /// Takes what waits: the first time the leader's own append as well, then what came since. Where nothing did and
    /// others of the last turn are still away, it waits for them a moment. Adds nothing where the turn is to end.
    pub(super) fn take(&mut self, taken: &mut Vec<Given>) {
        let own = self.own.take();
        let mut state = lock(&self.queue.state);
        while own.is_none() && state.waiting.is_empty() && self.waits_for_more(&mut state) {
            let (began, _) = *self.waits.get_or_insert((Instant::now(), state.away));
            state.leader_waits = true;
            let left = GATHER.saturating_sub(began.elapsed());
            (state, _) = self
                .queue
                .came
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner);
            state.leader_waits = false;
        }
        let before = self.group.len();
        let take = state.waiting.len().min(MAX_GROUP - before);
        self.group.extend(state.waiting.drain(..take));
        drop(state);
        taken.extend(own);
        let came = &self.group[before..];
        taken.extend(came.iter().map(|ticket| ticket.take().unwrap_or_default()));
    }

    /// Whether a leader that has nothing left to write waits on. Notes what it learns of waiting.
    fn waits_for_more(&self, state: &mut QueueState) -> bool {
        match self.waits {
            _ if state.away == 0 => {
                if self.waits.is_some() {
                    state.hurry = 0;
                }
                false
            }
            None if state.in_a_hurry > 0 => {
                state.in_a_hurry -= 1;
                false
            }
            Some((began, away)) if began.elapsed() >= GATHER => {
                if state.away == away {
                    state.hurry = (2 * state.hurry + 1).min(MAX_IN_A_HURRY);
                    state.in_a_hurry = state.hurry;
                } else {
                    state.hurry = 0;
                }
                false
            }
            _ => true,
        }
    }

    /// Answers everyone; returns the leader's own answer.
    fn end(mut self, answers: Vec<Answer>) -> Answer {
        let mut answers = answers.into_iter();
        let own = answers.next().unwrap_or(Err(AppendError::Closed));
        self.answer_all(&mut || answers.next().unwrap_or(Err(AppendError::Closed)));
        own
    }

    /// Answers the others and passes the lead on, before the last few are answered: whoever leads next begins
    /// meanwhile. Not before the first of many: it would take the processor from the one who answers, and wait for
    /// those who are not answered yet.
    fn answer_all(&mut self, next: &mut dyn FnMut() -> Answer) {
        self.is_over = true;
        lock(&self.queue.state).away = self.group.len() + 1;
        let last = self.group.len().saturating_sub(LAST_ANSWERED);
        let rest = self.group.split_off(last);
        for ticket in self.group.drain(..) {
            ticket.answer(next());
        }
        self.pass_on();
        for ticket in rest {
            ticket.answer(next());
        }
    }

    fn pass_on(&self) {
        let mut state = lock(&self.queue.state);
        match state.waiting.pop_front() {
            Some(next) => next.lead(),
            None => state.led = false,
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        // Only a turn that panicked has anyone left to answer.
        if !self.is_over {
            self.answer_all(&mut || Err(AppendError::Closed));
        }
    }
}

impl Ticket {
    /// Waits for the answer, or for having to lead with the append handed in.
    fn wait(&self) -> Result<Answer, Given> {
        let mut state = lock(&self.state);
        loop {
            match std::mem::replace(&mut *state, TicketState::Taken) {
                TicketState::Done(answer) => return Ok(answer),
                TicketState::Lead(own) => return Err(own),
                waiting => *state = waiting,
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn take(&self) -> Option<Given> {
        match std::mem::replace(&mut *lock(&self.state), TicketState::Taken) {
            TicketState::Waiting(given) | TicketState::Lead(given) => Some(given),
            TicketState::Taken | TicketState::Done(_) => None,
        }
    }

    fn lead(&self) {
        let given = self.take().unwrap_or_default();
        *lock(&self.state) = TicketState::Lead(given);
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

    /// How many it takes.
    fn taken(turn: &mut Turn<'_>) -> usize {
        let mut taken = Vec::new();
        turn.take(&mut taken);
        taken.len()
    }

    fn answers(turn: &mut Turn<'_>) -> Vec<Answer> {
        let head = Head {
            size: Position(0),
            root: Hash([0; 32]),
        };
        let events = Vec::new();
        let answer = Appended { events, head };
        let mut answers = Vec::new();
        loop {
            let taken = taken(turn);
            if taken == 0 {
                return answers;
            }
            answers.extend((0..taken).map(|_| Ok(answer.clone())));
        }
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
                    taken(turn);
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
    fn a_leader_takes_those_who_come_while_it_works() {
        let queue = Queue::default();
        // As after a turn of three: all are away.
        lock(&queue.state).away = 3;
        let works = std::sync::Barrier::new(2);
        let sizes = std::thread::scope(|scope| {
            let leader = scope.spawn(|| {
                let mut sizes = Vec::new();
                let answer = queue.append(Given::default(), |turn| {
                    sizes.push(taken(turn));
                    works.wait();
                    // It writes until one of the others is back; the last comes while it waits, or is not waited for.
                    while lock(&queue.state).waiting.is_empty() {
                        std::thread::yield_now();
                    }
                    let group = answers(turn);
                    sizes.push(group.len());
                    std::iter::once(group[0].as_ref().unwrap().clone())
                        .map(Ok)
                        .chain(group)
                        .collect()
                });
                answer.unwrap();
                sizes
            });
            works.wait();
            scope.spawn(|| queue.append(Given::default(), answers).unwrap());
            queue.append(Given::default(), answers).unwrap();
            leader.join().unwrap()
        });
        assert!(sizes == [1, 2] || sizes == [1, 1], "{sizes:?}");
        assert!(!lock(&queue.state).led);
    }

    #[test]
    fn nobody_waits_long_or_often_for_those_who_stay_away() {
        let queue = Queue::default();
        let mut waited = 0;
        for _ in 0..200 {
            // One of the last turn does not come back.
            lock(&queue.state).away = 2;
            let hurried = lock(&queue.state).in_a_hurry;
            queue.append(Given::default(), answers).unwrap();
            waited += u32::from(hurried == 0);
        }
        // After 1, 3, 7, 15, 31, 63 turns, and again after 63.
        assert!(waited <= 8, "{waited}");
        lock(&queue.state).in_a_hurry = 0;
        lock(&queue.state).away = 1;
        queue.append(Given::default(), answers).unwrap();
        assert_eq!(lock(&queue.state).in_a_hurry, 0, "nobody was away");
    }
}
