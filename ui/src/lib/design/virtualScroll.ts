/**
 * Where a virtual list stands.
 *
 * Browsers cap an element at about 33,554,428 px and leave everything below unreachable without a word. So the
 * scrolled element is never taller than `CAP`; in a taller list small steps move row by row, and a drag of the thumb
 * moves in proportion.
 */

export const CAP = 8_000_000;

export class VirtualScroll {
  /** Pixels from the top of the list. */
  top = 0;
  private last = 0;

  constructor(
    public rows: number,
    readonly rowHeight: number,
    public height: number,
  ) {}

  get content(): number {
    return this.rows * this.rowHeight;
  }
  /** Height of the scrolled element. */
  get physical(): number {
    return Math.min(this.content, CAP);
  }
  /** Offset that the element had or was told to have last. */
  get offset(): number {
    return this.last;
  }
  private get maxTop(): number {
    return Math.max(0, this.content - this.height);
  }
  private get maxScroll(): number {
    return Math.max(0, this.physical - this.height);
  }

  /** Goes to the top. */
  restart(): void {
    this.top = 0;
    this.last = 0;
  }

  /** Takes the element's new scroll offset. */
  scrolled(offset: number): void {
    const step = offset - this.last;
    this.last = offset;
    if (this.content <= CAP) this.top = offset;
    else if (offset <= 0) this.top = 0;
    else if (offset >= this.maxScroll - 1) this.top = this.maxTop;
    else if (Math.abs(step) < this.height * 1.5) this.top = this.clamp(this.top + step);
    else this.top = (offset / this.maxScroll) * this.maxTop;
  }

  /** Offset that the element should have for the place shown; to be set when scrolling rests. */
  rest(): number {
    this.last = this.content <= CAP || this.maxTop === 0 ? this.top : (this.top / this.maxTop) * this.maxScroll;
    return this.last;
  }

  /** Brings a row into view; returns the element's offset. */
  reveal(row: number): number {
    const start = row * this.rowHeight;
    if (start < this.top) this.top = this.clamp(start);
    else if (start + this.rowHeight > this.top + this.height) this.top = this.clamp(start + this.rowHeight - this.height);
    return this.rest();
  }

  /** First and last row on screen. */
  range(): [number, number] {
    const first = Math.floor(this.top / this.rowHeight);
    const last = Math.ceil((this.top + this.height) / this.rowHeight) - 1;
    return [Math.max(0, Math.min(first, this.rows - 1)), Math.max(0, Math.min(last, this.rows - 1))];
  }

  private clamp(top: number): number {
    return Math.min(Math.max(top, 0), this.maxTop);
  }
}
