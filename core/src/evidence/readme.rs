//! `README.txt`: what a package is, for whoever finds it in a drawer.

use crate::evidence::make::EvidenceRequest;
use crate::evidence::manifest::{Manifest, Others};

pub(super) fn text(manifest: &Manifest, request: &EvidenceRequest) -> String {
    let Manifest {
        log,
        key,
        checkpoint,
        made,
        reading,
        others,
        withheld,
        counts,
        sums_left_out,
        ..
    } = manifest;
    let named = |text: &Option<String>| text.clone().unwrap_or_else(|| "not said".to_owned());
    let mut gone = Vec::new();
    for (so, what) in [
        (withheld.identity, "identities"),
        (withheld.data, "data"),
        (withheld.metadata, "metadata"),
    ] {
        if so {
            gone.push(what.to_owned());
        }
    }
    gone.extend(withheld.paths.iter().cloned());
    let gone = match gone.is_empty() {
        true => "nothing".to_owned(),
        false => gone.join(", "),
    };
    let shown = match others {
        Others::None => "nothing",
        Others::Leaf => "type, version and times, where those show that they do not match",
        Others::Identity => {
            "type, version, times, id and stream, where those show that they do not match"
        }
        Others::Payload => "whatever shows that they do not match, payloads included",
    };
    let template = match &request.template {
        None => String::new(),
        Some(template) => {
            format!("\nIts report is made by the template {template}; see report/.\n")
        }
    };
    let sums = match sums_left_out {
        0 => String::new(),
        n => format!(
            "\nThere are {n} more paths with numbers than there is room for control totals.\n"
        ),
    };
    format!(
        "EVIDENCE PACKAGE
Evidence, not a legal determination.

What it holds
  {reading}
  {rows} rows, from a log of {size} events.
  Made at {at} with Annals {version}, by {operator}, for: {purpose}.
  Withheld of the rows: {gone}.
  Shown of the {rest} other events of the range: {shown}.
{template}{sums}
How to check it
  1. With Annals: annals evidence verify FILE.zip --key KEY
     It needs neither the log nor a network.
  2. Without Annals: open verifier.html in a browser and drop the whole .zip on it.
     Whoever made this package could have put another page there. Take the page from somebody you trust, or
     compare its SHA-256; the page looks at nothing but the file that you drop on it.
  3. With a program of your own: docs/formats/evidence-package.md in Annals' sources has every byte.

  A verification says whose key signed. That the key belongs to this log you can only know from elsewhere:
  compare it with the one that the keeper of the log gave you.
    log  {log}
    key  {key}
    root {root}

Files
  manifest.json, manifest.note   what is claimed, with the SHA-256 of every file, and the signature over it
  rows.jsonl, rows.csv           the rows
  query.json                     the question in full
  exceptions.json                what was found on the way, and what was not checked
  custody.jsonl                  who had it, up to when it was signed; note later hands elsewhere
  proof/                         leads from every row to the log's signed root
  report/, attachments/          where there are any
  verifier.html                  the second verifier
",
        rows = counts.rows,
        size = checkpoint.size,
        at = made.at,
        version = made.annals,
        operator = named(&made.operator),
        purpose = named(&made.purpose),
        rest = counts.opened + counts.closed,
        root = checkpoint.root,
    )
}
