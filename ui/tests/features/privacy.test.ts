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

it("erasure_is_planned_and_the_command_quotes_the_subject", async () => {
  render(ErasurePanel, { store: "it's.annals", eventHref: (position: number) => `#/events?e=${position}` });
  expect(screen.getByTestId("erasure-plan")).toHaveProperty("disabled", true);
  await fireEvent.input(screen.getByTestId("erasure-subject"), { target: { value: "user-123" } });
  await fireEvent.click(screen.getByTestId("erasure-mentions"));
  await fireEvent.click(screen.getByTestId("erasure-plan"));
  const rows = await waitFor(() => screen.getAllByTestId("erasure-row"));
  expect(rows[0]?.querySelector("a")?.getAttribute("href")).toContain("#/events?e=");
  expect(document.querySelector("code")?.textContent).toBe("annals privacy erase 'it'\\''s.annals' 'user-123' --mentions");
});
