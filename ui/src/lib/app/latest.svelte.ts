/** The newest answer to a question that changes: keeps the old one on screen until the new one arrives. */

import { HostError } from "$lib/host/errors";
import { LatestOnly } from "$lib/model/latestOnly";

export class Latest<Q, A> {
  value = $state.raw<A | null>(null);
  error = $state.raw<HostError | null>(null);
  loading = $state(false);
  private readonly runner: LatestOnly<Q, A>;

  constructor(answer: (question: Q) => Promise<A>) {
    this.runner = new LatestOnly(
      answer,
      (value) => {
        this.value = value;
        this.error = null;
        this.loading = false;
      },
      (error) => {
        this.error = HostError.from(error);
        this.loading = false;
      },
    );
  }

  /** Asks whenever `question` changes; `null` asks nothing. To be called while a component is set up. */
  follow(question: () => Q | null): this {
    $effect(() => {
      const now = question();
      if (now !== null) this.ask(now);
    });
    $effect(() => () => this.runner.stop());
    return this;
  }

  ask(question: Q): void {
    this.loading = true;
    this.runner.ask(question);
  }

  /** Forgets the answer: for when it belongs to something else entirely. */
  clear(): void {
    this.value = null;
    this.error = null;
  }
}
