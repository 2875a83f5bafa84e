import { flushSync } from "svelte";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { navigation } from "$lib/app/navigation.svelte";
import { session } from "$lib/app/session.svelte";
import { timeCursor } from "$lib/app/timeCursor.svelte";
import { host, useTransport } from "$lib/host/client";
import { createMock } from "$lib/host/mock/transport";

let mock: ReturnType<typeof createMock>;
let clean: () => void;
/** What the panel under test has drawn. */
let drawn = $state.raw(0);

beforeEach(async () => {
  mock = createMock({ extra: 0, open: true });
  useTransport(mock);
  navigation.open("#/events");
  await session.openWith("sample", () => host.openSample());
  drawn = session.revision;
  clean = $effect.root(() => {
    $effect(() => session.watch());
    session.panel("test", () => drawn);
  });
  flushSync();
});
afterEach(() => clean());

it("what_another_program_appends_is_counted_at_once_while_live", async () => {
  const before = session.info?.events ?? 0;
  mock.grow();
  await vi.waitFor(() => expect(session.info?.events).toBe(before + 1));
  expect(session.newEvents).toBe(0);
});

it("live_says_how_far_the_slowest_panel_is_behind", async () => {
  expect(session.behind).toBe(0);
  mock.grow();
  await vi.waitFor(() => expect(session.info?.events).toBe(session.head));
  expect(session.behind).toBe(1);
  drawn = session.revision;
  flushSync();
  expect(session.behind).toBe(0);
});

it("in_the_past_nothing_moves_and_the_newer_events_are_counted", async () => {
  timeCursor.moveTo("2024-01-10T00:00:00Z");
  flushSync();
  const [events, revision] = [session.info?.events, session.revision];
  mock.grow();
  mock.grow();
  await vi.waitFor(() => expect(session.newEvents).toBe(2));
  expect([session.info?.events, session.revision]).toEqual([events, revision]);
  timeCursor.backToLive();
  flushSync();
  await vi.waitFor(() => expect(session.newEvents).toBe(0));
});

it("panel_that_has_gone_holds_nobody_back", async () => {
  mock.grow();
  await vi.waitFor(() => expect(session.info?.events).toBe(session.head));
  expect(session.behind).toBe(1);
  clean();
  expect(session.behind).toBe(0);
});

it("following_that_has_ended_is_not_called_live_and_can_begin_again", async () => {
  expect(session.follows).toBe(true);
  mock.endFollowing();
  await vi.waitFor(() => expect(session.follows).toBe(false));
  await session.followAgain();
  expect(session.follows).toBe(true);
  const before = session.info?.events ?? 0;
  mock.grow();
  await vi.waitFor(() => expect(session.info?.events).toBe(before + 1));
});

it("following_that_gave_way_to_another_store_s_is_not_missed", async () => {
  await session.openWith("sample", () => host.openSample());
  await new Promise((done) => setTimeout(done));
  expect(session.follows).toBe(true);
});
