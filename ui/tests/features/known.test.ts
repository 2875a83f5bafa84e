import { fireEvent, render, screen, waitFor } from "@testing-library/svelte";
import { beforeEach, expect, it } from "vitest";
import { navigation } from "$lib/app/navigation.svelte";
import KnownDialog from "$lib/features/timebar/KnownDialog.svelte";
import { useTransport } from "$lib/host/client";
import type { Transport } from "$lib/host/commands";
import { createMock } from "$lib/host/mock/transport";

const brief = (position: number, version: number, time: string) => ({ position, stream: "user-1", version, type: `T${position}`, time });
const LATE = {
  stream: null, events_count: 1, back_dated_count: 1, looked_at: 13,
  events: [{ event: brief(9, 3, "2024-01-02T00:00:00Z"), recorded_at: "2024-03-01T00:00:00Z", source_recorded_at: null, before: brief(4, 2, "2024-01-05T00:00:00Z"), back_dated: true }],
};

beforeEach(() => {
  // the dialog element of the simulated page cannot be shown modally
  HTMLDialogElement.prototype.showModal ??= () => undefined;
  Object.defineProperty(HTMLElement.prototype, "clientHeight", { configurable: true, value: 600 });
  const mock = createMock({ extra: 0, open: true });
  const own: Transport = { call: (command, args) => (command === "late" ? Promise.resolve(LATE) : mock.call(command, args)) };
  useTransport(own);
  navigation.open("#/streams");
});

it("position_typed_is_what_was_known", async () => {
  let closed = false;
  render(KnownDialog, { onclose: () => (closed = true) });
  await fireEvent.input(screen.getByTestId("known-input"), { target: { value: "1,004" } });
  await fireEvent.click(screen.getByTestId("known-apply"));
  await waitFor(() => expect([closed, navigation.params["known"]]).toEqual([true, "1004"]));
});

it("late_event_leads_to_what_was_known_before_it_came", async () => {
  render(KnownDialog, { onclose: () => undefined });
  const row = await waitFor(() => screen.getByTestId("late-row"));
  expect(row.textContent?.replace(/\s+/g, " ")).toContain("back-dated");
  await fireEvent.click(row);
  expect(navigation.route).toMatchObject({ view: "stream", arg: "user-1", params: { at: "2024-01-02T00:00:00Z", known: "8" } });
});
