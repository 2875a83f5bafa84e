//! The desktop host.
/// Runs the app.
pub fn run(ctx: tauri::Context) { let _ = ctx; }
