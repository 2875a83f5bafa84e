import { expect, it } from "vitest";
import { LatestOnly } from "$lib/model/latestOnly";

/** A host that answers when told to. */
function slowHost() {
  const asked: { question: number; answer: (value: string) => void; fail: (error: Error) => void }[] = [];
  const done: string[] = [];
  const failed: string[] = [];
  const latest = new LatestOnly<number, string>(
    (question) => new Promise((answer, fail) => asked.push({ question, answer, fail })),
    (answer) => done.push(answer),
    (error) => failed.push((error as Error).message),
  );
  const settle = () => new Promise((resolve) => setTimeout(resolve));
  return { latest, asked, done, failed, settle };
}

it("one_call_is_in_flight_and_the_newest_question_follows", async () => {
  const { latest, asked, done, settle } = slowHost();
  for (const question of [1, 2, 3, 4]) latest.ask(question);
  expect(asked.map((call) => call.question)).toEqual([1]);
  asked[0]?.answer("one");
  await settle();
  expect(asked.map((call) => call.question)).toEqual([1, 4]);
  asked[1]?.answer("four");
  await settle();
  expect(done).toEqual(["one", "four"]);
});

it("error_of_an_overtaken_question_is_not_shown", async () => {
  const { latest, asked, done, failed, settle } = slowHost();
  latest.ask(1);
  latest.ask(2);
  asked[0]?.fail(new Error("gone"));
  await settle();
  asked[1]?.answer("two");
  await settle();
  expect([done, failed]).toEqual([["two"], []]);
});

it("error_of_the_last_question_is_shown_and_the_next_is_asked", async () => {
  const { latest, asked, done, failed, settle } = slowHost();
  latest.ask(1);
  asked[0]?.fail(new Error("no"));
  await settle();
  expect(failed).toEqual(["no"]);
  latest.ask(2);
  asked[1]?.answer("two");
  await settle();
  expect(done).toEqual(["two"]);
});

it("answer_after_stop_is_ignored", async () => {
  const { latest, asked, done, settle } = slowHost();
  latest.ask(1);
  latest.ask(2);
  latest.stop();
  asked[0]?.answer("late");
  await settle();
  expect([done, asked.length]).toEqual([[], 1]);
});
