//! PostgreSQL with one plain table of events, `UNIQUE(stream, version)`: a cluster of its own in the folder, reached by
//! a Unix socket only, everything as it comes but for more shared memory and room before a checkpoint.

use std::ffi::OsStr;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use postgres::{Client, Config, NoTls, Row};

use crate::events::each;
use crate::{Append, Outcome, Peer, Read};

const TABLE: &str = "CREATE TABLE events(position BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, \
    stream TEXT NOT NULL, version BIGINT NOT NULL, id TEXT NOT NULL, type TEXT NOT NULL, time TIMESTAMPTZ NOT NULL, \
    data TEXT NOT NULL, metadata TEXT NOT NULL, UNIQUE(stream, version))";

const FIELDS: &str = "position, version, id, type, time, data, metadata, stream";

pub struct Postgres {
    bin: PathBuf,
    /// Whom the server runs as: it refuses to be root.
    owner: Option<(u32, u32)>,
    data: PathBuf,
    socket: PathBuf,
}

impl Postgres {
    fn run(&self, program: &str, args: &[&OsStr]) -> Outcome<()> {
        let mut command = Command::new(self.bin.join(program));
        command.args(args).current_dir(&self.socket);
        if let Some((user, group)) = self.owner {
            command.uid(user).gid(group);
        }
        // What it says goes to files, since a server that stays would hold a pipe open.
        let said = self.socket.join("said");
        let out = std::fs::File::create(&said)?;
        let status = command.stdout(out.try_clone()?).stderr(out).status()?;
        match status.success() {
            true => Ok(()),
            false => {
                let said = std::fs::read_to_string(&said).unwrap_or_default();
                Err(format!("{program}: {said}").into())
            }
        }
    }

    fn client(&self) -> Outcome<Client> {
        let mut config = Config::new();
        config
            .host_path(&self.socket)
            .user("bench")
            .dbname("postgres");
        Ok(config.connect(NoTls)?)
    }

    fn remove(&self) {
        std::fs::remove_dir_all(&self.data).ok();
        std::fs::remove_dir_all(&self.socket).ok();
    }
}

/// The folder of the newest server that is installed.
fn programs() -> Outcome<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = Vec::new();
    for entry in std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
    {
        let entry = entry?;
        let version = entry.file_name().to_string_lossy().parse().unwrap_or(0);
        found.push((version, entry.path().join("bin")));
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    found.extend(std::env::split_paths(&path).map(|folder| (0, folder)));
    found.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    found
        .into_iter()
        .map(|(_, folder)| folder)
        .find(|folder| folder.join("initdb").exists())
        .ok_or_else(|| "it is not installed (initdb is not found)".into())
}

/// The user `postgres`, where this runs as root.
fn owner() -> Outcome<Option<(u32, u32)>> {
    if std::fs::metadata("/proc/self")?.uid() != 0 {
        return Ok(None);
    }
    let users = std::fs::read_to_string("/etc/passwd")?;
    let line = users.lines().find(|line| line.starts_with("postgres:"));
    let mut ids = line
        .ok_or("root cannot run it, and there is no user postgres")?
        .split(':')
        .skip(2);
    let mut id = || ids.next().unwrap_or_default().parse::<u32>();
    Ok(Some((id()?, id()?)))
}

impl Peer for Postgres {
    fn open(folder: &Path) -> Outcome<Postgres> {
        let here = format!("annals-peers-{}", std::process::id());
        let postgres = Postgres {
            bin: programs()?,
            owner: owner()?,
            data: folder.canonicalize()?.join("peer.postgres"),
            // A socket's path is at most some hundred bytes long.
            socket: std::env::temp_dir().join(here),
        };
        postgres.remove();
        for folder in [&postgres.data, &postgres.socket] {
            std::fs::create_dir_all(folder)?;
            if let Some((user, group)) = postgres.owner {
                chown(folder, Some(user), Some(group))?;
            }
        }
        let data = postgres.data.as_os_str();
        let flags = [
            "-N",
            "-A",
            "trust",
            "-U",
            "bench",
            "-E",
            "UTF8",
            "--locale=C",
            "-D",
        ];
        let mut args: Vec<&OsStr> = flags.into_iter().map(OsStr::new).collect();
        args.push(data);
        postgres.run("initdb", &args)?;
        let options = format!(
            "-k {} -c listen_addresses= -c fsync=on -c synchronous_commit=on -c shared_buffers=1GB \
             -c max_wal_size=4GB",
            postgres.socket.display()
        );
        let log = postgres.socket.join("log");
        let args = [
            OsStr::new("-w"),
            OsStr::new("-D"),
            data,
            OsStr::new("-l"),
            log.as_os_str(),
            OsStr::new("-o"),
            OsStr::new(&options),
            OsStr::new("start"),
        ];
        postgres.run("pg_ctl", &args)?;
        postgres.client()?.batch_execute(TABLE)?;
        Ok(postgres)
    }

    fn writer(&self, stream: usize) -> Outcome<Append<'_>> {
        let mut client = self.client()?;
        let insert = client.prepare(
            "INSERT INTO events(stream, version, id, type, time, data, metadata)
             SELECT $1, $2::bigint, $3, 'OrderPlaced', '2024-01-01T00:00:00Z', $4, $5
             WHERE (SELECT COALESCE(MAX(version), 0) FROM events WHERE stream = $1) = $2::bigint - 1",
        )?;
        let name = format!("order-{stream}");
        Ok(Box::new(move |n, data, metadata| {
            let (version, id) = (i64::try_from(n)?, format!("{stream:04x}-{n:012x}"));
            match client.execute(&insert, &[&name, &version, &id, &data, &metadata])? {
                1 => Ok(()),
                _ => Err("the expected version was not there".into()),
            }
        }))
    }

    fn load(&self, file: &Path) -> Outcome<u64> {
        let mut client = self.client()?;
        let mut copy = client
            .copy_in("COPY events(stream, version, id, type, time, data, metadata) FROM STDIN")?;
        let plain = |text: &str| text.replace('\\', "\\\\");
        let count = each(file, |line, version| {
            writeln!(
                copy,
                "{}\t{version}\t{}\t{}\t{}\t{}\t{}",
                plain(line.aggregate_id),
                plain(line.event_id),
                plain(line.event_type),
                line.timestamp,
                plain(line.data.get()),
                plain(line.metadata.get())
            )?;
            Ok(())
        })?;
        copy.finish()?;
        Ok(count)
    }

    fn reader(&self) -> Outcome<Read<'_>> {
        let mut client = self.client()?;
        // As a server that has been running has it.
        client.batch_execute("VACUUM ANALYZE events")?;
        let select = format!("SELECT {FIELDS} FROM events WHERE stream = $1 ORDER BY version");
        let select = client.prepare(&select)?;
        Ok(Box::new(move |name| {
            let rows = client.query(&select, &[&name])?;
            let events: Vec<Fields> = rows.iter().map(fields).collect();
            Ok(events.len() as u64)
        }))
    }

    fn all(&self) -> Outcome<u64> {
        use postgres::fallible_iterator::FallibleIterator;
        let mut client = self.client()?;
        let select = format!("SELECT {FIELDS} FROM events ORDER BY position");
        let nothing: [&str; 0] = [];
        let mut rows = client.query_raw(&select, nothing)?;
        let mut count = 0;
        while let Some(row) = rows.next()? {
            std::hint::black_box(fields(&row));
            count += 1;
        }
        Ok(count)
    }

    fn count(&self, event_type: &str, at: &str) -> Outcome<Option<u64>> {
        let mut client = self.client()?;
        let row = client.query_one(
            "SELECT count(*) FROM (SELECT DISTINCT ON (stream) type FROM events
             WHERE time <= $1::text::timestamptz ORDER BY stream, version DESC) latest WHERE type = $2",
            &[&at, &event_type],
        )?;
        Ok(Some(u64::try_from(row.get::<_, i64>(0))?))
    }

    fn bytes(&self) -> Outcome<u64> {
        let size = "SELECT pg_total_relation_size('events')";
        let row = self.client()?.query_one(size, &[])?;
        Ok(u64::try_from(row.get::<_, i64>(0))?)
    }
}

type Fields = (i64, i64, String, String, SystemTime, String, String, String);

fn fields(row: &Row) -> Fields {
    (
        row.get(0),
        row.get(1),
        row.get(2),
        row.get(3),
        row.get(4),
        row.get(5),
        row.get(6),
        row.get(7),
    )
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let args = [
            OsStr::new("-m"),
            OsStr::new("fast"),
            OsStr::new("-w"),
            OsStr::new("-D"),
            self.data.as_os_str(),
            OsStr::new("stop"),
        ];
        if let Err(error) = self.run("pg_ctl", &args) {
            println!("# stopping it: {error}");
        }
        self.remove();
    }
}
