//! The list of commands is one list, wherever it is written.

use std::collections::BTreeSet;
use std::path::Path;

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn commands() -> BTreeSet<String> {
    annals_host::COMMANDS
        .iter()
        .map(ToString::to_string)
        .collect()
}

/// One command more in the capability would be a hole, one fewer a button that does nothing.
#[test]
fn the_window_may_call_our_commands_and_nothing_else() {
    let capability: serde_json::Value =
        serde_json::from_str(&read("capabilities/main.json")).unwrap();
    let allowed = capability["permissions"].as_array().unwrap().iter();
    let allowed: BTreeSet<String> = allowed.map(|p| p.as_str().unwrap().to_owned()).collect();
    let wanted = commands()
        .iter()
        .map(|name| format!("allow-{}", name.replace('_', "-")))
        .collect();
    assert_eq!(allowed, wanted);
    assert_eq!(capability["local"], true);
    assert!(
        capability.get("remote").is_none(),
        "no page from elsewhere may call anything"
    );
}

#[test]
fn the_ui_knows_the_same_commands() {
    let table = read("../ui/src/lib/host/commands.ts");
    let names = table.lines().filter_map(|line| {
        let (name, rest) = line.strip_prefix("  ")?.split_once(": ")?;
        rest.starts_with("{ args: ").then(|| name.to_owned())
    });
    assert_eq!(names.collect::<BTreeSet<_>>(), commands());
}

#[test]
fn the_configuration_keeps_the_page_locked_in() {
    let config: serde_json::Value = serde_json::from_str(&read("../tauri.conf.json")).unwrap();
    assert_eq!(config["app"]["withGlobalTauri"], false);
    let security = &config["app"]["security"];
    assert_eq!(security["freezePrototype"], true);
    let policy = security["csp"].as_str().unwrap();
    assert!(policy.starts_with("default-src 'self';"), "{policy}");
    for loose in ["unsafe", "*", "https:", "blob:"] {
        assert!(!policy.contains(loose), "{loose} in {policy}");
    }
}
