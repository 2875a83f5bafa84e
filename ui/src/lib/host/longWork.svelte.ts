/** Questions that take long: what the window's one progress line tells, and its Cancel button stops. */

/** So long nobody has to be told that something runs. */
export const PATIENCE_MS = 400;

interface Work {
  what: string;
}

export class LongWork {
  private under = $state.raw<readonly Work[]>([]);

  /** What has been running for longer than a moment, each once. */
  get running(): readonly string[] {
    return [...new Set(this.under.map((work) => work.what))];
  }

  /** Lists the work under its name if it takes longer than a moment, until it ends either way. */
  async during<T>(what: string, answer: Promise<T>): Promise<T> {
    const work = { what };
    const listing = setTimeout(() => (this.under = [...this.under, work]), PATIENCE_MS);
    try {
      return await answer;
    } finally {
      clearTimeout(listing);
      if (this.under.includes(work)) this.under = this.under.filter((other) => other !== work);
    }
  }
}

/** One for the window. */
export const longWork = new LongWork();
