/** The statement that is being written, and what came of the last one that was asked. */

import type { SavedQueriesView } from "$lib/bindings/SavedQueriesView";
import type { SqlArgs } from "$lib/bindings/SqlArgs";
import type { SqlSchemaView } from "$lib/bindings/SqlSchemaView";
import type { SqlView } from "$lib/bindings/SqlView";
import { keptRows } from "$lib/app/keptRows";
import type { PagedList } from "$lib/app/pagedList.svelte";
import { session } from "$lib/app/session.svelte";
import { timeCursor } from "$lib/app/timeCursor.svelte";
import { host } from "$lib/host/client";
import { HostError } from "$lib/host/errors";
import { shownZoneName } from "$lib/model/shownZone.svelte";
import { offered, placeOfFault, type Offered } from "$lib/model/sql";

/** Rows that an answer begins with; the others are read where they are asked for. */
const ROWS = 10_000;

class SqlConsole {
  text = $state("");
  schema = $state.raw<SqlSchemaView | null>(null);
  saved = $state.raw<SavedQueriesView | null>(null);
  /** Name of the saved query that is in the editor. */
  name = $state<string | null>(null);
  answer = $state.raw<SqlView | null>(null);
  /** What `answer` answers. */
  asked = $state.raw<SqlArgs | null>(null);
  error = $state.raw<HostError | null>(null);
  /** Why saved queries or the schema cannot be read or written. */
  besideError = $state.raw<HostError | null>(null);
  /** All rows of the answer, once they were asked for. */
  all = $state.raw<PagedList<unknown[], number> | null>(null);
  running = $state(false);
  /** The statement that was asked last, answered or not. */
  begun: string | null = null;
  private store: string | null = null;
  private turn = 0;
  private words: Offered[] = [];

  /** The error's place, while the statement is still the one that it is about. */
  get fault() {
    return this.error && this.asked?.sql === this.text ? placeOfFault(this.error.message) : null;
  }

  /** The as-of of the answer is no longer that of the Time bar, and the statement looks at it. */
  get stale(): boolean {
    const { asked, answer } = this;
    if (!answer || !asked) return false;
    const now = this.args(asked.sql);
    const looks = (name: string) => new RegExp(`:${name}\\b`).test(asked.sql);
    return (looks("at") && now.at !== asked.at) || (looks("known") && now.known !== asked.known);
  }

  offered = (): Offered[] => this.words;

  /** Reads what there is to ask of the open store. */
  async begin(): Promise<void> {
    if (this.store === session.path && this.schema !== null) return;
    if (this.store !== session.path) {
      this.schema = this.answer = this.asked = this.error = this.all = null;
      this.name = this.begun = null;
      this.store = session.path;
    }
    await this.beside(async () => {
      this.saved = await host.savedQueries();
      this.schema = await host.sqlSchema();
      this.words = offered(this.schema);
    });
  }

  async run(): Promise<void> {
    const turn = ++this.turn;
    const asked = this.args(this.text);
    this.begun = asked.sql;
    this.running = true;
    this.error = null;
    try {
      const answer = await host.askSql(asked);
      if (turn !== this.turn) return;
      this.answer = answer;
      this.all = null;
    } catch (cause) {
      if (turn !== this.turn) return;
      this.error = HostError.from(cause);
    } finally {
      if (turn === this.turn) {
        this.asked = asked;
        this.running = false;
      }
    }
  }

  /** Asks the last statement again and keeps all its rows. */
  async runAll(): Promise<void> {
    const asked = this.asked;
    if (asked === null) return;
    const turn = ++this.turn;
    this.running = true;
    this.error = null;
    try {
      const { answer, pages } = await host.askAllSql(asked);
      if (turn !== this.turn) return;
      this.answer = answer;
      this.all = keptRows<unknown[]>(pages);
    } catch (cause) {
      if (turn === this.turn) this.error = HostError.from(cause);
    } finally {
      if (turn === this.turn) this.running = false;
    }
  }

  cancel(): void {
    void host.cancelLong();
  }

  open(name: string): void {
    const found = this.saved?.queries.find((query) => query.name === name);
    if (!found) return;
    this.text = found.sql.trimEnd();
    this.name = name;
  }

  /** Says whether it was saved. */
  async save(name: string, replace: boolean): Promise<boolean> {
    return this.beside(async () => {
      await host.saveQuery(name, this.text, replace);
      this.saved = await host.savedQueries();
      this.name = name;
    });
  }

  async remove(name: string): Promise<void> {
    await this.beside(async () => {
      await host.deleteQuery(name);
      this.saved = await host.savedQueries();
      if (this.name === name) this.name = null;
    });
  }

  /** A statement with what its parameters stand for: the Time bar's as-of. */
  args(sql: string): SqlArgs {
    const known = timeCursor.known;
    return { sql, at: timeCursor.at, known: known === null ? null : String(known), zone: shownZoneName(), limit: ROWS };
  }

  private async beside(work: () => Promise<void>): Promise<boolean> {
    this.besideError = null;
    try {
      await work();
      return true;
    } catch (cause) {
      this.besideError = HostError.from(cause);
      return false;
    }
  }
}

/** One for the window: what was typed is still there after a look elsewhere. */
export const sqlConsole = new SqlConsole();
