import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { navigation } from "$lib/app/navigation.svelte";

describe("navigation", () => {
  beforeEach(() => {
    vi.useFakeTimers();
    navigation.open("#/events?category=account");
  });
  afterEach(() => vi.useRealTimers());

  it("writes a change of parameters a moment later", () => {
    navigation.patch({ e: "8" });
    expect(location.hash).toBe("#/events?category=account");
    vi.runAllTimers();
    expect(location.hash).toBe("#/events?category=account&e=8");
  });

  it("does not write over an address that was gone to meanwhile", () => {
    navigation.patch({ e: "8" });
    history.replaceState(null, "", "#/events?text=John");
    vi.runAllTimers();
    expect(location.hash).toBe("#/events?text=John");
  });

  it("forgets what was pending when the address changes", () => {
    const stop = navigation.listen();
    navigation.patch({ e: "8" });
    history.replaceState(null, "", "#/streams");
    dispatchEvent(new Event("hashchange"));
    expect(navigation.view).toBe("streams");
    vi.runAllTimers();
    expect(location.hash).toBe("#/streams");
    stop();
  });
});
