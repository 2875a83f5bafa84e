import { describe, expect, it } from "vitest";
import { entriesOf, ExactNumber, parseJson, writeJson } from "$lib/model/json";

describe("numbers keep their digits", () => {
  it.each(["0.00", "1247.83", "9007199254740993123", "-0", "1e400", "123456789012345678.000100", "1.0E+2"])("%s", (text) => {
    const value = parseJson(text);
    expect(value).toBeInstanceOf(ExactNumber);
    expect(writeJson(value)).toBe(text);
  });

  it("integers_of_at_most_15_digits_are_numbers", () => {
    expect(parseJson("[0,-7,999999999999999]")).toEqual([0, -7, 999999999999999]);
    expect(parseJson("1000000000000000")).toBeInstanceOf(ExactNumber);
  });
});

describe("objects keep what javascript would change", () => {
  it.each(['{"10":1,"2":2}', '{"a":1,"a":2}', '{"__proto__":{"x":1}}'])("%s", (text) => {
    expect(writeJson(parseJson(text))).toBe(text);
  });

  it("proto_key_changes_no_prototype", () => {
    const value = parseJson('{"a":{"__proto__":{"polluted":true}}}');
    expect(entriesOf(value)?.[0]?.[1]).toBeDefined();
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });
});

it("strings_with_escapes_are_read", () => {
  expect(parseJson('"a\\n\\u202e\\"\\\\"')).toBe('a\n\u202e"\\');
});

it.each(["", "{", '{"a"}', "[1,]", "01", '"a', "nul", "1 2", '"\u0001"', "[1}"])("faulty text %j is refused", (text) => {
  expect(() => parseJson(text)).toThrow(SyntaxError);
});

it("nesting_without_end_is_refused_without_overflow", () => {
  expect(() => parseJson("[".repeat(100_000))).toThrow(/deep/);
});

it("indented_writing_keeps_digits", () => {
  expect(writeJson(parseJson('{"a":[1.50,{}],"b":[]}'), 2)).toBe('{\n  "a": [\n    1.50,\n    {}\n  ],\n  "b": []\n}');
});
