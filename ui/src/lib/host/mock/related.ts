/** The mock's related streams, causes and lanes: by correlation only. To draw, not to trust. */

import type { LateView } from "$lib/bindings/LateView";
import type { RelatedArgs } from "$lib/bindings/RelatedArgs";
import type { RelatedView } from "$lib/bindings/RelatedView";
import { compareInstants } from "$lib/model/instant";
import { HostError } from "../errors";
import type { MockEvent } from "./data";
import { brief } from "./views";

export function related(log: readonly MockEvent[], args: RelatedArgs): RelatedView {
  const asked = args.position === undefined ? null : log[args.position - 1];
  if (asked === undefined) throw new HostError("no_event", `there is no event at position ${args.position}`);
  const stream = asked?.stream ?? args.stream ?? "";
  const visible = log.filter((event) => args.at === undefined || compareInstants(event.time, args.at) <= 0);
  const own = visible.filter((event) => (asked ? event === asked : event.stream === stream));
  const ids = [...new Set(own.flatMap((event) => event.correlation ?? []))];
  const of = (id: string) => visible.filter((event) => event.correlation === id);
  const others = [...new Set(ids.flatMap((id) => of(id).map((event) => event.stream)))].filter((name) => name !== stream);
  const chain = asked?.correlation ? of(asked.correlation) : asked ? [asked] : [];
  const at = chain.findIndex((event) => event === asked);
  return {
    stream,
    event: asked ? brief(asked) : null,
    as_of: { at: args.at ?? null, known: null },
    streams: others.map((name) => ({
      stream: name,
      category: name.split("-")[0] ?? name,
      version: visible.filter((event) => event.stream === name).length,
      events: log.filter((event) => event.stream === name).length,
      ties: ids.flatMap((id) => of(id).filter((event) => event.stream === name).slice(0, 1).map((event) => ({ kind: "correlation" as const, value: id, position: event.position }))),
    })),
    streams_count: others.length,
    causation: asked
      ? {
          nodes: chain.map((event, i) => {
            const cause = i === 0 ? null : (chain[i === chain.length - 1 ? 0 : i === 2 ? 0 : i - 1]?.position ?? null);
            return { event: brief(event), actor: event.actor, cause, causation: i === 0 ? "cmd-def456" : null, edge: i === 0 ? ("outside" as const) : i % 2 ? ("recorded" as const) : ("inferred" as const), depth: i - at };
          }),
          not_looked_at: 0,
        }
      : null,
    correlations: ids.map((id) => ({
      correlation: id,
      lanes: [...new Set(of(id).map((event) => event.stream))].map((name) => ({ stream: name, events: of(id).filter((event) => event.stream === name).map(brief) })),
      events_count: of(id).length,
      shown: of(id).length,
    })),
    searched: { own_events: own.length, own_events_count: own.length, correlated_events: ids.flatMap(of).length, values: 21, naming_events: 0, naming_reach: { searched_to: log.length, head: log.length, complete: true }, not_searched: ["payloads: the mock has no text index"] },
  };
}

export function late(log: readonly MockEvent[], stream: string | null): LateView {
  const events = log.filter((event) => stream === null || event.stream === stream);
  const found = events.flatMap((event) => {
    const before = events.find((other) => other.stream === event.stream && other.version < event.version && compareInstants(other.time, event.time) > 0);
    return before ? [{ event: brief(event), recorded_at: event.recorded_at, source_recorded_at: null, before: brief(before), back_dated: false }] : [];
  });
  return { stream, events: found, events_count: found.length, back_dated_count: 0, looked_at: events.length };
}
