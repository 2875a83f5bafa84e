/**
 * What a reader of a stream asks beside its state, held by the address: which value (`why`), which panel (`side`),
 * which event (`e`), what is tried (`without`, `edits`).
 */

import type { HistoryView } from "$lib/bindings/HistoryView";
import type { MomentArgs } from "$lib/bindings/MomentArgs";
import { Latest } from "$lib/app/latest.svelte";
import { navigation } from "$lib/app/navigation.svelte";
import { host } from "$lib/host/client";
import * as asked from "$lib/model/explain";

interface Question {
  stream: string;
  path: string;
  moment: MomentArgs;
  revision: number;
}

export class Explainer {
  /** Value pointed at in the lane and in its table; -1: none. */
  active = $state(-1);
  /** The event that the reader looked at last, to come back to. */
  from = $state<number | null>(null);
  /** The event whose payload is being edited. */
  editing = $state<number | null>(null);
  private readonly answer: Latest<Question, HistoryView>;

  /** A place in one stream: another one starts afresh. */
  private readonly about = $derived.by(() => `${this.standing().stream} ${this.path}`);

  /** To be made while a component is set up. */
  constructor(private readonly standing: () => { stream: string; moment: MomentArgs; revision: number }) {
    this.answer = new Latest<Question, HistoryView>((question) => host.history(question.stream, question.path, question.moment)).follow(() => {
      const { path } = this;
      return path === null || !this.lane ? null : { ...this.standing(), path };
    });
    $effect(() => {
      void this.about;
      return () => {
        this.active = -1;
        this.from = null;
      };
    });
  }

  get path(): string | null {
    return asked.pathFromParams(navigation.params);
  }
  get side(): asked.Side {
    return asked.sideFromParams(navigation.params);
  }
  get trial(): asked.Trial {
    return asked.trialFromParams(navigation.params);
  }
  /** The event shown whole. */
  get event(): number | null {
    return positionIn("e");
  }
  /** The event whose causes and effects are shown; `null`: what belongs to the stream. */
  get of(): number | null {
    return positionIn("of");
  }
  get pins(): string[] {
    return asked.pinsFromParams(navigation.params);
  }
  /** The lane of values is drawn. */
  get lane(): boolean {
    return this.path !== null && (this.side === "why" || this.side === "history");
  }
  get history(): HistoryView | null {
    const view = this.answer.value;
    return view?.path === this.path && view?.stream === this.standing().stream ? view : null;
  }
  get historyError() {
    return this.answer.error;
  }

  ask(path: string, side: "why" | "history"): void {
    navigation.patch({ why: asked.pathToParam(path), side: side === "why" ? null : side, e: null });
  }

  show(side: asked.Side): void {
    const implied = this.path === null ? "diff" : "why";
    navigation.patch({ side: side === implied ? null : side, e: null });
  }

  open = (position: number): void => {
    this.from = position;
    navigation.patch({ e: String(position) });
  };

  leaveOut = (position: number): void => this.attempt(asked.leaveOut(this.trial, position));
  putBack = (position: number): void => this.attempt(asked.putBack(this.trial, position));
  clear = (): void => this.attempt({ without: [], edits: [] });
  edit = (position: number): void => {
    this.editing = position;
  };
  apply = (json: string): void => {
    if (this.editing !== null) this.attempt(asked.edit(this.trial, this.editing, json));
    this.editing = null;
  };

  pin = (stream: string): void => {
    const rest = this.pins.filter((other) => other !== stream);
    navigation.patch(asked.pinsToParams([...rest.slice(0, asked.MOST_PINS - 1), stream]));
  };
  unpin = (stream: string): void => navigation.patch(asked.pinsToParams(this.pins.filter((other) => other !== stream)));
  /** What belongs to an event; `null`: to the stream. */
  relate = (position: number | null): void => navigation.patch({ side: "related", of: position === null ? null : String(position), e: null });

  /** One step back: from the event to the answer, from the answer to the diff. False: there is nowhere to go back to. */
  back(): boolean {
    if (this.event !== null) navigation.patch({ e: null });
    else if (this.side !== "diff") navigation.patch({ why: null, side: null, of: null });
    else return false;
    return true;
  }

  private attempt(trial: asked.Trial): void {
    navigation.patch({ ...asked.trialToParams(trial), side: "whatif", e: null });
  }
}

function positionIn(param: string): number | null {
  const text = navigation.params[param];
  return text !== undefined && /^[1-9]\d{0,14}$/.test(text) ? Number(text) : null;
}
