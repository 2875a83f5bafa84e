/**
 * Text from the log made honest: characters that draw nothing, or that reorder their neighbours, are shown by
 * their code, so that a reader sees what is recorded (Trojan-source, bidi overrides, zero-width characters).
 */

export interface TextRun {
  text: string;
  /** A code shown in place of a character. */
  code: boolean;
}

// C0 and C1 controls, soft hyphen, Arabic letter mark, Mongolian vowel separator, zero-width and bidi
// characters, line and paragraph separators, invisible operators, fillers, byte order mark, interlinear
// annotations, tag characters, variation selectors supplement, lone surrogates
const HIDDEN =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb]|\udb40[\udc00-\uddef]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** Splits into runs of plain text and codes. With `keepLines`, line feeds and tabs stay as they are. */
export function visibleRuns(text: string, keepLines = false): TextRun[] {
  const runs: TextRun[] = [];
  let last = 0;
  for (const found of text.matchAll(HIDDEN)) {
    const char = found[0];
    if (keepLines && (char === "\n" || char === "\t")) continue;
    if (found.index > last) runs.push({ text: text.slice(last, found.index), code: false });
    runs.push({ text: codeOf(char), code: true });
    last = found.index + char.length;
  }
  if (last < text.length) runs.push({ text: text.slice(last), code: false });
  return runs;
}

/** The same as one string. */
export function visible(text: string, keepLines = false): string {
  return visibleRuns(text, keepLines)
    .map((run) => run.text)
    .join("");
}

function codeOf(char: string): string {
  const code = char.codePointAt(0) ?? 0;
  return `‹U+${code.toString(16).toUpperCase().padStart(4, "0")}›`;
}
