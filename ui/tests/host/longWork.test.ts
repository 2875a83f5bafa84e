import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { LongWork, PATIENCE_MS } from "$lib/host/longWork.svelte";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it("long_work_is_told_after_a_moment_and_until_it_ends", async () => {
  const work = new LongWork();
  let answer: (value: number) => void = () => undefined;
  const asked = work.during("Late events", new Promise<number>((done) => (answer = done)));
  await vi.advanceTimersByTimeAsync(PATIENCE_MS - 1);
  expect(work.running).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(work.running).toEqual(["Late events"]);
  answer(7);
  expect(await asked).toBe(7);
  expect(work.running).toEqual([]);
});

it("what_is_answered_or_refused_at_once_is_never_told", async () => {
  const work = new LongWork();
  await work.during("State", Promise.resolve(1));
  await expect(work.during("State", Promise.reject(new Error("cancelled")))).rejects.toThrow("cancelled");
  await vi.advanceTimersByTimeAsync(2 * PATIENCE_MS);
  expect(work.running).toEqual([]);
});

it("same_work_is_named_once", async () => {
  const work = new LongWork();
  const never = () => new Promise<void>(() => undefined);
  void work.during("State", never());
  void work.during("State", never());
  void work.during("Why", never());
  await vi.advanceTimersByTimeAsync(PATIENCE_MS);
  expect(work.running).toEqual(["State", "Why"]);
});
