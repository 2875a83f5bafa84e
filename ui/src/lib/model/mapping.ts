/**
 * Changing a mapping by pointing at columns: what a column is for, and what changes when it gets another use.
 *
 * A place of the event takes a template, text with columns in braces. A use given by pointing is the template of
 * that column alone; templates that join columns or add text are typed.
 */

import type { ColumnKind } from "$lib/bindings/ColumnKind";
import type { ColumnMapping } from "$lib/bindings/ColumnMapping";
import type { EventMapping } from "$lib/bindings/EventMapping";
import type { Mapping } from "$lib/bindings/Mapping";

export type Place = keyof EventMapping;

/** Places in the order shown, with the words for them. */
export const PLACES: readonly { place: Place; label: string; what: string }[] = [
  { place: "stream", label: "Stream", what: "whose history it belongs to" },
  { place: "type", label: "Type", what: "what happened" },
  { place: "time", label: "Time", what: "when it happened" },
  { place: "actor", label: "Actor", what: "who did it" },
  { place: "id", label: "Event id", what: "names the event" },
  { place: "correlation", label: "Correlation", what: "ties events of one business transaction" },
  { place: "causation", label: "Causation", what: "the event that caused it" },
  { place: "reason", label: "Reason", what: "why it happened" },
  { place: "version", label: "Version", what: "the source's number in its stream" },
  { place: "category", label: "Category", what: "kind of aggregate" },
];

/** What a column can be used for. */
export type Use = { kind: "place"; place: Place } | { kind: "data"; cells: ColumnKind } | { kind: "metadata" } | { kind: "none" };

/** The template that is a column and nothing else. */
export function columnTemplate(name: string): string {
  return `{${name.replace(/[\\{}]/g, (character) => `\\${character}`)}}`;
}

/** Places whose template is this column and nothing else; `joined` are those where it stands among other things. */
export function placesOf(mapping: Mapping, name: string): { alone: Place[]; joined: Place[] } {
  const template = columnTemplate(name);
  const alone: Place[] = [];
  const joined: Place[] = [];
  for (const { place } of PLACES) {
    const text = mapping.event[place] ?? "";
    if (text === template) alone.push(place);
    else if (text.includes(template)) joined.push(place);
  }
  return { alone, joined };
}

function columnOf(mapping: Mapping, name: string): ColumnMapping {
  return mapping.columns.find((column) => column.name === name) ?? { name, into: "data", kind: "text" };
}

/** What the column is used for beside the places that name it. */
export function keptAs(mapping: Mapping, name: string): Use {
  const column = columnOf(mapping, name);
  if (column.into === "data") return { kind: "data", cells: column.kind };
  return column.into === "metadata" ? { kind: "metadata" } : { kind: "none" };
}

/** Gives a column another use. It leaves the places that it filled alone; a place that it takes is its own. */
export function assign(mapping: Mapping, name: string, use: Use): Mapping {
  const event: EventMapping = { ...mapping.event };
  for (const place of placesOf(mapping, name).alone) event[place] = "";
  const column = { ...columnOf(mapping, name) };
  if (use.kind === "place") {
    event[use.place] = columnTemplate(name);
    // what a place holds need not stand in the data once more
    column.into = "none";
  } else {
    column.into = use.kind;
    if (use.kind === "data") column.kind = use.cells;
  }
  const others = mapping.columns.filter((other) => other.name !== name);
  const at = mapping.columns.findIndex((other) => other.name === name);
  const columns = at < 0 ? [...others, column] : mapping.columns.map((other) => (other.name === name ? column : other));
  return { ...mapping, event, columns };
}

/** The use in a word or two: for the head of a column. */
export function wordsOf(mapping: Mapping, name: string): string[] {
  const { alone, joined } = placesOf(mapping, name);
  const label = (place: Place) => PLACES.find((known) => known.place === place)?.label.toLowerCase() ?? place;
  const words = [...alone.map(label), ...joined.map((place) => `part of ${label(place)}`)];
  const kept = keptAs(mapping, name);
  if (kept.kind === "data") words.push(words.length > 0 ? "also in data" : kept.cells);
  else if (kept.kind === "metadata") words.push("metadata");
  else if (words.length === 0) words.push("left out");
  return words;
}

/** Characters between cells, with words for those that one cannot see. */
export const DELIMITERS: readonly { character: string; label: string }[] = [
  { character: ",", label: "comma  ," },
  { character: ";", label: "semicolon  ;" },
  { character: "\t", label: "tab" },
  { character: "|", label: "bar  |" },
  { character: " ", label: "space" },
  { character: ":", label: "colon  :" },
];

/** Formats of times that are offered; any other can be typed. */
export const TIME_FORMATS: readonly { format: string; example: string }[] = [
  { format: "auto", example: "ISO 8601, RFC 3339, numbers since 1970" },
  { format: "%d.%m.%Y %H:%M:%S", example: "31.12.2024 23:59:59" },
  { format: "%d.%m.%Y %H:%M", example: "31.12.2024 23:59" },
  { format: "%d.%m.%Y", example: "31.12.2024" },
  { format: "%d/%m/%Y %H:%M:%S", example: "31/12/2024 23:59:59" },
  { format: "%d/%m/%Y", example: "31/12/2024" },
  { format: "%m/%d/%Y %H:%M:%S", example: "12/31/2024 23:59:59" },
  { format: "%m/%d/%Y %I:%M %p", example: "12/31/2024 11:59 PM" },
  { format: "%m/%d/%Y", example: "12/31/2024" },
  { format: "%Y-%m-%d %H:%M:%S", example: "2024-12-31 23:59:59" },
  { format: "%Y%m%d%H%M%S", example: "20241231235959" },
  { format: "epoch s", example: "1735689599" },
  { format: "epoch ms", example: "1735689599000" },
];
