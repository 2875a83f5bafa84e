//! A session of commands and what they print, compared with a committed file.
//!
//! `UPDATE_GOLDENS=1 cargo test -p annals-cli` writes the files anew; the difference is then for a person to
//! read.

use std::path::Path;

use super::Sandbox;

/// Commands and their output so far.
pub struct Transcript {
    pub sandbox: Sandbox,
    text: String,
    started: chrono::DateTime<chrono::Utc>,
}

impl Transcript {
    pub fn new() -> Transcript {
        Transcript {
            sandbox: Sandbox::new(),
            text: String::new(),
            started: chrono::Utc::now(),
        }
    }

    /// A session that begins with the guide sample at `guide.annals`.
    pub fn on_guide() -> Transcript {
        let transcript = Transcript::new();
        let run = transcript
            .sandbox
            .run(&["sample", "guide", "--out", "guide.annals"]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        transcript
    }

    /// Runs one command, written as in a shell: words apart by spaces, quotes round words with spaces.
    pub fn run(&mut self, line: &str) -> &mut Transcript {
        let run = self.sandbox.run(&words(line));
        self.text += &format!("$ annals {line}\n{}", self.settled(&run.stdout));
        for stderr in self.settled(&run.stderr).lines() {
            self.text += &format!("! {stderr}\n");
        }
        if run.code != 0 {
            self.text += &format!("exit {}\n", run.code);
        }
        self.text += "\n";
        self
    }

    /// Adds what a command wrote to a file.
    pub fn note(&mut self, text: &str) -> &mut Transcript {
        self.text += &self.settled(text);
        self.text += "\n";
        self
    }

    /// Compares the session with `goldens/NAME.txt`.
    pub fn compare(&self, name: &str) {
        let file = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/goldens")
            .join(format!("{name}.txt"));
        if std::env::var_os("UPDATE_GOLDENS").is_some() {
            std::fs::write(&file, &self.text).unwrap();
            return;
        }
        let want = std::fs::read_to_string(&file).unwrap_or_default();
        let differs = want
            .lines()
            .zip(self.text.lines())
            .position(|(want, got)| want != got)
            .unwrap_or_else(|| want.lines().count().min(self.text.lines().count()));
        assert!(
            want == self.text,
            "{} differs from line {}; UPDATE_GOLDENS=1 writes it anew. Now:\n{}",
            file.display(),
            differs + 1,
            self.text
        );
    }

    /// What differs from run to run put aside: UUIDs, hashes, times since the session began, lengths of
    /// store files. JSON is indented, so that a difference is one line.
    fn settled(&self, text: &str) -> String {
        let text = match serde_json::from_str::<serde_json::Value>(text) {
            Ok(value @ serde_json::Value::Object(_)) => {
                serde_json::to_string_pretty(&value).unwrap() + "\n"
            }
            _ => text.to_owned(),
        };
        let data = self.sandbox.data().to_str().unwrap();
        let text = text.replace(data, "<data>");
        let mut out = String::new();
        let word = |c: char| c.is_ascii_alphanumeric() || "-:.+".contains(c);
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let end = rest.find(|c| !word(c)).unwrap_or(rest.len());
            if end == 0 {
                let next = rest.chars().next().unwrap();
                out.push(next);
                rest = &rest[next.len_utf8()..];
                continue;
            }
            let token = &rest[..end];
            rest = &rest[end..];
            // An entry of an access log is named by its number and its hash.
            if let Some((number, hash)) = token.split_once(':')
                && hash.len() == 64
                && is_hex(hash)
            {
                out += &format!("{number}:<hash>");
                continue;
            }
            out += match () {
                () if is_uuid(token) => "<uuid>",
                () if token.len() == 64 && is_hex(token) => "<hash>",
                () if self.is_now(token) => "<now>",
                () if out.ends_with("\"user\": \"") => "<user>",
                () if out.ends_with("ed_by\": \"") => "<user>",
                () if out.ends_with("\"uid\": ") => "<uid>",
                () if out.ends_with("\"program\": \"annals ") => "<version>",
                () if out.ends_with("\"file_bytes\": ") => "<bytes>",
                () if out.ends_with("\nfile           ") => "<bytes>",
                () => token,
            };
        }
        out
    }

    fn is_now(&self, token: &str) -> bool {
        chrono::DateTime::parse_from_rfc3339(token)
            .is_ok_and(|t| (self.started - chrono::Duration::seconds(2)..).contains(&t.to_utc()))
    }
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_hexdigit())
}

fn is_uuid(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    parts.iter().map(|p| p.len()).eq([8, 4, 4, 4, 12]) && parts.iter().all(|p| is_hex(p))
}

/// Splits a line into words as a shell does, for the quotes used in these tests.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = None::<String>;
    let mut quoted = None;
    // `'{"a":1}'` and `"SELECT 'a'"`: the other quote stands for itself.
    for c in line.chars() {
        match c {
            '\'' | '"' if quoted.is_none_or(|open| open == c) => {
                quoted = quoted.is_none().then_some(c);
                word.get_or_insert_default();
            }
            ' ' if quoted.is_none() => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    assert!(quoted.is_none(), "a quote is not closed in {line}");
    words.extend(word);
    words
}
