//! OCEL 2.0 as JSON (specification, 5).

use super::{EVENTS, Events, Ocel, Taken, Types};
use crate::import::write_json_string;

impl Ocel {
    pub(super) fn write_json(&mut self, kept: &[usize], to: &mut Taken<'_>) -> Events {
        let mut head = String::from("{\"objectTypes\":");
        declare(&mut head, &self.object_types);
        head.push_str(",\n\"eventTypes\":");
        declare(&mut head, &self.event_types);
        head.push_str(",\n\"objects\":[");
        to.buffer.extend_from_slice(head.as_bytes());
        for (at, place) in kept.iter().enumerate() {
            let object = &self.objects[*place];
            let mut json = String::from(if at == 0 { "\n{\"id\":" } else { ",\n{\"id\":" });
            write_json_string(&mut json, &object.id);
            json.push_str(",\"type\":");
            write_json_string(&mut json, object.kind.as_deref().unwrap_or_default());
            json.push_str(",\"attributes\":[");
            to.buffer.extend_from_slice(json.as_bytes());
            self.list(u32::try_from(place + 1).unwrap_or(u32::MAX), b",", to)?;
            let links = object_links(self, *place);
            to.buffer
                .extend_from_slice(format!("],\"relationships\":{links}}}").as_bytes());
            to.spill()?;
        }
        to.buffer.extend_from_slice(b"],\n\"events\":[\n");
        self.list(EVENTS, b",\n", to)?;
        to.buffer.extend_from_slice(b"]}\n");
        Ok(())
    }

    fn list(&mut self, group: u32, between: &[u8], to: &mut Taken<'_>) -> Events {
        for n in 0..self.fragments.len(group) {
            if n > 0 {
                to.buffer.extend_from_slice(between);
            }
            self.fragments.read(group, n, &mut to.buffer)?;
            to.spill()?;
        }
        Ok(())
    }
}

fn object_links(ocel: &Ocel, place: usize) -> String {
    ocel.objects[place]
        .links
        .clone()
        .unwrap_or_else(|| "[]".to_owned())
}

fn declare(json: &mut String, types: &Types) {
    json.push('[');
    for (at, kind) in types.list.iter().enumerate() {
        json.push_str(if at == 0 {
            "\n{\"name\":"
        } else {
            ",\n{\"name\":"
        });
        write_json_string(json, &kind.name);
        json.push_str(",\"attributes\":[");
        for (at, (name, seen)) in kind.attributes.iter().enumerate() {
            json.push_str(if at == 0 { "{\"name\":" } else { ",{\"name\":" });
            write_json_string(json, name);
            json.push_str(&format!(",\"type\":\"{}\"}}", seen.declared()));
        }
        json.push_str("]}");
    }
    json.push(']');
}
