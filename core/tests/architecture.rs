//! The import order of core's modules, kept by reading the source.

use std::fs;
use std::path::{Path, PathBuf};

/// Modules in the order in which they may import each other: each line only from itself and those before.
const LAYERS: &[&[&str]] = &[
    &[
        "event",
        "position",
        "time",
        "id",
        "finding",
        "hidden",
        "surroundings",
        "key_store",
        "progress",
        "pages",
        "runs",
        "varint",
        "prehashed",
        "written",
        "integrity",
    ],
    &["store"],
    &["access_log"],
    &["signing"],
    &["cache"],
    &["times"],
    &["model"],
    &["snapshot"],
    &["search"],
    &["temporal"],
    &["question"],
    &[
        "import",
        "export",
        "command",
        "projection",
        "chart",
        "privacy",
    ],
    &["sql"],
    &["answers"],
    &["dashboard"],
    &["sample"],
    &["compliance"],
    &["evidence"],
    &["verify"],
    &["code"],
];

fn source_files(folder: &Path, into: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = fs::read_dir(folder)
        .expect("the source folder is there")
        .map(|entry| entry.expect("a readable entry").path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            source_files(&path, into);
        } else if path.extension().is_some_and(|e| e == "rs") {
            into.push(path);
        }
    }
}

/// Source of a file without comments and without its unit tests, which may look anywhere.
fn code_of(path: &Path) -> String {
    let text = fs::read_to_string(path).expect("a readable source file");
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    code.lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join("\n")
}

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|modules| modules.contains(&module))
}

fn files() -> Vec<(String, PathBuf)> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    source_files(&src, &mut paths);
    paths
        .into_iter()
        .filter_map(|path| {
            let inside = path.strip_prefix(&src).ok()?;
            // Unit tests may look anywhere, those in files of their own too.
            if inside
                .components()
                .any(|part| part.as_os_str() == "tests" || part.as_os_str() == "tests.rs")
            {
                return None;
            }
            let first = inside.components().next()?;
            let module = first
                .as_os_str()
                .to_string_lossy()
                .trim_end_matches(".rs")
                .to_owned();
            (module != "lib").then_some((module, path))
        })
        .collect()
}

#[test]
fn modules_import_only_from_those_before_them() {
    let mut wrong = Vec::new();
    for (module, path) in files() {
        let own =
            layer(&module).unwrap_or_else(|| panic!("module {module} has no place in LAYERS"));
        let code = code_of(&path);
        for (at, _) in code.match_indices("crate::") {
            let name: String = code[at + 7..]
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect();
            if layer(&name).is_some_and(|other| other > own) {
                wrong.push(format!("{} imports crate::{name}", path.display()));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "imports point the wrong way:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn only_surroundings_reads_clock_or_randomness() {
    let forbidden = [
        "Utc::now",
        "Local::now",
        "SystemTime::now",
        "getrandom::",
        "env::var",
        "Uuid::new_v4",
        "Uuid::now_v7",
    ];
    let mut wrong = Vec::new();
    for (module, path) in files() {
        if module == "surroundings" {
            continue;
        }
        let code = code_of(&path);
        for name in forbidden {
            if code.contains(name) {
                wrong.push(format!("{} uses {name}", path.display()));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "core must be handed these:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn no_float_type_stands_in_core() {
    let mut wrong = Vec::new();
    for (_, path) in files() {
        let code = code_of(&path);
        for (number, line) in code.lines().enumerate() {
            let word = |name: &str| {
                line.split(|c: char| !c.is_alphanumeric() && c != '_')
                    .any(|w| w == name)
            };
            if word("f64") || word("f32") {
                wrong.push(format!(
                    "{}:{}: {}",
                    path.display(),
                    number + 1,
                    line.trim()
                ));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "no float may touch a value:\n{}",
        wrong.join("\n")
    );
}
