/** States of projections in words. */

import type { ProjectionStatus } from "$lib/bindings/ProjectionStatus";
import type { RunState } from "$lib/bindings/RunState";
import type { Strategy } from "$lib/bindings/Strategy";
import { grouped, plural } from "$lib/model/numbers";

interface StateWords {
  word: string;
  tone: "plain" | "live" | "past" | "warning" | "severe";
  says: string;
}

/** Exhaustive: a new state does not compile until it has words. */
export const STATES: Record<RunState, StateWords> = {
  running: { word: "running", tone: "live", says: "It is kept up as events come." },
  idle: { word: "idle", tone: "plain", says: "Nobody keeps it up. It is caught up when it is asked, or by annals projection run." },
  dead: { word: "dead", tone: "severe", says: "What kept it up has given no sign of life since. Start annals projection run again." },
  paused: { word: "paused", tone: "past", says: "It stays where it is. Answers are complete all the same." },
  stopped: { word: "stopped", tone: "severe", says: "It stopped at an event that could not be folded." },
  stale: { word: "stale", tone: "warning", says: "What is kept does not fit the log or the definition; it is made anew." },
  broken: { word: "broken", tone: "severe", says: "Its definition is wrong." },
};

export const STRATEGIES: Record<Strategy, string> = {
  sync: "synchronously: before an append is acknowledged",
  async: "asynchronously: as events come",
  batch: "in batches: on demand or on schedule",
  live: "in real time: as events come, and what changed is pushed",
};

/** `2 minutes` of milliseconds, rounded down; a year has 365 days. */
export function duration(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  if (seconds < 1) return `${grouped(ms)} ms`;
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return plural(minutes, "minute");
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return plural(hours, "hour");
  const days = Math.floor(hours / 24);
  return days < 730 ? plural(days, "day") : plural(Math.floor(days / 365), "year");
}

/** How far it is behind: `12 events, for 3 s`. A lag that nobody watches is not told as none. */
export function lag(status: ProjectionStatus): string {
  const { lag_events: events, stale_for_ms: stale } = status;
  if (events === null) return status.state === "dead" && stale !== null ? `nobody has looked for ${duration(stale)}` : "–";
  if (events === 0) return "none";
  return stale === null ? plural(events, "event") : `${plural(events, "event")}, for ${duration(stale)}`;
}
