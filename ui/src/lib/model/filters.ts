/** What the Events view asks for: filters <-> address <-> query <-> words. */

import type { EventQuery } from "$lib/bindings/EventQuery";
import type { StreamQuery } from "$lib/bindings/StreamQuery";
import { earlier, endOf, readable, startOf } from "./instant";
import { grouped } from "./numbers";
import type { Params } from "./route";

/** Filters by text, in the order shown. */
export const FIELDS = ["stream", "category", "type", "actor", "correlation"] as const;
export type Field = (typeof FIELDS)[number];

export interface EventFilter {
  fields: Partial<Record<Field, string>>;
  from: string | null;
  to: string | null;
  newestFirst: boolean;
}

export interface Chip {
  field: Field | "time" | "asof" | "known";
  label: string;
  value: string;
}

export function filterFrom(params: Params): EventFilter {
  const fields: Partial<Record<Field, string>> = {};
  for (const field of FIELDS) {
    const value = params[field];
    if (value) fields[field] = value;
  }
  const [from, to] = [params["from"], params["to"]];
  return { fields, from: from === undefined ? null : startOf(from, "UTC"), to: to === undefined ? null : endOf(to, "UTC"), newestFirst: params["order"] !== "oldest" };
}

/** Everything, oldest first. */
export const WHOLE_LOG: EventQuery = {
  stream: null,
  category: null,
  type: null,
  actor: null,
  correlation: null,
  from: null,
  to: null,
  known: null,
  direction: "forwards",
  after: null,
};

/** The query that the filter means as of `at` and `known`: nothing later than `at` is shown, nor what came after `known`. */
export function queryOf(filter: EventFilter, at: string | null, known: number | null = null): EventQuery {
  return {
    ...WHOLE_LOG,
    ...filter.fields,
    from: filter.from,
    to: earlier(filter.to, at),
    known,
    direction: filter.newestFirst ? "backwards" : "forwards",
  };
}

export function streamQuery(category: string | null, match: string, at: string | null, known: number | null = null): StreamQuery {
  return { category, match: match === "" ? null : match, at, known, after: null };
}

/** No condition at all. */
export function isWholeLog(query: EventQuery): boolean {
  const { direction: _, after: __, ...conditions } = query;
  return Object.values(conditions).every((value) => value === null);
}

/** The conditions as chips. */
export function chipsOf(filter: EventFilter, at: string | null, known: number | null = null): Chip[] {
  const chips: Chip[] = [];
  for (const field of FIELDS) {
    const value = filter.fields[field];
    if (value !== undefined) chips.push({ field, label: field, value });
  }
  if (filter.from !== null || filter.to !== null) {
    const value = `${filter.from ? readable(filter.from) : "start"} to ${filter.to ? readable(filter.to) : "end"}`;
    chips.push({ field: "time", label: "time", value });
  }
  if (at !== null) chips.push({ field: "asof", label: "as of", value: readable(at) });
  if (known !== null) chips.push({ field: "known", label: "known at position", value: grouped(known) });
  return chips;
}

/** The conditions as one phrase: `type OrderPlaced, actor admin`; empty for the whole log. */
export function phraseOf(filter: EventFilter, at: string | null, known: number | null = null): string {
  return chipsOf(filter, at, known)
    .map((chip) => `${chip.label} ${chip.value}`)
    .join(", ");
}
