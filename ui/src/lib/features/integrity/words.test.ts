import { expect, test } from "vitest";
import { placeOf } from "./words";

const FINDING = { grade: "manipulation", kind: "content_changed", count: 1, detail: "" } as const;

test("a place names the position and how often", () => {
  expect(placeOf(FINDING)).toBe("");
  expect(placeOf({ ...FINDING, position: 7 })).toBe("position 7");
  expect(placeOf({ ...FINDING, count: 3 })).toBe("3 times");
  expect(placeOf({ ...FINDING, count: 1200, position: 7 })).toBe("1,200 times, first at position 7");
});
