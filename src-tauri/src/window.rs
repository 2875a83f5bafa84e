//! The window: one, showing the app and nothing else.

use tauri::webview::NewWindowResponse;
use tauri::{Url, WebviewUrl, WebviewWindowBuilder};

/// Label of the window, which the capability names.
pub const LABEL: &str = "main";

/// Opens the window. It refuses to go anywhere but the app, and to open others.
pub fn open(app: &tauri::App) -> Result<(), Box<dyn std::error::Error>> {
    let dev_server = tauri::is_dev()
        .then(|| app.config().build.dev_url.clone())
        .flatten();
    WebviewWindowBuilder::new(app, LABEL, WebviewUrl::default())
        .title("Annals")
        .inner_size(1280.0, 800.0)
        .min_inner_size(900.0, 600.0)
        .on_navigation(move |url| is_app(url, dev_server.as_ref()))
        .on_new_window(|_, _| NewWindowResponse::Deny)
        .build()?;
    Ok(())
}

/// Whether the address is the app's own: its custom protocol (`tauri://localhost`; on Windows
/// `http://tauri.localhost`), or the dev server where there is one.
fn is_app(url: &Url, dev_server: Option<&Url>) -> bool {
    match (url.scheme(), url.host_str()) {
        ("tauri", Some("localhost")) | ("http" | "https", Some("tauri.localhost")) => true,
        _ => dev_server.is_some_and(|dev| dev.origin() == url.origin()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_stays_in_the_app() {
        let app = |url: &str| is_app(&url.parse().unwrap(), None);
        assert!(app("tauri://localhost/index.html#/streams"));
        assert!(!app("https://example.org/"));
        assert!(!app("http://localhost:5173/"));
        assert!(!app("file:///etc/passwd"));
        assert!(!app("data:text/html,x"));
    }

    #[test]
    fn a_dev_server_is_the_app_too() {
        let dev: Url = "http://localhost:5173/".parse().unwrap();
        assert!(is_app(
            &"http://localhost:5173/x".parse().unwrap(),
            Some(&dev)
        ));
        assert!(!is_app(
            &"http://localhost:5174/".parse().unwrap(),
            Some(&dev)
        ));
    }
}
