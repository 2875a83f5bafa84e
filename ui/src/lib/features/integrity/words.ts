/** Words for what came of verifying a store; the command line's own. */

import type { Grade } from "$lib/bindings/Grade";
import type { VerifyFinding } from "$lib/bindings/VerifyFinding";
import type { VerifyOutcome } from "$lib/bindings/VerifyOutcome";
import { grouped } from "$lib/model/numbers";

const TITLES: Record<VerifyOutcome, string> = {
  intact: "Intact, as far as it was checked",
  problems: "Problems found",
  unreadable: "Cannot be read",
};

const TONES: Record<Grade, "plain" | "warning" | "severe"> = { manipulation: "severe", gap: "warning", notice: "plain" };

export function titleOf(outcome: VerifyOutcome): string {
  return TITLES[outcome];
}

export function toneOf(grade: Grade): "plain" | "warning" | "severe" {
  return TONES[grade];
}

/** Where a finding is, and how often. */
export function placeOf(finding: VerifyFinding): string {
  const at = finding.position === undefined ? "" : `position ${grouped(finding.position)}`;
  if (finding.count === 1) return at;
  return at === "" ? `${grouped(finding.count)} times` : `${grouped(finding.count)} times, first at ${at}`;
}
