//! End to end in the real window.

use std::net::TcpListener;

use annals_tests::Outcome;
use annals_tests::window::{Window, program};

/// A strange page would need one of these to do harm: none works.
#[test]
fn the_page_can_reach_nothing_but_its_own_commands() -> Outcome {
    let home = tempfile::tempdir()?;
    let window = Window::open(&program("annals-desktop")?, home.path(), &[])?;
    let page = &window.session;
    assert_eq!(
        page.run("return typeof window.__TAURI__", &[])?,
        "undefined",
        "the API object is not offered to scripts"
    );
    let refused = "const done = arguments[arguments.length - 1]; Promise.resolve().then(() => (0, eval)('1')).then(() => done('ran'), e => done(String(e)))";
    let answer = page.run_async(refused, &[])?;
    assert!(
        answer.as_str().is_some_and(|a| a.contains("EvalError")),
        "eval: {answer}"
    );

    let listener = TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let address = format!("http://{}/", listener.local_addr()?);
    let fetched = page.run_async(
        "const done = arguments[1]; fetch(arguments[0], {mode: 'no-cors'}).then(() => done('reached'), e => done(String(e)))",
        &[address.clone().into()],
    )?;
    assert_ne!(fetched, "reached", "fetch");
    page.run("const image = new Image(); image.src = arguments[0]; document.body.append(image); navigator.sendBeacon(arguments[0], 'x')", &[address.clone().into()])?;
    page.run("const script = document.createElement('script'); script.textContent = 'window.__ran = true'; document.head.append(script)", &[])?;
    assert_eq!(
        page.run("return window.__ran ?? null", &[])?,
        serde_json::Value::Null,
        "inline script"
    );
    page.run("location.href = arguments[0]", &[address.clone().into()])?;
    page.run("window.open(arguments[0])", &[address.into()])?;
    page.settle()?;
    let here = page.run("return location.href", &[])?;
    assert!(
        here.as_str()
            .is_some_and(|h| h.starts_with("tauri://localhost")),
        "still in the app: {here}"
    );
    let came = listener.accept().map(|(_, from)| from);
    assert!(came.is_err(), "nobody connected, yet {came:?} did");

    for command in [
        "plugin:dialog|open",
        "plugin:fs|read_file",
        "plugin:event|listen",
        "plugin:window|close",
        "no_such_command",
    ] {
        let answer = page.run_async(
            "const done = arguments[1]; window.__TAURI_INTERNALS__.invoke(arguments[0], {}).then(() => done('ran'), e => done(String(e)))",
            &[command.into()],
        )?;
        assert!(
            answer
                .as_str()
                .is_some_and(|a| a.contains("not allowed") || a.contains("not found")),
            "{command}: {answer}"
        );
    }
    Ok(())
}
