import { describe, expect, it } from "vitest";
import { completenessOf, severityOf, titleOf } from "./words";

describe("words for a package", () => {
  it("never calls a package complete while something is closed", () => {
    const facts = (unproven: number) => ({ unproven }) as Parameters<typeof completenessOf>[0];
    expect(completenessOf(facts(0))).toContain("shown not to match");
    expect(completenessOf(facts(1))).toBe("not shown: 1 event of the range could match and is closed");
    expect(completenessOf(facts(7))).toContain("not shown: 7 events");
  });

  it("shows only an intact package calmly", () => {
    expect(severityOf("intact")).toBe("notice");
    expect(severityOf("problems")).toBe("severe");
    expect(severityOf("unreadable")).toBe("severe");
    expect(titleOf("intact")).toContain("as far as it was checked");
  });
});
