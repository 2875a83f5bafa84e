/** Statements and their answers in words: names, completion, cells, where an error stands. */

import type { SqlSchemaView } from "$lib/bindings/SqlSchemaView";
import type { SqlTable } from "$lib/bindings/SqlTable";
import type { SqlView } from "$lib/bindings/SqlView";
import { entriesOf, ExactNumber, writeJson, type Json } from "./json";

/** Keywords that completion offers. */
const KEYWORDS = "SELECT FROM WHERE GROUP BY HAVING ORDER LIMIT OFFSET DISTINCT AS JOIN LEFT USING ON AND OR NOT IN BETWEEN LIKE IS NULL CASE WHEN THEN ELSE END WITH UNION ALL EXCEPT INTERSECT DESC ASC COLLATE count min max sum avg group_concat coalesce strftime substr lower upper length".split(" ");

export interface Offered {
  label: string;
  detail: string;
  kind: "table" | "column" | "function" | "keyword";
}

/** Words that are no names unless they are quoted. */
const RESERVED = new Set("add all alter and as between case check collate commit constraint create cross default delete distinct drop else escape except exists foreign from full group having in index inner insert intersect into is isnull join left limit natural not nothing notnull null on or order outer primary references returning right rollback select set table then to transaction union unique update using values when where".split(" "));

/** A name as it stands in a statement. */
export function quoted(name: string): string {
  return /^[A-Za-z_]\w*$/.test(name) && !RESERVED.has(name.toLowerCase()) ? name : `"${name.replaceAll('"', '""')}"`;
}

/** How a table is written: `order_at(:at, :known)`. */
export function callOf(table: SqlTable): string {
  const name = quoted(table.name);
  if (table.arguments.length === 0) return name;
  const given = table.arguments.map((argument) => (argument === "at" || argument === "known" ? `:${argument}` : "''"));
  return table.required === 0 && table.name === "streams" ? name : `${name}(${given.join(", ")})`;
}

/** A first statement about a table. */
export function firstOf(table: SqlTable): string {
  return `SELECT *\nFROM ${callOf(table)}\nLIMIT 100`;
}

/** What completion offers: tables, their columns, functions, keywords, each once. */
export function offered(schema: SqlSchemaView | null): Offered[] {
  const words = new Map<string, Offered>();
  const offer = (word: Offered) => {
    if (!words.has(word.label)) words.set(word.label, word);
  };
  for (const table of schema?.tables ?? []) offer({ label: quoted(table.name), detail: table.arguments.length === 0 ? "table" : `(${table.arguments.join(", ")})`, kind: "table" });
  for (const table of schema?.tables ?? []) for (const column of table.columns) offer({ label: quoted(column.name), detail: column.kind, kind: "column" });
  for (const { call } of schema?.functions ?? []) for (const one of call.matchAll(/(\w+)\(([^)]*)\)/g)) offer({ label: one[1] ?? "", detail: `(${one[2] ?? ""})`, kind: "function" });
  for (const keyword of KEYWORDS) offer({ label: keyword, detail: "", kind: "keyword" });
  return [...words.values()];
}

/** A cell in one line. */
export function cellText(cell: unknown): string {
  const value = cell as Json;
  if (value === null) return "";
  if (typeof value === "string") return value;
  const hex = entriesOf(value)?.find(([key]) => key === "hex")?.[1];
  return typeof hex === "string" ? `x'${hex}'` : writeJson(value);
}

/** Whether a cell is a number, which stands at the right. */
export function isNumber(cell: unknown): boolean {
  return typeof cell === "number" || cell instanceof ExactNumber;
}

/** Where an error stands in the statement; `null` if it does not say. */
export function placeOfFault(message: string): { line: number; column: number; message: string } | null {
  const found = /^line (\d+), column (\d+): (.*)$/s.exec(message);
  return found ? { line: Number(found[1]), column: Number(found[2]), message: found[3] ?? "" } : null;
}

/** Widths of the columns in characters, from their names and first rows. */
export function widths(view: SqlView): number[] {
  const first = view.rows.slice(0, 200);
  return view.columns.map((column, at) => {
    const longest = first.reduce((most, row) => Math.max(most, cellText(row[at]).length), column.name.length);
    return Math.min(Math.max(longest, 4), 44);
  });
}
