/** Words for what came of verifying a package; the command line's own. */

import type { EvidenceFacts } from "$lib/bindings/EvidenceFacts";
import type { EvidenceOutcome } from "$lib/bindings/EvidenceOutcome";
import { plural } from "$lib/model/numbers";

const TITLES: Record<EvidenceOutcome, string> = {
  intact: "Intact, as far as it was checked",
  problems: "Problems found",
  unreadable: "Cannot be read as a package",
};

export function titleOf(outcome: EvidenceOutcome): string {
  return TITLES[outcome];
}

export function severityOf(outcome: EvidenceOutcome): "notice" | "severe" {
  return outcome === "intact" ? "notice" : "severe";
}

export function completenessOf(facts: EvidenceFacts): string {
  return facts.unproven === 0
    ? "every other event of the range is shown not to match"
    : `not shown: ${plural(facts.unproven, "event")} of the range could match and ${facts.unproven === 1 ? "is" : "are"} closed`;
}
