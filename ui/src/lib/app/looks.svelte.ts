/** Writes down which views of a store stayed: one entry a settled view, not one a move of a slider. */

import { host } from "$lib/host/client";
import { HostError } from "$lib/host/errors";
import { formatRoute, type Route } from "$lib/model/route";
import { navigation } from "./navigation.svelte";
import { NEEDS_NO_STORE, session } from "./session.svelte";

/** How long a view stays before it has settled. */
export const SETTLED_MS = 2_000;

class Looks {
  /** Why the last one could not be written down. */
  error = $state.raw<HostError | null>(null);
  private last = "";

  /** Watches the address. To be called while a component is set up. */
  watch(): void {
    $effect(() => {
      const { path, open } = session;
      const route = navigation.route;
      if (!open || NEEDS_NO_STORE.includes(route.view)) return;
      const timer = setTimeout(() => void this.note(path ?? "", route), SETTLED_MS);
      return () => clearTimeout(timer);
    });
  }

  private async note(store: string, route: Route): Promise<void> {
    // coming back to where one was is no new look while nothing else was looked at
    const place = `${store} ${formatRoute(route)}`;
    if (place === this.last) return;
    try {
      await host.noteLook(route.view, asked(route));
      this.last = place;
      this.error = null;
    } catch (cause) {
      this.error = HostError.from(cause);
    }
  }
}

/** What an address asks: names and values. */
export function asked(route: Route): [string, string[]][] {
  const own: [string, string[]][] = route.arg === null ? [] : [[route.view, [route.arg]]];
  return [...own, ...Object.entries(route.params).map(([name, value]): [string, string[]] => [name, [value]])];
}

export const looks = new Looks();
