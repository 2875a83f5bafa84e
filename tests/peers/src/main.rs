//! Other event stores, doing what Annals does in the bench: `annals-peers PEER FOLDER EVENTS.jsonl SECONDS TYPE INSTANT
//! STREAM…` prints a line for each measure: `=`, its name and its figure; a line that begins with `#` says what went
//! wrong beside it, and others are the peers' own. FOLDER is on the disk that is measured; what is made there is removed again.
//!
//! All are asked to make each append durable before it is acknowledged, and each append names the version of the stream
//! that it expects. PEER is `postgres`, `cqrs-es` or `umadb`.

mod cqrs;
mod events;
#[cfg(unix)]
mod postgres;
#[allow(dead_code, reason = "the bench draws more from it than its peers do")]
#[path = "../../src/seeded.rs"]
mod seeded;
mod umadb;

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::seeded::{Seeded, data, metadata};

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Appends the nth event of a stream: number, data, metadata.
type Append<'p> = Box<dyn FnMut(u64, String, String) -> Outcome<()> + 'p>;

/// Reads a stream into owned fields; returns how many events it has.
type Read<'p> = Box<dyn FnMut(&str) -> Outcome<u64> + 'p>;

/// An event store that is empty when it is opened.
trait Peer: Sync + Sized {
    fn open(folder: &Path) -> Outcome<Self>;

    /// A writer of one stream.
    fn writer(&self, stream: usize) -> Outcome<Append<'_>>;

    /// Takes every event of a file; returns how many.
    fn load(&self, file: &Path) -> Outcome<u64>;

    /// A reader of streams.
    fn reader(&self) -> Outcome<Read<'_>>;

    /// Reads everything into owned fields; returns how many events that were.
    fn all(&self) -> Outcome<u64>;

    /// How many streams had an event of this type as their last one at the instant, where that can be asked.
    fn count(&self, _event_type: &str, _at: &str) -> Outcome<Option<u64>> {
        Ok(None)
    }

    /// Bytes that it takes on the disk.
    fn bytes(&self) -> Outcome<u64>;
}

fn main() -> Outcome<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [peer, folder, file, seconds, event_type, at, streams @ ..] = &args[..] else {
        return Err("PEER FOLDER EVENTS.jsonl SECONDS TYPE INSTANT STREAM… are expected".into());
    };
    let asked = Asked {
        folder: folder.as_ref(),
        file: file.as_ref(),
        seconds: seconds.parse()?,
        event_type,
        at,
        streams,
    };
    match peer.as_str() {
        #[cfg(unix)]
        "postgres" => asked.of::<postgres::Postgres>(),
        "cqrs-es" => asked.of::<cqrs::CqrsEs>(),
        "umadb" => asked.of::<umadb::Uma>(),
        other => Err(format!("no peer is called {other}").into()),
    }
}

struct Asked<'a> {
    folder: &'a Path,
    file: &'a Path,
    seconds: u64,
    event_type: &'a str,
    at: &'a str,
    streams: &'a [String],
}

impl Asked<'_> {
    fn of<P: Peer>(&self) -> Outcome<()> {
        for writers in [1, 8, 32] {
            let peer = P::open(self.folder)?;
            println!("= append-{writers} {}", self.appends(&peer, writers)?);
        }
        let peer = P::open(self.folder)?;
        let start = Instant::now();
        let events = peer.load(self.file)?;
        println!("= load {}", events as f64 / start.elapsed().as_secs_f64());
        println!("= bytes {}", peer.bytes()?);
        let mut read = peer.reader()?;
        for stream in self.streams {
            let mut figures = Vec::new();
            let begun = Instant::now();
            while figures.len() < 5
                || (begun.elapsed() < Duration::from_secs(1) && figures.len() < 400)
            {
                let start = Instant::now();
                if read(stream)? == 0 {
                    return Err(format!("{stream} is empty").into());
                }
                figures.push(start.elapsed().as_secs_f64() * 1e6);
            }
            println!("= stream-{stream} {}", median(figures));
        }
        drop(read);
        let start = Instant::now();
        let read = peer.all()?;
        if read != events {
            return Err(format!("{read} of {events} events were read").into());
        }
        println!("= all {}", read as f64 / start.elapsed().as_secs_f64());
        let mut figures = Vec::new();
        let mut counted = None;
        for _ in 0..5 {
            let start = Instant::now();
            counted = peer.count(self.event_type, self.at)?;
            figures.push(start.elapsed().as_secs_f64() * 1e3);
        }
        if let Some(counted) = counted {
            println!("= count {}\n= counted {counted}", median(figures));
        }
        Ok(())
    }

    /// Appends a second, from so many threads.
    fn appends<P: Peer>(&self, peer: &P, writers: usize) -> Outcome<f64> {
        let (done, stop) = (AtomicU64::new(0), AtomicBool::new(false));
        let failed = Mutex::new(None);
        let begun = Instant::now();
        std::thread::scope(|scope| {
            for thread in 0..writers {
                let (done, stop, failed) = (&done, &stop, &failed);
                scope.spawn(move || {
                    let work = || -> Outcome<()> {
                        let mut append = peer.writer(thread)?;
                        let mut seed = Seeded(thread as u64);
                        for n in 1.. {
                            if stop.load(Ordering::Relaxed) {
                                break;
                            }
                            append(n, data(&mut seed), metadata(&mut seed))?;
                            done.fetch_add(1, Ordering::Relaxed);
                        }
                        Ok(())
                    };
                    if let Err(error) = work() {
                        *failed.lock().expect("no writer panics") = Some(error);
                    }
                });
            }
            std::thread::sleep(Duration::from_secs(self.seconds));
            stop.store(true, Ordering::Relaxed);
        });
        match failed.into_inner()? {
            Some(error) => Err(error),
            None => Ok(done.load(Ordering::Relaxed) as f64 / begun.elapsed().as_secs_f64()),
        }
    }
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// Bytes of a file or of all files in a folder.
fn bytes_of(path: &Path) -> Outcome<u64> {
    if path.is_file() {
        return Ok(path.metadata()?.len());
    }
    let mut bytes = 0;
    for entry in std::fs::read_dir(path)? {
        bytes += bytes_of(&entry?.path())?;
    }
    Ok(bytes)
}
