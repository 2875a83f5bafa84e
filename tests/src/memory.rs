//! Memory of processes, as the system tells it.

use std::path::Path;

/// Anonymous memory, in kB; what it maps of files is the system's to keep or drop. `None` where the system does not say.
#[must_use]
pub fn anonymous_kb() -> Option<f64> {
    status_kb("RssAnon:")
}

/// The most that it ever had, in kB. `None` where the system does not say.
#[must_use]
pub fn peak_kb() -> Option<f64> {
    status_kb("VmHWM:")
}

/// Anonymous memory of the process that runs a program, in kB. `None` where there is none, or the system does not say.
#[must_use]
pub fn anonymous_kb_of(program: &Path) -> Option<f64> {
    let program = program.canonicalize().ok()?;
    let processes = std::fs::read_dir("/proc").ok()?;
    let folders = processes.filter_map(|entry| Some(entry.ok()?.path()));
    let mut those = folders.filter(|folder| {
        std::fs::read_link(folder.join("exe")).is_ok_and(|running| running == program)
    });
    those.find_map(|folder| kb_in(&folder.join("status"), "RssAnon:"))
}

fn status_kb(name: &str) -> Option<f64> {
    kb_in(Path::new("/proc/self/status"), name)
}

fn kb_in(status: &Path, name: &str) -> Option<f64> {
    let status = std::fs::read_to_string(status).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}
