import { render, screen, waitFor } from "@testing-library/svelte";
import { createRawSnippet } from "svelte";
import { beforeEach, expect, it, vi } from "vitest";
import { navigation } from "$lib/app/navigation.svelte";
import WhyPanel from "$lib/features/explain/WhyPanel.svelte";
import WhatIfPanel from "$lib/features/explain/WhatIfPanel.svelte";
import { answersFor } from "$lib/features/stream/standpoint";
import { useTransport } from "$lib/host/client";
import { createMock } from "$lib/host/mock/transport";
import StreamView from "$lib/views/StreamView.svelte";

const heading = createRawSnippet(() => ({ render: () => "<span></span>" }));
const deeds = { open: vi.fn(), stand: vi.fn(), leaveOut: vi.fn(), edit: vi.fn() };
const text = (id: string) => screen.getByTestId(id).textContent?.replace(/\s+/g, " ").trim() ?? "";
const words = (element: Element) => element.textContent?.replace(/\s+/g, " ").trim();

beforeEach(() => {
  // the simulated page lays nothing out: a list as tall as this draws all its rows
  Object.defineProperty(HTMLElement.prototype, "clientHeight", { configurable: true, value: 600 });
  useTransport(createMock({ extra: 0, open: true }));
  vi.clearAllMocks();
});

const why = (stream: string, path: string | null, moment = {}) => render(WhyPanel, { stream, path, moment, revision: 0, heading, answersFor, from: null, deeds });

it("balance_has_five_contributions_that_add_up_digit_for_digit", async () => {
  why("account-12345", "balance");
  await waitFor(() => expect(text("why-value")).toContain("1247.83"));
  expect(text("why-sum")).toBe("Sum of all 5 changes = 1247.83");
  expect([...document.querySelectorAll("[data-testid=contribution] .delta")].map(words)).toEqual(["set anew= 0.00", "change+1000.00", "change-50.00", "change+500.00", "change-202.17"]);
  expect(text("why-expression")).toBe("data.amount");
  expect(text("why-looked")).toContain("5 of 5 events");
});

it("what_is_not_recorded_is_said_with_a_dash", async () => {
  why("account-12345", "balance");
  await waitFor(() => expect(text("why-reason")).toBe("– not recorded"));
  expect(text("why-who")).toBe("customer-12345 metadata.userId");
});

it("inferred_answer_says_so", async () => {
  why("user-123", "email");
  await waitFor(() => screen.getByText("inferred"));
  expect(text("why-reason")).toBe("Company transfer data.reason");
});

it("before_the_first_event_there_is_nothing_to_explain", async () => {
  why("account-12345", "balance", { at: "2020-01-01T00:00:00Z" });
  await waitFor(() => screen.getByText("Nothing had happened yet"));
});

it("without_a_value_the_panel_says_how_to_pick_one", () => {
  why("account-12345", null);
  expect(screen.getByText("No value is picked")).toBeTruthy();
});

it("what_if_without_a_deposit_shows_both_values_and_that_nothing_is_written", async () => {
  render(WhatIfPanel, { stream: "account-12345", trial: { without: [5], edits: [] }, moment: {}, revision: 0, heading, answersFor, deeds, onputback: vi.fn(), onclear: vi.fn() });
  await waitFor(() => expect([...document.querySelectorAll('[data-testid=whatif-change][data-path="balance"] td')].map(words)).toEqual(["balance", "1247.83", "747.83"]));
  expect(text("whatif-banner")).toContain("nothing is written");
});

it("keys_lead_from_a_value_to_why_to_its_event_and_back", async () => {
  navigation.open("#/stream/account-12345");
  render(StreamView);
  const row = await waitFor(() => document.querySelector<HTMLElement>('[data-testid=state-value][data-path="balance"]') ?? Promise.reject(new Error("no balance yet")));
  const press = (target: Element, key: string) => target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  press(row, "w");
  await waitFor(() => expect(document.querySelectorAll("[data-testid=contribution]")).toHaveLength(5));
  expect(navigation.params["why"]).toBe("balance");
  press(screen.getByTestId("contribution-list"), "ArrowUp");
  press(screen.getByTestId("contribution-list"), "Enter");
  await waitFor(() => expect(screen.getByTestId("event-detail").dataset["position"]).toBe("5"));
  press(document.body, "Escape");
  await waitFor(() => expect(document.querySelector("[data-testid=contribution][aria-selected=true]")?.getAttribute("data-position")).toBe("5"));
  press(document.body, "Escape");
  await waitFor(() => screen.getByTestId("diff-panel"));
  expect(navigation.params["why"]).toBeUndefined();
});
