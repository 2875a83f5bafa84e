//! Files dragged over a window of a virtual display and dropped on it, as a file manager does it: the other end
//! of XDND, the X11 protocol of drag and drop (version 5).

use std::path::Path;
use std::time::{Duration, Instant};

use x11rb::connection::Connection as _;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    Atom, AtomEnum, ClientMessageEvent, ConnectionExt as _, CreateWindowAux, EventMask, MapState,
    PropMode, SELECTION_NOTIFY_EVENT, SelectionNotifyEvent, SelectionRequestEvent, Timestamp,
    Window, WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

use crate::Outcome;

/// Longest wait for the other end to answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// Version of the protocol.
const VERSION: u32 = 5;

x11rb::atom_manager! {
    Atoms: AtomsCookie {
        XdndAware,
        XdndSelection,
        XdndEnter,
        XdndPosition,
        XdndStatus,
        XdndLeave,
        XdndDrop,
        XdndFinished,
        XdndActionCopy,
        TARGETS,
        URI_LIST: b"text/uri-list",
    }
}

/// Files that hang over a window.
#[derive(Debug)]
pub struct Drag {
    conn: RustConnection,
    atoms: Atoms,
    /// Who drags.
    source: Window,
    /// Over whom.
    target: Window,
    /// The files, as `text/uri-list`.
    uris: String,
    time: Timestamp,
    /// The other end has asked for the files.
    asked: bool,
    /// It takes them.
    accepted: bool,
    /// It has them.
    finished: bool,
}

impl Drag {
    /// Drags files to the middle of the display's one window that takes some, and waits until it has asked what
    /// they are and said that it takes them.
    ///
    /// # Errors
    /// If there is no such window or it takes no files.
    pub fn over(display: &str, files: &[&Path]) -> Outcome<Drag> {
        let (conn, screen) = x11rb::connect(Some(display))?;
        let atoms = Atoms::new(&conn)?.reply()?;
        let root = conn.setup().roots[screen].root;
        let source = conn.generate_id()?;
        conn.create_window(
            0,
            source,
            root,
            0,
            0,
            1,
            1,
            0,
            WindowClass::INPUT_ONLY,
            0,
            &CreateWindowAux::new().event_mask(EventMask::PROPERTY_CHANGE),
        )?;
        let target = find_target(&conn, &atoms, root)?;
        let uris = files.iter().map(|file| uri(file)).collect();
        let time = server_time(&conn, source)?;
        conn.set_selection_owner(source, atoms.XdndSelection, time)?;
        let mut drag = Drag {
            conn,
            atoms,
            source,
            target,
            uris,
            time,
            asked: false,
            accepted: false,
            finished: false,
        };
        let middle = drag.middle(root)?;
        drag.tell(atoms.XdndEnter, [VERSION << 24, atoms.URI_LIST, 0, 0])?;
        // The first place makes it ask what is dragged; once it knows, the next one is answered.
        drag.move_to(middle)?;
        drag.until("asked what is dragged", |drag| drag.asked)?;
        drag.accepted = false;
        let deadline = Instant::now() + PATIENCE;
        while !drag.accepted {
            drag.move_to(middle)?;
            drag.answer(Duration::from_millis(100))?;
            if Instant::now() > deadline {
                return Err("the window takes no files".into());
            }
        }
        Ok(drag)
    }

    /// Lets the files fall, and waits until the window has taken them.
    ///
    /// # Errors
    /// If it does not.
    pub fn drop_here(mut self) -> Outcome {
        self.tell(self.atoms.XdndDrop, [0, self.time, 0, 0])?;
        self.until("taken the files", |drag| drag.finished)
    }

    /// Takes the files away again, and still answers until `seen` says that the window has noticed.
    ///
    /// # Errors
    /// If it does not.
    pub fn leave(mut self, seen: impl Fn() -> Outcome<bool>) -> Outcome {
        self.tell(self.atoms.XdndLeave, [0; 4])?;
        let deadline = Instant::now() + PATIENCE;
        while !seen()? {
            if Instant::now() > deadline {
                return Err("the window has not seen the files leave".into());
            }
            self.answer(Duration::from_millis(20))?;
        }
        Ok(())
    }

    fn move_to(&self, (x, y): (u32, u32)) -> Outcome {
        let copy = self.atoms.XdndActionCopy;
        self.tell(self.atoms.XdndPosition, [0, (x << 16) | y, self.time, copy])
    }

    /// The middle of the window, in pixels of the display.
    fn middle(&self, root: Window) -> Outcome<(u32, u32)> {
        let size = self.conn.get_geometry(self.target)?.reply()?;
        let corner = self
            .conn
            .translate_coordinates(self.target, root, 0, 0)?
            .reply()?;
        let at = |corner: i16, len: u16| u32::try_from(i32::from(corner) + i32::from(len / 2));
        Ok((
            at(corner.dst_x, size.width)?,
            at(corner.dst_y, size.height)?,
        ))
    }

    /// Tells the other end something.
    fn tell(&self, message: Atom, [a, b, c, d]: [u32; 4]) -> Outcome {
        let event = ClientMessageEvent::new(32, self.target, message, [self.source, a, b, c, d]);
        self.conn
            .send_event(false, self.target, EventMask::NO_EVENT, event)?;
        self.conn.flush()?;
        Ok(())
    }

    /// Answers what the other end asks until something has come about.
    fn until(&mut self, what: &str, come: impl Fn(&Drag) -> bool) -> Outcome {
        let deadline = Instant::now() + PATIENCE;
        while !come(self) {
            if Instant::now() > deadline {
                return Err(format!("the window has not {what}").into());
            }
            self.answer(Duration::from_millis(20))?;
        }
        Ok(())
    }

    /// Answers what the other end asks for at most this long, less where something came.
    fn answer(&mut self, at_most: Duration) -> Outcome {
        let deadline = Instant::now() + at_most;
        loop {
            match self.conn.poll_for_event()? {
                Some(Event::SelectionRequest(request)) => return self.hand_over(&request),
                Some(Event::ClientMessage(message)) => {
                    if message.type_ == self.atoms.XdndStatus {
                        self.accepted = message.data.as_data32()[1] & 1 == 1;
                    } else if message.type_ == self.atoms.XdndFinished {
                        self.finished = true;
                    }
                    return Ok(());
                }
                Some(_) => {}
                None if Instant::now() > deadline => return Ok(()),
                None => std::thread::sleep(Duration::from_millis(2)),
            }
        }
    }

    /// Hands over the list of files, or of what can be handed over.
    fn hand_over(&mut self, request: &SelectionRequestEvent) -> Outcome {
        let Atoms {
            TARGETS, URI_LIST, ..
        } = self.atoms;
        let SelectionRequestEvent {
            requestor,
            target,
            property,
            ..
        } = *request;
        let given = if target == URI_LIST {
            let bytes = self.uris.as_bytes();
            self.conn
                .change_property8(PropMode::REPLACE, requestor, property, URI_LIST, bytes)?;
            self.asked = true;
            property
        } else if target == TARGETS {
            let atoms = [TARGETS, URI_LIST];
            let kind = AtomEnum::ATOM;
            self.conn
                .change_property32(PropMode::REPLACE, requestor, property, kind, &atoms)?;
            property
        } else {
            x11rb::NONE
        };
        let event = SelectionNotifyEvent {
            response_type: SELECTION_NOTIFY_EVENT,
            sequence: 0,
            time: request.time,
            requestor,
            selection: request.selection,
            target,
            property: given,
        };
        self.conn
            .send_event(false, requestor, EventMask::NO_EVENT, event)?;
        self.conn.flush()?;
        Ok(())
    }
}

/// The window on screen that says it takes what is dropped.
fn find_target(conn: &RustConnection, atoms: &Atoms, root: Window) -> Outcome<Window> {
    for window in conn.query_tree(root)?.reply()?.children {
        let aware = conn
            .get_property(false, window, atoms.XdndAware, AtomEnum::ATOM, 0, 1)?
            .reply()?;
        let shown = conn.get_window_attributes(window)?.reply()?.map_state;
        if aware.value_len > 0 && shown == MapState::VIEWABLE {
            return Ok(window);
        }
    }
    Err("no window on the display takes what is dropped".into())
}

/// The display's clock: nobody listens to a drag without it.
fn server_time(conn: &RustConnection, window: Window) -> Outcome<Timestamp> {
    let (name, kind) = (AtomEnum::WM_NAME, AtomEnum::STRING);
    conn.change_property8(PropMode::REPLACE, window, name, kind, b"drag")?;
    conn.flush()?;
    loop {
        if let Event::PropertyNotify(event) = conn.wait_for_event()? {
            return Ok(event.time);
        }
    }
}

/// One line of a `text/uri-list`.
fn uri(file: &Path) -> String {
    let mut uri = "file://".to_owned();
    for byte in file.as_os_str().as_encoded_bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' => uri.push(char::from(*byte)),
            _ if byte.is_ascii_alphanumeric() => uri.push(char::from(*byte)),
            _ => uri += &format!("%{byte:02X}"),
        }
    }
    uri + "\r\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_names_of_files_are_escaped() {
        assert_eq!(
            uri(Path::new("/tmp/müll 1%.csv")),
            "file:///tmp/m%C3%BCll%201%25.csv\r\n"
        );
    }
}
