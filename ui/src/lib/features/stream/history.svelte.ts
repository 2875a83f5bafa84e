/** The events of one stream in version order, a line each. */

import type { StreamLine } from "$lib/bindings/StreamLine";
import { host } from "$lib/host/client";
import { HostError } from "$lib/host/errors";

const PAGE = 200;
/** Read ahead without being asked up to here; further lines when they come on screen. */
const AHEAD = 20_000;
/** Pages that are kept; those farthest from what is on screen go first. */
const KEEP = 150;

interface Kept {
  /** By place in the page; a version whose link was erased is missing. */
  lines: (StreamLine | undefined)[];
  /** Events in the stream when it was read: a last page may be longer since. */
  total: number;
}

export class StreamHistory {
  /** The stream that the lines belong to. */
  stream = $state<string | null>(null);
  /** Events in the stream, read or not. */
  total = $state(0);
  /** First and last time of its events; empty until they are read. */
  first = $state("");
  last = $state("");
  error = $state.raw<HostError | null>(null);
  /** Counts up when lines arrive; reading them depends on it. */
  private tick = $state(0);
  private pages = new Map<number, Kept>();
  /** Pages on screen. */
  private wanted: [number, number] = [0, 0];
  private reading = false;
  private generation = 0;

  /** Reads a stream from its first event. The old lines stay until the new ones are there. */
  async load(stream: string): Promise<void> {
    const generation = ++this.generation;
    try {
      const [row, page] = await Promise.all([host.stream(stream), this.page(stream, 0)]);
      if (generation !== this.generation) return;
      this.stream = stream;
      this.error = null;
      this.total = Math.max(row.events, page.total);
      [this.first, this.last] = [row.first_time, row.last_time];
      this.wanted = [0, 0];
      this.pages = new Map([[0, page]]);
      this.tick++;
      this.reading = false;
      void this.readOn(generation);
    } catch (cause) {
      if (generation === this.generation) this.error = HostError.from(cause);
    }
  }

  /** The log has grown: reads on where the lines end. What was read stays as it is. */
  async grow(): Promise<void> {
    const { stream, generation } = this;
    if (stream === null) return;
    try {
      const row = await host.stream(stream);
      if (generation !== this.generation || row.events <= this.total) return;
      this.total = row.events;
      void this.readOn(generation);
    } catch (cause) {
      if (generation === this.generation) this.error = HostError.from(cause);
    }
  }

  /** Makes sure that these versions are read, before any others. */
  want(first: number, last = first): void {
    this.wanted = [pageOf(first), pageOf(last)];
    void this.readOn(this.generation);
  }

  /** The line of a version; `undefined` while it is not read, and where its link was erased. */
  row(version: number): StreamLine | undefined {
    void this.tick;
    return this.pages.get(pageOf(version))?.lines[(version - 1) % PAGE];
  }

  /** A version was read. */
  isRead(version: number): boolean {
    void this.tick;
    const kept = this.pages.get(pageOf(version));
    return kept !== undefined && version <= kept.total;
  }

  private async page(stream: string, page: number): Promise<Kept> {
    const from = page * PAGE + 1;
    const view = await host.streamLines(stream, from, PAGE);
    const lines: Kept["lines"] = [];
    for (const line of view.lines) lines[line.version - from] = line;
    return { lines, total: view.events_in_stream };
  }

  /** The page to read next: one on screen, else the next one ahead. */
  private missing(): number | null {
    const lacks = (page: number) => {
      const kept = this.pages.get(page);
      const end = Math.min(this.total, (page + 1) * PAGE);
      return page * PAGE < this.total && (kept === undefined || kept.total < end);
    };
    for (let page = this.wanted[0]; page <= this.wanted[1]; page++) if (lacks(page)) return page;
    for (let page = 0; page * PAGE < Math.min(this.total, AHEAD); page++) if (lacks(page)) return page;
    return null;
  }

  private async readOn(generation: number): Promise<void> {
    if (this.reading || this.stream === null) return;
    this.reading = true;
    try {
      for (let page = this.missing(); page !== null; page = this.missing()) {
        const kept = await this.page(this.stream, page);
        if (generation !== this.generation) return;
        this.pages.set(page, kept);
        this.forget();
        this.total = Math.max(this.total, kept.total);
        this.tick++;
      }
    } catch (cause) {
      if (generation === this.generation) this.error = HostError.from(cause);
    } finally {
      if (generation === this.generation) this.reading = false;
    }
  }

  private forget(): void {
    while (this.pages.size > KEEP) {
      const near = this.wanted[0];
      // those read ahead are asked for by the slider, wherever the list stands
      const far = [...this.pages.keys()].filter((page) => page * PAGE >= AHEAD).sort((a, b) => Math.abs(b - near) - Math.abs(a - near))[0];
      if (far === undefined) return;
      this.pages.delete(far);
    }
  }
}

function pageOf(version: number): number {
  return Math.floor(Math.max(0, version - 1) / PAGE);
}
