/** How the mock's projections stand: one that is kept up, one that stopped, one whose runner died, one that is wrong. */

import type { ProjectionDoArgs } from "$lib/bindings/ProjectionDoArgs";
import type { ProjectionStatus } from "$lib/bindings/ProjectionStatus";
import type { RebuildArgs } from "$lib/bindings/RebuildArgs";
import type { RebuildView } from "$lib/bindings/RebuildView";
import type { StatusView } from "$lib/bindings/StatusView";

const one = (changes: Partial<ProjectionStatus> & { name: string }): ProjectionStatus => ({
  strategy: "async",
  checkpoint: 0,
  head: 0,
  lag_events: null,
  stale_for_ms: null,
  state: "idle",
  faults: 0,
  events_per_second: 0,
  documents: 0,
  stopped_at: null,
  fault_list: [],
  has_old: false,
  note: null,
  model: { name: changes.name, hash: "6e".repeat(32), inferred: false },
  ...changes,
});

export class MockProjections {
  private rows: ProjectionStatus[] = [
    one({ name: "accounts", strategy: "sync", state: "running", lag_events: 0, events_per_second: 182_400, documents: 1 }),
    one({ name: "risk", checkpoint: 3, state: "stopped", lag_events: 9, stale_for_ms: 754_000, faults: 1, events_per_second: 90_000, documents: 2, stopped_at: 4, fault_list: [{ position: 4, key: "account-12345", kind: "expression_failed", detail: "MoneyDeposited: total: data.amount: \"x\" is no number" }] }),
    one({ name: "sales-dashboard", state: "dead", stale_for_ms: 65_000, events_per_second: 143_000, documents: 31 }),
    one({ name: "wrong.toml", strategy: null, state: "broken", model: null, note: "wrong.toml:3:8: unknown operation" }),
  ];

  status(head: number): StatusView {
    const rows = this.rows.map((row) => ({ ...row, head, checkpoint: row.state === "stopped" ? 3 : row.state === "broken" ? 0 : head }));
    return { projections: rows, notes: [], reads: { hits: 0, misses: 0, hit_percent: 0, answers: 0, bytes: 0 } };
  }

  act({ name, deed }: ProjectionDoArgs, head: number): StatusView {
    const state = deed === "pause" ? "paused" : "idle";
    this.rows = this.rows.map((row) => (row.name === name ? { ...row, state, stopped_at: null, stale_for_ms: null, lag_events: null, has_old: deed === "roll_back" || row.has_old } : row));
    return this.status(head);
  }

  rebuild({ name, switch: into }: RebuildArgs, head: number): RebuildView {
    this.rows = this.rows.map((row) => (row.name === name ? { ...row, has_old: row.has_old || into } : row));
    return { projection: name, position: head, documents: 1, documents_before: 1, differences_count: 0, differences: [], switched: into, events_per_second: 182_400 };
  }
}
