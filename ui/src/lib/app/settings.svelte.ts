/** What the reader has chosen: obeyed everywhere, kept by the host. */

import type { Settings as Chosen } from "$lib/bindings/Settings";
import { host } from "$lib/host/client";
import { HostError } from "$lib/host/errors";
import { showZone } from "$lib/model/shownZone.svelte";
import { isZone } from "$lib/model/zones";
import { theme } from "./theme.svelte";

class Settings {
  chosen = $state.raw<Chosen>({ zone: "UTC", theme: theme.choice, purpose: "", console: false, access_log: true });
  error = $state.raw<HostError | null>(null);

  /** Obeys what the host kept. */
  take(chosen: Chosen): void {
    this.chosen = chosen;
    // a zone that this machine's web view does not know cannot be shown in
    showZone(isZone(chosen.zone) ? chosen.zone : "UTC");
    theme.choose(chosen.theme);
  }

  /** Obeys at once and keeps; what could not be kept lasts as long as the window, and says so. */
  async change(patch: Partial<Chosen>): Promise<void> {
    const next = { ...this.chosen, ...patch };
    this.take(next);
    try {
      await host.saveSettings(next);
      this.error = null;
    } catch (cause) {
      this.error = HostError.from(cause);
    }
  }
}

export const settings = new Settings();
