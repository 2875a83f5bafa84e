import { expect, it } from "vitest";
import { chipsOf, filterFrom, isWholeLog, phraseOf, queryOf, WHOLE_LOG } from "$lib/model/filters";
import { formatRoute, globalParams, parseRoute, patchParams } from "$lib/model/route";

it("address_of_a_stream_reads_and_writes_the_same", () => {
  const hash = "#/stream/account-12345?at=2024-01-10T23:59:59Z&v=4";
  const route = parseRoute(hash);
  expect(route).toEqual({ view: "stream", arg: "account-12345", params: { at: "2024-01-10T23:59:59Z", v: "4" } });
  expect(formatRoute(route)).toBe(hash);
});

it.each(["a/b?c#d", "ünïcode 1", "100%", "‮evil", "a&b=c"])("stream name %j survives the address", (name) => {
  const hash = formatRoute({ view: "stream", arg: name, params: { q: name } });
  expect(parseRoute(hash)).toEqual({ view: "stream", arg: name, params: { q: name } });
});

it("unknown_address_is_the_start_page", () => {
  expect(parseRoute("#/nowhere").view).toBe("start");
  expect(parseRoute("").view).toBe("start");
  expect(parseRoute("#/stream/%E0%A4%A").arg).toBe("%E0%A4%A");
});

it("as_of_and_range_go_along_to_other_views", () => {
  expect(globalParams({ at: "A", from: "B", to: "C", v: "3", type: "T" })).toEqual({ at: "A", from: "B", to: "C" });
});

it("patch_sets_and_removes", () => {
  expect(patchParams({ a: "1", b: "2" }, { a: null, c: "3", d: "" })).toEqual({ b: "2", c: "3" });
});

it("query_never_looks_past_the_as_of", () => {
  const filter = filterFrom({ type: "OrderPlaced", to: "2024-06-01T00:00:00Z" });
  expect(queryOf(filter, "2024-01-10T00:00:00Z").to).toBe("2024-01-10T00:00:00Z");
  expect(queryOf(filter, "2025-01-10T00:00:00Z").to).toBe("2024-06-01T00:00:00Z");
  expect(queryOf(filter, null)).toEqual({ ...WHOLE_LOG, type: "OrderPlaced", to: "2024-06-01T00:00:00Z", direction: "backwards" });
});

it("conditions_are_chips_and_a_phrase", () => {
  const filter = filterFrom({ actor: "admin", type: "T", from: "2024-01-01T00:00:00Z" });
  expect(chipsOf(filter, null).map((chip) => chip.field)).toEqual(["type", "actor", "time"]);
  expect(phraseOf(filter, null)).toBe("type T, actor admin, time 2024-01-01 00:00:00 UTC to end");
  expect(phraseOf(filterFrom({}), null)).toBe("");
});

it("whole_log_is_known_whatever_the_order", () => {
  expect(isWholeLog(queryOf(filterFrom({}), null))).toBe(true);
  expect(isWholeLog(queryOf(filterFrom({ stream: "x" }), null))).toBe(false);
});

it("range_of_dates_is_from_the_start_of_the_first_to_the_end_of_the_last", () => {
  const { from, to } = filterFrom({ from: "2024-01-10", to: "2024-01-10" });
  expect([from, to]).toEqual(["2024-01-10T00:00:00Z", "2024-01-10T23:59:59.999999999Z"]);
  expect(filterFrom({ from: "soon" }).from).toBe("soon");
});
