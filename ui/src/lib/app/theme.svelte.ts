/** Light "paper" and dark "ink": follows the system until the reader chooses. */

import type { Theme as Choice } from "$lib/bindings/Theme";

const KEY = "annals.theme";


class Theme {
  choice = $state<Choice>(read());
  private systemDark = $state(matchMedia("(prefers-color-scheme: dark)").matches);
  readonly dark = $derived(this.choice === "system" ? this.systemDark : this.choice === "dark");

  /** Writes the theme to the page. Returns the clean-up. */
  apply(): () => void {
    const query = matchMedia("(prefers-color-scheme: dark)");
    const follow = () => (this.systemDark = query.matches);
    query.addEventListener("change", follow);
    return () => query.removeEventListener("change", follow);
  }

  /** Remembered in the page too, so that the next start draws in it from its first frame. */
  choose(choice: Choice): void {
    this.choice = choice;
    try {
      localStorage.setItem(KEY, choice);
    } catch {
      // private storage may be off; the next start then blinks
    }
  }
}

function read(): Choice {
  try {
    const kept = localStorage.getItem(KEY);
    return kept === "light" || kept === "dark" ? kept : "system";
  } catch {
    return "system";
  }
}

export const theme = new Theme();
