/** SQL without an engine: one canned answer over the events, and the errors that a view has to show. */

import type { SavedQuery } from "$lib/bindings/SavedQuery";
import type { SqlArgs } from "$lib/bindings/SqlArgs";
import type { SqlExportView } from "$lib/bindings/SqlExportView";
import type { SqlSchemaView } from "$lib/bindings/SqlSchemaView";
import type { SqlTable } from "$lib/bindings/SqlTable";
import type { SqlView } from "$lib/bindings/SqlView";
import { ExactNumber } from "$lib/model/json";
import { HostError } from "../errors";
import type { MockEvent } from "./data";

const table = (name: string, holds: string, args: string[], columns: Record<string, string>, category: string | null = null): SqlTable => ({
  name,
  holds,
  arguments: args,
  required: 0,
  columns: Object.entries(columns).map(([column, kind]) => ({ name: column, kind, field: category === null ? null : column })),
  category,
  model: category,
  sampled: category === null ? null : 1,
  streams: category === null ? null : 1,
});

export class MockSql {
  private queries: SavedQuery[] = [{ name: "balances", sql: "SELECT stream, balance\nFROM account_at(:at)\n" }];

  schema(): SqlSchemaView {
    return {
      tables: [
        table("events", "an event", [], { position: "integer", stream: "text", type: "text", time: "instant", actor: "text", data: "json" }),
        table("streams", "a stream; with an instant those that had begun, and how many events they had", ["at", "known"], { stream: "text", category: "text", events: "integer" }),
        table("account_at", "a stream's state as of then, its fields as columns", ["at", "known"], { stream: "text", version: "integer", last_time: "instant", balance: "decimal", state: "json" }, "account"),
      ],
      functions: [{ call: "dec_sum(x)", gives: "the exact sum, over rows or in a window" }],
      more_categories: 0,
    };
  }

  ask(args: SqlArgs, log: readonly MockEvent[]): SqlView {
    if (!/^\s*(select|with)\b/i.test(args.sql)) throw new HostError("bad_input", "only reading is allowed: this would delete", "Begin with SELECT or WITH.");
    const misspelt = /\bstatu\b/.exec(args.sql);
    if (misspelt) throw new HostError("bad_input", `line 1, column ${misspelt.index + 1}: no such column: statu`, "Did you mean status?");
    const limit = args.limit ?? 1_000;
    const rows = log.slice(0, limit).map((event) => [event.position, event.stream, event.type, event.time, new ExactNumber(`${event.position}.50`), JSON.stringify({ note: "a value that is longer than its column", n: event.position })]);
    return {
      sql: args.sql,
      columns: ["position", "stream", "type", "time", "amount", "state"].map((name, i) => ({ name, kind: ["integer", "text", "text", "instant", "decimal", "json"][i] ?? null })),
      rows,
      limit,
      end: log.length > limit ? "rows" : "whole",
      known: log.length,
      zone: args.zone,
      readings: [{ table: "account_at", at: args.at, known: log.length, reading: args.at === null ? null : "end of 2024-01-10 (UTC)" }],
      readings_count: 1,
      events_examined: log.length,
      from_index: [],
      findings: args.sql.includes("*") ? [] : [{ kind: "not_exact", severity: "notice", count: 1, place: {}, detail: "sum() met decimals and added them exactly, as dec_sum does" }],
    };
  }

  export(args: SqlArgs, file: string, log: readonly MockEvent[]): SqlExportView {
    const form = /\.(csv|jsonl|xlsx)$/.exec(file)?.[1] as SqlExportView["form"] | undefined;
    if (form === undefined) throw new HostError("bad_input", `${file} names no form`, "End the file's name with .csv, .jsonl or .xlsx.");
    const { sql, columns, known, zone, readings, readings_count, events_examined, from_index, findings } = this.ask({ ...args, limit: log.length }, log);
    return { file, form, bytes: 48_213, sha256: "5d".repeat(32), sql, columns, rows: log.length, known, zone, readings, readings_count, events_examined, from_index, findings, left_out: [] };
  }

  saved(): { folder: string; queries: SavedQuery[] } {
    return { folder: "/home/you/Annals/guide.annals.d/queries", queries: this.queries };
  }

  save({ name, sql, replace }: { name: string; sql: string; replace: boolean }): SavedQuery {
    if (!replace && this.queries.some((query) => query.name === name)) throw new HostError("exists", `there is a query ${name} already`, "Choose another name, or replace it.");
    const saved = { name, sql };
    this.queries = [...this.queries.filter((query) => query.name !== name), saved].sort((a, b) => (a.name < b.name ? -1 : 1));
    return saved;
  }

  delete(name: string): null {
    this.queries = this.queries.filter((query) => query.name !== name);
    return null;
  }
}
