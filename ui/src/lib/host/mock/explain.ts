/** The mock's why, history and what-if: a replay with a look at one path around each event. To draw, not to trust. */

import type { Contribution } from "$lib/bindings/Contribution";
import type { HistoryView } from "$lib/bindings/HistoryView";
import type { StateView } from "$lib/bindings/StateView";
import type { ValueSpan } from "$lib/bindings/ValueSpan";
import type { WhatIfArgs } from "$lib/bindings/WhatIfArgs";
import type { WhatIfView } from "$lib/bindings/WhatIfView";
import type { WhyView } from "$lib/bindings/WhyView";
import { entriesOf, ExactNumber, parseJson, type Json } from "$lib/model/json";
import { childPath, inline, kindOf } from "$lib/model/tree";
import { HostError } from "../errors";
import type { MockEvent } from "./data";
import { changesBetween, fold, toCents } from "./fold";
import { brief } from "./views";

interface Step {
  event: MockEvent;
  before: Json | undefined;
  after: Json | undefined;
}

/** The value at a path, or what is found on the way to nowhere. */
function at(state: Json | null, path: string): Json | undefined {
  if (path === "") return state ?? undefined;
  const walk = (value: Json, prefix: string): Json | undefined => {
    if (prefix === path) return value;
    const members: readonly (readonly [string | number, Json])[] = Array.isArray(value) ? value.map((item, i) => [i, item] as const) : (entriesOf(value) ?? []);
    for (const [key, member] of members) {
      const found = walk(member, childPath(prefix, key));
      if (found !== undefined) return found;
    }
    return undefined;
  };
  return state === null ? undefined : walk(state, "");
}

function steps(events: readonly MockEvent[], path: string): Step[] {
  const all = events.map((event, i) => ({ event, before: at(fold(events.slice(0, i)), path), after: at(fold(events.slice(0, i + 1)), path) }));
  return all.filter((step) => inline(step.before) !== inline(step.after) || (step.before === undefined) !== (step.after === undefined));
}

const reason = (event: MockEvent) => {
  const told = (entriesOf(event.data) ?? []).find(([key]) => key === "reason")?.[1];
  return typeof told === "string" ? told : null;
};
const isAmount = (event: MockEvent) => event.category === "account" && event.type !== "AccountOpened";

function rule(event: MockEvent, path: string) {
  if (path !== "balance") {
    const member = `new${path.slice(0, 1).toUpperCase()}${path.slice(1)}`;
    const field = (entriesOf(event.data) ?? []).find(([key]) => key === path || key === member);
    return { operation: "set", expression: event.category === "account" && field ? `data.${field[0]}` : null, fields: field ? [{ path: `data.${field[0]}`, value: field[1] }] : [] };
  }
  const amount = (entriesOf(event.data) ?? []).find(([key]) => key === (isAmount(event) ? "amount" : "initialBalance"));
  return { operation: !isAmount(event) ? "set" : event.type === "DepositMade" ? "add" : "sub", expression: `data.${amount?.[0]}`, fields: [{ path: `data.${amount?.[0]}`, value: amount?.[1] ?? null }] };
}

function difference(before: Json | undefined, after: Json | undefined): number | null {
  const cents = toCents(after) - toCents(before);
  const abs = cents < 0n ? -cents : cents;
  // stands for a number on the wire, where its text is what counts
  return new ExactNumber(`${cents < 0n ? "-" : ""}${abs / 100n}.${String(abs % 100n).padStart(2, "0")}`) as unknown as number;
}

export function why(state: StateView, events: readonly MockEvent[], path: string): WhyView {
  const { stream, category, model, as_of, version, events_folded, events_failed, events_in_stream, incomplete, findings } = state;
  const looked = { stream, category, path, model, as_of, version, events_folded, events_failed, events_in_stream, incomplete, findings };
  const none = { set_by: null, confirmed: 0, last_confirmed: null, contributions: [], contributions_count: 0, earlier: null, sum: null, operation: "", expression: null, guard: null, fields: [] };
  if (events.length === 0) return { ...looked, ...none, kind: "nothing", value: null };
  const found = steps(events, path);
  const last = found.at(-1);
  if (!last) throw new HostError("bad_input", `the state never had ${path}`);
  const value = last.after;
  const isNumber = value !== undefined && kindOf(value) === "number";
  const counted = isNumber && path === "balance" ? found : [last];
  const contributions = counted.map(({ event, before, after }): Contribution => ({
    position: event.position,
    version: event.version,
    type: event.type,
    time: event.time,
    actor: event.actor,
    reason: reason(event),
    before: before ?? null,
    after: after ?? null,
    delta: isNumber ? (event === counted[0]?.event ? ((after ?? null) as number | null) : difference(before, after)) : null,
    sets: event === counted[0]?.event,
    ...rule(event, path),
  }));
  return {
    ...looked,
    kind: value === undefined ? "gone" : isNumber ? "number" : Array.isArray(value) ? "list" : entriesOf(value) ? "object" : "value",
    value: value ?? null,
    set_by: {
      position: last.event.position,
      version: last.event.version,
      id: last.event.id,
      type: last.event.type,
      time: last.event.time,
      recorded_at: last.event.recorded_at,
      who: last.event.actor === null ? null : { value: last.event.actor, from: "metadata.userId" },
      why: reason(last.event) === null ? null : { value: reason(last.event) ?? "", from: "data.reason" },
      ...(last.before === undefined ? {} : { before: last.before }),
    },
    confirmed: 0,
    last_confirmed: null,
    contributions,
    contributions_count: contributions.length,
    earlier: null,
    sum: isNumber ? (value as number) : null,
    guard: null,
    ...rule(last.event, path),
  };
}

export function history(state: StateView, events: readonly MockEvent[], path: string): HistoryView {
  const { stream, category, model, as_of, version, events_folded, events_failed, events_in_stream, incomplete, findings } = state;
  const found = steps(events, path);
  const values = found.map(({ event, after }, i): ValueSpan => ({
    value: after ?? null,
    present: after !== undefined,
    from: event.time,
    to: found[i + 1]?.event.time ?? null,
    position: event.position,
    version: event.version,
    to_version: found[i + 1]?.event.version ?? null,
    type: event.type,
    actor: event.actor,
    reason: reason(event),
    confirmed: 0,
    last_confirmed: null,
  }));
  return { stream, category, path, values, values_count: values.length, model, as_of, version, events_folded, events_failed, events_in_stream, incomplete, findings };
}

export function whatIf(state: StateView, events: readonly MockEvent[], args: WhatIfArgs): WhatIfView {
  const edited = new Map(args.edits.map(({ position, json }) => [position, json]));
  for (const position of [...args.without, ...edited.keys()]) {
    if (!events.some((event) => event.position === position)) throw new HostError("no_event", `position ${position} is no event of ${args.stream} at that moment`);
  }
  const tried = events
    .filter((event) => !args.without.includes(event.position))
    .map((event) => (edited.has(event.position) ? { ...event, data: parseJson(edited.get(event.position) ?? "null") } : event));
  const then = fold(tried);
  return {
    tried: events
      .filter((event) => args.without.includes(event.position) || edited.has(event.position))
      .map((event) => ({ event: brief(event), data: edited.has(event.position) ? parseJson(edited.get(event.position) ?? "null") : null })),
    diff: { stream: args.stream, from: state, to: { ...state, state: then, events_folded: tried.length }, changes: changesBetween((state.state ?? {}) as Json, then ?? {}) },
    follow_on: args.without.includes(1)
      ? [{ kind: "expression_failed", severity: "severe", count: 1, place: { stream: args.stream, version: 2, position: 3 }, detail: "there is no balance to add to." }]
      : [],
    follow_on_count: args.without.includes(1) ? 1 : 0,
    mended: [],
  };
}
