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
/** Read ahead without being asked up to here; further rows when they are scrolled to. */
const AHEAD = 20_000;

export class StreamHistory {
  /** The stream that the rows belong to. */
  stream = $state<string | null>(null);
  rows = $state.raw<HistoryRow[]>([]);
  /** Events in the stream, read or not. */
  total = $state(0);
  /** First and last time of its events; empty until they are read. */
  first = $state("");
  last = $state("");
  error = $state.raw<HostError | null>(null);
  private wanted = 0;
  private next: number | null = null;
  private reading = false;
  private generation = 0;

  /** Reads a stream from its first event. The old rows stay until the new ones are there. */
  async load(stream: string): Promise<void> {
    const generation = ++this.generation;
    this.wanted = AHEAD;
    try {
      const [row, page] = await Promise.all([host.stream(stream), this.page(stream, null)]);
      if (generation !== this.generation) return;
      this.stream = stream;
      this.error = null;
      this.total = row.events;
      [this.first, this.last] = [row.first_time, row.last_time];
      this.rows = [];
      this.take(page);
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
      if (generation !== this.generation) return;
      this.total = Math.max(this.total, row.events);
      if (this.rows.length >= this.total) return;
      this.next ??= this.rows.at(-1)?.position ?? null;
      void this.readOn(generation);
    } catch (cause) {
      if (generation === this.generation) this.error = HostError.from(cause);
    }
  }

  /** Makes sure that rows up to `version` are read. */
  want(version: number): void {
    this.wanted = Math.max(this.wanted, version + PAGE);
    void this.readOn(this.generation);
  }

  row(version: number): HistoryRow | undefined {
    return this.rows[version - 1];
  }

  private page(stream: string, after: number | null) {
    return host.events({ ...WHOLE_LOG, stream, after }, PAGE);
  }

  private take(page: Awaited<ReturnType<typeof this.page>>): void {
    const base = this.rows.length;
    // a linked event has another version at home: its place in this stream is its place in this list
    const rows = page.events.map((event, i) => ({
      version: base + i + 1,
      position: event.position,
      type: event.type,
      time: event.time,
      actor: event.actor,
    }));
    this.rows = [...this.rows, ...rows];
    this.next = page.next;
    this.total = Math.max(this.total, this.rows.length);
  }

  private async readOn(generation: number): Promise<void> {
    if (this.reading || this.stream === null) return;
    this.reading = true;
    try {
      while (this.next !== null && this.rows.length < this.wanted && generation === this.generation) {
        const page = await this.page(this.stream, this.next);
        if (generation === this.generation) this.take(page);
      }
    } catch (cause) {
      if (generation === this.generation) this.error = HostError.from(cause);
    } finally {
      if (generation === this.generation) this.reading = false;
    }
  }
}
