import { describe, expect, test } from "vitest";
import type { EventQuery } from "$lib/bindings/EventQuery";
import { fileFor, fileName, withheldBy } from "./making";

const query = (some: Partial<EventQuery>) => some as EventQuery;

describe("a new package", () => {
  test("is named by what its rows are of, and by nothing that a file name cannot hold", () => {
    expect(fileName(query({ stream: "order-789" }))).toBe("order-789.zip");
    expect(fileName(query({ category: "a/../b c" }))).toBe("a-..-b-c.zip");
    expect(fileName(query({ stream: "注文" }))).toBe("evidence.zip");
    expect(fileFor("C:\\x", query({}))).toBe("C:\\x\\evidence.zip");
  });

  test("withholds parts, and fields apart by commas or blanks", () => {
    expect(withheldBy(["data"], " data.email,metadata.ip  ")).toEqual(["data", "data.email", "metadata.ip"]);
    expect(withheldBy([], "")).toEqual([]);
  });
});
