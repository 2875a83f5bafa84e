//! The desktop binary: nothing but the context, which must be generated here.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

/// Events are made by one thread and dropped by another.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    annals_host::run(tauri::generate_context!());
}
