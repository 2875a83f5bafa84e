import { fireEvent, render, screen, waitFor } from "@testing-library/svelte";
import { expect, it } from "vitest";
import LongWork from "$lib/features/shell/LongWork.svelte";
import { host, useTransport } from "$lib/host/client";
import { HostError } from "$lib/host/errors";

it("what_runs_long_says_how_far_it_is_and_is_cancelled", async () => {
  let refuse: (cause: HostError) => void = () => undefined;
  useTransport({
    call: (command) => {
      if (command === "late") return new Promise((_, failed) => (refuse = failed));
      if (command === "long_progress") return Promise.resolve({ done: 120_000, total: 0 });
      if (command === "long_cancel") refuse(new HostError("cancelled", "cancelled"));
      return Promise.resolve(null);
    },
  });
  render(LongWork);
  expect(screen.queryByTestId("long-work")).toBeNull();
  const asked = expect(host.late({})).rejects.toThrow("cancelled");
  await waitFor(() => expect(screen.getByTestId("long-progress").textContent).toBe("120,000 events read"));
  expect(screen.getByTestId("long-work").textContent).toContain("Late events");
  await fireEvent.click(screen.getByTestId("long-cancel"));
  await asked;
  await waitFor(() => expect(screen.queryByTestId("long-work")).toBeNull());
});
