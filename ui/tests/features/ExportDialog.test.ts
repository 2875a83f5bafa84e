import { fireEvent, render, screen } from "@testing-library/svelte";
import { expect, it, vi } from "vitest";
import ExportDialog from "$lib/features/export/ExportDialog.svelte";
import { host, useTransport } from "$lib/host/client";
import { createMock } from "$lib/host/mock/transport";
import { WHOLE_LOG } from "$lib/model/filters";

it("export_of_a_search_holds_what_was_found_and_nothing_else", async () => {
  useTransport(createMock({ open: true, extra: 40 }));
  const { count } = await host.searchCount("amount", WHOLE_LOG);
  const asked = vi.spyOn(host, "startExport");
  render(ExportDialog, { props: { query: WHOLE_LOG, text: "amount", phrase: "", count, folder: "/home/you", onclose: () => undefined } });
  expect(screen.getByTestId("export-scope").textContent).toContain(`All ${count} events found for amount`);
  await fireEvent.click(screen.getByTestId("export-run"));
  const result = await screen.findByTestId("export-result", {}, { timeout: 5000 });
  expect(asked.mock.calls[0]?.[0].text).toBe("amount");
  expect(result.textContent).toContain(`${count} events`);
});

it("export_without_a_search_names_no_text", async () => {
  useTransport(createMock({ open: true, extra: 4 }));
  const asked = vi.spyOn(host, "startExport");
  asked.mockClear();
  render(ExportDialog, { props: { query: WHOLE_LOG, text: "", phrase: "", count: 4, folder: "", onclose: () => undefined } });
  await fireEvent.click(screen.getByTestId("export-run"));
  expect(asked.mock.calls[0]?.[0]).not.toHaveProperty("text");
});
