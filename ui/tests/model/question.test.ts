import { expect, test } from "vitest";
import { CONDITION, EMPTY, around, byFolder, changed, hasGroup, literal, literals, name, questionOf, spoken, timesOf } from "$lib/model/question";

const is = (field: string, value: string, sign = "=") => ({ ...CONDITION, field, sign, value });

test("the form writes what a person would", () => {
  expect(questionOf({ ...EMPTY, of: "order", conditions: [is("status", "Pending")], time: "end", when: "2024-01" })).toBe('count order where status = "Pending" at end of 2024-01');
  expect(questionOf({ ...EMPTY, kind: "value", of: "account-12345", field: "balance", time: "on", when: "2024-01-10" })).toBe("balance of account-12345 on 2024-01-10");
  expect(questionOf({ ...EMPTY, kind: "sum", of: "order", field: "total", conditions: [is("region", "EU")], group: "status", time: "at", when: "2024-06-30" })).toBe('sum total of order where region = "EU" group by status at 2024-06-30');
  expect(questionOf({ ...EMPTY, kind: "first", of: "order-789", conditions: [is("status", "Shipped")] })).toBe('first time status = "Shipped" of order-789');
  expect(questionOf({ ...EMPTY, kind: "stay", of: "order", field: "status", value: "Pending" })).toBe('how long was order in status "Pending", average, p95');
  expect(questionOf({ ...EMPTY, kind: "followed", of: "order", first: "OrderPlaced", then: "PaymentProcessed", within: "2 days", known: "40" })).toBe("order where OrderPlaced not followed by PaymentProcessed within 2 days known 40");
});

test("the form writes every shape of the grammar", () => {
  const stay = { ...EMPTY, kind: "stay", of: "order", field: "status", value: "Pending" };
  expect(questionOf({ ...stay, statistics: ["average", "p95"], by: "month", time: "during", when: "2024" })).toBe('how long was order in status "Pending", average, p95, by month during 2024');
  expect(questionOf({ ...stay, of: "order-1", of_stream: true, statistics: [] })).toBe('how long was stream order-1 in status "Pending"');
  expect(questionOf({ ...EMPTY, kind: "last", of: "order-1", conditions: [is("status", "Paid"), is("total", "100", ">")] })).toBe('last time status = "Paid" and total > 100 of order-1');
  const any = { ...EMPTY, of: "order", any: true, conditions: [is("status", 'Pending, "a, b", 5', "in"), is("note", "", "is missing"), { ...is("region", "EU"), not: true }] };
  expect(questionOf(any)).toBe('count order where status in ("Pending", "a, b", 5) or note is missing or not (region = "EU")');
  expect(questionOf({ ...EMPTY, of: "order", condition: "a = 1 and (b = 2 or c = 3)" })).toBe("count order where a = 1 and (b = 2 or c = 3)");
  expect(questionOf({ ...EMPTY, kind: "list", of: "customer", active: true, time: "during", when: "2024-11-20..2024-12-01" })).toBe("list customer active during 2024-11-20..2024-12-01");
  expect(questionOf({ ...EMPTY, kind: "followed", of: "order", first: "A", then: "B", not: false })).toBe("order where A followed by B");
  expect(literals("")).toBe("");
});

test("a change keeps the form to what can be asked", () => {
  expect(changed({ ...EMPTY, time: "during", when: "2024" }, { kind: "value" }).time).toBe("now");
  expect(changed(EMPTY, { active: true }).time).toBe("during");
  expect(changed({ ...EMPTY, conditions: [] }, {}).conditions).toEqual([CONDITION]);
});

test("kept questions stand by their folder", () => {
  const kept = ["all", "month/end", "month/start", "year/a/b"].map((name) => ({ name, question: "count order", zone: null, error: null }));
  expect(byFolder(kept).map(({ folder, questions }) => [folder, questions.length])).toEqual([["", 1], ["month", 2], ["year/a", 1]]);
  expect(byFolder([])).toEqual([]);
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
