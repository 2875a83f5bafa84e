/** Answers of the mock: one balance, one count, and a text that is no question. The grammar is the host's. */

import type { PicturedAnswer } from "$lib/bindings/PicturedAnswer";
import type { QuestionTextView } from "$lib/bindings/QuestionTextView";
import type { QuestionSaveArgs } from "$lib/bindings/QuestionSaveArgs";
import type { SavedQuestion } from "$lib/bindings/SavedQuestion";
import type { SavedQuestionsView } from "$lib/bindings/SavedQuestionsView";
import { HostError } from "../errors";

/** Questions that are kept as long as the page is. */
export class MockSaved {
  private kept: SavedQuestion[] = [];

  list(): SavedQuestionsView {
    return { folder: "/home/you/Annals/guide.annals.d/questions", questions: this.kept };
  }

  save({ name, text, zone, replace }: QuestionSaveArgs): SavedQuestionsView {
    if (!replace && this.kept.some((question) => question.name === name)) throw new HostError("exists", `there is a question ${name} already`);
    const others = this.kept.filter((question) => question.name !== name);
    this.kept = [...others, { name, question: text, zone, error: null }].sort((a, b) => (a.name < b.name ? -1 : 1));
    return this.list();
  }

  remove(name: string): SavedQuestionsView {
    this.kept = this.kept.filter((question) => question.name !== name);
    return this.list();
  }
}

export function readQuestion(text: string): QuestionTextView {
  const wrong = /\b(wher|cuont)\b/.exec(text);
  if (wrong === null) return { question: text.trim(), form: null, error: null };
  const nearest = text.replace(/\bwher\b/, "where").replace(/\bcuont\b/, "count");
  const word = wrong[0] === "wher" ? "where" : "count";
  return { question: null, form: null, error: { at: wrong.index + 1, len: wrong[0].length, message: `\`${wrong[0]}\` stands where \`${word}\` is expected`, expected: [`\`${word}\``], nearest } };
}

export function answer(text: string, zone: string, head: number): PicturedAnswer {
  const { error } = readQuestion(text);
  if (error) throw new HostError("bad_input", error.message, `Did you mean: ${error.nearest}`);
  const empty = { zone, head, skipped: [], notes: [], source: "replay" as const, groups: [], course: null, picture: null, period: null };
  if (text.startsWith("balance"))
    return {
      ...empty,
      question: text,
      understood: `the value of balance in the state of account-12345 at the end of 2024-01-10 (${zone})`,
      reading: "at the end of 2024-01-10",
      value: 1450,
      unit: null,
      readings: [
        { name: "at the end of 2024-01-10", value: 1450, question: "balance of account-12345 at end of 2024-01-10" },
        { name: "at the start of 2024-01-10", value: 950, question: "balance of account-12345 at start of 2024-01-10" },
      ],
      as_of: { at: "2024-01-10T23:59:59.999999999Z", known: null },
      streams_examined: 1,
      events_examined: 5,
      path: "balance",
      rows: [{ stream: "account-12345", from: "2024-01-10T00:00:00Z", to: "2024-01-15T00:00:00Z", position: 7, version: 4, value: 1450, group: null }],
      rows_count: 1,
    };
  return {
    ...empty,
    question: text,
    understood: `the number of streams of category order of which status = "Pending" holds, at some time in it; the period is 2024-01 (${zone})`,
    reading: "at some time in it",
    value: 5,
    unit: "streams",
    readings: [
      { name: "at some time in it", value: 5, question: 'count order where status = "Pending" at any time during 2024-01' },
      { name: "at its end", value: 2, question: 'count order where status = "Pending" at end of 2024-01' },
      { name: "on average over it", value: 0.669355, question: 'count order where status = "Pending" on average during 2024-01' },
    ],
    as_of: { at: "2024-01-31T23:59:59.999999999Z", known: null },
    period: { from: "2024-01-01T00:00:00Z", to: "2024-02-01T00:00:00Z" },
    streams_examined: 7,
    events_examined: 12,
    path: null,
    notes: ["the average over time is rounded to 6 digits after the point, half to even"],
    groups: [
      { group: "EU", value: 3, count: 3, question: 'count order where status = "Pending" and region = "EU"' },
      { group: "US", value: 2, count: 2, question: 'count order where status = "Pending" and region = "US"' },
    ],
    rows: ["order-801", "order-802", "order-803", "order-804", "order-806"].map((stream, i) => ({ stream, from: "2024-01-08T00:00:00Z", to: i === 3 ? null : "2024-01-18T00:00:00Z", position: 53 + i, version: 1, value: null, group: null })),
    rows_count: 5,
  };
}
