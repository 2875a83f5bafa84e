import { expect, test } from "vitest";
import { EMPTY, around, hasGroup, literal, name, questionOf, spoken, timesOf } from "$lib/model/question";

test("the form writes what a person would", () => {
  expect(questionOf({ ...EMPTY, of: "order", where: "status", value: "Pending", time: "end", when: "2024-01" })).toBe('count order where status = "Pending" at end of 2024-01');
  expect(questionOf({ ...EMPTY, kind: "value", of: "account-12345", field: "balance", time: "on", when: "2024-01-10" })).toBe("balance of account-12345 on 2024-01-10");
  expect(questionOf({ ...EMPTY, kind: "sum", of: "order", field: "total", where: "region", value: "EU", group: "status", time: "at", when: "2024-06-30" })).toBe('sum total of order where region = "EU" group by status at 2024-06-30');
  expect(questionOf({ ...EMPTY, kind: "first", of: "order-789", where: "status", value: "Shipped" })).toBe('first time status = "Shipped" of order-789');
  expect(questionOf({ ...EMPTY, kind: "stay", of: "order", field: "status", value: "Pending" })).toBe('how long was order in status "Pending", average, p95');
  expect(questionOf({ ...EMPTY, kind: "followed", of: "order", first: "OrderPlaced", then: "PaymentProcessed", within: "2 days", known: "40" })).toBe("order where OrderPlaced not followed by PaymentProcessed within 2 days known 40");
});

test("what is not filled in is left out, for the host to say so", () => {
  expect(questionOf(EMPTY)).toBe("count");
  expect(questionOf({ ...EMPTY, kind: "first", of: "a" })).toBe("first time of a");
});

test("names and values are quoted where they must be", () => {
  expect([name("order-1"), name("a b"), name("größe"), name("list."), name('"')]).toEqual(["order-1", '"a b"', "größe", '"list."', '"\\""']);
  expect([literal("5"), literal("-1.50"), literal("true"), literal("Pending"), literal('"5"'), literal("'x'"), literal("007x")]).toEqual(["5", "-1.50", "true", '"Pending"', '"5"', "'x'", '"007x"']);
});

test("a time that a kind does not take is not written", () => {
  expect(timesOf("value")).not.toContain("during");
  expect(questionOf({ ...EMPTY, kind: "value", of: "a", field: "b", time: "during", when: "2024" })).toBe("b of a");
  expect(hasGroup({ ...EMPTY, time: "during" })).toBe(false);
  expect(hasGroup({ ...EMPTY, time: "end" })).toBe(true);
});

test("the place of a fault counts characters, not code units", () => {
  expect(around("a😀b c", 3, 1)).toEqual(["a😀", "b", " c"]);
  expect(around("ab", 3, 0)).toEqual(["ab", "", ""]);
});

test("seconds are spoken as days and a clock", () => {
  expect([spoken(0), spoken(90_061), spoken(-61)]).toEqual(["00:00:00", "1 d 01:01:01", "−00:01:01"]);
});
