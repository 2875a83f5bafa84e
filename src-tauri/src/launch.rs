//! What the command line asks for.

use std::ffi::OsString;
use std::path::PathBuf;

/// How the app was started: `annals-desktop [STORE] [--sample PATH] [--hash ROUTE]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Launch {
    /// Store to open.
    pub store: Option<PathBuf>,
    /// Make the guide sample at `store` where no file is there yet.
    pub sample: bool,
    /// Address of the view to show first.
    pub hash: Option<String>,
}

impl Launch {
    /// Reads the arguments, the program's name left aside.
    ///
    /// ```
    /// use annals_host::launch::Launch;
    /// let launch = Launch::parse(["shop.annals", "--hash", "#/streams"].map(Into::into)).unwrap();
    /// assert_eq!(launch.store, Some("shop.annals".into()));
    /// assert_eq!(launch.hash.as_deref(), Some("#/streams"));
    /// assert!(Launch::parse(["--colour".into()]).is_err());
    /// ```
    ///
    /// # Errors
    /// A sentence for the user, if an argument is unknown, lacks its value or comes twice.
    pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Launch, String> {
        let mut launch = Launch::default();
        let mut rest = arguments.into_iter();
        let mut options_ended = false;
        while let Some(argument) = rest.next() {
            let option = (!options_ended).then(|| argument.to_str()).flatten();
            match option {
                Some("--") => options_ended = true,
                Some("--store") => launch.take_store(value(&mut rest, "--store")?.into())?,
                Some("--sample") => {
                    launch.take_store(value(&mut rest, "--sample")?.into())?;
                    launch.sample = true;
                }
                Some("--hash") => {
                    let hash = value(&mut rest, "--hash")?;
                    launch.hash = Some(hash.into_string().map_err(|_| "--hash is not UTF-8")?);
                }
                Some(other) if other.starts_with('-') => {
                    return Err(format!("unknown option {other}\n{USAGE}"));
                }
                _ => launch.take_store(argument.into())?,
            }
        }
        Ok(launch)
    }

    fn take_store(&mut self, path: PathBuf) -> Result<(), String> {
        match &self.store {
            None => self.store = Some(path),
            Some(first) => {
                return Err(format!(
                    "two stores were named, {} and {}\n{USAGE}",
                    first.display(),
                    path.display()
                ));
            }
        }
        Ok(())
    }
}

const USAGE: &str = "usage: annals-desktop [STORE] [--sample PATH] [--hash ROUTE]";

fn value(rest: &mut impl Iterator<Item = OsString>, option: &str) -> Result<OsString, String> {
    rest.next()
        .ok_or_else(|| format!("{option} needs a value\n{USAGE}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Launch, String> {
        Launch::parse(arguments.iter().map(OsString::from))
    }

    #[test]
    fn a_second_store_is_refused() {
        assert!(parse(&["a.annals", "b.annals"]).is_err());
        assert!(parse(&["a.annals", "--sample", "b.annals"]).is_err());
    }

    #[test]
    fn a_name_after_two_dashes_is_a_store() {
        assert_eq!(parse(&["--", "-odd"]).unwrap().store, Some("-odd".into()));
    }

    #[test]
    fn an_option_without_its_value_is_refused() {
        assert!(parse(&["--hash"]).is_err());
    }
}
