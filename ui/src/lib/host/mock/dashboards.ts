/** A dashboard over the account of the guide, for the page without a host. */

import type { BehindView } from "$lib/bindings/BehindView";
import type { DashboardArgs } from "$lib/bindings/DashboardArgs";
import type { BehindArgs } from "$lib/bindings/BehindArgs";
import type { DocumentHistoryView } from "$lib/bindings/DocumentHistoryView";
import type { DocumentWhyView } from "$lib/bindings/DocumentWhyView";
import type { DashboardView } from "$lib/bindings/DashboardView";
import type { PanelView } from "$lib/bindings/PanelView";
import type { Plot } from "$lib/bindings/Plot";
import { HostError } from "../errors";
import type { MockEvent } from "./data";

const NAME = "accounts";

export const list = () => ({
  folder: "/home/ada/guide.annals.d/dashboards",
  dashboards: [{ name: NAME, title: "Accounts", description: "What the guide's accounts hold, and held", hash: "5d".repeat(32), panels: 3, projections: [NAME], questions: [], queries: [] }],
  broken: [{ name: "wrong.toml", line: 3, column: 8, message: "unknown variant `pie`", hint: "expected one of `number`, `table`, `line`" }],
});

export function look(args: DashboardArgs, events: readonly MockEvent[]): DashboardView {
  if (args.name !== NAME) throw new HostError("not_found", `there is no dashboard ${args.name}; there is ${NAME}`);
  const own = events.filter((event) => event.stream === "account-12345");
  const days = new Map<string, string>();
  let cents = 0;
  for (const event of own) {
    const amount = /"amount":\s*([\d.]+)/.exec(event.dataText)?.[1] ?? "0";
    cents += Math.round(Number(amount) * 100) * (event.type === "WithdrawalMade" ? -1 : 1);
    days.set(event.time.slice(0, 10), (cents / 100).toFixed(2));
  }
  const balance = [...days.values()].at(-1);
  const row = (label: string, path: string, text: string) => ({ label, document: "account-12345", path, cells: [{ text, number: true }], from: null, to: null });
  const plot = (kind: Plot["kind"], title: string, rows: Plot["rows"]): Plot => ({ kind, title, axis: "names", steps: false, zone: "UTC", heading: "day", series: [{ name: "balance", unit: "USD" }], rows, rest: null, rows_count: rows.length, alt: title });
  const empty = balance === undefined ? "The projection accounts has no document account-12345 at this instant: none of its events had made one." : null;
  const panel = (shown: Plot, full: boolean): PanelView => ({ source: 0, full, plot: shown, empty, notes: [], ...(empty === null ? { drawing: drawn(shown, full ? 1144 : 560, args.dark) } : {}) });
  const byDay = [...days].map(([day, text]) => row(day, `days["${day}"]`, text));
  return {
    name: NAME,
    title: "Accounts",
    description: "What the guide's accounts hold, and held",
    hash: "5d".repeat(32),
    zone: "UTC",
    as_of: { at: args.at ?? null, known: args.known === undefined ? null : Number(args.known) },
    sources: [{ kind: "projection", name: NAME, asked: null, document: "account-12345", model: { name: NAME, hash: "6e".repeat(32), inferred: false }, strategy: "async", documents_count: 1, position: events.at(-1)?.position ?? 0, events_examined: events.length, incomplete: false, stopped_at: null, findings: [], failed: null }],
    panels: [panel(plot("number", "Balance of account-12345", [row("account-12345", "balance", balance ?? "0.00")]), false), panel(plot("table", "Balances", byDay), false), panel(plot("bar", "Balance by day", byDay), true)],
  };
}

/** Something to look at: bars by hand, since core's own drawing is not here. */
function drawn(plot: Plot, width: number, dark: boolean) {
  const height = 16 + plot.rows.length * 24;
  const most = Math.max(1, ...plot.rows.map((row) => Number(row.cells[0]?.text)));
  const places = plot.rows.map((row, at) => ({ row: at, series: 0, x_px: 4, y_px: 8 + at * 24, width_px: Math.max(2, Math.round((Number(row.cells[0]?.text) / most) * (width - 120))), height_px: 20 }));
  const bars = places.map((place, at) => `<rect x="${place.x_px}" y="${place.y_px}" width="${place.width_px}" height="20" fill="${dark ? "#7fb2e5" : "#2f5d8a"}"/><text x="${width - 4}" y="${place.y_px + 15}" text-anchor="end" font-family="sans-serif" font-size="12" fill="${dark ? "#e6e8ea" : "#1f2328"}">${plot.rows[at]?.cells[0]?.text ?? ""}</text>`);
  return { svg: `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">${bars.join("")}</svg>`, width_px: width, height_px: height, marks: places };
}

export function behind(document: string, path: string, events: readonly MockEvent[]): BehindView {
  const own = events.filter((event) => event.stream === document && (path === "" || !path.startsWith("days") || path.includes(event.time.slice(0, 10)))).reverse();
  return {
    kind: "projection",
    name: NAME,
    document,
    path,
    as_of: { at: null, known: null },
    value: null,
    events: own.map(({ position, stream, version, type, time }) => ({ position, stream, version, type, time })),
    events_count: own.length,
    changed: path !== "",
    inputs: own.length,
    events_examined: events.length,
  };
}

/** What each event added, in cents; no number with a point is added up here. */
function amounts(document: string, events: readonly MockEvent[]) {
  let after = 0;
  return events
    .filter((event) => event.stream === document)
    .map((event) => {
      const cents = Math.round(Number(/"amount":\s*([\d.]+)/.exec(event.dataText)?.[1] ?? "0") * 100) * (event.type === "WithdrawalMade" ? -1 : 1);
      const before = after;
      after += cents;
      return { event, cents, before, after };
    });
}

const text = (cents: number) => (cents / 100).toFixed(2);

export function why(args: BehindArgs, events: readonly MockEvent[]): DocumentWhyView {
  const made = amounts(args.document, events);
  const last = made.at(-1);
  return {
    projection: args.name,
    key: args.document,
    path: args.path,
    kind: last ? "number" : "nothing",
    value: last ? text(last.after) : null,
    derived: null,
    set_by: last
      ? { position: last.event.position, version: last.event.version, id: last.event.id, type: last.event.type, time: last.event.time, recorded_at: last.event.time, who: null, why: null, before: text(last.before) }
      : null,
    confirmed: 0,
    last_confirmed: null,
    contributions: made.map(({ event, cents, before, after }) => ({ position: event.position, version: event.version, type: event.type, time: event.time, actor: null, reason: null, before: text(before), after: text(after), delta: text(cents), sets: false, operation: "add", expression: "data.amount", fields: [] })),
    contributions_count: made.length,
    earlier: null,
    sum: last ? text(last.after) : null,
    operation: last ? "add" : "",
    expression: "data.amount",
    guard: null,
    fields: [{ path: "data.amount", value: last ? text(last.cents) : null }],
    model: { name: NAME, hash: "6e".repeat(32), inferred: false },
    as_of: { at: args.at ?? null, known: args.known === undefined ? null : Number(args.known) },
    inputs: made.length,
    events_examined: 0,
    incomplete: false,
    findings: [],
  };
}

export function history(args: BehindArgs, events: readonly MockEvent[]): DocumentHistoryView {
  const made = amounts(args.document, events);
  return {
    projection: args.name,
    key: args.document,
    path: args.path,
    values: made.map(({ event, after }, at) => ({ value: text(after), present: true, from: event.time, to: made[at + 1]?.event.time ?? null, position: event.position, version: event.version, to_version: made[at + 1]?.event.version ?? null, type: event.type, actor: null, reason: null, confirmed: 0, last_confirmed: null })),
    values_count: made.length,
    model: { name: NAME, hash: "6e".repeat(32), inferred: false },
    as_of: { at: args.at ?? null, known: args.known === undefined ? null : Number(args.known) },
    inputs: made.length,
    events_examined: 0,
    incomplete: false,
    findings: [],
  };
}
