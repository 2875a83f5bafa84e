//! The history of a git repository, read by the `git` program: each commit is an event of the repository's stream,
//! and what it did to each file is one of the file's.
//!
//! Nothing of the repository is run (hooks, external diffs, signature checks) and nothing is fetched. Commits come
//! from their objects, byte for byte, not from what `git log` makes of them. `docs/import.md` states the rules.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Error, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::Ordering;

use chrono::{DateTime, FixedOffset};
use serde::Serialize;

use super::detect::FileNames;
use super::{ImportError, Progress};

/// Longest message of a commit that is kept whole, in bytes.
const MAX_OBJECT_BYTES: usize = 64 << 20;

/// Whether a folder is a repository, with files checked out or without.
pub(super) fn is_repository(folder: &Path) -> bool {
    let is_bare = |folder: &Path| {
        folder.join("HEAD").is_file()
            && folder.join("objects").is_dir()
            && folder.join("refs").is_dir()
    };
    folder.join(".git").exists() || is_bare(folder)
}

/// Writes the history that leads to `HEAD` to an unnamed temporary file, one event a line, the oldest first.
///
/// # Errors
/// [`ImportError::Malformed`] where git is not there or refuses, with what it says; [`ImportError::Cancelled`].
pub(super) fn events_of(
    folder: &Path,
    names: &FileNames,
    progress: &Progress,
) -> Result<File, ImportError> {
    let failed = |error: Error| match progress.cancel.load(Ordering::Relaxed) {
        true => ImportError::Cancelled,
        false => names.malformed(1, error.to_string()),
    };
    history(folder, names.source.trim_end_matches(".git"), progress).map_err(failed)
}

fn history(folder: &Path, name: &str, progress: &Progress) -> std::io::Result<File> {
    let commits = lines(git(
        folder,
        &["rev-list", "--topo-order", "--reverse", "HEAD"],
    ))?;
    let line = lines(git(folder, &["rev-list", "--first-parent", "HEAD"]))?;
    let main_line: HashSet<&str> = line.iter().map(String::as_str).collect();

    let mut objects = Running::start(git(folder, &["cat-file", "--batch"]), &commits)?;
    // What a commit did to files is told against its first parent, also for one that merges.
    let mut told: Vec<String> = Vec::new();
    let mut parsed = BufWriter::new(tempfile::tempfile()?);
    for commit in &commits {
        stop_if(progress)?;
        let object = next_object(&mut objects.out)?;
        let read = Commit::read(commit, &object);
        if main_line.contains(commit.as_str()) {
            let parent = read.parents.first().map_or("", String::as_str);
            told.push(format!("{commit} {parent}").trim_end().to_owned());
        }
        serde_json::to_writer(&mut parsed, &read)?;
        parsed.write_all(b"\n")?;
    }
    objects.end()?;
    let mut parsed = parsed
        .into_inner()
        .map_err(std::io::IntoInnerError::into_error)?;
    parsed.seek(SeekFrom::Start(0))?;

    let tree = [
        "diff-tree",
        "--stdin",
        "-r",
        "--raw",
        "-z",
        "--no-renames",
        "--root",
        "--no-ext-diff",
        "--no-textconv",
        "--no-abbrev",
        "-m",
    ];
    let mut changes = Running::start(git(folder, &tree), &told)?;
    let mut tokens = Tokens {
        out: &mut changes.out,
        ahead: None,
    };
    let mut out = BufWriter::new(tempfile::tempfile()?);
    for line in BufReader::new(parsed).lines() {
        stop_if(progress)?;
        let commit: Commit = serde_json::from_str(&line?)?;
        let files = match main_line.contains(commit.commit.as_str()) {
            true => Some(tokens.of(&commit.commit)?),
            false => None,
        };
        commit.write(name, files.as_deref(), &mut out)?;
    }
    changes.end()?;
    let mut file = out
        .into_inner()
        .map_err(std::io::IntoInnerError::into_error)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(file)
}

fn stop_if(progress: &Progress) -> std::io::Result<()> {
    match progress.cancel.load(Ordering::Relaxed) {
        true => Err(Error::other("cancelled")),
        false => Ok(()),
    }
}

fn git(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("git");
    for own in [
        "GIT_DIR",
        "GIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_OBJECT_DIRECTORY",
        "GIT_EXTERNAL_DIFF",
    ] {
        command.env_remove(own);
    }
    command
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("GIT_NO_LAZY_FETCH", "1")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_NO_REPLACE_OBJECTS", "1")
        .env("LC_ALL", "C")
        .args([
            "-c",
            "core.fsmonitor=false",
            "-c",
            "core.quotePath=false",
            "-C",
        ])
        .arg(folder)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    command
}

/// A git that is at work.
struct Running {
    child: Child,
    out: BufReader<ChildStdout>,
    /// What it says beside. A file, so that it never waits for somebody to read it.
    said: File,
}

impl Running {
    /// Starts it with lines to read.
    fn start(mut command: Command, input: &[String]) -> std::io::Result<Running> {
        let mut file = tempfile::tempfile()?;
        let mut text = BufWriter::new(&mut file);
        for line in input {
            writeln!(text, "{line}")?;
        }
        text.flush()?;
        drop(text);
        file.seek(SeekFrom::Start(0))?;
        Running::spawn(command.stdin(file))
    }

    fn spawn(command: &mut Command) -> std::io::Result<Running> {
        let said = tempfile::tempfile()?;
        command.stderr(said.try_clone()?);
        let mut child = command.spawn().map_err(|error| match error.kind() {
            ErrorKind::NotFound => Error::new(
                ErrorKind::NotFound,
                "a git repository is read by the program git, which is not there; install it, or import a file of it with --format",
            ),
            _ => error,
        })?;
        let out = child
            .stdout
            .take()
            .ok_or_else(|| Error::from(ErrorKind::BrokenPipe))?;
        Ok(Running {
            child,
            out: BufReader::new(out),
            said,
        })
    }

    /// Waits for its end, and tells what it says of a failure.
    fn end(mut self) -> std::io::Result<()> {
        let status = self.child.wait()?;
        if status.success() {
            return Ok(());
        }
        let mut said = Vec::new();
        self.said.seek(SeekFrom::Start(0))?;
        (&self.said).take(4_096).read_to_end(&mut said)?;
        let said = String::from_utf8_lossy(&said);
        Err(Error::other(format!("git says: {}", said.trim())))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // One that has ended already is not there to be stopped.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines(mut command: Command) -> std::io::Result<Vec<String>> {
    let mut running = Running::spawn(&mut command)?;
    let found: std::io::Result<Vec<String>> = (&mut running.out).lines().collect();
    running.end()?;
    found
}

/// The next object of `cat-file --batch`: `<id> commit <size>`, its bytes, an end of line.
fn next_object(out: &mut impl BufRead) -> std::io::Result<Vec<u8>> {
    let mut head = String::new();
    out.read_line(&mut head)?;
    let size = head
        .trim_end()
        .rsplit(' ')
        .next()
        .and_then(|size| size.parse::<usize>().ok());
    let size = size.filter(|size| *size <= MAX_OBJECT_BYTES);
    let size =
        size.ok_or_else(|| Error::other(format!("git gives no commit: {}", head.trim_end())))?;
    let mut object = vec![0; size + 1];
    out.read_exact(&mut object)?;
    object.pop();
    Ok(object)
}

#[derive(Debug, Default, Serialize, serde::Deserialize, PartialEq, Eq)]
struct Person {
    name: String,
    email: String,
}

/// A commit as its object says it.
#[derive(Debug, Default, Serialize, serde::Deserialize)]
struct Commit {
    commit: String,
    tree: String,
    parents: Vec<String>,
    author: Person,
    author_time: Option<String>,
    committer: Person,
    committer_time: Option<String>,
    message: String,
}

impl Commit {
    fn read(id: &str, object: &[u8]) -> Commit {
        let text = String::from_utf8_lossy(object);
        let (headers, message) = text.split_once("\n\n").unwrap_or((&text, ""));
        let mut commit = Commit {
            commit: id.to_owned(),
            message: message.trim_end_matches('\n').to_owned(),
            ..Commit::default()
        };
        for header in headers.lines() {
            match header.split_once(' ') {
                Some(("tree", tree)) => commit.tree = tree.to_owned(),
                Some(("parent", parent)) => commit.parents.push(parent.to_owned()),
                Some(("author", who)) => (commit.author, commit.author_time) = signed(who),
                Some(("committer", who)) => (commit.committer, commit.committer_time) = signed(who),
                _ => {}
            }
        }
        commit
    }

    /// Writes its events: its own, and one for each file.
    fn write(
        &self,
        name: &str,
        files: Option<&[Change]>,
        out: &mut impl Write,
    ) -> std::io::Result<()> {
        let Person { name: who, email } = &self.author;
        let actor = format!("{who} <{email}>");
        let count = |kind: Kind| {
            let files = files.unwrap_or_default();
            files.iter().filter(|change| change.kind == kind).count()
        };
        let counts = files.map(|_| Counts {
            added: count(Kind::Added),
            changed: count(Kind::Changed),
            deleted: count(Kind::Deleted),
        });
        let event = Line {
            event_id: self.commit.clone(),
            stream: name.to_owned(),
            stream_category: "repository",
            event_type: "Committed",
            time: self.author_time.as_deref(),
            recorded_at: self.committer_time.as_deref(),
            actor: &actor,
            reason: &self.message,
            correlation_id: &self.commit,
            causation_id: None,
            data: Committed {
                commit: &self.commit,
                tree: &self.tree,
                parents: &self.parents,
                author: &self.author,
                committer: &self.committer,
                message: &self.message,
                files: counts,
            },
        };
        write_line(&event, out)?;
        for change in files.unwrap_or_default() {
            let event = Line {
                event_id: format!("{}:{}", self.commit, change.path),
                stream: format!("{name}/{}", change.path),
                stream_category: "file",
                event_type: match change.kind {
                    Kind::Added => "FileAdded",
                    Kind::Changed => "FileChanged",
                    Kind::Deleted => "FileDeleted",
                },
                time: self.author_time.as_deref(),
                recorded_at: self.committer_time.as_deref(),
                actor: &actor,
                reason: &self.message,
                correlation_id: &self.commit,
                causation_id: Some(&self.commit),
                data: change,
            };
            write_line(&event, out)?;
        }
        Ok(())
    }
}

fn write_line(event: &impl Serialize, out: &mut impl Write) -> std::io::Result<()> {
    serde_json::to_writer(&mut *out, event)?;
    out.write_all(b"\n")
}

/// `Name <address> seconds zone`.
fn signed(text: &str) -> (Person, Option<String>) {
    let (name, rest) = text.split_once('<').unwrap_or((text, ""));
    let (email, when) = rest.rsplit_once('>').unwrap_or((rest, ""));
    let person = Person {
        name: name.trim().to_owned(),
        email: email.trim().to_owned(),
    };
    let mut parts = when.split_whitespace();
    let seconds: Option<i64> = parts.next().and_then(|text| text.parse().ok());
    let offset = parts.next().and_then(offset_of);
    let time = seconds.and_then(|seconds| {
        let utc = DateTime::from_timestamp(seconds, 0)?;
        Some(match offset {
            Some(offset) => utc.with_timezone(&offset).to_rfc3339(),
            None => utc.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
        })
    });
    (person, time)
}

fn offset_of(text: &str) -> Option<FixedOffset> {
    let (sign, digits) = text.split_at_checked(1)?;
    let number: i32 = digits.parse().ok().filter(|_| digits.len() == 4)?;
    let seconds = number / 100 * 3_600 + number % 100 * 60;
    FixedOffset::east_opt(if sign == "-" { -seconds } else { seconds })
}

/// An event as the rules for JSON records read it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'c, D> {
    event_id: String,
    stream: String,
    stream_category: &'c str,
    event_type: &'c str,
    time: Option<&'c str>,
    recorded_at: Option<&'c str>,
    actor: &'c str,
    reason: &'c str,
    correlation_id: &'c str,
    causation_id: Option<&'c str>,
    data: D,
}

#[derive(Serialize)]
struct Committed<'c> {
    commit: &'c str,
    tree: &'c str,
    parents: &'c [String],
    author: &'c Person,
    committer: &'c Person,
    message: &'c str,
    /// Against the first parent; `None` beside the line of first parents.
    #[serde(skip_serializing_if = "Option::is_none")]
    files: Option<Counts>,
}

#[derive(Serialize)]
struct Counts {
    added: usize,
    changed: usize,
    deleted: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Added,
    Changed,
    Deleted,
}

/// What a commit did to a file.
#[derive(Debug, Serialize, PartialEq, Eq)]
struct Change {
    #[serde(skip)]
    kind: Kind,
    path: String,
    blob: Option<String>,
    mode: Option<String>,
    was: Option<Blob>,
}

#[derive(Debug, Serialize, PartialEq, Eq)]
struct Blob {
    blob: String,
    mode: String,
}

/// The output of `diff-tree --stdin -z`: the id of a commit, then for each file what changed and its path.
struct Tokens<'r, R> {
    out: &'r mut R,
    ahead: Option<Vec<u8>>,
}

impl<R: BufRead> Tokens<'_, R> {
    fn next(&mut self) -> std::io::Result<Option<Vec<u8>>> {
        if let Some(token) = self.ahead.take() {
            return Ok(Some(token));
        }
        let mut token = Vec::new();
        if self.out.read_until(0, &mut token)? == 0 {
            return Ok(None);
        }
        token.pop();
        Ok(Some(token))
    }

    /// The changes of a commit; none where it changed nothing, and git says nothing of it.
    fn of(&mut self, commit: &str) -> std::io::Result<Vec<Change>> {
        match self.next()? {
            Some(token) if token == commit.as_bytes() => {}
            other => {
                self.ahead = other;
                return Ok(Vec::new());
            }
        }
        let mut changes = Vec::new();
        while let Some(token) = self.next()? {
            if token.first() != Some(&b':') {
                self.ahead = Some(token);
                break;
            }
            let path = self.next()?.unwrap_or_default();
            let path = String::from_utf8_lossy(&path).into_owned();
            changes.extend(change(&String::from_utf8_lossy(&token[1..]), path));
        }
        Ok(changes)
    }
}

/// `100644 100755 0123… 4567… M`.
fn change(entry: &str, path: String) -> Option<Change> {
    let mut fields = entry.split(' ');
    let [old_mode, mode, old_blob, blob, status] =
        std::array::from_fn(|_| fields.next().unwrap_or_default());
    let was = || Blob {
        blob: old_blob.to_owned(),
        mode: old_mode.to_owned(),
    };
    let kind = match status.as_bytes().first()? {
        b'A' => Kind::Added,
        b'D' => Kind::Deleted,
        _ => Kind::Changed,
    };
    let is_there = kind != Kind::Deleted;
    Some(Change {
        kind,
        path,
        blob: is_there.then(|| blob.to_owned()),
        mode: is_there.then(|| mode.to_owned()),
        was: (kind != Kind::Added).then(was),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commits_are_read_from_their_objects() {
        let object = b"tree 1111\nparent 2222\nparent 3333\nauthor Jo \xc3\x89 <jo@example.com> 1705314600 +0230\ncommitter Bo <> -1 -0800\ngpgsig -----BEGIN\n author x <y> 1 +0000\n\nSubject\n\nbody\n";
        let commit = Commit::read("abc", object);
        assert_eq!(commit.parents, ["2222", "3333"]);
        assert_eq!(commit.author.name, "Jo \u{c9}");
        assert_eq!(
            commit.author_time.as_deref(),
            Some("2024-01-15T13:00:00+02:30")
        );
        assert_eq!(
            commit.committer_time.as_deref(),
            Some("1969-12-31T15:59:59-08:00")
        );
        assert_eq!(commit.message, "Subject\n\nbody");
        for text in ["", "Jo", "Jo <", "<> x y", "Jo <a> 99999999999999999 +0000"] {
            let _ = signed(text);
        }
    }

    #[test]
    fn changes_are_told_apart_by_their_commits() {
        let zero = "0".repeat(40);
        let text = format!(
            "c1\0:000000 100644 {zero} aaaa A\0:odd name\0:100644 000000 bbbb {zero} D\0d\0c3\0:100644 100755 a b M\0m\0"
        );
        let mut reader = text.as_bytes();
        let mut tokens = Tokens {
            out: &mut reader,
            ahead: None,
        };
        let first = tokens.of("c1").unwrap();
        let told: Vec<_> = first.iter().map(|c| (c.kind, c.path.as_str())).collect();
        assert_eq!(told, [(Kind::Added, ":odd name"), (Kind::Deleted, "d")]);
        assert_eq!(tokens.of("c2").unwrap(), [], "an empty commit");
        assert_eq!(tokens.of("c3").unwrap()[0].blob.as_deref(), Some("b"));
        assert_eq!(tokens.of("c4").unwrap(), []);
    }
}
