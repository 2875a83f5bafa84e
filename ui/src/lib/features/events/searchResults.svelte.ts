/** What a search finds, page by page as it comes. Pages may be short: how far was looked is said beside them. */

import type { EventQuery } from "$lib/bindings/EventQuery";
import type { SearchHit } from "$lib/bindings/SearchHit";
import type { SearchView } from "$lib/bindings/SearchView";
import { host } from "$lib/host/client";
import { HostError } from "$lib/host/errors";

export interface Question {
  text: string;
  query: EventQuery;
  /** The log has grown, or its text index has: the same question is asked again. */
  revision: number;
}

/** How far was looked. */
export type Looked = Pick<SearchView, "searched_to" | "head" | "complete" | "reading">;

const PAGE = 50;
/** Hits read ahead of the row on screen. */
const AHEAD = 100;

export class SearchResults {
  hits = $state.raw<SearchHit[]>([]);
  /** Exact number of hits among what was looked at; `null` while it is counted. */
  count = $state<number | null>(null);
  looked = $state.raw<Looked | null>(null);
  notes = $state.raw<string[]>([]);
  error = $state.raw<HostError | null>(null);
  /** The question that the hits answer. */
  shown = $state<string | null>(null);
  revision = $state(0);
  loading = $state(false);
  /** The reader has had enough: nothing is read on until they scroll or ask again. */
  stopped = $state(false);
  private question: Question | null = null;
  private next: number | null = null;
  private wanted = AHEAD;
  private generation = 0;

  get complete(): boolean {
    return this.next === null && !this.loading;
  }

  /** Asks. The old hits stay until the first page of the new ones is there. */
  ask(question: Question): void {
    const generation = ++this.generation;
    this.question = question;
    this.wanted = AHEAD;
    this.stopped = false;
    void this.begin(question, generation);
  }

  /** Forgets everything: for when nothing is searched for. */
  clear(): void {
    this.generation++;
    this.question = null;
    this.hits = [];
    this.count = null;
    this.looked = null;
    this.error = null;
    this.shown = null;
    this.loading = false;
  }

  stop(): void {
    this.stopped = true;
  }

  /** Reads on as far as the row. */
  want(row: number): void {
    if (row + AHEAD <= this.wanted) return;
    this.wanted = row + AHEAD;
    this.stopped = false;
    if (!this.loading) void this.readOn(this.generation);
  }

  private async begin(question: Question, generation: number): Promise<void> {
    this.loading = true;
    try {
      const page = await host.search(question.text, question.query, PAGE);
      if (generation !== this.generation) return;
      this.hits = page.hits;
      this.count = page.next === null ? page.hits.length : null;
      this.shown = JSON.stringify([question.text, question.query]);
      this.revision = question.revision;
      this.error = null;
      this.take(page);
      if (page.next !== null) void this.countAll(question, generation);
      await this.readOn(generation);
    } catch (cause) {
      this.fail(cause, generation);
    }
  }

  private async readOn(generation: number): Promise<void> {
    this.loading = true;
    try {
      while (this.question && this.next !== null && this.hits.length < this.wanted && !this.stopped) {
        const page = await host.search(this.question.text, { ...this.question.query, after: this.next }, PAGE);
        if (generation !== this.generation) return;
        this.hits = [...this.hits, ...page.hits];
        this.take(page);
      }
      if (generation === this.generation) this.loading = false;
    } catch (cause) {
      this.fail(cause, generation);
    }
  }

  private async countAll(question: Question, generation: number): Promise<void> {
    try {
      const counted = await host.searchCount(question.text, question.query);
      if (generation === this.generation) this.count = counted.count;
    } catch {
      // the hits say what can be said; their error is shown
    }
  }

  private take(page: SearchView): void {
    this.next = page.next;
    this.looked = { searched_to: page.searched_to, head: page.head, complete: page.complete, reading: page.reading };
    this.notes = page.notes ?? [];
    if (page.next === null) this.count = this.hits.length;
  }

  private fail(cause: unknown, generation: number): void {
    if (generation !== this.generation) return;
    this.error = HostError.from(cause);
    this.loading = false;
  }
}
