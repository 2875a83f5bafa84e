/**
 * One call in flight, newest wins.
 *
 * While a call runs, later questions replace each other; when it ends only the last one is asked. So a drag over a
 * thousand instants costs as many calls as the answerer can do, and what is shown is always the answer to the
 * newest question that was answered.
 */
export class LatestOnly<Q, A> {
  private waiting: { question: Q } | null = null;
  private busy = false;
  private stopped = false;

  constructor(
    /** `overtaken` tells whether a newer question waits: long work may give up then, by throwing. */
    private readonly answer: (question: Q, overtaken: () => boolean) => Promise<A>,
    private readonly done: (answer: A, question: Q) => void,
    private readonly failed: (error: unknown, question: Q) => void,
  ) {}

  ask(question: Q): void {
    this.waiting = { question };
    if (!this.busy) void this.run();
  }

  /** Forgets what is waiting and ignores the answer under way. */
  stop(): void {
    this.stopped = true;
    this.waiting = null;
  }

  private async run(): Promise<void> {
    this.busy = true;
    while (this.waiting && !this.stopped) {
      const { question } = this.waiting;
      this.waiting = null;
      try {
        const answer = await this.answer(question, () => this.waiting !== null || this.stopped);
        if (!this.stopped) this.done(answer, question);
      } catch (error) {
        // an error of a question that nobody asks any more is of no interest
        if (!this.stopped && this.waiting === null) this.failed(error, question);
      }
    }
    this.busy = false;
  }
}
