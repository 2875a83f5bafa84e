/** A transport without a host. Never in a production build: `client.ts` imports it in development only. */

import type { CheckpointRow } from "$lib/bindings/CheckpointRow";
import type { AccessEntry } from "$lib/bindings/AccessEntry";
import type { EventQuery } from "$lib/bindings/EventQuery";
import type { MomentArgs } from "$lib/bindings/MomentArgs";
import type { Settings } from "$lib/bindings/Settings";
import type { StateView } from "$lib/bindings/StateView";
import { compareInstants, formatInstant, parseInstant, readInstant } from "$lib/model/instant";
import { parseJson, writeJson, type Json } from "$lib/model/json";
import type { Command, Commands, Transport } from "../commands";
import { HostError } from "../errors";
import { append, mockLog, type MockEvent } from "./data";
import { changedByLast, changesBetween, fold } from "./fold";
import * as dashboards from "./dashboards";
import * as explain from "./explain";
import { MockModels } from "./models";
import { MockProjections } from "./projections";
import { MockSaved, answer, readQuestion } from "./questions";
import { late, related } from "./related";
import { MockReports } from "./reports";
import { checkRules } from "./rules";
import { MockSnapshots } from "./snapshots";
import { countFound, findText } from "./search";
import { cosign, stamp, previewOf, runBackup, runExport, runImport, runRestore, ORIGIN, runStoreVerify, runVerify, sign, type Running, ticks } from "./long";
import { MockSql } from "./sql";
import { brief, detailView, eventView, infoView, openView, objectView } from "./views";

export interface MockOptions {
  /** Events beside the guide's. */
  extra?: number;
  /** A store is open from the start. */
  open?: boolean;
  /** Milliseconds each answer takes. */
  delay?: number;
  /** Another program appends an event every so many milliseconds. */
  growMs?: number;
}

type Handlers = { [C in Command]: (args: Commands[C]["args"], progress: (value: unknown) => void) => unknown };

/** Options from the address in development: `?extra=120000&open&delay=200&grow=500`. */
export function createMock(options: MockOptions = optionsFrom(location.search)): Transport & { grow: () => void; endFollowing: () => void } {
  const log = mockLog(options.extra ?? 400);
  const streams = groupByStream(log);
  const names = [...streams.keys()].sort();
  let open = options.open ?? false;
  let recent = RECENT;
  let kept: readonly unknown[] = [];
  let settings: Settings = { zone: "UTC", theme: "system", purpose: "", console: false, access_log: true };
  const looks: AccessEntry[] = [];
  const models = new MockModels();
  const reports = new MockReports();
  const snapshots = new MockSnapshots();
  const projections = new MockProjections();
  const saved = new MockSaved();
  const sql = new MockSql();
  const running: Running = { cancelled: false };
  const signed: CheckpointRow[] = [];

  const select = (query: EventQuery) => {
    const found = log.filter((event) => matches(event, query));
    return query.direction === "backwards" ? found.reverse() : found;
  };
  const streamOf = (name: string): MockEvent[] => {
    const events = streams.get(name);
    if (!events) throw new HostError("no_stream", `there is no stream ${name}`);
    return events;
  };
  const eventAt = (found: MockEvent | undefined): MockEvent => {
    if (!found) throw new HostError("no_event", "there is no such event");
    return found;
  };
  const until = (name: string, moment: MomentArgs) => {
    const read = moment.at === undefined ? null : readInstant(moment.at);
    if (moment.at !== undefined && !read) throw new HostError("bad_input", `${moment.at} is not a time`);
    const events = streamOf(name).filter((event) => (moment.version !== undefined ? event.version <= moment.version : (moment.known === undefined || event.position <= Number(moment.known)) && (!read || compareInstants(event.time, read.at) <= 0)));
    return { read, events };
  };
  /** What had happened by an instant, of what was known. */
  const happened = ({ at, known }: { at?: string; known?: string }) => {
    const read = at === undefined ? null : readInstant(at);
    return log.filter((event) => (known === undefined || event.position <= Number(known)) && (!read || compareInstants(event.time, read.at) <= 0));
  };
  const state = (name: string, moment: MomentArgs): StateView => {
    const all = streamOf(name);
    const { read, events } = until(name, moment);
    const last = events.at(-1);
    const inferred = all[0]?.category !== "account";
    return {
      stream: name,
      category: all[0]?.category ?? "",
      as_of: { at: read?.at ?? null, known: moment.version === undefined ? (moment.known === undefined ? null : Number(moment.known)) : (last?.position ?? 0) },
      ...(read?.reading ? { reading: read.reading } : {}),
      version: last?.version ?? 0,
      events_folded: events.length - (name === "trade-t-100" ? 1 : 0),
      events_failed: name === "trade-t-100" ? 1 : 0,
      events_in_stream: all.length,
      left_out: [],
      left_out_count: 0,
      model: { name: inferred ? "inferred" : "account", hash: inferred ? null : "9f".repeat(32), inferred },
      last_event: last ? brief(last) : null,
      state: fold(events),
      changed: changedByLast(events),
      incomplete: name === "trade-t-100",
      findings:
        name === "user-123"
          ? [{ kind: "date_only", severity: "notice", count: 1, place: { stream: name, version: 3, path: "effectiveDate" }, detail: "effectiveDate names the day 2024-02-01 only; it counts from 00:00 UTC." }]
          : [],
    };
  };
  /** Tells where the log stands, and again after each event that `grow` adds. */
  const follow = (progress: (value: unknown) => void): Promise<null> => {
    endFollowing();
    const begun = log.length;
    const tell = () => {
      const info = infoView(log, streams);
      progress({
        head: log.length, first_time: info.first_time, last_time: info.last_time, last_recorded_at: info.last_recorded_at,
        arrived: log.length - begun, events_per_second: options.growMs ? Math.round(1000 / options.growMs) : 0, live: true,
        indexed: log.length, indexing: false, notes: [],
      });
    };
    told = tell;
    tell();
    return new Promise((ended) => (endFollowing = () => ended(null)));
  };
  let told: () => void = () => undefined;
  let endFollowing: () => void = () => undefined;
  const grow = () => {
    append(log, streams, names);
    told();
  };
  if (options.growMs) setInterval(grow, options.growMs);
  const opened = () => {
    open = true;
    return openView(log, streams);
  };

  const handlers: Handlers = {
    app_start: () => ({ version: "0.1.0", recent, open: open ? infoView(log, streams) : null, open_path: open ? "/home/you/Annals/guide.annals" : null, default_folder: "/home/you/Annals", home: "/home/you", hash: null, settings }),
    store_open: ({ path }) => {
      if (path.includes("missing")) throw new HostError("not_found", `there is no file ${path}`);
      return opened();
    },
    store_create: opened,
    store_sample: opened,
    store_info: () => infoView(log, streams),
    store_actors: ({ limit }) => ({ actors: tally(log.flatMap((event) => (event.actor ? [event.actor] : []))).slice(0, limit) }),
    streams: ({ query, limit }) => {
      const all = names.filter((name) => streamMatches(streamOf(name), query));
      const rest = query.after === null ? all : all.filter((name) => name > (query.after ?? ""));
      const page = rest.slice(0, limit);
      return { streams: page.map((name) => streamRow(streamOf(name), query)), next: rest.length > limit ? (page.at(-1) ?? null) : null };
    },
    streams_count: ({ query }) => ({ count: names.filter((name) => streamMatches(streamOf(name), query)).length }),
    object: ({ object, at, known }) => objectView(object, at ?? null, known === undefined ? null : Number(known), streamOf(object)),
    stream: ({ stream }) => streamRow(streamOf(stream)),
    stream_lines: ({ stream, from, limit }) => {
      const own = streamOf(stream);
      const lines = own.slice(from - 1, from - 1 + limit).map(({ version, position, type, time, actor }) => ({ version, position, type, time, actor }));
      return { stream, events_in_stream: own.length, lines };
    },
    events: ({ query, limit, skip }) => {
      const page = select(query).slice(skip ?? 0, (skip ?? 0) + limit + 1);
      return { events: page.slice(0, limit).map(eventView), next: page.length > limit ? (page[limit - 1]?.position ?? null) : null };
    },
    events_count: ({ query }) => ({ count: select({ ...query, after: null }).length }),
    event_row: ({ query, position }) => {
      const row = select({ ...query, after: null }).findIndex((event) => event.position === position);
      return { row: row < 0 ? null : row };
    },
    event: ({ position }) => detailView(eventAt(log[position - 1]), log, streams),
    event_by_id: ({ id }) => detailView(eventAt(log.find((event) => event.id === id)), log, streams),
    density: ({ query, slices }) => density(select({ ...query, direction: "forwards", after: null }), slices),
    neighbours: ({ time }) => ({
      before: log.findLast((event) => compareInstants(event.time, time) < 0)?.time ?? null,
      after: log.find((event) => compareInstants(event.time, time) > 0)?.time ?? null,
    }),
    search: ({ text, query, limit }) => findText(select(query), text, limit, log.length),
    search_count: ({ text, query }) => countFound(select({ ...query, after: null }), text, log.length),
    text_index: () => ({ covered: log.length, head: log.length, file: null, notes: [] }),
    follow: (_, progress) => follow(progress),
    follow_stop: () => null,
    state: ({ stream, ...moment }) => state(stream, moment),
    diff: ({ stream, from, to }) => {
      const [a, b] = [state(stream, from), state(stream, to)];
      return { stream, from: a, to: b, changes: changesBetween((a.state ?? {}) as Json, (b.state ?? {}) as Json) };
    },
    why: ({ stream, path, moment }) => explain.why(state(stream, moment), until(stream, moment).events, path),
    history: ({ stream, path, moment }) => explain.history(state(stream, moment), until(stream, moment).events, path),
    what_if: (args) => explain.whatIf(state(args.stream, args.moment), until(args.stream, args.moment).events, args),
    related: (args) => related(log, args),
    late: ({ stream }) => late(log, stream ?? null),
    ask: ({ text, zone }) => answer(text, zone, log.length),
    ask_all: ({ text, zone }) => {
      const found = answer(text, zone, log.length);
      kept = found.rows;
      return { answer: found, pages: { id: 1, rows_count: kept.length } };
    },
    rows_page: ({ first, count }) => kept.slice(first, first + count),
    questions_saved: () => saved.list(),
    question_save: (args) => saved.save(args),
    question_remove: ({ name }) => saved.remove(name),
    question_read: ({ text }) => readQuestion(text),
    states: ({ streams, ...moment }) => ({ states: streams.map((name) => state(name, moment)) }),
    dashboards: () => dashboards.list(),
    dashboard: (args) => dashboards.look(args, happened(args)),
    dashboard_behind: (args) => dashboards.behind(args.document, args.path, happened(args)),
    projections_status: () => projections.status(log.length),
    projection_do: (args) => projections.act(args, log.length),
    projection_rebuild: (args) => projections.rebuild(args, log.length),
    projection_why: (args) => dashboards.why(args, happened(args)),
    projection_history: (args) => dashboards.history(args, happened(args)),
    dashboard_write: ({ file }) => file,
    models: () => models.list(),
    model_text: ({ name }) => models.text(name),
    model_save: (args) => models.save(args),
    model_preview: ({ text, stream, moment }) => models.preview(text, state(stream, moment), until(stream, moment).events),
    model_check: ({ text }) => models.check(text, log),
    model_draft: ({ category }) => ({ text: models.draft(category, log) }),
    model_shapes: ({ category }) => models.shapes(category, log),
    snapshots: () => snapshots.list(),
    snapshots_take: () => snapshots.take(log),
    snapshots_verify: () => snapshots.verify(log),
    snapshots_import: (args) => snapshots.import(log, args),
    pick_snapshots: () => ({ paths: ["/home/me/Snapshots.csv"] }),
    snapshots_advise: () => snapshots.advise(log),
    snapshot_policies: () => snapshots.rows(),
    snapshot_policy_set: (args) => snapshots.set(args),
    rules_check: () => checkRules(log),
    imports: () => ({
      imports: [
        { number: 1, recorded_at: "2026-11-20T16:40:12Z", read: 3_000, stored: 2_998, duplicates: 0, rejected: 2, first: 1, last: 2_998, files: [{ name: "orders-2024.csv.gz", bytes: 482_113, sha256: "3a".repeat(32), format: "csv", mapping_sha256: "7b".repeat(32), mapping: '[event]\nstream = "order-{id}"\n', read: 3_000, coverage: { looked_at: 2_998, previous: 2_120, when: 2_998, who: 2_998, why: 0 } }] },
        { number: 2, recorded_at: "2026-11-21T09:02:00Z", read: 15, stored: 15, duplicates: 0, rejected: 0, first: 2_999, last: 3_013, files: [{ name: "guide.jsonl", bytes: 4_113, sha256: "4c".repeat(32), format: "jsonl", mapping_sha256: null, mapping: null, read: 15 }] },
      ],
    }),
    import_lines: ({ file, line, context }) => ({
      file,
      line,
      lines: Array.from({ length: 2 * context + 1 }, (_, i) => line - context + i).filter((n) => n > 0).map((n) => ({ line: n, text: n === line ? '{"eventId":"evt-40118","aggregateId":"order-2201","amount":12,50}' : `{"eventId":"evt-${n}","aggregateId":"order-${2000 + (n % 90)}","eventType":"OrderPlaced","amount":${n}.00}`, cut: false })),
      ended: false,
    }),
    import_formats: () => ({
      formats: [
        { name: "jsonl", title: "JSON Lines", specification: "https://jsonlines.org", tested: "real_data", order: "unknown", read_by: "code", note: "records are read by their keys" },
        { name: "cloudtrail", title: "AWS CloudTrail", specification: "https://docs.aws.amazon.com", tested: "real_data", order: "unknown", read_by: "preset", note: "the stream is the account with the resource" },
        { name: "my-till", title: "Till", specification: "", tested: "real_data", order: "total", read_by: "own_preset", note: "" },
      ],
    }),
    preset_save: ({ name }) => ({ name, file: `/home/you/Annals/guide.annals.d/presets/${name}.toml`, has: ["id", "at"], toml: "" }),
    import_preview: ({ paths }) => ({ files: paths.map(previewOf) }),
    import_start: (args, progress) => runImport(args, progress, running),
    import_cancel: () => ((running.cancelled = true), null),
    export_start: (args, progress) => runExport(args.text === undefined ? select({ ...args.query, after: null }).length : countFound(select({ ...args.query, after: null }), args.text, log.length).count, args, progress, running),
    export_cancel: () => ((running.cancelled = true), null),
    backup_start: (args, progress) => runBackup(log.length, args, progress, running),
    restore_start: (args, progress) => runRestore(log.length, args, progress, running),
    work_cancel: () => ((running.cancelled = true), null),
    long_progress: () => ({ done: 0, total: 0 }),
    evidence_verify: (args, progress) => runVerify(args, progress, running),
    verify_start: (args, progress) => runStoreVerify(log.length, args, progress, running),
    checkpoints: () => ({ origin: ORIGIN, checkpoints: signed, unsigned: signed.length === 0 ? log.length : 0 }),
    log_keys_list: () => ({ origin: ORIGIN, keys: signed.length === 0 ? [] : [{ number: 1, verifier_key: `${ORIGIN}+cd723a6b+AepKbGPinFIKvvVQexMuxfmVR3auvr57kkIe6mkURtIs`, since: 1, in_force: true }], held: null }),
    checkpoint_sign: (args) => sign(log.length, args, signed),
    checkpoint_cosign: () => cosign(signed),
    timestamp_request: ({ checkpoint, file }) => ({ checkpoint, tree_size: log.length, root: "5f".repeat(32), file }),
    timestamp_attach: () => stamp(signed),
    pick_stamp_request: ({ name }) => ({ paths: [`/home/you/Annals/${name}`] }),
    pick_stamp_file: () => ({ paths: ["/home/you/Annals/checkpoint-1.tsr"] }),
    evidence_make: async (args, progress) => {
      const verification = await runVerify({ file: args.file, key: "known" }, progress, running);
      return { file: args.file, bytes: 18_412, sha256: "3c".repeat(32), identities_of_others: 50, in_part: 0, verification };
    },
    pick_new_package: ({ name }) => ({ paths: [`/home/you/Annals/${name}`] }),
    pick_package: () => ({ paths: ["/home/you/Annals/order-789.zip"] }),
    report_templates: () => reports.templates(),
    report_preview: ({ request }) => reports.look(request, select({ ...request.query, after: null }).length),
    report_page: ({ preview, page }) => reports.page(preview, page),
    report_make: (args, progress) => reports.make(args, select({ ...args.request.query, after: null }).length, progress, running),
    report_cancel: () => ((running.cancelled = true), null),
    reports_recent: () => reports.recent(),
    report_reveal: ({ path }) => reports.reveal(path),
    long_cancel: () => null,
    pick_store: () => ({ paths: ["/home/you/Annals/picked.annals"] }),
    pick_import_files: () => ({ paths: ["/home/you/logs/orders.jsonl"] }),
    pick_new_store: ({ name }) => ({ paths: [`/home/you/Annals/${name}`] }),
    pick_export_file: ({ name }) => ({ paths: [`/home/you/Annals/${name}`] }),
    pick_report_file: ({ name }) => ({ paths: [`/home/you/Annals/${name}`] }),
    copy_text: () => null,
    command_names: () => ({ world: "shop", commands: ["PlaceOrder", "AddItem", "CancelOrder"] }),
    command_send: ({ name, id }) => {
      if (name === "AddItem") throw new HostError("bad_input", "AddItem: missing field `orderId` at line 1 column 2");
      const brief = { position: 2, stream: "order-789", version: 2, type: "OrderShipped", time: "2024-01-15T14:30:00Z" };
      if (name === "PlaceOrder") return { id, name, events: [{ ...brief, type: "OrderPlaced" }], repeated: false, rejected: null };
      const rejected = { rule: "no-change-after-shipped", reason: "the order is shipped: it cannot be changed", stream: "order-789", version: 2, looked_at: [{ path: "status", value: "Shipped", set_by: brief }] };
      return { id, name, events: [], repeated: false, rejected };
    },
    look_note: ({ view, asked }) => {
      looks.push({ n: looks.length + 1, at: new Date().toISOString(), user: "jo", uid: 1000, purpose: settings.purpose || null, program: "annals-desktop mock", kind: "view", action: view, asked, size: log.length, prev: "ab".repeat(32) });
      return { state: "logged", entry: looks.length, hash: "cd".repeat(32) };
    },
    access_log: ({ last }) => ({ log: "00000000-0000-0000-0000-000000000000", file: "/home/jo/.local/share/app.annals.desktop/logs/0/access.jsonl", lines: looks.length, last: looks.length, head: "cd".repeat(32), intact: true, faults: [], faults_count: 0, not_checked: ["looks with another program are not in it"], entries: looks.slice(-last) }),
    erasure_plan: ({ subject, mentions }) => {
      const own = streams.get(subject) ?? [];
      return { subject, mentions, reason: null, head: { size: log.length, root: "ef".repeat(32) }, events: own.map((event) => ({ position: event.position, stream: event.stream, version: event.version, type: event.type, parts: ["data"], because: [{ part: "data", path: "name", how: "marked" }] })), held: [], named_and_stay: mentions ? 0 : 1, values_stay: own.length > 0 ? [{ field: "data.email", masked: "a••••@••••••.••• (16)", events: 2, first: 3, places: ["Registered data.email"] }] : [], values_looked_for: own.length, values_not_looked_for: 0, identity_stays: own.length > 0 ? [`stream ${subject}`] : [], not_reached: ["backups and copies made before hold what they held"] };
    },
    erase_start: async ({ subject }, progress) => {
      await ticks(running, (share) => progress({ done: Math.round(log.length * share), total: log.length }));
      const own = streams.get(subject) ?? [];
      return { erasures: [log.length + 1], parts: own.length, events: own.length, head: { size: log.length + 1, root: "ee".repeat(32) }, finished: true, caches: { cleared: [], left: [] }, values_stay: [], left: [] };
    },
    sql_schema: () => sql.schema(),
    sql_ask: (args) => sql.ask(args, log),
    sql_all: (args) => {
      const found = sql.ask({ ...args, limit: log.length }, log);
      kept = found.rows;
      return { answer: { ...found, rows: found.rows.slice(0, args.limit ?? 1_000) }, pages: { id: 1, rows_count: kept.length } };
    },
    sql_export: ({ ask, file }) => sql.export(ask, file, log),
    sql_saved: () => sql.saved(),
    sql_save: (args) => sql.save(args),
    sql_delete: ({ name }) => sql.delete(name),
    settings_save: (args) => {
      if (args.settings.zone === "Mars/Olympus") throw new HostError("bad_input", "there is no time zone Mars/Olympus");
      return (settings = args.settings);
    },
    recent_remove: ({ path }) => ({ recent: (recent = recent.filter((store) => store.path !== path)) }),
    recent_pin: ({ path, pinned }) => {
      recent = recent.map((store) => (store.path === path ? { ...store, pinned } : store)).sort((a, b) => Number(b.pinned) - Number(a.pinned));
      return { recent };
    },
    drop_watch: (_, tell) => {
      // in development files are dropped by hand: dispatchEvent(new CustomEvent("annals-drop", { detail: { kind: "dropped", paths: ["/a.csv"] } }))
      addEventListener("annals-drop", (event) => tell((event as CustomEvent).detail));
      return null;
    },
  };

  return {
    grow,
    endFollowing: () => endFollowing(),
    async call(command, args, onProgress) {
      if (options.delay) await new Promise((done) => setTimeout(done, options.delay));
      const handler = handlers[command] as (args: unknown, progress: (value: unknown) => void) => unknown;
      const answer = await handler(args, onProgress ?? (() => undefined));
      // through text, as over the real wire: digits must survive it
      return parseJson(writeJson(answer as Json));
    },
  };
}

const RECENT = [
  { path: "/home/you/Annals/guide.annals", name: "guide", last_opened: "2026-11-22T09:14:00Z", exists: true, pinned: false },
  { path: "/mnt/evidence/2024-Q1/payments-production.annals", name: "payments-production", last_opened: "2026-11-20T16:40:12Z", exists: true, pinned: false },
  { path: "/media/usb/orders.annals", name: "orders", last_opened: "2026-11-02T11:00:00Z", exists: false, pinned: false },
];

function optionsFrom(search: string): MockOptions {
  const params = new URLSearchParams(search);
  return { extra: Number(params.get("extra") ?? 400), open: params.has("open"), delay: Number(params.get("delay") ?? 0), growMs: Number(params.get("grow") ?? 0) };
}

function groupByStream(log: readonly MockEvent[]): Map<string, MockEvent[]> {
  const streams = new Map<string, MockEvent[]>();
  for (const event of log) {
    const events = streams.get(event.stream);
    if (events) events.push(event);
    else streams.set(event.stream, [event]);
  }
  return streams;
}

function matches(event: MockEvent, query: EventQuery): boolean {
  const backwards = query.direction === "backwards";
  return (
    (query.stream === null || event.stream === query.stream) &&
    (query.category === null || event.category === query.category) &&
    (query.type === null || event.type === query.type) &&
    (query.actor === null || event.actor === query.actor) &&
    (query.correlation === null || event.correlation === query.correlation) &&
    (query.from === null || compareInstants(event.time, query.from) >= 0) &&
    (query.to === null || compareInstants(event.time, query.to) <= 0) &&
    (query.known === null || event.position <= query.known) &&
    (query.after === null || (backwards ? event.position < query.after : event.position > query.after))
  );
}

function streamMatches(events: MockEvent[], query: Commands["streams"]["args"]["query"]): boolean {
  const first = events[0];
  if (!first) return false;
  return (
    (query.category === null || first.category === query.category) &&
    (query.match === null || first.stream.toLowerCase().includes(query.match.toLowerCase())) &&
    events.some((event) => isThen(event, query))
  );
}

/** Had happened, and was known. */
function isThen(event: MockEvent, then: { at: string | null; known: number | null }): boolean {
  return (then.at === null || compareInstants(event.time, then.at) <= 0) && (then.known === null || event.position <= then.known);
}

function streamRow(all: MockEvent[], then: { at: string | null; known: number | null } = { at: null, known: null }) {
  const events = all.filter((event) => then.known === null || event.position <= then.known);
  const [first, last] = [events[0], events.at(-1)];
  const count = events.filter((event) => isThen(event, then)).length;
  return { stream: first?.stream ?? "", category: first?.category ?? "", events: count, first_time: first?.time ?? "", last_time: last?.time ?? "" };
}

export function tally(names: readonly string[]): { name: string; events: number }[] {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, events]) => ({ name, events })).sort((a, b) => b.events - a.events || (a.name < b.name ? -1 : 1));
}

function density(events: readonly MockEvent[], slices: number) {
  const times = events.map((event) => parseInstant(event.time) ?? 0n);
  if (times.length === 0) return { from: null, to: null, counts: [], events: 0 };
  const from = times.reduce((a, b) => (a < b ? a : b));
  const to = times.reduce((a, b) => (a > b ? a : b));
  const span = to - from + 1n;
  const counts = new Array<number>(slices).fill(0);
  for (const time of times) {
    const slice = Number(((time - from) * BigInt(slices)) / span);
    counts[slice] = (counts[slice] ?? 0) + 1;
  }
  return { from: formatInstant(from), to: formatInstant(to), counts, events: events.length };
}
