/** What a reader asks about a value, as an address holds it. */

import type { EditArgs } from "$lib/bindings/EditArgs";
import { parseJson, writeJson, type Json } from "./json";
import { inline } from "./tree";
import type { Params } from "./route";

/** The panel beside the state. */
export const SIDES = ["diff", "why", "history", "whatif", "related"] as const;
export type Side = (typeof SIDES)[number];

/** Stands for the whole state, whose path is empty; a member of that name has the path `["$"]`. */
const WHOLE = "$";

export function pathToParam(path: string): string {
  return path === "" ? WHOLE : path;
}

/** The path that an address asks about; `null`: none. */
export function pathFromParams(params: Params): string | null {
  const text = params["why"];
  return text === undefined ? null : text === WHOLE ? "" : text;
}

/** The panel that an address shows: why, as soon as it names a value. */
export function sideFromParams(params: Params): Side {
  return SIDES.find((side) => side === params["side"]) ?? (params["why"] === undefined ? "diff" : "why");
}

/** What a value is called. */
export function pathWords(path: string): string {
  return path === "" ? "the whole state" : path;
}

/** Events left out and events given another payload, to see what follows. */
export interface Trial {
  without: readonly number[];
  edits: readonly EditArgs[];
}

export function isEmpty(trial: Trial): boolean {
  return trial.without.length + trial.edits.length === 0;
}

/** Reads a trial from an address; what cannot be read is left away. */
export function trialFromParams(params: Params): Trial {
  const without = (params["without"] ?? "").split(",").filter((text) => /^[1-9]\d{0,14}$/.test(text)).map(Number);
  return { without: [...new Set(without)].sort((a, b) => a - b), edits: editsFrom(params["edits"]) };
}

function editsFrom(text: string | undefined): EditArgs[] {
  if (text === undefined) return [];
  try {
    const rows = parseJson(text);
    if (!Array.isArray(rows)) return [];
    return rows.flatMap((row) => {
      const [position, json] = Array.isArray(row) ? row : [];
      return typeof position === "number" && Number.isSafeInteger(position) && position > 0 && typeof json === "string" ? [{ position, json }] : [];
    });
  } catch {
    return [];
  }
}

/** Writes it into an address. */
export function trialToParams(trial: Trial): { without: string | null; edits: string | null } {
  const edits = trial.edits.map(({ position, json }): Json => [position, json]);
  return { without: trial.without.length ? trial.without.join(",") : null, edits: edits.length ? writeJson(edits) : null };
}

/** Leaves an event out, whatever was tried with it before. */
export function leaveOut(trial: Trial, position: number): Trial {
  const rest = putBack(trial, position);
  return { ...rest, without: [...rest.without, position].sort((a, b) => a - b) };
}

/** Gives an event another payload, JSON text. */
export function edit(trial: Trial, position: number, json: string): Trial {
  const rest = putBack(trial, position);
  return { ...rest, edits: [...rest.edits, { position, json }].sort((a, b) => a.position - b.position) };
}

/** Takes an event as recorded again. */
export function putBack(trial: Trial, position: number): Trial {
  return { without: trial.without.filter((other) => other !== position), edits: trial.edits.filter((other) => other.position !== position) };
}

/** What an event did to a number, in one short text: `+500.00`, `-50.00`, `= 0.00` where it was set anew. */
export function deltaText(delta: unknown, sets: boolean): string {
  if (delta === null || delta === undefined) return "";
  const text = inline(delta as Json);
  if (sets) return `= ${text}`;
  return text.startsWith("-") ? text : `+${text}`;
}

/** Streams pinned beside the one that is open, at the same instant. */
const PINS = ["pin", "pin2"] as const;
export const MOST_PINS = PINS.length;

export function pinsFromParams(params: Params): string[] {
  return [...new Set(PINS.flatMap((name) => params[name] ?? []))];
}

export function pinsToParams(pins: readonly string[]): Record<(typeof PINS)[number], string | null> {
  return { pin: pins[0] ?? null, pin2: pins[1] ?? null };
}
