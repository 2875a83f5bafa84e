import { fireEvent, render, screen, waitFor } from "@testing-library/svelte";
import { beforeEach, expect, it } from "vitest";
import AccessLogPanel from "$lib/features/privacy/AccessLogPanel.svelte";
import ErasurePanel from "$lib/features/privacy/ErasurePanel.svelte";
import { host, useTransport } from "$lib/host/client";
import type { Transport } from "$lib/host/commands";
import { createMock } from "$lib/host/mock/transport";

const mock = () => createMock({ extra: 0, open: true });

beforeEach(() => useTransport(mock()));

it("access_log_shows_who_looked_newest_first", async () => {
  await host.noteLook("stream", [["stream", ["account-12345"]], ["at", ["2024-01-10"]]]);
  await host.noteLook("events", []);
  render(AccessLogPanel, { store: "x.annals" });
  const rows = await waitFor(() => screen.getAllByTestId("access-row"));
  expect(rows.map((row) => row.querySelector(".what")?.textContent)).toEqual(["view events", "view stream stream=account-12345 at=2024-01-10"]);
  expect(screen.getByTestId("access-verdict").textContent).toContain("Checked 2 entries");
});

it("access_log_that_was_changed_says_where", async () => {
  const fault = { kind: "changed", line: 3, detail: "entry 2 is not what it was when entry 3 was written" };
  const base = mock();
  const own: Transport = {
    call: async (command, args) => {
      const answer = await base.call(command, args);
      return command === "access_log" ? { ...(answer as object), intact: false, faults: [fault], faults_count: 1 } : answer;
    },
  };
  useTransport(own);
  const { container } = render(AccessLogPanel, { store: "x.annals" });
  await waitFor(() => expect(container.textContent).toContain("Line 3: entry 2 is not what it was"));
});

it("erasure_is_planned_and_carried_out_only_after_the_subject_was_typed_again", async () => {
  let reopened = 0;
  render(ErasurePanel, { onerased: async () => void reopened++, eventHref: (position: number) => `#/events?e=${position}` });
  expect(screen.getByTestId("erasure-plan")).toHaveProperty("disabled", true);
  await fireEvent.input(screen.getByTestId("erasure-subject"), { target: { value: "user-123" } });
  await fireEvent.click(screen.getByTestId("erasure-mentions"));
  await fireEvent.click(screen.getByTestId("erasure-plan"));
  const rows = await waitFor(() => screen.getAllByTestId("erasure-row"));
  expect(rows[0]?.querySelector("a")?.getAttribute("href")).toContain("#/events?e=");
  expect(screen.getByTestId("erasure-stays").textContent).toContain("data.email");
  await fireEvent.click(screen.getByTestId("erase-open"));
  const erase = screen.getByTestId("erase-run");
  expect(erase).toHaveProperty("disabled", true);
  await fireEvent.input(screen.getByTestId("erase-confirm"), { target: { value: "user-12" } });
  expect(erase).toHaveProperty("disabled", true);
  await fireEvent.input(screen.getByTestId("erase-confirm"), { target: { value: "user-123" } });
  expect(erase).toHaveProperty("disabled", false);
  await fireEvent.click(erase);
  const done = await waitFor(() => screen.getByTestId("erase-done"), { timeout: 5_000 });
  expect(done.textContent).toContain("The log says so at position");
  expect(reopened).toBe(1);
});
