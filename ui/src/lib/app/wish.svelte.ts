/** Something that was asked for in one view and is to be done in another, once it is there: `export`. */

export type Wish = "export" | "search";

class Wishes {
  private wish = $state<Wish | null>(null);

  make(wish: Wish): void {
    this.wish = wish;
  }

  /** Whether it was wished; fulfils it. */
  take(wish: Wish): boolean {
    if (this.wish !== wish) return false;
    this.wish = null;
    return true;
  }
}

export const wishes = new Wishes();
