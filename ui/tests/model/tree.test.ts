import { expect, it } from "vitest";
import { parseJson } from "$lib/model/json";
import { childPath, MEMBERS, OPEN_MEMBERS, treeRows } from "$lib/model/tree";

const ALL = { toggled: new Set<string>(), drawn: new Map<string, number>(), changes: [] };

it("values_are_drawn_digit_for_digit", () => {
  const rows = treeRows(parseJson('{"balance":0.00,"id":9007199254740993123}'), ALL);
  expect(rows.map((row) => [row.path, row.text])).toEqual([["balance", "0.00"], ["id", "9007199254740993123"]]);
});

it("paths_are_written_as_core_writes_them", () => {
  expect(childPath(childPath(childPath("", "items"), 0), "price")).toBe("items[0].price");
  expect(childPath("", "odd key")).toBe('["odd key"]');
});

it("changed_paths_and_what_holds_them_are_marked", () => {
  const rows = treeRows(parseJson('{"items":[{"price":2}],"itemsLeft":1}'), {
    ...ALL,
    changes: [
      { path: "items[0].price", kind: "changed", before: 1, after: 2 },
      { path: "gone", kind: "removed", before: "x" },
    ],
  });
  expect(rows.map((row) => [row.path, row.mark, row.before])).toEqual([
    ["items", "inside", null],
    ["items[0]", "inside", null],
    ["items[0].price", "changed", "1"],
    ["itemsLeft", null, null],
    ["gone", "removed", null],
  ]);
});

it("members_of_an_added_value_are_added", () => {
  const rows = treeRows(parseJson('{"a":{"b":[1]}}'), { ...ALL, changes: [{ path: "a", kind: "added", after: {} }] });
  expect(rows.every((row) => row.mark === "added")).toBe(true);
});

it("closed_containers_hide_their_members", () => {
  expect(treeRows(parseJson('{"a":{"b":1}}'), { ...ALL, toggled: new Set(["a"]) })).toHaveLength(1);
});

it("members_that_are_not_drawn_are_counted", () => {
  const rows = treeRows(Array.from({ length: MEMBERS + 7 }, (_, i) => i), ALL);
  expect(rows).toHaveLength(MEMBERS + 1);
  expect(rows.at(-1)?.more).toBe(7);
});

it("large_value_starts_closed_except_where_it_changed", () => {
  const value = { a: Array.from({ length: OPEN_MEMBERS + 1 }, (_, i) => i), b: { c: 1 }, d: { e: 2 } };
  const rows = treeRows(value, { ...ALL, changes: [{ path: "b.c", kind: "changed", before: 0, after: 1 }] });
  expect(rows.map((row) => row.path)).toEqual(["a", "b", "b.c", "d"]);
  expect(treeRows(value, { ...ALL, toggled: new Set(["d"]) }).map((row) => row.path)).toEqual(["a", "b", "d", "d.e"]);
});
