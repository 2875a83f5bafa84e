/** The newest answer to a question that changes: keeps the old one on screen until the new one arrives. */

import { HostError } from "$lib/host/errors";
import { LatestOnly } from "$lib/model/latestOnly";

export class Latest<Q, A> {
  value = $state.raw<A | null>(null);
  /** The question that `value` answers. */
  answered = $state.raw<Q | null>(null);
  error = $state.raw<HostError | null>(null);
  loading = $state(false);
  private asked: string | null = null;
  private last: Q | null = null;
  private readonly runner: LatestOnly<Q, A>;

  constructor(answer: (question: Q, overtaken: () => boolean) => Promise<A>) {
    this.runner = new LatestOnly(
      answer,
      (value, question) => {
        this.value = value;
        this.answered = question;
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
      // an equal question has its answer: what it depends on may change without changing it
      const key = now === null ? null : JSON.stringify(now);
      if (now !== null && key !== this.asked) this.ask(now);
      this.asked = key;
    });
    $effect(() => () => this.runner.stop());
    return this;
  }

  ask(question: Q): void {
    this.loading = true;
    this.last = question;
    this.runner.ask(question);
  }

  /** Asks the last question once more: for when the answer may have changed though the question has not. */
  again(): void {
    if (this.last !== null) this.ask(this.last);
  }

  /** Forgets the answer: for when it belongs to something else entirely. */
  clear(): void {
    this.value = null;
    this.answered = null;
    this.error = null;
  }
}
