//! The window: one, showing the app and nothing else.

use std::path::Path;

use tauri::webview::NewWindowResponse;
use tauri::{DragDropEvent, Manager as _, Url, WebviewUrl, WebviewWindowBuilder, WindowEvent};

use crate::host::Host;
use crate::recent;
use crate::wire::DropView;

/// Label of the window, which the capability names.
pub const LABEL: &str = "main";

/// Opens the window. It refuses to go anywhere but the app, and to open others.
pub fn open(app: &tauri::App) -> Result<(), Box<dyn std::error::Error>> {
    let dev_server = tauri::is_dev()
        .then(|| app.config().build.dev_url.clone())
        .flatten();
    let window = WebviewWindowBuilder::new(app, LABEL, WebviewUrl::default())
        .title("Annals")
        .inner_size(1280.0, 800.0)
        .min_inner_size(900.0, 600.0)
        .on_navigation(move |url| is_app(url, dev_server.as_ref()))
        .on_new_window(|_, _| NewWindowResponse::Deny)
        .build()?;
    let host = app.state::<Host>().inner().clone();
    window.on_window_event(move |event| {
        if let WindowEvent::DragDrop(event) = event
            && let Some(drop) = told(event)
        {
            host.tell_drop(drop);
        }
    });
    Ok(())
}

/// What the page is told of dragged files; nothing of each move of the mouse.
fn told(event: &DragDropEvent) -> Option<DropView> {
    match event {
        DragDropEvent::Enter { .. } => Some(DropView::Over),
        DragDropEvent::Drop { paths, .. } => Some(DropView::Dropped {
            paths: paths.iter().map(|p| p.display().to_string()).collect(),
        }),
        DragDropEvent::Leave => Some(DropView::Left),
        _ => None,
    }
}

/// Writes the name of the open store into the window's title.
pub fn name(app: &tauri::AppHandle, store: &Path) {
    if let Some(window) = app.get_webview_window(LABEL) {
        // A window without its title still shows the name within.
        let _ = window.set_title(&title(store));
    }
}

/// `orders – Annals`. Control characters of a file's name have no place in a title.
fn title(store: &Path) -> String {
    let name = recent::name(store);
    format!("{} – Annals", name.replace(char::is_control, "\u{fffd}"))
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
    fn the_title_begins_with_the_name_of_the_store() {
        assert_eq!(title(Path::new("/s/orders.annals")), "orders – Annals");
        assert_eq!(title(Path::new("/s/a\nb.annals")), "a\u{fffd}b – Annals");
    }

    #[test]
    fn dropped_files_are_told_by_their_paths() {
        let position = tauri::PhysicalPosition::new(1.0, 2.0);
        let paths = vec!["/a/b.csv".into(), "/c".into()];
        let drop = told(&DragDropEvent::Drop { paths, position });
        let paths = vec!["/a/b.csv".to_owned(), "/c".to_owned()];
        assert_eq!(drop, Some(DropView::Dropped { paths }));
        assert_eq!(told(&DragDropEvent::Over { position }), None);
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
