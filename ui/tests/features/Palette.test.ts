import { fireEvent, render, screen, waitFor } from "@testing-library/svelte";
import { beforeEach, expect, it, vi } from "vitest";
import { navigation } from "$lib/app/navigation.svelte";
import { session } from "$lib/app/session.svelte";
import { settings } from "$lib/app/settings.svelte";
import { timeCursor } from "$lib/app/timeCursor.svelte";
import Palette from "$lib/features/shell/Palette.svelte";
import { host, useTransport } from "$lib/host/client";
import { createMock } from "$lib/host/mock/transport";

const dialogs = { shortcuts: vi.fn(), link: vi.fn(), console: vi.fn() };
const onclose = vi.fn();
const type = (value: string) => fireEvent.input(screen.getByTestId("palette-input"), { target: { value } });
const press = (key: string) => fireEvent.keyDown(screen.getByTestId("palette-input"), { key });
const shown = () => screen.queryAllByTestId("palette-item").map((item) => item.textContent?.replace(/\s+/g, " ").trim() ?? "");

/** Types, waits for an item that begins so, stands on it and goes there. */
async function go(text: string, label: string): Promise<void> {
  await type(text);
  await waitFor(() => expect(shown().some((item) => item.startsWith(label))).toBe(true));
  const index = shown().findIndex((item) => item.startsWith(label));
  for (let i = 0; i < index; i++) await press("ArrowDown");
  await press("Enter");
  await waitFor(() => expect(onclose).toHaveBeenCalled());
}

beforeEach(async () => {
  vi.clearAllMocks();
  useTransport(createMock({ extra: 0, open: true }));
  navigation.open("#/overview");
  await session.openWith("sample", () => host.openSample());
  render(Palette, { dialogs, onclose });
});

it.each([
  ["streams", "Streams", "#/streams"],
  ["settings", "Settings", "#/settings"],
  ["account-1", "account-12345", "#/stream/account-12345"],
  ["evt-00012", "Event evt-00012", "#/events?e=12"],
  ["12", "Event at position 12", "#/events?e=12"],
  ["deposit", "DepositMade", "#/events?type=DepositMade"],
  ["teller", "teller-7", "#/events?actor=teller-7"],
  ["inventory", "inventory", "#/events?category=inventory"],
  ["#/stream/user-123?at=2024-01-15", "This link", "#/stream/user-123?at=2024-01-15"],
])("typing_%s_offers_%s", async (text, label, address) => {
  await go(text, label);
  await waitFor(() => expect(location.hash).toBe(address));
});

it("date_typed_moves_the_cursor_to_the_end_of_that_day", async () => {
  await go("2024-01-10", "2024-01-10 23:59:59");
  await waitFor(() => expect(timeCursor.at).toBe("2024-01-10T23:59:59.999999999Z"));
});

it("position_typed_can_be_what_was_known", async () => {
  await go("4", "What was known at position 4");
  await waitFor(() => expect([timeCursor.known, timeCursor.live]).toEqual([4, false]));
});

it("actions_run_after_the_dialog_has_closed", async () => {
  await go("dark", "Dark theme");
  await waitFor(() => expect(settings.chosen.theme).toBe("dark"));
  await settings.change({ theme: "system" });
});

it("text_that_names_nothing_can_be_searched_for", async () => {
  await go("zzzz", "Search the events for “zzzz”");
  await waitFor(() => expect(location.hash).toBe("#/events?text=zzzz"));
});
