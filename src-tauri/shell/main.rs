//! The desktop binary: nothing but the context, which must be generated here.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

fn main() {
    annals_host::run(tauri::generate_context!());
}
