/** Light "paper" and dark "ink": follows the system until the reader chooses. */

const KEY = "annals.theme";
type Choice = "light" | "dark" | "system";

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

  toggle(): void {
    this.choice = this.dark ? "light" : "dark";
    try {
      localStorage.setItem(KEY, this.choice);
    } catch {
      // private storage may be off; the choice then lasts as long as the window
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
