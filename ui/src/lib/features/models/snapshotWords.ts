/** Snapshot policies and outcomes in words. */

import type { SnapshotOutcome } from "$lib/bindings/SnapshotOutcome";
import type { SnapshotPolicy } from "$lib/bindings/SnapshotPolicy";
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
};

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
