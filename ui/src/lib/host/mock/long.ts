/** The mock's long work: ticks, and can be cancelled. */

import type { CheckpointRow } from "$lib/bindings/CheckpointRow";
import type { EvidenceVerification } from "$lib/bindings/EvidenceVerification";
import type { SignArgs } from "$lib/bindings/SignArgs";
import type { VerifyView } from "$lib/bindings/VerifyView";
import type { BackupArgs, EvidenceVerifyArgs, ExportArgs, ImportArgs, RestoreArgs, VerifyArgs } from "../commands";
import { HostError } from "../errors";

export interface Running {
  cancelled: boolean;
}

const STEPS = 12;
const STEP_MS = 120;

export async function ticks(running: Running, tick: (share: number) => void): Promise<void> {
  running.cancelled = false;
  for (let step = 1; step <= STEPS; step++) {
    await new Promise((done) => setTimeout(done, STEP_MS));
    if (running.cancelled) throw new HostError("cancelled", "cancelled, nothing was written");
    tick(step / STEPS);
  }
}

export async function runImport(args: ImportArgs, progress: (value: unknown) => void, running: Running) {
  const bytes_total = 48_310_222;
  await ticks(running, (share) => progress({ bytes_total, bytes_read: Math.round(bytes_total * share), records_read: Math.round(104_233 * share), phase: "reading", events_total: 0, events_done: 0, events_stored: Math.round(104_201 * share) }));
  return {
    read: 104_233, stored: 104_201, duplicates: 30, rejected: 2, streams: 8_211, types: 14,
    first_time: "2024-01-01T00:00:03Z", last_time: "2024-06-30T23:58:41.250Z", dry_run: args.dry_run,
    files: args.paths.map((file) => ({ file, format: "jsonl", source: file, compression: "none", encoding: "utf-8", why: "every line is a JSON object", bytes: bytes_total, sha256: "3a".repeat(32), mapping_sha256: null, mapping: null, read: 104_233, skipped: null })),
    findings: [
      { kind: "zone_assumed", severity: "notice", count: 812, place: { file: args.paths[0], line: 14 }, detail: "2024-01-02T08:00:00 names no zone; UTC was assumed." },
      { kind: "version_gap", severity: "warning", count: 3, place: { file: args.paths[0], line: 90_112, stream: "order-5512", version: 4 }, detail: "the source goes from version 4 to 6." },
    ],
    rejects: [
      { file: args.paths[0], line: 40_118, reason: "not JSON: expected `,` or `}` at column 58", record: '{"eventId":"evt-40118","aggregateId":"order-2201","amount":12,50}' },
      { file: args.paths[0], line: 71_003, reason: "no stream: none of aggregateId, streamId, orderId", record: '{"eventId":"evt-71003","eventType":"Ping","timestamp":"2024-03-01T00:00:00Z"}' },
    ],
    rejects_file: args.rejects,
  };
}

/** A look at a file of JSON Lines, as the host gives it. */
export function previewOf(file: string) {
  return {
    file, bytes: 48_310_222, format: "jsonl", compression: "none", encoding: "utf-8", why: "its first line is a whole JSON object", preset: null, order: "unknown" as const,
    error: null, mapping: null, mapping_toml: null, mapping_sha256: null, guesses: [], problems: [], columns: [],
    records: [
      {
        line: 1,
        text: '{"eventId":"evt-1","aggregateId":"order-2201","eventType":"OrderPlaced","timestamp":"2024-01-01T00:00:03Z","amount":12.50}',
        cells: null,
        cut: false,
        event: {
          stream: "order-2201", category: "order", type: "OrderPlaced", time: "2024-01-01T00:00:03Z", time_text: "2024-01-01T00:00:03Z",
          id: "evt-1", actor: null, correlation: null, causation: null, source_version: null, data: { amount: 12.5 }, metadata: null, cut: false,
        },
        reason: null,
      },
    ],
    complete: false, findings: [],
  };
}

export async function runExport(events: number, args: ExportArgs, progress: (value: unknown) => void, running: Running) {
  await ticks(running, (share) => progress({ events: Math.round(events * share) }));
  return { events, bytes: events * 431, sha256: "5f".repeat(32), file: args.file, findings: [] };
}

const ID = "0f7c2d38-dfd7-4f0c-af59-e2694b56c7db";

export async function runBackup(events: number, args: BackupArgs, progress: (value: unknown) => void, running: Running) {
  if (args.file.includes("taken")) throw new HostError("exists", `${args.file} exists already`);
  await ticks(running, (share) => progress({ done: Math.round(2 * events * share), total: 2 * events }));
  return { store: "/home/you/Annals/guide.annals", file: args.file, id: ID, size: events, root: "5f".repeat(32), file_bytes: events * 520, beside: { copied: 3, kept: 0 } };
}

export async function runRestore(events: number, args: RestoreArgs, progress: (value: unknown) => void, running: Running) {
  const size = args.to === null || args.to === "" ? events : Number(args.to);
  if (size > events) throw new HostError("bad_input", `position ${size} lies beyond the end: the log holds ${events} events`);
  await ticks(running, (share) => progress({ done: Math.round(2 * size * share), total: 2 * size }));
  return { file: args.file ?? "/home/you/Annals/guide.annals", store: args.store, id: ID, size, root: "5f".repeat(32), left_out: events - size, tied: true, beside: { copied: 3, kept: 0 } };
}

/** A package by its name: `tampered` has findings, `nothing` is none. */
export async function runVerify(args: EvidenceVerifyArgs, progress: (value: unknown) => void, running: Running): Promise<EvidenceVerification> {
  await ticks(running, (share) => progress({ done: Math.round(52 * share), total: 52 }));
  const key = `annals/${ID}+cd723a6b+AepKbGPinFIKvvVQexMuxfmVR3auvr57kkIe6mkURtIs`;
  if (args.file.includes("nothing")) {
    return { outcome: "unreadable", events_checked: 0, tree_size: 0, root: null, findings: [{ grade: "gap", kind: "unreadable", position: null, detail: "this is no package: it does not end as a ZIP archive does, so it is another file or was cut off" }], checked: [], not_checked: ["anything in it"], facts: null, file: args.file };
  }
  const tampered = args.file.includes("tampered");
  return {
    outcome: tampered ? "problems" : "intact",
    events_checked: 52,
    tree_size: 52,
    root: "61".repeat(32),
    findings: tampered ? [{ grade: "manipulation", kind: "event_changed", position: 12, detail: "its data is not what the log recorded: it does not make the hash in its leaf" }] : [],
    checked: [`the signature over manifest.json, by ${key}`, "9 of 9 files against their size and SHA-256", "52 events (leaf bytes, salted hashes, place in the tree) up to the root"],
    not_checked: [...(args.key === null ? [`whose key this is: compare ${key} with one that you have from elsewhere`] : []), "when it was signed: the time is the maker's, and there is no time stamp by somebody else"],
    facts: {
      log: `annals/${ID}`,
      key,
      key_known: args.key !== null,
      made: { at: "2024-02-01T00:00:00Z", annals: "0.1.0", operator: "you", purpose: null },
      scope: { first: 1, last: 52 },
      filter: { stream: "order-789", category: null, type: null, actor: null, correlation: null, from: null, to: null },
      reading: `events of the stream "order-789" at positions 1 to 52 of annals/${ID}`,
      others: "identity",
      withheld: { identity: false, data: false, metadata: false, paths: [] },
      counts: { range: 52, rows: 2, opened: 50, closed: 0, erased: 0 },
      unproven: 0,
      unproven_rows: 0,
      types: [["OrderPlaced", 1], ["OrderShipped", 1]],
      sums: [{ path: "data.totalAmount", values: 1, sum: "109.97", not_summed: 0 }],
      files: [],
      stamps: [],
    },
    file: args.file,
  };
}

export const ORIGIN = `annals/${ID}`;

/** The open store: intact, unless it is compared with a file whose name says `other`. */
export async function runStoreVerify(events: number, args: VerifyArgs, progress: (value: unknown) => void, running: Running): Promise<VerifyView> {
  await ticks(running, (share) => progress({ done: Math.round(events * share), total: events }));
  const other = args.against?.includes("other") ?? false;
  return {
    outcome: other ? "problems" : "intact",
    file: "/home/you/Annals/guide.annals",
    id: ID,
    events_checked: events,
    tree_size: events,
    root: "5f".repeat(32),
    signed_size: null,
    checked: [
      { what: "events hashed again from their bytes", count: events },
      { what: "places of events in streams", count: events },
    ],
    findings: other
      ? [
          { grade: "manipulation", kind: "content_changed", position: 7, count: 1, detail: "this event was changed after it was recorded: its bytes give the leaf hash 5f5f, recorded was 3a3a" },
          { grade: "gap", kind: "tail_cut_off", position: events + 1, count: 3, detail: "other.note was signed over 55 events, and the log holds 52: its end was cut off, or this is an older copy" },
        ]
      : [{ grade: "notice", kind: "unsigned", count: 1, detail: "no checkpoint is in this file: a log rewritten as a whole would not show; a checkpoint that is kept elsewhere makes it show" }],
    not_checked: ["what is beside the log: models and other files of yours, and caches, which can be made again"],
  };
}

/** The last checkpoint with one more time stamp. */
export function stamp(signed: CheckpointRow[]): CheckpointRow {
  return better(signed, (row) => {
    const stamps = [...row.stamps, { at: "2026-11-26T02:00:07Z", accuracy_us: null, signer: "CN=mock stamps" }];
    return { ...row, stamps, timestamps: stamps.length };
  });
}

/** The last checkpoint with one more cosignature. */
export function cosign(signed: CheckpointRow[]): CheckpointRow {
  return better(signed, (row) => ({ ...row, cosignatures: row.cosignatures + 1 }));
}

function better(signed: CheckpointRow[], change: (row: CheckpointRow) => CheckpointRow): CheckpointRow {
  const last = signed.pop();
  if (!last) throw new HostError("not_found", "the log keeps no checkpoint yet", "Sign one first.");
  const row = change(last);
  signed.push(row);
  return row;
}

export function sign(events: number, args: SignArgs, signed: CheckpointRow[]): CheckpointRow {
  if (args.passphrase === null && !args.unprotected && !args.key_store) throw new HostError("passphrase", "this log has no key yet, and it would be made without protection", "Give a passphrase, or say that the key needs none.");
  const row: CheckpointRow = { number: 1, size: events, root: "5f".repeat(32), made_at: "2026-11-26T02:00:00Z", key: 1, cosignatures: 0, timestamps: 0, stamps: [], note: `${ORIGIN}\n${events}\nX19f\n\n\u2014 ${ORIGIN} zXI6aw==\n` };
  if (signed.length === 0) signed.push(row);
  return row;
}
