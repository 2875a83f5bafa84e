/** The zone in which times are shown: the one value of model that drawing follows, since all that prints a time needs it. */

import { nameOfZone, type Zone } from "./zones";

let zone = $state<Zone>("UTC");

export function shownZone(): Zone {
  return zone;
}

export function showZone(next: Zone): void {
  zone = next;
}

/** For headings: `UTC`, or the name of the zone. */
export function shownZoneName(): string {
  return nameOfZone(zone);
}
