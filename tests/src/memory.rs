//! Memory of this process, as the system tells it.

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

fn status_kb(name: &str) -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}
