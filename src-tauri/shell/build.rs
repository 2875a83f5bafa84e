//! Generates the permissions of the window's commands and checks the capability against them.

use std::path::PathBuf;

macro_rules! commands {
    ($($name:ident),* $(,)?) => {
        const COMMANDS: &[&str] = &[$(stringify!($name)),*];
    };
}
include!("../src/names.rs");

fn main() {
    let root = std::env::var_os("CARGO_MANIFEST_DIR")
        .map(PathBuf::from)
        .expect("cargo tells build scripts the package's folder");
    println!("cargo:rerun-if-changed=src-tauri/src/names.rs");
    println!("cargo:rerun-if-changed=ui/dist");
    // tauri-build works in the current folder: keep capabilities/, permissions/ and gen/ inside src-tauri/.
    std::env::set_current_dir(root.join("src-tauri")).expect("src-tauri lies beside Cargo.toml");
    let attributes = tauri_build::Attributes::new()
        .config_path(root.join("tauri.conf.json"))
        .app_manifest(
            tauri_build::AppManifest::new()
                .commands(COMMANDS)
                // Without the leading `./`, cargo would look for the folder at the root and rebuild each time.
                .permissions_path_pattern("./permissions/*.toml"),
        );
    if let Err(error) = tauri_build::try_build(attributes) {
        panic!("tauri-build: {error:#}");
    }
}
