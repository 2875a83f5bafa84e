/** A JSON value as the rows of a tree, with the paths that changed marked. */

import type { Change } from "$lib/bindings/Change";
import { entriesOf, ExactNumber, writeJson, type Json } from "./json";

export type Kind = "string" | "number" | "boolean" | "null" | "array" | "object";
export type Mark = "added" | "removed" | "changed" | "inside";

export interface TreeRow {
  path: string;
  depth: number;
  key: string;
  kind: Kind;
  /** A leaf's value as text; of a container how many members it has. */
  text: string;
  members: number;
  open: boolean;
  mark: Mark | null;
  /** What a changed leaf was before. */
  before: string | null;
  /** Members that are not drawn yet: a row that offers them. */
  more: number;
}

/** Members of one container drawn at first, and added by each "more". */
export const MEMBERS = 200;

export function kindOf(value: Json): Kind {
  if (value === null) return "null";
  if (typeof value === "string") return "string";
  if (typeof value === "boolean") return "boolean";
  if (typeof value === "number" || value instanceof ExactNumber) return "number";
  return Array.isArray(value) ? "array" : "object";
}

/** Path of a member, written as core writes it. */
export function childPath(parent: string, key: string | number): string {
  if (typeof key === "number") return `${parent}[${key}]`;
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(key)) return parent === "" ? key : `${parent}.${key}`;
  return `${parent}[${JSON.stringify(key)}]`;
}

/** A value in one line: leaves as they are, strings without quotes, containers as JSON. */
export function inline(value: Json | undefined): string {
  if (value === undefined) return "";
  return typeof value === "string" ? value : writeJson(value);
}

export interface TreeOptions {
  /** Containers that the reader opened or closed against the default. */
  toggled: ReadonlySet<string>;
  /** How many members of a container to draw, where it is not `MEMBERS`. */
  drawn: ReadonlyMap<string, number>;
  changes: readonly Change[];
}

/** A value of more members than this starts with its containers closed, except those that hold a change. */
export const OPEN_MEMBERS = 300;

/** Counts members at all depths, up to `limit`. */
function countMembers(value: Json, limit: number): number {
  let count = 0;
  const waiting: Json[] = [value];
  for (let item = waiting.pop(); item !== undefined && count <= limit; item = waiting.pop()) {
    const members = Array.isArray(item) ? item : (entriesOf(item)?.map(([, member]) => member) ?? []);
    count += members.length;
    if (count <= limit) waiting.push(...members);
  }
  return count;
}

export function treeRows(value: Json, options: TreeOptions): TreeRow[] {
  const large = countMembers(value, OPEN_MEMBERS) > OPEN_MEMBERS;
  const marks = new Map(options.changes.map((change) => [change.path, change]));
  const changed = options.changes.map((change) => change.path);
  const rows: TreeRow[] = [];

  const isInside = (path: string) =>
    changed.some((other) => other.length > path.length && other.startsWith(path) && /[.[]/.test(other[path.length] ?? ""));

  const add = (key: string, path: string, item: Json, depth: number, inherited: Mark | null) => {
    const kind = kindOf(item);
    const change = marks.get(path);
    const own: Mark | null = change?.kind ?? inherited;
    const members = kind === "array" ? (item as Json[]).length : (entriesOf(item)?.length ?? 0);
    const container = kind === "array" || kind === "object";
    const open = container && members > 0 && (!large || isInside(path)) !== options.toggled.has(path);
    rows.push({
      path, depth, key, kind, members, open,
      text: container ? "" : inline(item),
      mark: own ?? (container && isInside(path) ? "inside" : null),
      before: change?.kind === "changed" ? inline(change.before as Json) : null,
      more: 0,
    });
    if (open) addMembers(path, item, depth + 1, own === "added" ? "added" : null);
  };

  const addMembers = (path: string, item: Json, depth: number, inherited: Mark | null) => {
    const members: readonly (readonly [string | number, Json])[] = Array.isArray(item)
      ? item.map((member, index) => [index, member] as const)
      : (entriesOf(item) ?? []);
    const limit = options.drawn.get(path) ?? MEMBERS;
    for (const [key, member] of members.slice(0, limit)) {
      add(String(key), childPath(path, key), member, depth, inherited);
    }
    if (members.length > limit) rows.push(moreRow(path, depth, members.length - limit));
  };

  const kind = kindOf(value);
  if (kind === "object" || kind === "array") addMembers("", value, 0, marks.get("")?.kind === "added" ? "added" : null);
  else add("", "", value, 0, null);
  for (const change of options.changes) if (change.kind === "removed" && change.path !== "") rows.push(removedRow(change));
  return rows;
}

function moreRow(path: string, depth: number, more: number): TreeRow {
  return { path, depth, key: "", kind: "null", text: "", members: 0, open: false, mark: null, before: null, more };
}

function removedRow(change: Change): TreeRow {
  const value = (change.before ?? null) as Json;
  return {
    path: change.path, depth: 0, key: change.path, kind: kindOf(value), text: inline(value),
    members: 0, open: false, mark: "removed", before: null, more: 0,
  };
}
