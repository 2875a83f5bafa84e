import { expect, test } from "vitest";
import { describePolicy, milliseconds } from "./snapshotWords";

test("a policy reads as a sentence", () => {
  expect(describePolicy({ strategy: "none" })).toBe("none");
  expect(describePolicy({ strategy: "rolling", every_events: 100, keep: 10, keep_first: true, keep_month_ends: true })).toBe("rolling: every 100 events, the newest 10 stay, and the first, and each month's last");
  expect(describePolicy({ strategy: "on_demand", replay_ms: 20, critical: ["order-1"] })).toBe("on demand: where a replay takes more than 20 ms, always of order-1");
});

test("microseconds read as milliseconds, cut and not rounded up", () => {
  expect(milliseconds(12_490)).toBe("12.4 ms");
  expect(milliseconds(90)).toBe("0.0 ms");
});
