import { render, screen, waitFor } from "@testing-library/svelte";
import { beforeEach, expect, it } from "vitest";
import { navigation } from "$lib/app/navigation.svelte";
import { timeCursor } from "$lib/app/timeCursor.svelte";
import { useTransport } from "$lib/host/client";
import { createMock } from "$lib/host/mock/transport";
import StreamView from "$lib/views/StreamView.svelte";

const text = (id: string) => screen.getByTestId(id).textContent?.replace(/\s+/g, " ").trim() ?? "";

beforeEach(() => {
  Object.defineProperty(HTMLElement.prototype, "clientHeight", { configurable: true, value: 600 });
  useTransport(createMock({ extra: 0, open: true }));
});

it("one_cursor_moves_both_streams", async () => {
  navigation.open("#/stream/account-12345?pin=order-789");
  render(StreamView);
  await waitFor(() => expect([text("state-asof"), text("pinned-asof")]).toEqual(["Version 5 live: all its events 5 of 5 events folded", "Version 2 live: all its events 2 of 2 events folded"]));
  timeCursor.moveTo("2024-01-15T12:00:00Z");
  await waitFor(() => expect(text("pinned-asof")).toContain("Version 1 as of 2024-01-15 12:00:00 UTC"));
  expect(text("state-asof")).toContain("Version 5 as of 2024-01-15 12:00:00 UTC");
  timeCursor.moveTo("2024-01-04T00:00:00Z");
  await waitFor(() => expect([text("state-asof").slice(0, 9), text("pinned-asof").slice(0, 9)]).toEqual(["Version 3", "Version 0"]));
});

it("stream_that_belongs_to_the_event_is_pinned_from_related", async () => {
  navigation.open("#/stream/order-789?side=related");
  render(StreamView);
  await waitFor(() => expect(document.querySelectorAll("[data-testid=related-stream]")).toHaveLength(2));
  screen.getAllByTestId("related-pin")[0]?.click();
  await waitFor(() => expect(text("pinned-asof")).toContain("Version 1"));
  expect(navigation.params["pin"]).toBe("payment-551");
});

it("edges_of_the_tree_of_causes_say_how_sure_they_are", async () => {
  navigation.open("#/stream/order-789?side=related&of=7");
  render(StreamView);
  await waitFor(() => expect([...document.querySelectorAll("[data-testid=cause-row] em")].map((word) => word.textContent)).toEqual(["caused from outside", "recorded cause", "inferred cause", "recorded cause"]));
});
