/** Rows of an answer that the host keeps, as a list read page by page. */

import type { PagesView } from "$lib/bindings/PagesView";
import { host } from "$lib/host/client";
import { PagedList } from "./pagedList.svelte";

export function keptRows<Row>({ id, rows_count }: PagesView): PagedList<Row, number> {
  const list = new PagedList<Row, number>(500);
  const page = async (first: number, count: number) => {
    const rows = (await host.rowsPage(id, first, count)) as Row[];
    const next = first + rows.length;
    return { rows, next: next < rows_count && rows.length > 0 ? next : null };
  };
  list.ask({
    id: `rows ${id}`,
    count: () => Promise.resolve(rows_count),
    page: (after, limit) => page(after ?? 0, limit),
    pageAt: page,
  });
  return list;
}
