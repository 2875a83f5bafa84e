//! One expression of a model over one event: a value or a finding, never a panic or an endless loop.

#[path = "fold.rs"]
mod fold;

/// Runs the target.
pub fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let text = text.replace('\0', "");
    let escaped: String = text
        .chars()
        .map(|c| match c {
            '"' => "\\\"".to_owned(),
            '\\' => "\\\\".to_owned(),
            c if c.is_control() => format!("\\u{:04x}", u32::from(c)),
            c => c.to_string(),
        })
        .collect();
    let payload = r#"{"n":1,"d":12.50,"t":"x","l":[1,2,{"a":null}],"o":{"k":true},"big":12345678901234567890}"#;
    fold::run(format!("[on.A]\nx = \"{escaped}\"\n\0{payload}").as_bytes());
}
