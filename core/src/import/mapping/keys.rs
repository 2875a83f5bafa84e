//! What a key of a record means. Case, `_` and `-` do not matter: `eventId`, `event_id` and `EventID` are one.

use serde_json::value::RawValue;

/// A place that an event has for a member of the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    Id,
    Stream,
    Category,
    Type,
    Time,
    Recorded,
    Version,
    Position,
    Schema,
    Data,
    Metadata,
}

impl Slot {
    pub(super) const COUNT: usize = 11;
}

/// What a member is. Within a slot the smallest rank wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Slot(Slot, u8),
    /// Id of a business object, such as `orderId`: names the stream where no key does so itself.
    Business(u8),
    /// `userId`: names the stream where nothing else does, else it is context.
    User,
    /// The id that did name the stream.
    StreamKey,
    /// Context in every record: it goes into the metadata.
    Context,
    /// Context where the record has a payload of its own; else one of its fields.
    NestedContext,
    Unknown,
}

/// Rank of `id` among the keys of the event's id.
pub(super) const BARE_ID: u8 = 3;

/// Business objects whose id names the stream, the ones with a history of their own first.
pub(in crate::import) const BUSINESS: [&str; 36] = [
    "order",
    "account",
    "cart",
    "shoppingcart",
    "basket",
    "invoice",
    "shipment",
    "booking",
    "reservation",
    "subscription",
    "incident",
    "ticket",
    "case",
    "claim",
    "loan",
    "policy",
    "contract",
    "patient",
    "encounter",
    "appointment",
    "prescription",
    "trade",
    "transfer",
    "payment",
    "transaction",
    "portfolio",
    "project",
    "task",
    "issue",
    "document",
    "product",
    "item",
    "inventory",
    "employee",
    "member",
    "customer",
];
/// Rank of ids of objects that the list does not name.
const OTHER_BUSINESS: u8 = 255;

/// Names before `Id` that never name a stream: they tell how and by whom, not what about.
const TECHNICAL: [&str; 47] = [
    "actor",
    "api",
    "app",
    "application",
    "author",
    "batch",
    "build",
    "category",
    "causation",
    "channel",
    "client",
    "command",
    "commit",
    "correlation",
    "device",
    "event",
    "external",
    "group",
    "host",
    "instance",
    "ip",
    "job",
    "location",
    "log",
    "message",
    "node",
    "operator",
    "org",
    "organization",
    "parent",
    "process",
    "record",
    "region",
    "request",
    "role",
    "row",
    "run",
    "schema",
    "service",
    "session",
    "source",
    "span",
    "status",
    "tenant",
    "thread",
    "trace",
    "type",
];

/// Rank of keys that are the source's place only beside a payload of their own.
pub(super) const IN_PAYLOAD: u8 = 9;

/// Longest key that means something.
const LONGEST: usize = 40;

/// Lower case, without `_`, `-` and a leading `@`; empty where it is longer than any key that means something.
fn normal<'b>(key: &str, buffer: &'b mut [u8; LONGEST]) -> &'b str {
    let mut len = 0;
    for byte in key.strip_prefix('@').unwrap_or(key).bytes() {
        if matches!(byte, b'_' | b'-') {
            continue;
        }
        if len == LONGEST || !byte.is_ascii() {
            return "";
        }
        buffer[len] = byte.to_ascii_lowercase();
        len += 1;
    }
    std::str::from_utf8(&buffer[..len]).unwrap_or_default()
}

/// What the member is, as far as its key and the kind of its value tell.
pub(super) fn role(key: &str, value: &RawValue) -> Role {
    let mut buffer = [0; LONGEST];
    let normal = normal(key, &mut buffer);
    let role = match by_name(normal) {
        Role::Unknown if is_other_business(key, normal) => Role::Business(OTHER_BUSINESS),
        role => role,
    };
    let first = value.get().as_bytes().first().copied().unwrap_or(b' ');
    let is_scalar =
        (first == b'"' && value.get().len() > 2) || first == b'-' || first.is_ascii_digit();
    let is_object = first == b'{';
    let fits = match role {
        Role::Slot(Slot::Version, _) => {
            value
                .get()
                .trim_matches('"')
                .bytes()
                .all(|b| b.is_ascii_digit())
                && is_scalar
        }
        Role::Slot(Slot::Data, rank) => rank <= 1 || is_object || first == b'[',
        Role::Slot(Slot::Metadata, rank) => rank <= 1 || is_object,
        Role::Slot(..) | Role::Business(_) | Role::User => is_scalar,
        Role::StreamKey | Role::Context | Role::NestedContext | Role::Unknown => true,
    };
    if fits { role } else { Role::Unknown }
}

fn by_name(normal: &str) -> Role {
    use Slot::*;
    let (slot, rank) = match normal {
        "eventid" | "eventuuid" => (Id, 0),
        "messageid" => (Id, 1),
        "uuid" => (Id, 2),
        "id" => (Id, BARE_ID),
        "streamid" | "streamname" | "stream" => (Stream, 0),
        "aggregateid" | "aggregateuuid" | "aggregaterootid" | "aggregaterootuuid" => (Stream, 1),
        "entityid" => (Stream, 2),
        "aggregatetype" | "aggregatename" | "aggregateroottype" | "streamcategory" => (Category, 0),
        "entitytype" => (Category, 1),
        "eventtype" => (Type, 0),
        "type" => (Type, 1),
        "eventname" => (Type, 2),
        "event" => (Type, 3),
        "action" | "activity" => (Type, 4),
        "timestamp" => (Time, 0),
        "eventtime" | "eventtimestamp" | "eventdate" => (Time, 1),
        "occurredat" | "occurredon" | "happenedat" => (Time, 2),
        "time" => (Time, 3),
        "datetime" => (Time, 4),
        "committedat" => (Time, 5),
        "authoredat" => (Time, 6),
        "createdat" | "createdon" | "created" | "createdutc" | "createddate" | "createtime" => {
            (Time, 7)
        }
        "date" | "ts" => (Time, 8),
        "recordedat" | "recordedon" | "ingestedat" | "storedat" | "insertedat" => (Recorded, 0),
        "version" => (Version, 0),
        "eventversion" => (Version, 1),
        "streamversion" | "aggregateversion" => (Version, 2),
        "streamposition" | "streamrevision" | "revision" => (Version, 3),
        "sequencenumber" | "sequence" | "eventnumber" => (Version, 4),
        "globalposition" | "globalsequence" | "logposition" => (Position, 0),
        "seq" => (Position, 1),
        "position" | "offset" => (Position, IN_PAYLOAD),
        "schemaversion" => (Schema, 0),
        "data" => (Data, 0),
        "eventdata" => (Data, 1),
        "payload" | "eventpayload" => (Data, 2),
        "body" | "eventbody" => (Data, 3),
        "metadata" => (Metadata, 0),
        "eventmetadata" => (Metadata, 1),
        "meta" => (Metadata, 2),
        "headers" => (Metadata, 3),
        "context" => (Metadata, 4),
        "userid" => return Role::User,
        "correlationid" | "causationid" | "commandid" | "requestid" | "traceid" | "spanid"
        | "sessionid" | "tenantid" | "actor" | "actorid" | "actorname" | "ipaddress"
        | "useragent" => {
            return Role::Context;
        }
        "user" | "username" | "useremail" | "changedby" | "performedby" | "createdby"
        | "initiatedby" | "by" | "author" | "operator" | "reason" => return Role::NestedContext,
        other => return business(other),
    };
    Role::Slot(slot, rank)
}

fn business(normal: &str) -> Role {
    let Some(name) = normal.strip_suffix("id").filter(|n| !n.is_empty()) else {
        return Role::Unknown;
    };
    match BUSINESS.iter().position(|b| *b == name) {
        Some(rank) => Role::Business(rank as u8),
        None => Role::Unknown,
    }
}

/// Whether a flat record keeps the member as one of its fields too, because its key is as likely to be one.
pub(super) fn is_ambiguous(slot: Slot, rank: u8) -> bool {
    match slot {
        Slot::Id => rank == 2,
        Slot::Type => rank == 4,
        Slot::Time => rank >= 5,
        Slot::Version => rank >= 3,
        Slot::Position => rank >= 1,
        Slot::Stream
        | Slot::Category
        | Slot::Recorded
        | Slot::Schema
        | Slot::Data
        | Slot::Metadata => false,
    }
}

/// A further `…Id` key that is neither on the list nor technical.
/// Whether a column of a table is by its name the id of an object that is no technical one.
pub(in crate::import) fn names_an_object(key: &str, normal: &str) -> bool {
    let spaced = key.ends_with(" ID") || key.ends_with(" id") || key.ends_with(" Id");
    is_other_business(key, normal)
        || (spaced && normal.len() > 3 && !TECHNICAL.contains(&&normal[..normal.len() - 2]))
}

fn is_other_business(key: &str, normal: &str) -> bool {
    let (Some(name), true) = (
        normal.strip_suffix("id").filter(|n| n.len() > 1),
        key.ends_with("Id") || key.ends_with("ID") || key.ends_with("_id"),
    ) else {
        return false;
    };
    !TECHNICAL.contains(&name) && !name.ends_with("by")
}

/// Whether the key is one for an aggregate's id, not for a stream's whole name.
pub(super) fn is_aggregate_id(key: &str) -> bool {
    let mut buffer = [0; LONGEST];
    matches!(
        by_name(normal(key, &mut buffer)),
        Role::Slot(Slot::Stream, 1 | 2)
    )
}

/// Name of the object that an id key such as `orderId` or `order_id` is of: `order`.
pub(in crate::import) fn entity(key: &str) -> String {
    let name = ["_id", "-id", "Id", "ID", "_ID", "id"]
        .iter()
        .find_map(|end| key.strip_suffix(end))
        .unwrap_or(key)
        .trim_end_matches(['_', '-']);
    let mut chars = name.chars();
    match chars.next() {
        Some(first) => first.to_lowercase().chain(chars).collect(),
        None => key.to_owned(),
    }
}

/// Whether the text says by itself what it is of: letters, a `-` and something (`order-789`), but no UUID.
pub(in crate::import) fn has_prefix(text: &str) -> bool {
    match text.split_once('-') {
        Some((prefix, rest)) => {
            !prefix.is_empty()
                && !rest.is_empty()
                && prefix.chars().all(|c| c.is_alphabetic() || c == '_')
                && !is_uuid(text)
        }
        None => false,
    }
}

/// Whether the text has the form of a UUID.
pub(super) fn is_uuid(text: &str) -> bool {
    text.len() == 36 && uuid::Uuid::try_parse(text).is_ok()
}
