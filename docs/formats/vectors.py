#!/usr/bin/env python3
"""Computes the test vectors of Annals' leaf and tree, independently of Annals. Standard library only.

    vectors.py            prints the vectors
    vectors.py --check    compares them with vectors.json beside this script
    vectors.py X.annals   recomputes every leaf and the root of a log (events with an erased part are skipped)

leaf.md draws the bytes.
"""

import hashlib
import json
import os
import sqlite3
import struct
import sys
import uuid
from datetime import datetime, timedelta

MAGIC = b"annals-leaf/1\0\0\0"
TAGS = {"identity": b"\x02", "data": b"\x03", "metadata": b"\x04"}


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def text(value):
    raw = value.encode("utf-8")
    return struct.pack(">I", len(raw)) + raw


def optional(value):
    return b"\x00" if value is None else b"\x01" + text(value)


def instant(pair):
    us, sub_ns = pair
    return struct.pack(">qH", us, sub_ns)


def identity_bytes(identity):
    out = text(identity["id"]) + text(identity["stream"]) + text(identity["category"])
    # By the bytes of the stream's name.
    links = sorted(identity["links"], key=lambda link: link[0].encode("utf-8"))
    out += struct.pack(">I", len(links))
    for stream, version, qualifier in links:
        out += text(stream) + struct.pack(">Q", version) + text(qualifier)
    for key in ("source", "source_id", "source_version", "source_position"):
        out += optional(identity[key])
    recorded = identity["source_recorded_at"]
    out += b"\x00" if recorded is None else b"\x01" + instant(recorded)
    return out


def part_hash(part, salt, content):
    return sha256(TAGS[part], salt, content)


def leaf_bytes(event, identity, data, metadata):
    out = MAGIC + text(event["type"]) + struct.pack(">Q", event["version"])
    out += instant(event["time"]) + struct.pack(">B", event["time_flags"])
    out += optional(event["time_text"]) + struct.pack(">q", event["recorded_us"])
    out += optional(event["schema_version"]) + text(event["data_type"])
    out += optional(event["metadata_type"])
    return out + identity + data + metadata


def leaf_hash(leaf):
    return sha256(b"\x00", leaf)


def root(leaves):
    """The definition of RFC 6962, section 2.1, word by word."""
    if not leaves:
        return sha256()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha256(b"\x01", root(leaves[:split]), root(leaves[split:]))


def salts_of(name):
    """Salts for a vector: any 16 bytes would do."""
    return [sha256(name.encode(), part.encode())[:16] for part in TAGS]


def salts_of_seed(seed):
    """Salts of identity, data and metadata."""
    return [sha256(b"\x05", seed, tag)[:16] for tag in TAGS.values()]


def event(stream, version, **fields):
    made = {
        "type": "Happened", "version": version, "time": [0, 0], "time_flags": 0, "time_text": None,
        "recorded_us": 1705276800000000, "schema_version": None, "data_type": "application/json",
        "metadata_type": None, "id": "id-1", "stream": stream, "category": stream.split("-")[0],
        "links": [], "source": None, "source_id": None, "source_version": None,
        "source_position": None, "source_recorded_at": None, "data": "{}", "metadata": None,
    }
    made.update(fields)
    return made


LEAVES = {
    "smallest": event("a", 1, id="x", type="T", data=""),
    "everything": event(
        "order-789", 7, id="evt-12345", type="OrderPlaced", time=[1705314600123456, 789], time_flags=7,
        time_text="2024-01-15 10:30:00.123456789", schema_version="2.1", data='{"total": 109.970}',
        metadata='{"userId": "u-1"}', metadata_type="application/vnd.example+json; charset=utf-8",
        links=[["product-2", 3, "line"], ["customer-4", 1, ""]], source="orders.jsonl", source_id="17",
        source_version="0007", source_position="0/16B3748", source_recorded_at=[1705314601000000, 1],
    ),
    "unicode": event(
        "b\u00fcro-\u2603", 2, id="\U0001f980\u0000\u202e", type="Gr\u00f6\u00dfe ge\u00e4ndert",
        category="\u65e5\u672c", data='{"gr\u00f6\u00dfe":"\U0001f4cf"}', source="d\u00e9p\u00f4t",
        source_id="",
    ),
    "before 1970": event("a-1", 1, time=[-1, 999], time_text="1969-12-31T23:59:59.999999999Z"),
    "first instant": event("a-1", 1, time=[-62135596800000000, 0], time_flags=1, time_text="0001-01-01"),
    "last instant": event("a-1", 2**63 - 1, time=[253402300799999999, 999]),
    "empty metadata is not absent": event("a-1", 1, metadata="", metadata_type="text/plain"),
    "text that needs no data": event("a-1", 1, data_type="application/octet-stream", data="\u0000\u0001"),
}

LOG = [
    event("account-12345", 1, id="e1", type="AccountOpened", time=[1704067200000000, 0],
          time_text="2024-01-01T00:00:00Z", data='{"owner":"Alice","balance":0.00}'),
    event("account-12345", 2, id="e2", type="MoneyDeposited", time=[1704153600000000, 0],
          time_text="2024-01-02T00:00:00Z", data='{"amount":1000.00}',
          metadata='{"userId":"alice"}', metadata_type="application/json"),
    event("user-1", 1, id="e3", type="UserSeen", time=[1704153600000000, 1], data='{}',
          links=[["account-12345", 3, "owner"]]),
    event("account-12345", 4, id="e4", type="MoneyWithdrawn", time=[1704240000000000, 0],
          data='{"amount":50.00}'),
    event("note", 1, id="e5", type="Noted", data_type="text/plain", data="caf\u00e9"),
]


def compute(name, made, seed=None):
    salts = salts_of(name) if seed is None else salts_of_seed(seed)
    identity = identity_bytes(made)
    hashes = [
        part_hash("identity", salts[0], identity),
        part_hash("data", salts[1], made["data"].encode("utf-8")),
        bytes(32) if made["metadata_type"] is None
        else part_hash("metadata", salts[2], made["metadata"].encode("utf-8")),
    ]
    leaf = leaf_bytes(made, *hashes)
    return {
        "name": name, "event": made, **({} if seed is None else {"seed": seed.hex()}),
        "salts": [salt.hex() for salt in salts],
        "identity_bytes": identity.hex(), "identity_hash": hashes[0].hex(),
        "data_hash": hashes[1].hex(), "metadata_hash": hashes[2].hex(),
        "leaf_bytes": leaf.hex(), "leaf_hash": leaf_hash(leaf).hex(),
    }


def vectors():
    leaves = [leaf_hash(str(n).encode()) for n in range(600)]
    sizes = list(range(0, 34)) + [255, 256, 257, 511, 512, 513, 600]
    log = []
    for n, made in enumerate(LOG):
        name = "log %d" % n
        log.append(compute(name, made, sha256(name.encode())[:16]))
    return {
        "leaves": [compute(name, made) for name, made in LEAVES.items()],
        "roots": {
            "leaf": "SHA-256(0x00 || decimal digits of the index)",
            "of": [{"size": size, "root": root(leaves[:size]).hex()} for size in sizes],
        },
        "log": {"events": log, "root": root([bytes.fromhex(e["leaf_hash"]) for e in log]).hex()},
    }


def rendered():
    return json.dumps(vectors(), indent=1, ensure_ascii=True) + "\n"


def unpacked(value):
    """A text as it was written: formats 3 and 4 keep a UUID as its bytes."""
    return str(uuid.UUID(bytes=value)) if isinstance(value, bytes) else value


def time_text(row):
    """The text of a time: formats 3 and 4 keep RFC 3339 with Z as the number of its digits."""
    digits = row["time_text"]
    if not isinstance(digits, int):
        return digits
    seconds, us = divmod(row["time_us"], 1000000)
    time = datetime(1970, 1, 1) + timedelta(seconds=seconds)
    fraction = ".%06d%03d" % (us, row["time_sub_ns"])
    # Not every strftime pads the year.
    return "%04d" % time.year + time.strftime("-%m-%dT%H:%M:%S") + (fraction[:digits + 1] if digits else "") + "Z"


def salts_in(row):
    """Salts of a row none of whose parts was erased."""
    if "salts" not in row.keys():
        return [row["salt_identity"], row["salt_data"], row["salt_metadata"]]
    salts = row["salts"]
    return salts_of_seed(salts) if len(salts) == 16 else [salts[:16], salts[16:32], salts[32:]]


def verify(path):
    db = sqlite3.connect("file:%s?mode=ro" % path.replace("?", "%3f").replace("#", "%23"), uri=True)
    db.row_factory = sqlite3.Row
    leaves, skipped = [], 0
    # A log of format 1 has the first table only.
    link_tables = [row["name"] for row in db.execute(
        "SELECT name FROM sqlite_schema WHERE name IN ('links', 'links_tail')")]
    rows = db.execute(
        "SELECT e.*, s.name AS stream_name, c.name AS category_name, t.name AS type_name, o.name AS source_name,"
        " d.name AS data_type_name, m.name AS metadata_type_name FROM events e"
        " LEFT JOIN streams s ON s.id = e.stream LEFT JOIN categories c ON c.id = s.category"
        " JOIN types t ON t.id = e.type LEFT JOIN sources o ON o.id = e.source"
        " JOIN content_types d ON d.id = e.data_type LEFT JOIN content_types m ON m.id = e.metadata_type"
        " ORDER BY e.position"
    )
    for row in rows:
        leaves.append(row["leaf"])
        erased = row["id"] is None or row["data"] is None
        if erased or (row["metadata_type"] is not None and row["metadata"] is None):
            skipped += 1
            continue
        links = [
            list(link) for table in link_tables for link in db.execute(
                "SELECT s.name, l.version, l.qualifier FROM %s l JOIN streams s ON s.id = l.stream"
                " WHERE l.position = ? AND l.qualifier IS NOT NULL" % table, (row["position"],))
        ]
        recorded = row["source_recorded_us"]
        salts = salts_in(row)
        identity = identity_bytes({
            "id": unpacked(row["id"]), "stream": row["stream_name"], "category": row["category_name"], "links": links,
            "source": row["source_name"], "source_id": unpacked(row["source_id"]),
            "source_version": row["source_version"], "source_position": row["source_position"],
            "source_recorded_at": None if recorded is None else [recorded, row["source_recorded_sub_ns"]],
        })
        leaf = leaf_bytes(
            {
                "type": row["type_name"], "version": row["version"],
                "time": [row["time_us"], row["time_sub_ns"]], "time_flags": row["time_flags"],
                "time_text": time_text(row), "recorded_us": row["recorded_us"],
                "schema_version": row["schema_version"], "data_type": row["data_type_name"],
                "metadata_type": row["metadata_type_name"],
            },
            part_hash("identity", salts[0], identity),
            part_hash("data", salts[1], row["data"]),
            bytes(32) if row["metadata_type"] is None
            else part_hash("metadata", salts[2], row["metadata"]),
        )
        if leaf_hash(leaf) != row["leaf"]:
            return "position %d: the leaf does not fit the event" % row["position"]
    size, stored = db.execute("SELECT size, root FROM head").fetchone()
    if size != len(leaves):
        return "the head says %d events, the log holds %d" % (size, len(leaves))
    if root(leaves) != stored:
        return "the root does not fit the leaves"
    for level, idx, hashes in db.execute("SELECT level, idx, hashes FROM tiles"):
        span = 256 ** level
        want = b"".join(
            root(leaves[(idx * 256 + n) * span:(idx * 256 + n + 1) * span]) for n in range(256))
        if want != hashes:
            return "tile %d/%d does not fit the leaves" % (level, idx)
    print("%d events, root %s, %d with an erased part" % (size, stored.hex(), skipped))
    return None


def main(arguments):
    if not arguments:
        sys.stdout.write(rendered())
        return None
    if arguments == ["--check"]:
        path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "vectors.json")
        with open(path, encoding="ascii") as file:
            return None if file.read() == rendered() else "vectors.json is not what this script computes"
    return verify(arguments[0])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
