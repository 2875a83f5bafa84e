//! Events that hold a value in their payloads: how what refers to a stream is found.

use super::TextQuery;
use super::ask::{MAX_TAIL, Range, STEP, Unanswered};
use super::index::{SearchError, TextIndex};
use super::query::{Condition, Field, Term};
use super::view::Reach;
use super::words::words;
use crate::event::Event;
use crate::id::StreamId;
use crate::position::Position;
use crate::store::EventQuery;

/// What a look for mentions went through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mentioned {
    /// Number of events that the index proposes and that were looked at.
    pub looked_at: u64,
    /// Number of events after the index that were looked at.
    pub behind: u64,
    /// Number of events that the index proposes and that were not looked at, since there are more than asked for.
    pub not_looked_at: u64,
    /// Position of the first of them.
    pub goes_on_at: Option<Position>,
    /// How far the look went.
    pub reach: Reach,
}

impl TextQuery {
    /// Looks for the words of a value next to each other in data or metadata; with names of fields, only in events
    /// that have one of these fields. `None` if there is no word to look for.
    ///
    /// ```
    /// use annals_core::search::TextQuery;
    /// let query = TextQuery::of_value("456", &["customerId".to_owned()]).unwrap();
    /// assert_eq!(query.to_string(), "(data:456 OR metadata:456) AND key:customerid");
    /// assert_eq!(TextQuery::of_value("🚚", &[]), None);
    /// ```
    #[must_use]
    pub fn of_value(value: &str, fields: &[String]) -> Option<TextQuery> {
        let mut terms = Vec::new();
        let mut any_of = |texts: &[(Field, &str)]| {
            let mut some = Vec::new();
            for (field, text) in texts {
                let words: Vec<String> = words(text).into_iter().map(|word| word.folded).collect();
                if !words.is_empty() {
                    some.push(Condition::Term(terms.len()));
                    terms.push(Term {
                        field: Some(*field),
                        words,
                        prefix: false,
                    });
                }
            }
            match some.len() {
                0 => None,
                1 => some.pop(),
                _ => Some(Condition::Any(some)),
            }
        };
        let in_values = any_of(&[(Field::Data, value), (Field::Metadata, value)])?;
        let mut keys: Vec<(Field, &str)> = Vec::new();
        for field in fields {
            // Capitals do not matter: `orderId` and `orderID` are one name here.
            if !keys.iter().any(|(_, key)| key.eq_ignore_ascii_case(field)) {
                keys.push((Field::Key, field));
            }
        }
        let condition = if keys.is_empty() {
            in_values
        } else {
            Condition::All(vec![in_values, any_of(&keys)?])
        };
        Some(TextQuery { terms, condition })
    }
}

impl TextIndex {
    /// Calls `each` with events of the query outside the stream `but` that match the text, oldest first, until
    /// `limit` were looked at. Events after the index are looked at too if they are few; what was left out the
    /// answer says. Where the index changes under way `each` is called anew from the first one.
    ///
    /// Of the query `after` and `direction` are left aside.
    ///
    /// # Errors
    /// [`SearchError::Read`] of the log.
    pub fn mentions(
        &self,
        text: &TextQuery,
        query: &EventQuery,
        but: &StreamId,
        limit: usize,
        each: &mut dyn FnMut(&Event),
    ) -> Result<Mentioned, SearchError> {
        let mut covered = self.covered()?;
        for _ in 0..2 {
            // Without an index a short log is looked at, a long one is not: nobody waits minutes for a list.
            let range = self.range(query, Some(covered.unwrap_or(Position::ZERO)), MAX_TAIL)?;
            match self.mentions_in(&range, text, query, but, limit, each) {
                Ok(mentioned) => return Ok(mentioned),
                Err(Unanswered::Log(error)) => return Err(error.into()),
                Err(Unanswered::Index) => covered = self.covered()?,
            }
        }
        let range = self.range(query, Some(Position::ZERO), MAX_TAIL)?;
        match self.mentions_in(&range, text, query, but, limit, each) {
            Ok(mentioned) => Ok(mentioned),
            Err(Unanswered::Log(error)) => Err(error.into()),
            Err(Unanswered::Index) => {
                unreachable!("INVARIANT: nothing is asked of an index that reaches nowhere")
            }
        }
    }

    fn mentions_in(
        &self,
        range: &Range,
        text: &TextQuery,
        query: &EventQuery,
        but: &StreamId,
        limit: usize,
        each: &mut dyn FnMut(&Event),
    ) -> Result<Mentioned, Unanswered> {
        let mut positions = self.candidate_positions(text, query, range)?;
        // The stream's own events hold its name too, as the name of their stream.
        let own = EventQuery {
            stream: Some(but.clone()),
            ..EventQuery::default()
        };
        let own = self.log().positions(&own, Position(1), range.indexed)?;
        positions.retain(|position| own.binary_search(position).is_err());
        let left = positions.split_off(limit.min(positions.len()));
        for some in positions.chunks(STEP) {
            let events = self.log().events_at(some)?;
            events
                .iter()
                .filter(|event| text.matches(event))
                .for_each(&mut *each);
        }
        let behind = self.look_behind(query, range, &mut |event| {
            if event.stream.as_ref() != Some(but) && text.matches(event) {
                each(event);
            }
        })?;
        Ok(Mentioned {
            looked_at: positions.len() as u64,
            behind,
            not_looked_at: left.len() as u64,
            goes_on_at: left.first().copied(),
            reach: self.reach(range),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_looked_for_where_values_stand() {
        let fields = ["orderId", "order_id", "orderID"].map(str::to_owned);
        for (value, fields, want) in [
            (
                "order-7",
                &[][..],
                Some(r#"data:"order 7" OR metadata:"order 7""#),
            ),
            (
                "7",
                &fields[..],
                Some(r#"(data:7 OR metadata:7) AND (key:orderid OR key:"order id")"#),
            ),
            ("--", &fields[..], None),
        ] {
            let query = TextQuery::of_value(value, fields);
            assert_eq!(query.map(|q| q.to_string()).as_deref(), want, "{value}");
        }
    }
}
