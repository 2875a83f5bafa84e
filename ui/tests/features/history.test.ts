import { expect, it } from "vitest";
import { StreamHistory } from "$lib/features/stream/history.svelte";
import { useTransport } from "$lib/host/client";

const settle = () => new Promise((resolve) => setTimeout(resolve, 20));

/** A stream whose versions in `erased` are no longer linked; says which pages were asked for. */
function stream(events: { count: number }, erased: readonly number[] = []) {
  const asked: number[] = [];
  useTransport({
    call: (command, args) => {
      const row = { stream: "order-1", category: "order", events: events.count, first_time: "2024-01-01T00:00:00Z", last_time: "2024-01-02T00:00:00Z" };
      if (command === "stream") return Promise.resolve(row);
      const { from, limit } = args as { from: number; limit: number };
      asked.push(from);
      const versions = Array.from({ length: Math.max(0, Math.min(limit, events.count - from + 1)) }, (_, i) => from + i);
      const lines = versions
        .filter((version) => !erased.includes(version))
        .map((version) => ({ version, position: version * 10, type: "ItemAdded", time: "2024-01-01T00:00:00Z", actor: null }));
      return Promise.resolve({ stream: "order-1", events_in_stream: events.count, lines });
    },
  });
  return asked;
}

it("line_stands_at_its_version_where_an_earlier_link_was_erased", async () => {
  stream({ count: 10 }, [4]);
  const history = new StreamHistory();
  await history.load("order-1");
  expect([history.row(3)?.position, history.row(4), history.row(5)?.position]).toEqual([30, undefined, 50]);
  expect([history.isRead(4), history.isRead(11), history.total]).toEqual([true, false, 10]);
});

it("lines_on_screen_come_before_those_read_ahead_and_far_ones_only_when_asked", async () => {
  const asked = stream({ count: 100_000 });
  const history = new StreamHistory();
  await history.load("order-1");
  history.want(70_000, 70_020);
  history.want(50_190, 50_210);
  await settle();
  expect([history.row(50_190)?.version, history.row(50_210)?.version, history.row(70_000)]).toEqual([50_190, 50_210, undefined]);
  expect(asked.slice(0, 4).filter((from) => from > 20_000)).toEqual([50_001, 50_201]);
});

it("last_line_of_a_stream_that_grew_is_read_with_those_after_it", async () => {
  const events = { count: 150 };
  stream(events);
  const history = new StreamHistory();
  await history.load("order-1");
  await settle();
  events.count = 420;
  await history.grow();
  await settle();
  expect([history.total, history.row(150)?.version, history.row(151)?.version, history.row(420)?.version]).toEqual([420, 150, 151, 420]);
});
