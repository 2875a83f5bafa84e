import { describe, expect, it } from "vitest";
import type { ProjectionStatus } from "$lib/bindings/ProjectionStatus";
import { duration, lag } from "./projectionWords";

const status = (changes: Partial<ProjectionStatus>): ProjectionStatus => ({
  name: "p",
  strategy: "async",
  checkpoint: 1,
  head: 1,
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
  model: null,
  ...changes,
});

describe("words of projections", () => {
  it("never calls a dead one caught up", () => {
    expect(lag(status({ state: "dead", stale_for_ms: 7_500 }))).toBe("nobody has looked for 7 s");
    expect(lag(status({ state: "running", lag_events: 0 }))).toBe("none");
    expect(lag(status({}))).toBe("–");
  });

  it("tells lag in events and time", () => {
    expect(lag(status({ lag_events: 1, stale_for_ms: 250 }))).toBe("1 event, for 250 ms");
    expect(lag(status({ lag_events: 1_200, stale_for_ms: 180_000 }))).toBe("1,200 events, for 3 minutes");
  });

  it("rounds durations down", () => {
    expect([999, 59_999, 3_599_999, 86_400_000, 172_800_000, 94_608_000_000].map(duration)).toEqual([
      "999 ms",
      "59 s",
      "59 minutes",
      "24 hours",
      "2 days",
      "3 years",
    ]);
  });
});
