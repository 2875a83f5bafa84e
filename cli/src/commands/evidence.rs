//! `annals evidence`: make packages that a stranger can verify, and verify them.

use std::path::{Path, PathBuf};

use annals_core::compliance::{self, AccessLogState, ReportRequest, TemplateSet};
use annals_core::evidence::make::{EvidenceRequest, VERIFIER_HTML, make_to_file};
use annals_core::evidence::manifest::{Others, Withheld};
use annals_core::evidence::verify::{Trust, verify_file};
use annals_core::evidence::view::{
    EvidenceFacts, EvidenceOutcome, EvidenceReport, EvidenceVerification,
};
use annals_core::integrity::checkpoint::SignedCheckpoint;
use annals_core::integrity::note::SigningKey;
use annals_core::position::Position;
use annals_core::progress::WorkProgress;
use annals_core::signing::open_or_make;
use annals_core::store::{EventQuery, Log};
use annals_core::surroundings::{OsUser, Surroundings};
use annals_core::time::Time;
use clap::{Args, Subcommand, ValueEnum};

use super::checkpoint::{verifier_key, write_new};
use super::key::{self, Secret};
use super::verify::{authorities, print_list, text_of, word_of};
use crate::failure::{Code, Exit, Failure};
use crate::filters::{FilterReading, Filters};
use crate::instant;
use crate::output::Output;
use crate::text::{counted, visible};
use crate::watch::watched;

/// Make packages that a stranger can verify, and verify them.
#[derive(Debug, Args)]
pub struct Evidence {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Make(Box<Make>),
    Verify(Verify),
    Verifier(Verifier),
}

/// Make a package of the events that match: one .zip that is verified without the store
///
/// It holds the rows, who asked what, and a proof that leads from every event of the range to the log's signed root,
/// so that an event that matches and was left out shows. What the filter does not read of other events stays closed.
#[derive(Debug, Args)]
struct Make {
    /// The store
    store: PathBuf,
    /// Template of a report on the same events, which goes into report/ (annals report list names them)
    template: Option<String>,
    #[command(flatten)]
    filters: Filters,
    /// Whom the report is about, where its template asks for somebody
    #[arg(long, value_name = "S", requires = "template")]
    subject: Option<String>,
    /// File to write, replaced if it exists
    #[arg(long, value_name = "F.zip")]
    out: PathBuf,
    #[command(flatten)]
    secret: Secret,
    /// A private key that does not lie in the folder of keys: a file with its 32 bytes as 64 hexadecimal digits
    #[arg(long, value_name = "FILE", conflicts_with_all = ["passphrase_file", "unprotected"])]
    seed: Option<PathBuf>,
    /// First position of the range that is accounted for
    #[arg(long, value_name = "POSITION", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    first: u64,
    /// End of the range: a position, or a time of recording; all events where it is not given
    #[arg(long, value_name = "POSITION|TIME")]
    known: Option<String>,
    /// What to withhold of the rows: identity, data, metadata, or a path such as data.customer.email; again for more
    #[arg(long, value_name = "WHAT")]
    withhold: Vec<String>,
    /// What to show of events that do not match, so that anybody sees that they do not
    #[arg(long, value_enum)]
    others: Option<Show>,
    /// A file to put in, under the signature; again for more
    #[arg(long, value_name = "FILE")]
    attach: Vec<PathBuf>,
    /// An earlier checkpoint of the log: the package then shows that the log only grew since
    #[arg(long, value_name = "CHECKPOINT")]
    since: Option<PathBuf>,
    /// Who makes it, where that is not the user
    #[arg(long, value_name = "NAME")]
    operator: Option<String>,
    /// Who looked at the rows before
    #[arg(long, value_name = "NAME")]
    reviewed_by: Option<String>,
    /// Who gets it
    #[arg(long, value_name = "NAME")]
    handed_to: Option<String>,
    /// When it is made, where that is not now
    #[arg(long, value_name = "TIME")]
    made_at: Option<String>,
}

/// What to show of events that do not match.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Show {
    /// Nothing
    None,
    /// Type, version and times, where those tell
    Leaf,
    /// Also id and stream, where those tell
    Identity,
    /// Also payloads, where those tell
    Payload,
}

/// Verify a package. Needs neither its store nor a network
///
/// Exit codes: 0 intact (still read what was not checked), 3 problems, 4 no package, cut off, or beyond the limits.
#[derive(Debug, Args)]
struct Verify {
    /// The package
    file: PathBuf,
    /// The log's verifier key (name+id+base64) as you have it from elsewhere, or a file with it; again for more
    #[arg(long, value_name = "KEY|FILE")]
    key: Vec<String>,
    /// A checkpoint of the log from elsewhere; again for more
    #[arg(long, value_name = "CHECKPOINT")]
    against: Vec<PathBuf>,
    /// Certificates of an authority in PEM, whose time stamps are believed; again for more
    #[arg(long, value_name = "CERTS.pem")]
    authority: Vec<PathBuf>,
}

/// Write the second verifier, the page that lies in every package, to a file
#[derive(Debug, Args)]
struct Verifier {
    /// File to make; must not exist yet
    #[arg(long, value_name = "F.html")]
    out: PathBuf,
}

/// Runs the command.
pub fn run(args: Evidence, output: &mut Output) -> Result<Exit, Failure> {
    match args.what {
        What::Make(args) => run_make(*args, output),
        What::Verify(args) => run_verify(args, output),
        What::Verifier(args) => run_verifier(&args, output),
    }
}

fn run_make(args: Make, output: &mut Output) -> Result<Exit, Failure> {
    let zone = args.filters.zone();
    let FilterReading {
        mut query,
        mut readings,
    } = args.filters.read()?;
    if query.direction != annals_core::store::Direction::Forwards {
        return Err(Failure::usage(
            "--reverse: a package lists its rows in order of position",
        ));
    }
    let log = Log::explore(&args.store)?;
    if let Some(text) = &args.known {
        let (position, reading) = instant::known_by("--known", &log, text, zone)?;
        query.known = Some(position);
        readings.extend(reading);
    }
    let surroundings = Surroundings::system();
    let at = match &args.made_at {
        None => (surroundings.clock)(),
        Some(text) => instant::from("--made-at", text, zone)?.at,
    };
    let withheld = Withheld::of(args.withhold.iter().map(String::as_str));
    if args.template.is_some() && (withheld != Withheld::default() || args.first > 1) {
        return Err(
            Failure::usage("a report shows what --withhold and --first leave out")
                .hint("make the package without a template, or without these options"),
        );
    }
    let made = By {
        operator: args.operator.unwrap_or_else(|| OsUser::system().name),
        purpose: output.purpose.clone(),
        subject: args.subject,
        access: super::report::access_log_state(&log, output)?,
    };
    let mut request = EvidenceRequest {
        first: Position(args.first),
        others: args.others.map(|others| match others {
            Show::None => Others::None,
            Show::Leaf => Others::Leaf,
            Show::Identity => Others::Identity,
            Show::Payload => Others::Payload,
        }),
        withheld,
        operator: Some(made.operator.clone()),
        purpose: made.purpose.clone(),
        reviewed_by: args.reviewed_by,
        handed_to: args.handed_to,
        template: args.template.clone(),
        attachments: contents(&args.attach)?,
        earlier: args.since.as_deref().map(checkpoint).transpose()?,
        access: Some(output.access.clone()),
        ..EvidenceRequest::of(query, at)
    };
    let key = match &args.seed {
        Some(file) => seed(file, &log.id().origin())?,
        None => args.secret.with(&log, |protection| {
            let random = &surroundings.random;
            Ok(open_or_make(&log, &key::folder()?, protection, random)?)
        })?,
    };
    let report = watched("events", |progress| -> Result<_, Failure> {
        if let Some(template) = &args.template {
            request.report = report(&log, template, &request.query, at, &made, progress)?;
        }
        let done = make_to_file(&log, &request, &key, &args.out, progress)?;
        Ok(done)
    })?;
    output.show(&report, |output| {
        readings
            .iter()
            .try_for_each(|reading| output.line(reading))?;
        print_made(&report, output)
    })
}

/// Who makes a package, and what for.
struct By {
    operator: String,
    purpose: Option<String>,
    subject: Option<String>,
    access: AccessLogState,
}

/// The report by a template on the events of a query, as pages and as rows.
fn report(
    log: &Log,
    template: &str,
    query: &EventQuery,
    at: Time,
    by: &By,
    progress: &WorkProgress,
) -> Result<Vec<(String, Vec<u8>)>, Failure> {
    let models = super::load_models(log.path())?;
    let templates =
        TemplateSet::load(log.path()).map_err(|error| Failure::file(log.path(), &error))?;
    let request = ReportRequest {
        query: query.clone(),
        subject: by.subject.clone(),
        purpose: by.purpose.clone(),
        operator: Some(by.operator.clone()),
        made_at: Some(at),
        access_log: by.access.clone(),
        ..ReportRequest::of(template)
    };
    let made = compliance::make(log, &models, &templates, &request, progress)?;
    Ok(annals_report::package_files(&made, &request, progress)?)
}

fn print_made(report: &EvidenceReport, output: &mut Output) -> Result<(), Failure> {
    let EvidenceReport {
        file,
        bytes,
        sha256,
        identities_of_others,
        in_part,
        verification,
    } = report;
    output.line(&visible(&format!("made {file} ({bytes} bytes)")))?;
    output.line(&format!("sha256     {sha256}"))?;
    if let Some(facts) = &verification.facts {
        print_facts(facts, output)?;
    }
    if *identities_of_others > 0 {
        output.line(&format!(
            "note       it names id and stream of {} that do not match, to show that; --others none leaves them closed",
            counted(*identities_of_others, "event")
        ))?;
    }
    if *in_part > 0 {
        output.line(&format!(
            "note       {} shown without what is withheld; of those the leaf proves nothing",
            counted(*in_part, "payload")
        ))?;
    }
    print_checks(verification, output)
}

fn contents(files: &[PathBuf]) -> Result<Vec<(String, Vec<u8>)>, Failure> {
    let read = |path: &PathBuf| {
        let bytes = std::fs::read(path).map_err(|error| Failure::file(path, &error))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        Ok((name.into_owned(), bytes))
    };
    files.iter().map(read).collect()
}

fn checkpoint(path: &Path) -> Result<SignedCheckpoint, Failure> {
    SignedCheckpoint::parse(&text_of(path)?)
        .map_err(|error| Failure::new(Code::BadInput, format!("{}: {error}", path.display())))
}

fn seed(path: &Path, origin: &str) -> Result<SigningKey, Failure> {
    let text = text_of(path)?;
    let digits: annals_core::integrity::Hash = text.trim().parse().map_err(|_| {
        let message = format!(
            "{} does not hold a private key of 64 hexadecimal digits",
            path.display()
        );
        Failure::new(Code::BadInput, message)
    })?;
    SigningKey::from_seed(origin, digits.0)
        .map_err(|error| Failure::new(Code::BadInput, error.to_string()))
}

fn run_verify(args: Verify, output: &mut Output) -> Result<Exit, Failure> {
    let trust = Trust {
        keys: args
            .key
            .iter()
            .map(|key| verifier_key("--key", key))
            .collect::<Result<_, _>>()?,
        against: args
            .against
            .iter()
            .map(|path| checkpoint(path))
            .collect::<Result<_, _>>()?,
        authorities: authorities(&args.authority)?,
    };
    let answer = watched("events", |progress| {
        verify_file(&args.file, &trust, progress)
    })?;
    output.show(&answer, |output| {
        let word = match answer.outcome {
            EvidenceOutcome::Intact => "intact, as far as it was checked",
            EvidenceOutcome::Problems => "PROBLEMS FOUND",
            EvidenceOutcome::Unreadable => "cannot be read as a package",
        };
        output.line(&visible(&format!("{}: {word}", answer.file)))?;
        if let Some(facts) = &answer.facts {
            print_facts(facts, output)?;
        }
        if let Some(root) = answer.root {
            output.line(&format!(
                "root       {root} of {}",
                counted(answer.tree_size, "event")
            ))?;
        }
        print_checks(&answer, output)
    })?;
    Ok(match answer.outcome {
        EvidenceOutcome::Intact => Exit::Done,
        EvidenceOutcome::Problems => Exit::Problems,
        EvidenceOutcome::Unreadable => Exit::Unreadable,
    })
}

fn print_facts(facts: &EvidenceFacts, output: &mut Output) -> Result<(), Failure> {
    let EvidenceFacts {
        log: _,
        key,
        key_known,
        made,
        scope: _,
        filter: _,
        reading,
        others: _,
        withheld,
        counts,
        unproven,
        unproven_rows: _,
        types: _,
        sums,
        files: _,
        stamps,
    } = facts;
    let by = made.operator.as_deref().unwrap_or("somebody");
    let known = if *key_known {
        ""
    } else {
        " (whose it is was not checked)"
    };
    for line in [
        format!("question   {reading}"),
        format!(
            "rows       {} of {} in the range",
            counts.rows,
            counted(counts.range, "event")
        ),
        format!("made       {} by {by} with annals {}", made.at, made.annals),
        format!("key        {key}{known}"),
    ] {
        output.line(&visible(&line))?;
    }
    if *unproven > 0 {
        output.line(&format!(
            "complete   not shown: {} of the range could match and are closed",
            counted(*unproven, "event")
        ))?;
    } else {
        output.line("complete   every other event of the range is shown not to match")?;
    }
    let parts = [
        (withheld.identity, "identity"),
        (withheld.data, "data"),
        (withheld.metadata, "metadata"),
    ];
    let mut gone: Vec<&str> = parts
        .iter()
        .filter(|(so, _)| *so)
        .map(|(_, name)| *name)
        .collect();
    gone.extend(withheld.paths.iter().map(String::as_str));
    if !gone.is_empty() {
        output.line(&visible(&format!("withheld   {}", gone.join(", "))))?;
    }
    if counts.erased > 0 {
        output.line(&format!(
            "erased     {} of rows",
            counted(counts.erased, "part")
        ))?;
    }
    for stamp in stamps {
        let known = match stamp.by_named {
            true => "",
            false => " (not checked: its authority was not named)",
        };
        let said = super::timestamp::said(std::slice::from_ref(&stamp.stamp));
        let of = counted(stamp.tree_size.0, "event");
        output.line(&visible(&format!(
            "stamped    the log of {of} {said}{known}"
        )))?;
    }
    for sum in sums {
        let left = match sum.not_summed {
            0 => String::new(),
            n => format!(", {n} not summed"),
        };
        let line = format!(
            "total      {} {} over {}{left}",
            sum.path,
            sum.sum,
            counted(sum.values, "value")
        );
        output.line(&visible(&line))?;
    }
    Ok(())
}

fn print_checks(answer: &EvidenceVerification, output: &mut Output) -> Result<(), Failure> {
    if !answer.findings.is_empty() {
        output.line("")?;
        output.line("findings")?;
    }
    for finding in &answer.findings {
        let grade = word_of(finding.grade);
        let place = finding
            .position
            .map_or_else(String::new, |at| format!(" (position {at})"));
        output.line(&visible(&format!("  {grade}: {}{place}", finding.detail)))?;
    }
    print_list("what was checked", &answer.checked, output)?;
    print_list("what was not checked", &answer.not_checked, output)
}

fn run_verifier(args: &Verifier, output: &mut Output) -> Result<Exit, Failure> {
    write_new(&args.out, VERIFIER_HTML)?;
    let sha256 = annals_core::evidence::verify::sha256(VERIFIER_HTML);
    let view = serde_json::json!({"file": args.out.display().to_string(), "sha256": sha256});
    output.show(&view, |output| {
        output.line(&visible(&format!("wrote {}", args.out.display())))?;
        output.line(&format!("sha256 {sha256}"))
    })
}
