/** The events of one stream in version order, without their payloads. */

import { host } from "$lib/host/client";
import { HostError } from "$lib/host/errors";
import { WHOLE_LOG } from "$lib/model/filters";

export interface HistoryRow {
  version: number;
  position: number;
  type: string;
  time: string;
  actor: string | null;
}

const PAGE = 500;
/** Read ahead without being asked up to here; further rows when they come on screen. */
const AHEAD = 20_000;
/** Pages that are kept; those farthest from what is on screen go first. */
const KEEP = 60;

interface Kept {
  rows: HistoryRow[];
  /** How often the stream had grown when it was read: a last page may be longer since. */
  growth: number;
}

export class StreamHistory {
  /** The stream that the rows belong to. */
  stream = $state<string | null>(null);
  /** Events in the stream, read or not. */
  total = $state(0);
  /** First and last time of its events; empty until they are read. */
  first = $state("");
  last = $state("");
  error = $state.raw<HostError | null>(null);
  /** Counts up when rows arrive; reading rows depends on it. */
  private tick = $state(0);
  private pages = new Map<number, Kept>();
  /** Pages on screen. */
  private wanted: [number, number] = [0, 0];
  private growth = 0;
  private reading = false;
  private generation = 0;

  /** Reads a stream from its first event. The old rows stay until the new ones are there. */
  async load(stream: string): Promise<void> {
    const generation = ++this.generation;
    try {
      const [row, rows] = await Promise.all([host.stream(stream), this.page(stream, 0)]);
      if (generation !== this.generation) return;
      this.stream = stream;
      this.error = null;
      this.total = Math.max(row.events, rows.length);
      [this.first, this.last] = [row.first_time, row.last_time];
      this.wanted = [0, 0];
      this.pages = new Map([[0, { rows, growth: this.growth }]]);
      this.tick++;
      this.reading = false;
      void this.readOn(generation);
    } catch (cause) {
      if (generation === this.generation) this.error = HostError.from(cause);
    }
  }

  /** The log has grown: reads on where the rows end. What was read stays as it is. */
  async grow(): Promise<void> {
    const { stream, generation } = this;
    if (stream === null) return;
    try {
      const row = await host.stream(stream);
      if (generation !== this.generation || row.events <= this.total) return;
      this.total = row.events;
      this.growth++;
      void this.readOn(generation);
    } catch (cause) {
      if (generation === this.generation) this.error = HostError.from(cause);
    }
  }

  /** Makes sure that the rows of these versions are read, before any others. */
  want(first: number, last = first): void {
    const page = (version: number) => Math.floor(Math.max(0, version - 1) / PAGE);
    this.wanted = [page(first), page(last)];
    void this.readOn(this.generation);
  }

  row(version: number): HistoryRow | undefined {
    void this.tick;
    const index = version - 1;
    return this.pages.get(Math.floor(index / PAGE))?.rows[index % PAGE];
  }

  /** A page of rows. A linked event has another version at home: its place in this stream is its place in the list. */
  private async page(stream: string, page: number): Promise<HistoryRow[]> {
    const { events } = await host.events({ ...WHOLE_LOG, stream }, PAGE, page * PAGE);
    return events.map((event, i) => ({
      version: page * PAGE + i + 1,
      position: event.position,
      type: event.type,
      time: event.time,
      actor: event.actor,
    }));
  }

  /** The page to read next: one on screen, else the next one ahead. */
  private missing(): number | null {
    const lacks = (page: number) => {
      const kept = this.pages.get(page);
      return page * PAGE < this.total && (kept === undefined || (kept.rows.length < PAGE && kept.growth < this.growth));
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
        const growth = this.growth;
        const rows = await this.page(this.stream, page);
        if (generation !== this.generation) return;
        this.pages.set(page, { rows, growth });
        this.forget();
        this.total = Math.max(this.total, page * PAGE + rows.length);
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
