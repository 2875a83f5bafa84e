//! Lines that make a report again and again: for crontab and for systemd. Annals itself keeps no schedule.

use std::ffi::OsString;

use crate::failure::{Exit, Failure};
use crate::output::Output;

/// How often.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub enum Every {
    /// Every hour
    Hourly,
    /// Every day at 02:15
    Daily,
    /// Every Monday at 02:15
    Weekly,
    /// The first of every month at 02:15
    Monthly,
}

impl Every {
    fn cron(self) -> &'static str {
        match self {
            Every::Hourly => "15 * * * *",
            Every::Daily => "15 2 * * *",
            Every::Weekly => "15 2 * * 1",
            Every::Monthly => "15 2 1 * *",
        }
    }

    fn calendar(self) -> &'static str {
        match self {
            Every::Hourly => "*-*-* *:15:00",
            Every::Daily => "*-*-* 02:15:00",
            Every::Weekly => "Mon *-*-* 02:15:00",
            Every::Monthly => "*-*-01 02:15:00",
        }
    }
}

/// Prints both lines for this very command.
pub fn print(template: &str, every: Every, output: &mut Output) -> Result<Exit, Failure> {
    let program = std::env::current_exe()?;
    let folder = std::env::current_dir()?;
    let mut words = vec![program.into_os_string()];
    words.extend(without_schedule(std::env::args_os().skip(1)));
    let command = words.iter().map(quoted).collect::<Result<Vec<_>, _>>()?;
    let folder = quoted(&folder.into_os_string())?;
    let command = command.join(" ");
    output.line("crontab:")?;
    output.line(&cron_line(every, &folder, &command))?;
    output.line("systemd:")?;
    output.line(&format!(
        "systemd-run --user --unit={} --on-calendar={} --working-directory={folder} --expand-environment=no {command}",
        quoted(&OsString::from(format!("annals-report-{template}")))?,
        quoted(&OsString::from(every.calendar()))?,
    ))?;
    Ok(Exit::Done)
}

/// A line of a crontab, in which a percent sign ends the command unless it is escaped.
fn cron_line(every: Every, folder: &str, command: &str) -> String {
    let command = format!("cd {folder} && {command}").replace('%', "\\%");
    format!("{} {command}", every.cron())
}

/// The arguments without `--schedule` and its value.
fn without_schedule(words: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut kept = Vec::new();
    let mut after = false;
    for word in words {
        let text = word.to_string_lossy();
        let value = after && <Every as clap::ValueEnum>::from_str(&text, false).is_ok();
        after = text == "--schedule";
        if !after && !value && !text.starts_with("--schedule=") {
            kept.push(word);
        }
    }
    kept
}

/// A word as a shell takes it.
fn quoted(word: &OsString) -> Result<String, Failure> {
    let refused = |why: &str| {
        Failure::usage(format!(
            "an argument {why}, which no line of a schedule can hold"
        ))
    };
    let text = word.to_str().ok_or_else(|| refused("is not UTF-8"))?;
    if text.chars().any(char::is_control) {
        return Err(refused("holds a line end or another control character"));
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@+".contains(c);
    Ok(match !text.is_empty() && text.chars().all(plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {
    use super::*;

    #[test]
    fn the_lines_run_the_command_without_its_schedule() {
        let words = |line: &str| -> Vec<OsString> { line.split(' ').map(OsString::from).collect() };
        for line in [
            "report make s t --out f.csv --schedule",
            "report make s t --schedule weekly --out f.csv",
            "report make --schedule=monthly s t --out f.csv",
        ] {
            let kept = without_schedule(words(line).into_iter());
            assert_eq!(kept, words("report make s t --out f.csv"), "{line}");
        }
    }

    #[test]
    fn a_shell_and_cron_take_words_as_they_are() {
        assert_eq!(quoted(&"a b'c".into()).unwrap(), r"'a b'\''c'");
        assert_eq!(quoted(&"$(x)".into()).unwrap(), "'$(x)'");
        assert_eq!(quoted(&"".into()).unwrap(), "''");
        assert!(quoted(&"a\nb".into()).is_err());
        assert_eq!(
            cron_line(Every::Weekly, "/d", "annals --out '100%'"),
            r"15 2 * * 1 cd /d && annals --out '100\%'"
        );
    }
}
