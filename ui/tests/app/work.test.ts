import { expect, it } from "vitest";
import { Work } from "$lib/app/work.svelte";
import type { WorkProgressView } from "$lib/bindings/WorkProgressView";
import { HostError } from "$lib/host/errors";

it("work_tells_how_far_it_is_and_what_came_of_it", async () => {
  const work = new Work<string>();
  const seen: (WorkProgressView | null)[] = [];
  await work.run((tell) => {
    seen.push(work.progress);
    tell({ done: 3, total: 4 });
    seen.push(work.progress);
    return Promise.resolve("made");
  });
  expect(seen).toEqual([{ done: 0, total: 0 }, { done: 3, total: 4 }]);
  expect([work.running, work.answer, work.error]).toEqual([false, "made", null]);
});

it("work_that_fails_leaves_no_answer_of_the_run_before", async () => {
  const work = new Work<string>();
  await work.run(() => Promise.resolve("made"));
  await work.run(() => Promise.reject(new HostError("cancelled", "cancelled, nothing was written")));
  expect([work.running, work.answer, work.error?.code]).toEqual([false, null, "cancelled"]);
});

it("progress_told_after_the_end_does_not_bring_the_work_back", async () => {
  const work = new Work<string>();
  let late: (now: WorkProgressView) => void = () => undefined;
  await work.run((tell) => {
    late = tell;
    return Promise.resolve("made");
  });
  late({ done: 4, total: 4 });
  expect([work.running, work.answer]).toEqual([false, "made"]);
});

it("path_that_is_not_chosen_changes_nothing", async () => {
  const work = new Work<string>();
  const taken: string[] = [];
  await work.pick(Promise.resolve({ paths: [] }), (path) => taken.push(path));
  await work.pick(Promise.resolve({ paths: ["/a"] }), (path) => taken.push(path));
  await work.pick(Promise.reject(new Error("no dialog")), (path) => taken.push(path));
  expect([taken, work.error?.message]).toEqual([["/a"], "no dialog"]);
});
