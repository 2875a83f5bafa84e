//! Shared by the tests of this folder and by the tour of the app.
//!
//! | module | what it holds |
//! |---|---|
//! | [`display`] | a virtual display |
//! | [`drag`] | files dragged over a window and dropped |
//! | [`memory`] | memory of this process |
//! | [`sample`] | the guide's sample in the real window |
//! | [`seeded`] | what is drawn from a seed |
//! | [`webdriver`] | a small WebDriver client |
//! | [`window`] | the real window, driven as a user would |
#![forbid(unsafe_code)]

pub mod display;
#[cfg(target_os = "linux")]
pub mod drag;
pub mod memory;
pub mod sample;
pub mod seeded;
pub mod webdriver;
pub mod window;

/// Why a step failed: a sentence.
pub type Outcome<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;
