//! `data.discount ?? 0` where there is no `discount`: what stands left of `??` reads as null where a field of it is not
//! there. Everywhere else a field that is not there stays an error, so that a slip of the pen is not null for ever.
//!
//! The plain path that ends before `??` is rewritten before the engine parses it: each step asks only if there is
//! something to ask (`?[`), and each name carries a mark by which whoever looks it up knows that it may be missing.
//!
//! Left out: what is no plain path of names and places (a call, parentheses), and an element that a list does not have.

use std::ops::Range;

/// Stands before a name that may be missing. Of the private use area, so that no field is called so.
const MARK: char = '\u{f8ff}';

/// A name as it is looked up, and whether it may be missing.
pub(super) fn name_of(written: &str) -> (&str, bool) {
    match written.strip_prefix(MARK) {
        Some(name) => (name, true),
        None => (written, false),
    }
}

/// Rewrites the paths before `??` in a text whose characters came from these places.
pub(super) fn mark(text: &mut String, origin: &mut Vec<usize>) {
    if !text.contains("??") {
        return;
    }
    let chars: Vec<char> = text.chars().collect();
    let code = code_in(&chars);
    let mut edits: Vec<(Range<usize>, String)> = Vec::new();
    for at in 0..chars.len().saturating_sub(1) {
        // `??=` is no operator here, and an error.
        if code[at] && chars[at..].starts_with(&['?', '?']) && chars.get(at + 2) != Some(&'=') {
            edits.extend(path_before(&chars, &code, at));
        }
    }
    edits.sort_by_key(|(range, _)| range.start);
    let (mut marked, mut from, mut next) = (String::with_capacity(text.len() + 16), Vec::new(), 0);
    for (range, with) in edits {
        marked.extend(&chars[next..range.start]);
        from.extend_from_slice(&origin[next..range.start]);
        from.extend(with.chars().map(|_| origin[range.start]));
        marked += &with;
        next = range.end;
    }
    marked.extend(&chars[next..]);
    from.extend_from_slice(&origin[next..]);
    (*text, *origin) = (marked, from);
}

/// Which characters are code and not text in quotes.
fn code_in(chars: &[char]) -> Vec<bool> {
    let mut code = vec![true; chars.len()];
    let mut at = 0;
    // Where code inside a template began: braces that are open in it.
    let mut templates: Vec<usize> = Vec::new();
    let mut in_template = false;
    while at < chars.len() {
        let c = chars[at];
        if in_template {
            code[at] = false;
            if c == '`' {
                in_template = false;
            } else if c == '$' && chars.get(at + 1) == Some(&'{') {
                (in_template, at) = (false, at + 1);
                templates.push(0);
            }
        } else if c == '"' {
            let mut end = at + 1;
            while end < chars.len() && chars[end] != '"' {
                end += if chars[end] == '\\' { 2 } else { 1 };
            }
            let end = end.min(chars.len() - 1);
            code[at..=end].fill(false);
            at = end;
        } else if c == '`' {
            code[at] = false;
            in_template = true;
        } else if let Some(open) = templates.last_mut() {
            match (c, *open) {
                ('{', _) => *open += 1,
                ('}', 0) => {
                    templates.pop();
                    in_template = true;
                }
                ('}', _) => *open -= 1,
                _ => {}
            }
        }
        at += 1;
    }
    code
}

/// What is to be written in place of each step of the plain path that ends before `end`; nothing if there is none.
fn path_before(chars: &[char], code: &[bool], end: usize) -> Vec<(Range<usize>, String)> {
    let space = |mut at: usize| {
        while at > 0 && chars[at - 1].is_whitespace() {
            at -= 1;
        }
        at
    };
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    // The `.` or `[` that begins at `at` may have a `?` before it already.
    let from = |at: usize| {
        if at > 0 && chars[at - 1] == '?' {
            at - 1
        } else {
            at
        }
    };
    let mut edits = Vec::new();
    let mut at = space(end);
    loop {
        if at > 0 && code[at - 1] && chars[at - 1] == ']' {
            let close = at - 1;
            let mut open = space(close);
            while open > 0 && (chars[open - 1].is_ascii_digit() || !code[open - 1]) {
                open -= 1;
            }
            let inner: String = chars[open..close].iter().collect();
            let inner = inner.trim();
            let open = space(open);
            if inner.is_empty() || open == 0 || chars[open - 1] != '[' {
                return Vec::new();
            }
            let with = match inner.strip_prefix('"') {
                Some(name) => format!("?[\"{MARK}{name}]"),
                None if inner.chars().all(|c| c.is_ascii_digit()) => format!("?[{inner}]"),
                None => return Vec::new(),
            };
            let start = from(open - 1);
            edits.push((start..close + 1, with));
            at = space(start);
            continue;
        }
        let stop = at;
        while at > 0 && code[at - 1] && is_name(chars[at - 1]) {
            at -= 1;
        }
        if at == stop || chars[at].is_ascii_digit() {
            return Vec::new();
        }
        let dot = space(at);
        if dot == 0 || chars[dot - 1] != '.' {
            // The variable that the path begins with.
            return edits;
        }
        let name: String = chars[at..stop].iter().collect();
        // How long a list or a text is, which is no field.
        if name == "len" || (dot > 1 && chars[dot - 2] == '.') {
            return Vec::new();
        }
        let start = from(dot - 1);
        edits.push((start..stop, format!("?[\"{MARK}{name}\"]")));
        at = space(start);
    }
}
