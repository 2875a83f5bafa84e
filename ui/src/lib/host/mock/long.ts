/** The mock's long work: ticks, and can be cancelled. */

import type { ExportArgs, ImportArgs } from "../commands";
import { HostError } from "../errors";

export interface Running {
  cancelled: boolean;
}

const STEPS = 12;
const STEP_MS = 120;

async function ticks(running: Running, tick: (share: number) => void): Promise<void> {
  running.cancelled = false;
  for (let step = 1; step <= STEPS; step++) {
    await new Promise((done) => setTimeout(done, STEP_MS));
    if (running.cancelled) throw new HostError("cancelled", "cancelled, nothing was written");
    tick(step / STEPS);
  }
}

export async function runImport(args: ImportArgs, progress: (value: unknown) => void, running: Running) {
  const bytes_total = 48_310_222;
  await ticks(running, (share) => progress({ bytes_total, bytes_read: Math.round(bytes_total * share), records_read: Math.round(104_233 * share), events_stored: Math.round(104_201 * share) }));
  return {
    read: 104_233, stored: 104_201, duplicates: 30, rejected: 2, streams: 8_211, types: 14,
    first_time: "2024-01-01T00:00:03Z", last_time: "2024-06-30T23:58:41.250Z", dry_run: args.dry_run,
    files: args.paths.map((file) => ({ file, format: "jsonl", why: "every line is a JSON object", read: 104_233 })),
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

export async function runExport(events: number, args: ExportArgs, progress: (value: unknown) => void, running: Running) {
  await ticks(running, (share) => progress({ events: Math.round(events * share) }));
  return { events, bytes: events * 431, sha256: "5f".repeat(32), file: args.file, findings: [] };
}
