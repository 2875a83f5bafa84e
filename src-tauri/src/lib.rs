//! The desktop host of Annals: a window, and commands over core. Decides nothing.
//!
//! | module | what it holds |
//! |---|---|
//! | [`launch`] | what the command line asks for |
//! | [`host`] | what the host holds between calls: the open store, running work, recent stores |
//! | [`preview`] | the pages of a report that is looked at before it is made |
//! | [`commands`] | the commands that the window may call, a few lines each |
//! | `settings`, `recent`, `made` | what is kept in the configuration folder |
//! | [`wire`] | arguments and answers that core has no type for |
//! | [`error`] | errors as the window gets them: code, message, hint |
//!
//! Answers are core's view types as JSON text, sent as raw bytes, so that no digit is lost on the way.
#![forbid(unsafe_code)]

pub mod commands;
pub mod error;
pub mod host;
pub mod launch;
mod made;
pub mod preview;
mod recent;
mod settings;
mod window;
pub mod wire;

use tauri::Manager as _;

/// Makes the list of command names and the handler that serves them, from `names.rs`.
macro_rules! commands {
    ($($name:ident),* $(,)?) => {
        /// Names of the commands that the window may call.
        pub const COMMANDS: &[&str] = &[$(stringify!($name)),*];

        fn handler() -> impl Fn(tauri::ipc::Invoke) -> bool + Send + Sync + 'static {
            tauri::generate_handler![$(commands::$name),*]
        }
    };
}
include!("names.rs");

/// Opens the window and serves it until it is closed.
///
/// # Panics
/// If the system cannot open a window.
pub fn run(context: tauri::Context) {
    let launch = match launch::Launch::parse(std::env::args_os().skip(1)) {
        Ok(launch) => launch,
        Err(message) => stop(2, &message),
    };
    tauri::Builder::default()
        .plugin(tauri_plugin_dialog::init())
        .invoke_handler(handler())
        .setup(move |app| {
            app.manage(host::Host::new(app.handle(), launch)?);
            window::open(app)
        })
        .build(context)
        .unwrap_or_else(|error| stop(70, &format!("the window could not be opened: {error}")))
        .run(|app, event| {
            // The process ends without dropping what it holds, and a log tidies up when it is closed.
            if let tauri::RunEvent::Exit = event {
                app.state::<host::Host>().close();
            }
        });
}

/// Ends the program with a message on standard error.
#[expect(clippy::print_stderr, reason = "there is no window to say it in")]
fn stop(code: i32, message: &str) -> ! {
    eprintln!("annals-desktop: {message}");
    std::process::exit(code)
}
