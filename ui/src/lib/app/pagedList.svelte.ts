/**
 * A long list read page by page, by key.
 *
 * Keyset pages can only be read in order, so the cursors of pages seen are kept and the rows of far pages are
 * dropped: any list fits in memory, and a page seen once is found again at once. Where the host finds a page by its
 * row (`pageAt`), nothing has to be walked.
 */

import { HostError } from "$lib/host/errors";
import { LatestOnly } from "$lib/model/latestOnly";

export interface Page<Row, Key> {
  rows: Row[];
  /** Where the next page begins; `null` at the end. */
  next: Key | null;
}

export interface Source<Row, Key> {
  /** Identity of the question: another one empties the list. */
  id: string;
  /** The same question of a log that has grown since: the list is renewed where the reader stands. */
  revision?: number;
  /** A log that grows adds rows at the end only: what was read stays right. */
  appends?: boolean;
  count: () => Promise<number>;
  page: (after: Key | null, limit: number) => Promise<Page<Row, Key>>;
  /** The page that begins with row `index`, where the host finds it without the pages before. */
  pageAt?: (index: number, limit: number) => Promise<Page<Row, Key>>;
}

const KEEP_PAGES = 60;

export class PagedList<Row, Key> {
  total = $state<number | null>(null);
  error = $state.raw<HostError | null>(null);
  /** Which question the rows answer. */
  shown = $state<string | null>(null);
  /** For which revision. */
  revision = $state(0);
  private asked: string | null = null;
  /** Counts up when rows arrive; reading rows depends on it. */
  private tick = $state(0);
  private source: Source<Row, Key> | null = null;
  private pages = new Map<number, Row[]>();
  /** Key of the row before each page that is known; the first page has none. */
  private cursors = new Map<number, Key | null>([[0, null]]);
  private wanted: [number, number] = [0, 0];
  private walking = false;

  constructor(private readonly size = 200) {}

  private readonly beginning = new LatestOnly<Source<Row, Key>, [number, Page<Row, Key>]>(
    (source) => Promise.all([source.count(), source.page(null, this.size)]),
    ([total, first], source) => this.take(source, total, first),
    (cause) => (this.error = HostError.from(cause)),
  );

  /** Asks another question; while one is under way only the newest waits. The old rows stay until the answer. */
  ask(source: Source<Row, Key>): void {
    const asked = `${source.revision ?? 0} ${source.id}`;
    if (this.asked === asked) return;
    this.asked = asked;
    this.beginning.ask(source);
  }

  private take(source: Source<Row, Key>, total: number, first: Page<Row, Key>): void {
    const goesOn = source.appends === true && this.source?.id === source.id;
    this.source = source;
    this.error = null;
    if (goesOn) this.keepWholePages(first);
    else {
      this.pages = new Map([[0, first.rows]]);
      this.cursors = new Map([[0, null]]);
      if (first.next !== null) this.cursors.set(1, first.next);
    }
    // a list that ends with its first page is as long as that page, whatever came between
    this.total = first.next === null ? first.rows.length : Math.max(total, first.rows.length);
    this.shown = source.id;
    this.revision = source.revision ?? 0;
    this.tick++;
    void this.walk();
  }

  /** Only the last page of a list that grows at its end has room for more; it is read again. */
  private keepWholePages(first: Page<Row, Key>): void {
    for (const [page, rows] of this.pages) if (rows.length < this.size) this.pages.delete(page);
    this.pages.set(0, first.rows);
    if (first.next !== null) this.cursors.set(1, first.next);
  }

  /** The row, or `undefined` while it is not read yet. */
  row(index: number): Row | undefined {
    void this.tick;
    return this.pages.get(Math.floor(index / this.size))?.[index % this.size];
  }

  /** Tells which rows are on screen. */
  show(first: number, last: number): void {
    this.wanted = [Math.max(0, first), last];
    void this.walk();
  }

  /** The first page that is missing on screen, and how many follow it that are missing, too. */
  private missing(): [page: number, pages: number] | null {
    const total = this.total ?? 0;
    const to = Math.floor(Math.min(this.wanted[1], total - 1) / this.size);
    let first = Math.floor(this.wanted[0] / this.size);
    while (first <= to && this.pages.has(first)) first++;
    if (first > to) return null;
    let end = first + 1;
    while (end <= to && !this.pages.has(end)) end++;
    return [first, end - first];
  }

  private async walk(): Promise<void> {
    if (this.walking) return;
    this.walking = true;
    try {
      for (;;) {
        const source = this.source;
        const target = this.missing();
        if (!source || target === null) break;
        if (!(await this.step(source, ...target))) break;
      }
    } finally {
      this.walking = false;
    }
  }

  /**
   * Reads the target if its key is known or it is found by its row, else the last page known on the way to it. Where
   * pages are found by their rows, all that are missing on screen come at once: a jump is one question.
   */
  private async step(source: Source<Row, Key>, target: number, missing: number): Promise<boolean> {
    const byRow = this.cursors.has(target) ? undefined : source.pageAt;
    const at = byRow ? target : this.lastKnown(target);
    const pages = source.pageAt ? missing : 1;
    const limit = pages * this.size;
    try {
      const page = byRow ? await byRow(target * this.size, limit) : await source.page(this.cursors.get(at) ?? null, limit);
      if (this.source !== source) return true;
      if (page.next !== null) this.cursors.set(at + pages, page.next);
      for (let n = 0; n < pages; n++) this.pages.set(at + n, page.rows.slice(n * this.size, (n + 1) * this.size));
      this.forget(at);
      if (page.next === null) this.total = at * this.size + page.rows.length;
      this.tick++;
      return page.rows.length > 0;
    } catch (cause) {
      if (this.source === source) this.error = HostError.from(cause);
      return false;
    }
  }

  private lastKnown(target: number): number {
    let known = target;
    while (!this.cursors.has(known)) known--;
    return known;
  }

  private forget(near: number): void {
    while (this.pages.size > KEEP_PAGES) {
      const far = [...this.pages.keys()].sort((a, b) => Math.abs(b - near) - Math.abs(a - near))[0];
      if (far === undefined || far === near) return;
      this.pages.delete(far);
    }
  }
}
