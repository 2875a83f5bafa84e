/** The mock's views of its log. */

import type { MockEvent } from "./data";

const HASH = "c51f6a0c2f1b9a1c7d0f33e1a7f0b6ad4e8c9b6c2a1d5f7e903b8844aa10e9d2";

export function brief(event: MockEvent) {
  return { position: event.position, stream: event.stream, version: event.version, type: event.type, time: event.time };
}

export function eventView(event: MockEvent) {
  const { dataText: _, ...view } = event;
  return { ...view, time_text: event.time.replace("Z", "+00:00"), date_only: false, source: "guide.jsonl", source_id: event.id };
}

export function detailView(event: MockEvent, log: readonly MockEvent[], streams: ReadonlyMap<string, MockEvent[]>) {
  const own = streams.get(event.stream) ?? [];
  const correlated = event.correlation === null ? [] : log.filter((other) => other.correlation === event.correlation);
  const [previous, next] = [own[event.version - 2], own[event.version]];
  return {
    event: eventView(event),
    leaf: HASH.split("").reverse().join(""),
    data_type: "application/json",
    data_text: event.dataText,
    data_hex: null,
    data_len: new TextEncoder().encode(event.dataText).length,
    metadata_type: "application/json",
    metadata_text: JSON.stringify(event.metadata),
    links: [],
    objects: objectsOf(event),
    previous_in_stream: previous ? brief(previous) : null,
    next_in_stream: next ? brief(next) : null,
    correlated: correlated.filter((other) => other !== event).slice(0, 200).map(brief),
    correlated_count: correlated.length,
    findings: [],
  };
}

/** Every event of the mock log has one qualifier and its customer as a second object, so that there is something to see. */
function objectsOf(event: MockEvent) {
  const home = { object: event.stream, type: event.category, qualifier: "", version: event.version, home: true };
  if (event.category !== "order") return [home];
  return [{ ...home, qualifier: "order" }, { object: "user-123", type: "user", qualifier: "placed by", version: event.version, home: false }];
}

export function objectView(object: string, at: string | null, known: number | null, own: readonly MockEvent[]) {
  const events = own.filter((event) => (at === null || event.time <= at) && (known === null || event.position <= known));
  return {
    object,
    type: own[0]?.category ?? "",
    as_of: { at, known },
    relationships: [{ objectId: "user-123", qualifier: "placed by" }],
    attributes: [
      {
        name: "price",
        values: [
          { since: null, position: own[0]?.position ?? 1, value: 103.47 },
          { since: own[0]?.time ?? null, position: own[0]?.position ?? 1, value: 105.47 },
        ],
        values_count: 2,
      },
    ],
    events: events.map((event) => ({ position: event.position, version: event.version, type: event.type, time: event.time, date_only: false, stream: event.stream, qualifier: "", actor: event.actor })),
    events_count: events.length,
    next: null,
    events_in_stream: own.length,
  };
}

export function infoView(log: readonly MockEvent[], streams: ReadonlyMap<string, MockEvent[]>) {
  const categories = new Map<string, { streams: number; events: number }>();
  const types = new Map<string, number>();
  for (const events of streams.values()) {
    const row = categories.get(events[0]?.category ?? "") ?? { streams: 0, events: 0 };
    categories.set(events[0]?.category ?? "", { streams: row.streams + 1, events: row.events + events.length });
  }
  for (const event of log) types.set(event.type, (types.get(event.type) ?? 0) + 1);
  return {
    id: "0190f2f4-7a3c-7b61-9f0e-3d8c2f6b1a55",
    format: 1,
    events: log.length,
    streams: streams.size,
    actors: new Set(log.map((event) => event.actor).filter((actor) => actor !== null)).size,
    categories: [...categories].map(([name, row]) => ({ name, ...row })).sort((a, b) => b.events - a.events),
    types: [...types].map(([name, events]) => ({ name, events })).sort((a, b) => b.events - a.events),
    categories_count: categories.size,
    types_count: types.size,
    first_time: log[0]?.time ?? null,
    last_time: log.at(-1)?.time ?? null,
    last_recorded_at: "2026-11-23T18:00:00Z",
    tree_size: log.length,
    root: HASH,
    access: "read_only",
    file_bytes: 1_482_752,
  };
}

export function openView(log: readonly MockEvent[], streams: ReadonlyMap<string, MockEvent[]>) {
  return { path: "/home/you/Annals/guide.annals", info: infoView(log, streams), models: ["account", "order"], model_errors: [] };
}
