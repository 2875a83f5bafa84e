import { beforeEach, expect, it, vi } from "vitest";
import { SearchResults } from "$lib/features/events/searchResults.svelte";
import { host, useTransport } from "$lib/host/client";
import { createMock } from "$lib/host/mock/transport";
import { WHOLE_LOG } from "$lib/model/filters";

const newest = { ...WHOLE_LOG, direction: "backwards" as const };
const ask = (text: string, revision = 0) => ({ text, query: newest, revision });

beforeEach(() => useTransport(createMock({ extra: 2000, open: true })));

it("first_pages_come_newest_first_and_all_hits_are_counted", async () => {
  const results = new SearchResults();
  results.ask(ask("amount"));
  await vi.waitFor(() => expect(results.loading).toBe(false));
  const positions = results.hits.map((hit) => hit.event.position);
  expect(positions).toEqual(positions.toSorted((a, b) => b - a));
  expect(results.hits.length).toBe(100);
  await vi.waitFor(() => expect(results.count).toBeGreaterThan(1900));
});

it("pages_are_read_as_far_as_the_reader_scrolls", async () => {
  const results = new SearchResults();
  results.ask(ask("amount"));
  await vi.waitFor(() => expect(results.loading).toBe(false));
  results.want(390);
  await vi.waitFor(() => expect(results.loading).toBe(false));
  expect(results.hits.length).toBe(500);
});

it("answer_to_an_older_search_never_replaces_a_newer", async () => {
  const results = new SearchResults();
  results.ask(ask("amount"));
  results.ask(ask("dhl"));
  await vi.waitFor(() => expect(results.loading).toBe(false));
  expect(results.hits.map((hit) => hit.event.type)).toEqual(["OrderShipped"]);
});

it("stopped_search_reads_no_further_until_scrolled", async () => {
  const results = new SearchResults();
  const search = vi.spyOn(host, "search");
  results.ask(ask("amount"));
  results.stop();
  await vi.waitFor(() => expect(results.loading).toBe(false));
  expect([results.hits.length, search.mock.calls.length]).toEqual([50, 1]);
  results.want(30);
  await vi.waitFor(() => expect(results.hits.length).toBe(150));
  search.mockRestore();
});

it("text_that_cannot_be_read_is_an_error_with_a_hint", async () => {
  const results = new SearchResults();
  results.ask(ask(" "));
  await vi.waitFor(() => expect(results.error?.code).toBe("bad_input"));
  expect(results.error?.hint).toBe("write a word");
});
