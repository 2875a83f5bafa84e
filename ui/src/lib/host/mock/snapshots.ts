/** Snapshots of the mock's log: as many as a policy would have. */

import type { PolicyArgs } from "$lib/bindings/PolicyArgs";
import type { PolicyRow } from "$lib/bindings/PolicyRow";
import type { ForeignRow } from "$lib/bindings/ForeignRow";
import type { SnapshotImportArgs } from "$lib/bindings/SnapshotImportArgs";
import type { SnapshotRow } from "$lib/bindings/SnapshotRow";
import type { MockEvent } from "./data";

export class MockSnapshots {
  private policies: PolicyRow[] = [];
  private kept: SnapshotRow[] = [];
  private foreign: ForeignRow[] = [];

  rows = () => this.policies;

  set({ category, policy }: PolicyArgs): PolicyRow[] {
    this.policies = [...this.policies.filter((row) => row.category !== category), { category, policy }];
    return this.policies;
  }

  list() {
    return { snapshots: this.kept, snapshots_count: this.kept.length, bytes: this.kept.length * 280, foreign: this.foreign, file: "mock", notes: [] };
  }

  take(log: readonly MockEvent[]) {
    const wanted = new Set(this.policies.filter((row) => row.policy.strategy !== "none").map((row) => row.category));
    const due = log.filter((event) => (wanted.has(event.category) || wanted.has("*")) && event.version % 5 === 0);
    this.kept = due.map((event) => ({ stream: event.stream, version: event.version, position: event.position, time: event.time, model: event.category, current: true, bytes: 280 }));
    return { taken: this.kept, taken_count: due.length, gone_count: 0, streams: new Set(due.map((event) => event.stream)).size, events: log.length, own_time: [], known: log.length };
  }

  /** Two snapshots, of which one differs from what a replay gives. */
  import(log: readonly MockEvent[], { file, name }: SnapshotImportArgs) {
    const first = log[0];
    const called = name ?? file.replace(/^.*\//, "").replace(/\.[^.]*$/, "");
    this.foreign = [...this.foreign.filter((row) => row.name !== called), { name: called, snapshots: 2, bytes: 412, fault: null }];
    const changes = [{ path: "status", kind: "changed" as const, before: "Shipped", after: "Placed" }];
    const wrong = { claimant: file, stream: first?.stream ?? "order-789", version: 1, position: first?.position ?? null, outcome: "differs" as const, detail: "record 2: the replay gives another state", changes };
    const check = { file, wrong: [wrong], checked: 2, claimed: 2, same: 1, differs: 1, damaged: 0, stale: 0, untold: 0, unreadable: 0, dropped: 0, aggregates: 0, events: log.length, known: log.length, problems: true };
    return { name: called, kept: `mock.annals.d/snapshots/${called}.jsonl`, imported: 2, check };
  }

  verify(log: readonly MockEvent[]) {
    return { file: null, wrong: [], unreadable: 0, dropped: 0, claimed: 0, checked: this.kept.length, same: this.kept.length, differs: 0, damaged: 0, stale: 0, untold: 0, aggregates: 0, events: log.length, known: log.length, problems: false };
  }

  advise(log: readonly MockEvent[]) {
    const categories = [...new Set(log.map((event) => event.category))].map((category) => ({
      category,
      streams: 3,
      longest: `${category}-1`,
      longest_events: 1_204,
      above: [1, 1, 0] as [number, number, number],
      replay_us: 24_310,
      events_per_day: 12,
      reads: null,
      present: { strategy: "none" as const },
      advised: { strategy: "periodic" as const, every_events: 100 },
      reason: "the longest stream has 1204 events and takes 24.3 ms: above 1000 events they are recommended, and it is waited for",
    }));
    return { categories, known: log.length };
  }
}
