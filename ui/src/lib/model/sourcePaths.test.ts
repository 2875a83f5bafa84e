import { beforeEach, describe, expect, it, vi } from "vitest";
import { pathsOf, rememberPaths } from "./sourcePaths";

const nameOf = (path: string) => path.split("/").at(-1) ?? path;

describe("source paths", () => {
  beforeEach(() => {
    const kept = new Map<string, string>();
    vi.stubGlobal("localStorage", { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, text: string) => kept.set(key, text) });
  });

  it("finds where files lay by their names, the newest place first", () => {
    rememberPaths(["/old/a.csv", "/b.csv"], nameOf);
    rememberPaths(["/new/a.csv"], nameOf);
    expect(pathsOf(["a.csv", "b.csv"])).toEqual(["/new/a.csv", "/b.csv"]);
    expect(pathsOf(["a.csv", "c.csv"])).toBeNull();
  });

  it("takes a broken memory for none", () => {
    localStorage.setItem("annals.sourcePaths", "{");
    expect(pathsOf(["a.csv"])).toBeNull();
  });
});
