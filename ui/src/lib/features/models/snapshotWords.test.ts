import { expect, test } from "vitest";
import { describeCheck, describePolicy, milliseconds } from "./snapshotWords";

test("a policy reads as a sentence", () => {
  expect(describePolicy({ strategy: "none" })).toBe("none");
  expect(describePolicy({ strategy: "rolling", every_events: 100, keep: 10, keep_first: true, keep_month_ends: true })).toBe("rolling: every 100 events, the newest 10 stay, and the first, and each month's last");
  expect(describePolicy({ strategy: "on_demand", replay_ms: 20, critical: ["order-1"] })).toBe("on demand: where a replay takes more than 20 ms, always of order-1");
});

test("microseconds read as milliseconds, cut and not rounded up", () => {
  expect(milliseconds(12_490)).toBe("12.4 ms");
  expect(milliseconds(90)).toBe("0.0 ms");
});

test("a check names what there is, and whose snapshots they are", () => {
  const none = { file: null, wrong: [], checked: 0, claimed: 0, same: 0, differs: 0, damaged: 0, stale: 0, untold: 0, unreadable: 0, dropped: 0, aggregates: 0, events: 0, known: 9, problems: false };
  expect(describeCheck(none)).toBe("0 snapshots. Replayed 0 events.");
  const both = { ...none, checked: 5, claimed: 2, same: 2, differs: 1, stale: 1, unreadable: 1, dropped: 1, events: 20 };
  expect(describeCheck(both)).toBe("5 snapshots, 2 of other systems: 2 confirmed, 1 differs, 1 of other models, 1 that cannot be read. Replayed 20 events. What does not hold of Annals' own was dropped.");
  expect(describeCheck({ ...none, file: "Snapshots.csv", checked: 1, claimed: 1, same: 1, events: 1 })).toBe("1 snapshot: 1 confirmed. Replayed 1 event.");
});
