/** One piece of long work at a time: how far it is, and what came of it or why nothing did. */

import type { WorkProgressView } from "$lib/bindings/WorkProgressView";
import { HostError } from "$lib/host/errors";

export class Work<A> {
  /** How far it is; `null`: it does not run. A total of 0 is not known yet. */
  progress = $state.raw<WorkProgressView | null>(null);
  /** What came of the last run. */
  answer = $state.raw<A | null>(null);
  error = $state.raw<HostError | null>(null);

  get running(): boolean {
    return this.progress !== null;
  }

  /** Runs work, which is given what takes how far it is; what came of the run before is forgotten. */
  async run(work: (tell: (now: WorkProgressView) => void) => Promise<A>): Promise<void> {
    this.progress = { done: 0, total: 0 };
    this.answer = null;
    this.error = null;
    try {
      this.answer = await work((now) => {
        // what is told late does not bring back work that has ended
        if (this.running) this.progress = now;
      });
    } catch (cause) {
      this.error = HostError.from(cause);
    } finally {
      this.progress = null;
    }
  }

  /** Takes the path that was chosen in the system's dialog, if one was. */
  async pick(chosen: Promise<{ paths: string[] }>, take: (path: string) => void): Promise<void> {
    try {
      const path = (await chosen).paths[0];
      if (path !== undefined) take(path);
    } catch (cause) {
      this.error = HostError.from(cause);
    }
  }
}
