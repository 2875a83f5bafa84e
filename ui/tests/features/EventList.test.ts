import { render, waitFor } from "@testing-library/svelte";
import { expect, it, vi } from "vitest";
import EventList from "$lib/features/events/EventList.svelte";
import { session } from "$lib/app/session.svelte";
import { host, useTransport } from "$lib/host/client";
import { createMock } from "$lib/host/mock/transport";
import { WHOLE_LOG } from "$lib/model/filters";

const empty = { title: "", why: "" };

it("event_opened_by_its_address_is_scrolled_to_in_one_page", async () => {
  useTransport(createMock({ open: true, extra: 3000 }));
  session.info = await host.info();
  const query = { ...WHOLE_LOG, type: "OrderPlaced", direction: "backwards" as const };
  const far = (await host.events({ ...query, direction: "forwards" }, 3)).events.at(-1)?.position ?? 0;
  const row = (await host.eventRow(query, far)).row;
  expect(row).toBeGreaterThan(300);
  vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(280);
  const pages = vi.spyOn(host, "events");
  render(EventList, { props: { query, revision: 0, selected: far, oncount: () => undefined, onselect: () => undefined, empty } });
  await waitFor(() => expect(document.querySelector(`[data-position="${far}"]`)).not.toBeNull(), { timeout: 3000 });
  expect(pages.mock.calls.length).toBe(2);
});
