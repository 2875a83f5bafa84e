/** Snapshot policies and outcomes in words. */

import type { SnapshotOutcome } from "$lib/bindings/SnapshotOutcome";
import type { SnapshotPolicy } from "$lib/bindings/SnapshotPolicy";
import type { SnapshotVerifyView } from "$lib/bindings/SnapshotVerifyView";
import type { SnapshotStrategy } from "$lib/bindings/SnapshotStrategy";
import { grouped, plural } from "$lib/model/numbers";

/** Exhaustive: a new one does not compile until it has words. */
export const STRATEGIES: Record<SnapshotStrategy, string> = {
  none: "none",
  periodic: "periodic",
  on_demand: "on demand",
  rolling: "rolling",
};

export const OUTCOMES: Record<SnapshotOutcome, string> = {
  same: "confirmed",
  differs: "differs",
  damaged: "damaged",
  stale: "of another model",
  untold: "cannot be told",
  unreadable: "cannot be read",
};

/** `2 snapshots: 1 confirmed, 1 differs. Replayed 20 events.` What there is none of is left out. */
export function describeCheck(view: SnapshotVerifyView): string {
  const counts: [number, string][] = [
    [view.same, "confirmed"],
    [view.differs, view.differs === 1 ? "differs" : "differ"],
    [view.damaged, "damaged"],
    [view.stale, "of other models"],
    [view.untold, "of which nothing can be told"],
    [view.unreadable, "that cannot be read"],
  ];
  const told = counts.filter(([count]) => count > 0).map(([count, words]) => `${grouped(count)} ${words}`);
  const sentences = [
    `${plural(view.checked, "snapshot")}${view.claimed > 0 && view.file === null ? `, ${grouped(view.claimed)} of other systems` : ""}${told.length > 0 ? `: ${told.join(", ")}` : ""}.`,
    view.aggregates > 0 ? `Not looked at: ${grouped(view.aggregates)} of programs' aggregates.` : "",
    `Replayed ${plural(view.events, "event")}.`,
    view.dropped > 0 ? "What does not hold of Annals' own was dropped." : "",
  ];
  return sentences.filter((sentence) => sentence !== "").join(" ");
}

/** `rolling: every 100 events, the newest 10 stay, and the first`. */
export function describePolicy(policy: SnapshotPolicy): string {
  const parts: string[] = [];
  if (policy.every_events !== undefined) parts.push(`every ${plural(policy.every_events, "event")}`);
  if (policy.every_day) parts.push("every day");
  if (policy.replay_ms !== undefined) parts.push(`where a replay takes more than ${grouped(policy.replay_ms)} ms`);
  if (policy.state_bytes !== undefined) parts.push(`where a fold takes more than ${grouped(policy.state_bytes)} bytes`);
  if (policy.slower_percent !== undefined) parts.push(`where an event takes more than ${grouped(policy.slower_percent)} % of the fastest`);
  if (policy.critical !== undefined && policy.critical.length > 0) parts.push(`always of ${policy.critical.join(", ")}`);
  if (policy.keep !== undefined) parts.push(`the newest ${grouped(policy.keep)} stay`);
  if (policy.keep_first) parts.push("and the first");
  if (policy.keep_month_ends) parts.push("and each month's last");
  const strategy = STRATEGIES[policy.strategy];
  return parts.length === 0 ? strategy : `${strategy}: ${parts.join(", ")}`;
}

/** `12.4 ms` of microseconds. */
export function milliseconds(us: number): string {
  return `${grouped(Math.floor(us / 1_000))}.${Math.floor((us % 1_000) / 100)} ms`;
}
