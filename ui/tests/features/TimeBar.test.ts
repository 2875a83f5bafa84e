import { fireEvent, render, screen, waitFor } from "@testing-library/svelte";
import { beforeEach, expect, it, vi } from "vitest";
import { navigation } from "$lib/app/navigation.svelte";
import { session } from "$lib/app/session.svelte";
import { timeCursor } from "$lib/app/timeCursor.svelte";
import TimeBar from "$lib/features/timebar/TimeBar.svelte";
import { host, useTransport } from "$lib/host/client";
import { createMock } from "$lib/host/mock/transport";

/** happy-dom lays nothing out: the track gets a width. */
vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(900);

const label = () => screen.getByTestId("asof-label").textContent?.replace(/\s+/g, " ").trim();
const press = (key: string, shiftKey = false) => fireEvent.keyDown(screen.getByTestId("timebar-cursor"), { key, shiftKey });

beforeEach(async () => {
  useTransport(createMock({ extra: 0, open: true }));
  navigation.open("#/overview");
  await session.openWith("sample", () => host.openSample());
  render(TimeBar);
  await waitFor(() => screen.getByTestId("timebar-cursor"));
});

it("starts_live_and_says_so", () => {
  expect(label()).toContain("LIVE");
  expect(screen.getByTestId("timebar-cursor").getAttribute("aria-valuetext")).toBe("live: all events");
});

it("arrow_left_steps_to_the_instant_before_the_last", async () => {
  await press("ArrowLeft");
  await waitFor(() => expect(timeCursor.at).toBe("2024-01-17T08:12:45.123456Z"));
  expect(label()).toBe("AS OF 2024-01-17 08:12:45.123456 UTC");
});

it("keys_pressed_while_a_step_is_under_way_add_up", async () => {
  void press("ArrowLeft");
  void press("ArrowLeft");
  await press("ArrowLeft");
  await waitFor(() => expect(timeCursor.at).toBe("2024-01-15T14:30:00Z"));
});

it("events_of_one_instant_are_one_step", async () => {
  timeCursor.moveTo("2024-01-15T10:30:04.250Z");
  await press("ArrowLeft");
  await waitFor(() => expect(timeCursor.at).toBe("2024-01-15T10:30:00Z"));
});

it("shift_arrows_step_days_and_stay_inside_the_log", async () => {
  timeCursor.moveTo("2024-01-03T06:00:00Z");
  await press("ArrowLeft", true);
  expect(timeCursor.at).toBe("2024-01-02T06:00:00Z");
  await press("ArrowLeft", true);
  await press("ArrowLeft", true);
  expect(timeCursor.at).toBe("2024-01-01T00:00:00Z");
});

it("home_is_the_first_instant_and_end_is_live", async () => {
  await press("Home");
  expect(timeCursor.at).toBe("2024-01-01T00:00:00Z");
  await press("End");
  expect(timeCursor.live).toBe(true);
});

it("stepping_past_the_last_instant_is_live_again", async () => {
  timeCursor.moveTo("2024-02-02T14:30:00.000000001Z");
  await press("ArrowRight");
  await waitFor(() => expect(timeCursor.live).toBe(true));
});

it("date_typed_alone_is_the_end_of_that_day", async () => {
  const input = screen.getByTestId("timebar-input");
  await fireEvent.input(input, { target: { value: "2024-01-10" } });
  await fireEvent.keyDown(input, { key: "Enter" });
  expect(timeCursor.at).toBe("2024-01-10T23:59:59.999999999Z");
  await waitFor(() => expect(screen.getByTestId("timebar-reading").textContent).toBe("end of 2024-01-10 (UTC)"));
});

it("text_that_is_no_time_moves_nothing_and_is_told", async () => {
  const input = screen.getByTestId("timebar-input");
  await fireEvent.input(input, { target: { value: "soon" } });
  await fireEvent.keyDown(input, { key: "Enter" });
  expect(timeCursor.live).toBe(true);
  await waitFor(() => expect(screen.getByRole("alert").textContent).toContain("Not a time"));
});
