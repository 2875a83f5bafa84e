/** What the log held at an instant: the overview's numbers, counted by the host one by one. */

import { host } from "$lib/host/client";
import { streamQuery, WHOLE_LOG } from "$lib/model/filters";

export interface CountsQuestion {
  at: string | null;
  known: number | null;
  /** Events of the whole log: counted again when it grows. */
  events: number;
  categories: string[];
  types: string[];
  actors: string[];
}

export interface CountsAnswer {
  at: string | null;
  known: number | null;
  events: number;
  streams: number;
  categories: Map<string, number>;
  streamsOf: Map<string, number>;
  types: Map<string, number>;
  actors: Map<string, number>;
}

/** Counts as of an instant; gives up as soon as a newer question waits. */
export async function countAsOf(question: CountsQuestion, overtaken: () => boolean): Promise<CountsAnswer> {
  const { at, known } = question;
  const events = async (condition: object) => {
    if (overtaken()) throw new Error("overtaken by a newer instant");
    return (await host.eventsCount({ ...WHOLE_LOG, ...condition, to: at, known })).count;
  };
  const streams = async (category: string | null) => (await host.streamsCount(streamQuery(category, "", at, known))).count;
  const each = async (names: string[], count: (name: string) => Promise<number>) => {
    const counted = new Map<string, number>();
    for (const name of names) counted.set(name, await count(name));
    return counted;
  };
  return {
    at,
    known,
    events: await events({}),
    streams: await streams(null),
    categories: await each(question.categories, (category) => events({ category })),
    streamsOf: await each(question.categories, streams),
    types: await each(question.types, (type) => events({ type })),
    actors: await each(question.actors, (actor) => events({ actor })),
  };
}
