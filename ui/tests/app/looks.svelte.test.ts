import { flushSync } from "svelte";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { asked, looks, SETTLED_MS } from "$lib/app/looks.svelte";
import { navigation } from "$lib/app/navigation.svelte";
import { session } from "$lib/app/session.svelte";
import { host, useTransport } from "$lib/host/client";
import type { Transport } from "$lib/host/commands";
import { createMock } from "$lib/host/mock/transport";
import { parseRoute } from "$lib/model/route";

let noted: unknown[] = [];
let refuse = false;
let stop: () => void = () => undefined;

beforeEach(async () => {
  noted = [];
  refuse = false;
  const mock = createMock({ extra: 0, open: true });
  const own: Transport = {
    call: (command, args, progress) => {
      if (command !== "look_note") return mock.call(command, args, progress);
      if (refuse) return Promise.reject({ code: "read_only", message: "the access log could not be used", hint: null });
      noted.push((args as { view: string; asked: unknown }).view);
      return mock.call(command, args);
    },
  };
  useTransport(own);
  navigation.open("#/streams");
  await session.openWith("sample", () => host.openSample());
  vi.useFakeTimers();
  stop = $effect.root(() => looks.watch());
});

afterEach(() => {
  stop();
  vi.useRealTimers();
});

it("only_a_view_that_stays_is_written_down", async () => {
  navigation.open("#/stream/account-12345?v=1");
  flushSync();
  for (let v = 2; v < 6; v++) {
    await vi.advanceTimersByTimeAsync(SETTLED_MS / 4);
    navigation.patch({ v: String(v) });
    flushSync();
  }
  expect(noted).toEqual([]);
  await vi.advanceTimersByTimeAsync(SETTLED_MS);
  expect(noted).toEqual(["stream"]);
});

/** Each drawing of what came began the wait anew: on a busy log nothing that was looked at was written down. */
it("a_view_that_stays_while_the_log_grows_is_written_down", async () => {
  navigation.open("#/events");
  flushSync();
  for (let n = 0; n < 5; n++) {
    await vi.advanceTimersByTimeAsync(SETTLED_MS / 4);
    if (session.info) session.info = { ...session.info, events: session.info.events + 1 };
    flushSync();
  }
  expect(noted).toEqual(["events"]);
});

it("a_look_that_cannot_be_written_down_is_said", async () => {
  refuse = true;
  navigation.open("#/streams");
  flushSync();
  await vi.advanceTimersByTimeAsync(SETTLED_MS);
  expect(looks.error?.message).toContain("access log");
});

it("an_address_tells_what_was_asked", () => {
  expect(asked(parseRoute("#/stream/order-789?at=2024-01-10&v=2"))).toEqual([["stream", ["order-789"]], ["at", ["2024-01-10"]], ["v", ["2"]]]);
  expect(asked(parseRoute("#/streams"))).toEqual([]);
});
