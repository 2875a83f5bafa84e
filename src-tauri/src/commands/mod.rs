//! The commands that the window may call: parse the arguments, call core off the main thread, map the error.

mod backup;
mod console;
mod dialogs;
mod events;
mod evidence;
mod explain;
mod export;
mod follow;
mod import;
mod integrity;
mod looks;
mod models;
mod search;
mod settings;
mod start;
mod state;
mod streams;
mod ticks;

pub use backup::*;
pub use console::*;
pub use dialogs::*;
pub use events::*;
pub use evidence::*;
pub use explain::*;
pub use export::*;
pub use follow::*;
pub use import::*;
pub use integrity::*;
pub use looks::*;
pub use models::*;
pub use search::*;
pub use settings::*;
pub use start::*;
pub use state::*;
pub use streams::*;
