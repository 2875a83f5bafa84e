//! Computed decimals: calls that give one are wrapped, so that what they give is compared and ordered by value.
//!
//! `dec_sum(x)` becomes `CAST(dec_sum(x) AS TEXT) COLLATE DECIMAL`: the cast makes the engine turn a number beside it into
//! a text, as it does beside a column of decimals, and the collation compares both by value. Whatever the words of a
//! statement are taken for here, what it may do is decided by the engine.

use std::collections::BTreeSet;

use super::words::{Kind, Word};

/// Functions that give a decimal, or one of the numbers that they are given added up.
const GIVE: [&str; 14] = [
    "dec_sum",
    "dec_avg",
    "dec_min",
    "dec_max",
    "dec_add",
    "dec_sub",
    "dec_mul",
    "dec_div",
    "dec_abs",
    "dec_neg",
    "dec_round",
    "sum",
    "avg",
    "total",
];

/// Functions that give one of the values that they are given.
const HAND_ON: [&str; 11] = [
    "max",
    "min",
    "coalesce",
    "ifnull",
    "nullif",
    "iif",
    "first_value",
    "last_value",
    "nth_value",
    "lag",
    "lead",
];

/// Words that may follow a call and are no name for what it gives.
const NO_ALIAS: [&str; 24] = [
    "from",
    "where",
    "group",
    "order",
    "having",
    "limit",
    "union",
    "except",
    "intersect",
    "window",
    "asc",
    "desc",
    "nulls",
    "and",
    "or",
    "not",
    "is",
    "in",
    "between",
    "like",
    "glob",
    "collate",
    "then",
    "end",
];

const BEFORE: &str = "CAST(";
const AFTER: &str = " AS TEXT) COLLATE DECIMAL";

/// A statement with its calls wrapped.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Wrapped {
    pub(super) sql: String,
    /// Texts put in: where in `sql`, and how long.
    added: Vec<(usize, usize)>,
    /// Names of result columns that hold what a wrapped call gives.
    names: BTreeSet<String>,
}

impl Wrapped {
    /// The byte of the statement as it was written, for one of `sql`.
    pub(super) fn written(&self, at: usize) -> usize {
        let before = self.added.iter().take_while(|(place, _)| *place < at);
        let added: usize = before.map(|(place, len)| (at - place).min(*len)).sum();
        at - added
    }

    /// The name of a result column as it was written.
    pub(super) fn name(&self, name: &str) -> String {
        name.replace(BEFORE, "").replace(AFTER, "")
    }

    /// Whether a result column of this name, as it was written, holds decimals.
    pub(super) fn is_decimal(&self, name: &str) -> bool {
        self.names.contains(name)
    }
}

/// Wraps the calls of a statement that give decimals; `decimals` are the columns that hold some, in lower case.
pub(super) fn wrap(sql: &str, words: &[Word], decimals: &BTreeSet<String>) -> Wrapped {
    // Someone who writes a cast or a name like ours would have it taken away in the names of columns.
    let mut wrapped = Wrapped {
        sql: String::with_capacity(sql.len() + 64),
        ..Wrapped::default()
    };
    let mut before = vec![0_usize; sql.len() + 1];
    let mut after = vec![0_usize; sql.len() + 1];
    for at in 0..words.len() {
        let Some(end) = call(sql, words, at, decimals) else {
            continue;
        };
        let (start, stop) = (words[at].at.start, words[end].at.end);
        before[start] += 1;
        after[stop] += 1;
        wrapped.names.insert(sql[start..stop].to_owned());
        wrapped.names.extend(alias(words, end));
    }
    for (at, c) in sql.char_indices().chain([(sql.len(), '\0')]) {
        for (count, text) in [(after[at], AFTER), (before[at], BEFORE)] {
            for _ in 0..count {
                wrapped.added.push((wrapped.sql.len(), text.len()));
                wrapped.sql.push_str(text);
            }
        }
        if at < sql.len() {
            wrapped.sql.push(c);
        }
    }
    wrapped
}

fn is(word: Option<&Word>, sign: &str) -> bool {
    word.is_some_and(|word| word.kind != Kind::Text && word.says.eq_ignore_ascii_case(sign))
}

/// The last word of the call that begins at a word, if it is one that gives a decimal.
fn call(sql: &str, words: &[Word], at: usize, decimals: &BTreeSet<String>) -> Option<usize> {
    let word = &words[at];
    let plain = word.kind == Kind::Name && sql[word.at.clone()] == word.says;
    if !plain || !is(words.get(at + 1), "(") {
        return None;
    }
    let named = |names: &[&str]| {
        names
            .iter()
            .any(|name| word.says.eq_ignore_ascii_case(name))
    };
    let mut end = closing(words, at + 1)?;
    let hands_on = named(&HAND_ON)
        && words[at + 2..end].iter().any(|word| {
            word.kind == Kind::Name
                && (decimals.contains(&word.says.to_ascii_lowercase())
                    || GIVE.iter().any(|name| word.says.eq_ignore_ascii_case(name)))
        });
    if !named(&GIVE) && !hands_on {
        return None;
    }
    // `WITH sum(x) AS (…)` names a table.
    if is(words.get(end + 1), "as") && is(words.get(end + 2), "(") {
        return None;
    }
    if is(words.get(end + 1), "filter") && is(words.get(end + 2), "(") {
        end = closing(words, end + 2)?;
    }
    if is(words.get(end + 1), "over") {
        end = match is(words.get(end + 2), "(") {
            true => closing(words, end + 2)?,
            false => end + 2,
        };
    }
    (end < words.len()).then_some(end)
}

/// The word that closes a bracket.
fn closing(words: &[Word], open: usize) -> Option<usize> {
    let mut deep = 0_usize;
    for (at, word) in words.iter().enumerate().skip(open) {
        if word.kind == Kind::Other && word.says == "(" {
            deep += 1;
        } else if word.kind == Kind::Other && word.says == ")" {
            deep = deep.checked_sub(1)?;
            if deep == 0 {
                return Some(at);
            }
        }
    }
    None
}

/// The name that a call's result is given, if it is given one.
fn alias(words: &[Word], end: usize) -> Option<String> {
    let next = words.get(end + 1)?;
    if next.kind != Kind::Name {
        return None;
    }
    if next.says.eq_ignore_ascii_case("as") {
        let name = words.get(end + 2)?;
        return (name.kind != Kind::Other).then(|| name.says.clone());
    }
    let keyword = NO_ALIAS
        .iter()
        .any(|word| next.says.eq_ignore_ascii_case(word));
    (!keyword).then(|| next.says.clone())
}

#[cfg(test)]
mod tests {
    use super::super::words::words;
    use super::*;

    fn wrapped(sql: &str) -> Wrapped {
        wrap(sql, &words(sql), &["total".to_owned()].into())
    }

    #[test]
    fn calls_that_give_decimals_are_wrapped() {
        for (sql, want) in [
            (
                "SELECT dec_sum(x)",
                "SELECT CAST(dec_sum(x) AS TEXT) COLLATE DECIMAL",
            ),
            ("SELECT 'dec_sum(x)'", "SELECT 'dec_sum(x)'"),
            ("SELECT \"sum\"(x)", "SELECT \"sum\"(x)"),
            (
                "SELECT max(x), max(total)",
                "SELECT max(x), CAST(max(total) AS TEXT) COLLATE DECIMAL",
            ),
            (
                "SELECT SUM(a) FILTER (WHERE b) OVER (ORDER BY (c)) n",
                "SELECT CAST(SUM(a) FILTER (WHERE b) OVER (ORDER BY (c)) AS TEXT) COLLATE DECIMAL n",
            ),
            (
                "WITH sum(x) AS (SELECT 1) SELECT 2",
                "WITH sum(x) AS (SELECT 1) SELECT 2",
            ),
            ("SELECT sum(", "SELECT sum("),
            (
                "SELECT dec_add(sum(a),1)",
                "SELECT CAST(dec_add(CAST(sum(a) AS TEXT) COLLATE DECIMAL,1) AS TEXT) COLLATE DECIMAL",
            ),
        ] {
            let wrapped = wrapped(sql);
            assert_eq!(wrapped.sql, want);
            assert_eq!(wrapped.name(&wrapped.sql), sql);
            let mut last = 0;
            for at in 0..=wrapped.sql.len() {
                let written = wrapped.written(at);
                assert!(written >= last && written <= sql.len(), "{sql} {at}");
                last = written;
            }
            assert_eq!(last, sql.len());
        }
    }

    #[test]
    fn names_of_results_are_known() {
        let names = |sql: &str| wrapped(sql).names.into_iter().collect::<Vec<_>>();
        assert_eq!(names("SELECT sum(a) AS \"x y\""), ["sum(a)", "x y"]);
        assert_eq!(names("SELECT sum(a) n, 1"), ["n", "sum(a)"]);
        assert_eq!(names("SELECT sum(a) FROM t"), ["sum(a)"]);
    }
}
