/**
 * JSON with nothing lost: digits, the order of keys, keys that come twice.
 *
 * `JSON.parse` rounds long numbers, drops trailing zeros and moves keys that look like integers to the front.
 * Left out: streaming, comments.
 */

/** A number that JavaScript cannot hold as written: its text is the value. */
export class ExactNumber {
  constructor(readonly text: string) {}
  toString(): string {
    return this.text;
  }
  toJSON(): never {
    throw new Error("an exact number must be written with writeJson");
  }
}

/** An object that a plain JavaScript object would change: integer-like, repeated or `__proto__` keys. */
export class JsonObject {
  constructor(readonly entries: readonly (readonly [string, Json])[]) {}
}

export type Json =
  | null
  | boolean
  | number
  | string
  | ExactNumber
  | JsonObject
  | Json[]
  | { [key: string]: Json };

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
/** Integers of at most this many digits are exact as JavaScript numbers. */
const SAFE_DIGITS = 15;
const MAX_DEPTH = 2000;

/** Parses JSON text; throws `SyntaxError` with the offset. */
export function parseJson(text: string): Json {
  const parser = new Parser(text);
  return parser.whole();
}

class Parser {
  private at = 0;
  constructor(private readonly text: string) {}

  whole(): Json {
    const value = this.value(0);
    this.space();
    if (this.at < this.text.length) this.fail();
    return value;
  }

  private value(depth: number): Json {
    if (depth > MAX_DEPTH) throw new SyntaxError("JSON nested too deeply");
    this.space();
    switch (this.text.charCodeAt(this.at)) {
      case 0x7b:
        return this.object(depth);
      case 0x5b:
        return this.array(depth);
      case 0x22:
        return this.string();
      case 0x74:
        return this.word("true", true);
      case 0x66:
        return this.word("false", false);
      case 0x6e:
        return this.word("null", null);
      default:
        return this.number();
    }
  }

  private object(depth: number): Json {
    const entries: [string, Json][] = [];
    let odd = false;
    const seen = new Set<string>();
    this.at++;
    this.space();
    if (this.text[this.at] === "}") {
      this.at++;
      return {};
    }
    for (;;) {
      this.space();
      if (this.text[this.at] !== '"') this.fail();
      const key = this.string();
      this.space();
      if (this.text[this.at] !== ":") this.fail();
      this.at++;
      odd ||= seen.has(key) || key === "__proto__" || /^\d+$/.test(key);
      seen.add(key);
      entries.push([key, this.value(depth + 1)]);
      this.space();
      const next = this.text[this.at++];
      if (next === "}") break;
      if (next !== ",") this.fail(this.at - 1);
    }
    return odd ? new JsonObject(entries) : Object.fromEntries(entries);
  }

  private array(depth: number): Json[] {
    const items: Json[] = [];
    this.at++;
    this.space();
    if (this.text[this.at] === "]") {
      this.at++;
      return items;
    }
    for (;;) {
      items.push(this.value(depth + 1));
      this.space();
      const next = this.text[this.at++];
      if (next === "]") return items;
      if (next !== ",") this.fail(this.at - 1);
    }
  }

  private string(): string {
    const start = this.at++;
    let plain = true;
    for (;;) {
      const code = this.text.charCodeAt(this.at);
      if (Number.isNaN(code)) this.fail(start);
      if (code === 0x22) break;
      if (code < 0x20) this.fail();
      if (code === 0x5c) {
        plain = false;
        this.at++;
      }
      this.at++;
    }
    this.at++;
    if (plain) return this.text.slice(start + 1, this.at - 1);
    return JSON.parse(this.text.slice(start, this.at)) as string;
  }

  private number(): number | ExactNumber {
    NUMBER.lastIndex = this.at;
    const found = NUMBER.exec(this.text)?.[0];
    if (found === undefined) this.fail();
    this.at += found.length;
    return numberOf(found);
  }

  private word<T>(word: string, value: T): T {
    if (!this.text.startsWith(word, this.at)) this.fail();
    this.at += word.length;
    return value;
  }

  private space(): void {
    for (;;) {
      const code = this.text.charCodeAt(this.at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.at++;
    }
  }

  private fail(at = this.at): never {
    throw new SyntaxError(`not JSON at offset ${at}`);
  }
}

/** An integer of at most 15 digits becomes a number, everything else keeps its text. */
export function numberOf(text: string): number | ExactNumber {
  const digits = text.startsWith("-") ? text.length - 1 : text.length;
  return digits <= SAFE_DIGITS && /^-?\d+$/.test(text) && text !== "-0" ? Number(text) : new ExactNumber(text);
}

/** The members of an object in the order recorded; `null` if it is no object. */
export function entriesOf(value: Json): readonly (readonly [string, Json])[] | null {
  if (value instanceof JsonObject) return value.entries;
  if (value === null || typeof value !== "object" || Array.isArray(value) || value instanceof ExactNumber) return null;
  return Object.entries(value);
}

/** Writes JSON; exact numbers keep their digits. */
export function writeJson(value: Json, indent = 0, level = 0): string {
  const pad = indent ? `\n${" ".repeat(indent * (level + 1))}` : "";
  const end = indent ? `\n${" ".repeat(indent * level)}` : "";
  if (value instanceof ExactNumber) return value.text;
  if (Array.isArray(value)) {
    if (value.length === 0) return "[]";
    return `[${value.map((item) => pad + writeJson(item, indent, level + 1)).join(",")}${end}]`;
  }
  const entries = entriesOf(value);
  if (entries === null) return JSON.stringify(value);
  if (entries.length === 0) return "{}";
  const colon = indent ? ": " : ":";
  const body = entries.map(([key, item]) => `${pad}${JSON.stringify(key)}${colon}${writeJson(item, indent, level + 1)}`);
  return `{${body.join(",")}${end}}`;
}
