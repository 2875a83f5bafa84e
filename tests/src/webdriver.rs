//! A small WebDriver client (W3C WebDriver, <https://www.w3.org/TR/webdriver2/>): what the tests need, over
//! the standard library's sockets. A full client would bring an asynchronous runtime and an HTTP library
//! whose features differ from the app's, and the app's whole tree would be built twice.

use std::io::{BufRead, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::Outcome;
use crate::display::terminate;

/// Longest wait for one answer of the driver.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);
/// Key of an element's reference on the wire (WebDriver, section 12.1).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// An error that the driver reports: `no such element`, `javascript error`…
#[derive(Debug)]
pub struct DriverError {
    /// The standard's word for it.
    pub error: String,
    /// The driver's words.
    pub message: String,
}

impl std::fmt::Display for DriverError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.error, self.message)
    }
}

impl std::error::Error for DriverError {}

/// Whether an error says that the element is no longer in the page, or not yet.
#[must_use]
pub fn is_gone(error: &(dyn std::error::Error + Send + Sync + 'static)) -> bool {
    error
        .downcast_ref::<DriverError>()
        .is_some_and(|e| e.error == "stale element reference" || e.error == "no such element")
}

/// A program with a web view, driven. The program ends when this is dropped.
#[derive(Debug)]
pub struct Session {
    driver: Child,
    port: u16,
    id: String,
}

/// An element of the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element(String);

impl Session {
    /// Starts `program` under WebKitWebDriver. `environment` is added to this process's own.
    ///
    /// # Errors
    /// If the driver is not there, or the program shows no page within a minute.
    pub fn start(
        program: &Path,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Outcome<Session> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let driver = Command::new("WebKitWebDriver")
            .arg(format!("--port={port}"))
            // What tauri-driver does on Linux: the variable lets the app's web view be driven.
            .env("TAURI_WEBVIEW_AUTOMATION", "true")
            // Without it, frames are slow under a virtual display and screenshots may show an older one.
            .env("WEBKIT_DISABLE_DMABUF_RENDERER", "1")
            .env_remove("WAYLAND_DISPLAY")
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("WebKitWebDriver could not be started: {error}"))?;
        let mut session = Session {
            driver,
            port,
            id: String::new(),
        };
        let options = json!({ "binary": program, "args": arguments });
        let capabilities = json!({ "alwaysMatch": { "webkitgtk:browserOptions": options } });
        let body = json!({ "capabilities": capabilities });
        session.wait_until_listening()?;
        let answer = session.send("POST", "/session", Some(&body));
        let answer = answer.map_err(|error| format!("no window: {error}"))?;
        let id = answer["sessionId"].as_str().ok_or("a session has an id")?;
        session.id = id.to_owned();
        Ok(session)
    }

    /// The first element that the CSS selector names; `None` if there is none at this moment.
    ///
    /// # Errors
    /// If the driver does not answer.
    pub fn find(&self, selector: &str) -> Outcome<Option<Element>> {
        Ok(self.find_all(selector)?.into_iter().next())
    }

    /// All elements that the CSS selector names at this moment.
    ///
    /// # Errors
    /// If the driver does not answer.
    pub fn find_all(&self, selector: &str) -> Outcome<Vec<Element>> {
        let body = json!({ "using": "css selector", "value": selector });
        let deadline = Instant::now() + ANSWER_TIMEOUT;
        loop {
            match self.post("/elements", &body) {
                Ok(answer) => {
                    let found = answer.as_array().into_iter().flatten();
                    return Ok(found
                        .filter_map(|element| Some(Element(element[ELEMENT].as_str()?.to_owned())))
                        .collect());
                }
                // The driver found one that the page took away before it had a name for it ("Stale element
                // found when trying to create the node handle"): what is there now is asked again.
                Err(error) if is_gone(&*error) && Instant::now() < deadline => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Clicks in the middle of an element, scrolling it into view.
    ///
    /// # Errors
    /// If it is gone, or something else lies over it.
    pub fn click(&self, element: &Element) -> Outcome {
        self.post(&format!("/element/{}/click", element.0), &json!({}))?;
        Ok(())
    }

    /// Empties a field.
    ///
    /// # Errors
    /// If the element is gone or is no field.
    pub fn clear(&self, element: &Element) -> Outcome {
        self.post(&format!("/element/{}/clear", element.0), &json!({}))?;
        Ok(())
    }

    /// Types into an element. Keys without a letter have code points of their own (see [`key`]).
    ///
    /// # Errors
    /// If it is gone or takes no keys.
    pub fn type_into(&self, element: &Element, text: &str) -> Outcome {
        let body = json!({ "text": text });
        self.post(&format!("/element/{}/value", element.0), &body)?;
        Ok(())
    }

    /// An element's text. (The driver's own "text" is empty for rows that a transform has moved.)
    ///
    /// # Errors
    /// If it is gone.
    pub fn text(&self, element: &Element) -> Outcome<String> {
        self.property(element, "textContent")
    }

    /// A property of an element, as text; empty if it has none.
    ///
    /// # Errors
    /// If the element is gone.
    pub fn property(&self, element: &Element, name: &str) -> Outcome<String> {
        let path = format!("/session/{}/element/{}/property/{name}", self.id, element.0);
        Ok(as_text(self.send("GET", &path, None)?))
    }

    /// An attribute of an element; `None` if it has none.
    ///
    /// # Errors
    /// If the element is gone.
    pub fn attribute(&self, element: &Element, name: &str) -> Outcome<Option<String>> {
        let path = format!(
            "/session/{}/element/{}/attribute/{name}",
            self.id, element.0
        );
        let value = self.send("GET", &path, None)?;
        Ok((!value.is_null()).then(|| as_text(value)))
    }

    /// Middle of an element in the window, in CSS pixels.
    ///
    /// # Errors
    /// If it is gone.
    pub fn middle(&self, element: &Element) -> Outcome<(f64, f64)> {
        let path = format!("/session/{}/element/{}/rect", self.id, element.0);
        let rect = self.send("GET", &path, None)?;
        let number = |name: &str| rect[name].as_f64().ok_or("a rectangle has numbers");
        Ok((
            number("x")? + number("width")? / 2.0,
            number("y")? + number("height")? / 2.0,
        ))
    }

    /// Presses the left button at the first point, moves through the others and lets go at the last.
    ///
    /// # Errors
    /// If a point lies outside the window.
    pub fn drag(&self, points: &[(f64, f64)]) -> Outcome {
        let to = |&(x, y): &(f64, f64)| {
            json!({ "type": "pointerMove", "duration": 20, "origin": "viewport",
                    "x": x.round() as i64, "y": y.round() as i64 })
        };
        let mut actions = Vec::new();
        let (first, rest) = points.split_first().ok_or("a drag has a beginning")?;
        actions.push(to(first));
        actions.push(json!({ "type": "pointerDown", "button": 0 }));
        actions.extend(rest.iter().map(to));
        actions.push(json!({ "type": "pointerUp", "button": 0 }));
        let mouse = json!({ "type": "pointer", "id": "mouse",
                            "parameters": { "pointerType": "mouse" }, "actions": actions });
        self.post("/actions", &json!({ "actions": [mouse] }))?;
        Ok(())
    }

    /// Presses and lets go of keys, one after the other, wherever the focus is.
    ///
    /// # Errors
    /// If the driver does not answer.
    pub fn press(&self, keys: &str) -> Outcome {
        let both = |key: char| {
            ["keyDown", "keyUp"].map(|kind| json!({ "type": kind, "value": key.to_string() }))
        };
        let actions: Vec<Value> = keys.chars().flat_map(both).collect();
        let keyboard = json!({ "type": "key", "id": "keyboard", "actions": actions });
        self.post("/actions", &json!({ "actions": [keyboard] }))?;
        Ok(())
    }

    /// Presses a key while Control is held.
    ///
    /// # Errors
    /// If the driver does not answer.
    pub fn press_with_control(&self, letter: char) -> Outcome {
        let act = |kind: &str, key: char| json!({ "type": kind, "value": key.to_string() });
        let actions = [
            act("keyDown", key::CONTROL),
            act("keyDown", letter),
            act("keyUp", letter),
            act("keyUp", key::CONTROL),
        ];
        let keyboard = json!({ "type": "key", "id": "keyboard", "actions": actions });
        self.post("/actions", &json!({ "actions": [keyboard] }))?;
        Ok(())
    }

    /// Runs a function's body in the page and returns what it returns.
    ///
    /// # Errors
    /// If it throws.
    pub fn run(&self, body: &str, arguments: &[Value]) -> Outcome<Value> {
        self.post(
            "/execute/sync",
            &json!({ "script": body, "args": arguments }),
        )
    }

    /// Runs a function's body in the page and returns what it hands to its last argument, a function.
    ///
    /// # Errors
    /// If it throws, or hands nothing over in time.
    pub fn run_async(&self, body: &str, arguments: &[Value]) -> Outcome<Value> {
        self.post(
            "/execute/async",
            &json!({ "script": body, "args": arguments }),
        )
    }

    /// Waits until the page has drawn two frames, so that what it says now is on screen.
    ///
    /// # Errors
    /// If the page draws nothing.
    pub fn settle(&self) -> Outcome {
        let two_frames = "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => done(null)))";
        self.run_async(two_frames, &[])?;
        Ok(())
    }

    /// What the window shows now, as PNG.
    ///
    /// # Errors
    /// If the driver does not answer.
    pub fn screenshot(&self) -> Outcome<Vec<u8>> {
        self.settle()?;
        // WebKit takes the picture with the next frame, and a page in which nothing moves has none: one
        // pixel in the corner must flicker, in two colours that no eye tells apart.
        let flicker = "const spot = document.createElement('div'); \
            Object.assign(spot.style, { position: 'fixed', right: 0, bottom: 0, width: '1px', height: '1px', pointerEvents: 'none' }); \
            document.body.append(spot); let odd = false; \
            window.__flicker = setInterval(() => { odd = !odd; spot.style.background = odd ? 'rgb(128 128 128 / 1%)' : 'rgb(128 128 128 / 2%)'; }, 8); \
            window.__spot = spot";
        self.run(flicker, &[])?;
        let path = format!("/session/{}/screenshot", self.id);
        let picture = self.send("GET", &path, None);
        self.run(
            "clearInterval(window.__flicker); window.__spot.remove()",
            &[],
        )?;
        Ok(base64(&as_text(picture?)).ok_or("a screenshot is base64")?)
    }

    fn post(&self, path: &str, body: &Value) -> Outcome<Value> {
        self.send("POST", &format!("/session/{}{path}", self.id), Some(body))
    }

    fn wait_until_listening(&self) -> Outcome {
        let deadline = Instant::now() + ANSWER_TIMEOUT;
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            if Instant::now() > deadline {
                return Err("WebKitWebDriver does not listen".into());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    /// One request and its answer's `value`.
    fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Outcome<Value> {
        let body = body.map_or(String::new(), Value::to_string);
        let mut answer = self
            .exchange(method, path, &body)
            .map_err(|error| format!("{method} {path} {body}: {error}"))?;
        let value = answer["value"].take();
        match value["error"].as_str() {
            Some(error) => Err(Box::new(DriverError {
                error: error.to_owned(),
                message: as_text(value["message"].clone()),
            })),
            None => Ok(value),
        }
    }

    fn exchange(&self, method: &str, path: &str, body: &str) -> Outcome<Value> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\nConnection: close\r\n\r\n{body}",
            self.port
        );
        stream.write_all(request.as_bytes())?;
        Ok(serde_json::from_slice(&body_of(&mut BufReader::new(
            stream,
        ))?)?)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if !self.id.is_empty() {
            let _ = self.send("DELETE", &format!("/session/{}", self.id), None);
        }
        terminate(&mut self.driver);
    }
}

/// Keys that stand for no letter (WebDriver, section 15.4.2).
pub mod key {
    /// Tab.
    pub const TAB: char = '\u{E004}';
    /// Control.
    pub const CONTROL: char = '\u{E009}';
    /// Enter.
    pub const ENTER: char = '\u{E007}';
    /// Escape.
    pub const ESCAPE: char = '\u{E00C}';
    /// Arrow to the left.
    pub const LEFT: char = '\u{E012}';
    /// Arrow to the right.
    pub const RIGHT: char = '\u{E014}';
    /// Arrow down.
    pub const DOWN: char = '\u{E015}';
}

/// The body of an HTTP answer, whose length the head must name.
fn body_of(answer: &mut impl BufRead) -> Outcome<Vec<u8>> {
    let mut length = None;
    let mut line = String::new();
    while answer.read_line(&mut line)? > 0 && !line.trim_end().is_empty() {
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = Some(value.trim().parse()?);
        }
        line.clear();
    }
    let mut body = vec![0; length.ok_or("the driver's answer has a length")?];
    answer.read_exact(&mut body)?;
    Ok(body)
}

fn as_text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// Decodes RFC 4648 base64, line ends ignored.
fn base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut block, mut bits) = (0u32, 0);
    for letter in text.bytes().filter(|b| !b"\r\n=".contains(b)) {
        let six = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        block = (block << 6 | u32::from(six)) & 0xFF_FFFF;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((block >> bits & 0xFF) as u8);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn base64_of_the_standard_is_decoded() {
        for (text, want) in [
            ("", ""),
            ("Zg==", "f"),
            ("Zm8=", "fo"),
            ("Zm9v", "foo"),
            ("Zm9vYmFy", "foobar"),
        ] {
            assert_eq!(base64(text).unwrap(), want.as_bytes());
        }
        assert_eq!(base64("+/+/").unwrap(), [0xFB, 0xFF, 0xBF]);
        assert_eq!(base64("a b"), None);
    }
}
