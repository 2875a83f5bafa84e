import { expect, it } from "vitest";
import { PagedList, type Source } from "$lib/app/pagedList.svelte";

const settle = () => new Promise((resolve) => setTimeout(resolve, 5));

/** Numbers 0 to `length` - 1 as rows, keyed by themselves. */
function numbers(length: number, id = "numbers", byRow = false) {
  const asked: (number | null)[] = [];
  const rowsAsked: number[] = [];
  const source: Source<number, number> = {
    id,
    count: async () => length,
    page: async (after, limit) => {
      asked.push(after);
      const start = after === null ? 0 : after + 1;
      const rows = Array.from({ length: Math.max(0, Math.min(limit, length - start)) }, (_, i) => start + i);
      return { rows, next: start + rows.length < length ? (rows.at(-1) ?? null) : null };
    },
  };
  if (byRow)
    source.pageAt = (index, limit) => {
      rowsAsked.push(index);
      const rows = Array.from({ length: Math.max(0, Math.min(limit, length - index)) }, (_, i) => index + i);
      return Promise.resolve({ rows, next: index + rows.length < length ? (rows.at(-1) ?? null) : null });
    };
  return { source, asked, rowsAsked };
}

it("row_far_away_is_reached_by_walking_the_keys", async () => {
  const list = new PagedList<number, number>(10);
  list.ask(numbers(1000).source);
  await settle();
  list.show(742, 760);
  await settle();
  expect([list.total, list.row(742), list.row(760)]).toEqual([1000, 742, 760]);
});

it("list_whose_pages_are_found_by_row_is_jumped_into", async () => {
  const list = new PagedList<number, number>(10);
  const { source, asked, rowsAsked } = numbers(1_000_000, "by row", true);
  list.ask(source);
  await settle();
  list.show(500_000, 500_005);
  await settle();
  expect([list.row(500_003), asked, rowsAsked]).toEqual([500_003, [null], [500_000]]);
  // read on from there, by key
  list.show(500_008, 500_012);
  await settle();
  expect([list.row(500_012), asked, rowsAsked]).toEqual([500_012, [null, 500_009], [500_000]]);
});

it("pages_on_screen_after_a_jump_come_with_one_question", async () => {
  const list = new PagedList<number, number>(10);
  const { source, asked, rowsAsked } = numbers(1_000_000, "by row", true);
  list.ask(source);
  await settle();
  list.show(500_008, 500_023);
  await settle();
  expect([list.row(500_008), list.row(500_015), list.row(500_023), asked, rowsAsked]).toEqual([500_008, 500_015, 500_023, [null], [500_000]]);
  // the end of the list is a part of a page
  list.show(999_985, 999_999);
  await settle();
  expect([list.row(999_985), list.row(999_999), list.total, rowsAsked]).toEqual([999_985, 999_999, 1_000_000, [500_000, 999_980]]);
  // what is there is not asked for again
  list.show(500_018, 500_035);
  await settle();
  expect([list.row(500_035), rowsAsked.length, asked]).toEqual([500_035, 2, [null, 500_029]]);
});

it("page_dropped_from_memory_is_read_again", async () => {
  const list = new PagedList<number, number>(10);
  const { source } = numbers(5000);
  list.ask(source);
  await settle();
  list.show(4990, 4999);
  await settle();
  expect(list.row(0)).toBeUndefined();
  list.show(0, 9);
  await settle();
  expect(list.row(0)).toBe(0);
});

it("answer_to_an_older_question_never_replaces_a_newer", async () => {
  const list = new PagedList<number, number>(10);
  const slow = numbers(10, "slow").source;
  list.ask({ ...slow, count: () => new Promise((done) => setTimeout(() => done(10), 3)) });
  list.ask(numbers(20, "middle").source);
  list.ask(numbers(30, "new").source);
  await settle();
  await settle();
  expect([list.total, list.shown]).toEqual([30, "new"]);
});

it("total_is_what_was_read_where_the_count_was_older", async () => {
  const list = new PagedList<number, number>(10);
  const { source } = numbers(7);
  list.ask({ ...source, count: async () => 99 });
  await settle();
  expect(list.total).toBe(7);
});

it("error_is_kept_and_the_next_question_is_asked", async () => {
  const list = new PagedList<number, number>(10);
  list.ask({ ...numbers(1).source, count: () => Promise.reject({ code: "io", message: "no disk", hint: null }) });
  await settle();
  expect(list.error?.code).toBe("io");
  list.ask(numbers(3, "again").source);
  await settle();
  expect([list.error, list.total]).toEqual([null, 3]);
});

it("list_that_grows_at_its_end_keeps_what_was_read", async () => {
  const list = new PagedList<number, number>(10);
  list.ask({ ...numbers(25).source, appends: true });
  await settle();
  list.show(20, 24);
  await settle();
  const { source, asked } = numbers(48);
  list.ask({ ...source, appends: true, revision: 1 });
  await settle();
  expect([list.total, list.revision, list.row(12), list.row(24)]).toEqual([48, 1, 12, 24]);
  list.show(40, 47);
  await settle();
  // the first page is always read, then only the last one of before and those after it
  expect([list.row(47), asked]).toEqual([47, [null, 19, 29, 39]]);
});

it("renewed_list_is_the_same_question_to_whoever_draws_it", async () => {
  const list = new PagedList<number, number>(10);
  list.ask(numbers(5).source);
  await settle();
  const shown = list.shown;
  list.ask({ ...numbers(6).source, revision: 1 });
  await settle();
  expect([list.shown, list.total]).toEqual([shown, 6]);
});
