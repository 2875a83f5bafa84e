/** The fields of a JSON record that a mapping can point at: each leaf with its path, as templates write it. */

import { ExactNumber, JsonObject, parseJson, type Json } from "./json";

export interface Field {
  /** Names with points between; `{path}` is its template. */
  path: string;
  /** The value in a word: for the reader, not for the import. */
  value: string;
}

/** Fields of a record that are offered. */
export const MOST_FIELDS = 200;
/** Characters of a value shown. */
const GLANCE = 120;
const PLAIN = /^[\p{L}\p{N}_@$-]+$/u;

/** The leaves of a record, in its order; `null` where the text is no JSON object. */
export function fieldsOf(text: string): Field[] | null {
  let record: Json;
  try {
    record = parseJson(text);
  } catch {
    return null;
  }
  if (record === null || typeof record !== "object" || Array.isArray(record) || record instanceof ExactNumber) return null;
  const fields: Field[] = [];
  walk(record, "", fields);
  return fields.slice(0, MOST_FIELDS);
}

function walk(value: Json, path: string, into: Field[]): void {
  if (into.length > MOST_FIELDS) return;
  const entries = entriesOf(value);
  if (entries === null || entries.length === 0) {
    into.push({ path, value: glance(value) });
    return;
  }
  for (const [name, inner] of entries) walk(inner, path === "" ? step(name) : `${path}.${step(name)}`, into);
}

function entriesOf(value: Json): (readonly [string, Json])[] | null {
  if (value === null || typeof value !== "object" || value instanceof ExactNumber) return null;
  if (Array.isArray(value)) return value.map((item, i) => [String(i), item] as const);
  if (value instanceof JsonObject) return [...value.entries];
  return Object.entries(value);
}

/** A name as a step of a path: in quotes where it has a point or a blank in it. */
function step(name: string): string {
  return PLAIN.test(name) ? name : `"${name.replace(/"/g, "")}"`;
}

function glance(value: Json): string {
  if (value === null) return "null";
  if (typeof value === "string") return value.slice(0, GLANCE);
  if (Array.isArray(value)) return "[]";
  if (typeof value === "object" && !(value instanceof ExactNumber)) return "{}";
  return String(value);
}
