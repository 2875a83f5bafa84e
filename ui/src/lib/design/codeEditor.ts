/**
 * The text editor: CodeMirror, for models with colours for TOML and for the expressions inside its strings, for SQL with
 * colours and completion.
 *
 * It stands in a shadow root: there CodeMirror brings its styles as constructed sheets, which a content security
 * policy without inline styles allows; in the document it would add a style element, which that policy drops.
 */

import { autocompletion, type CompletionContext, type CompletionResult } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { HighlightStyle, StreamLanguage, syntaxHighlighting } from "@codemirror/language";
import { toml } from "@codemirror/legacy-modes/mode/toml";
import { lintGutter, setDiagnostics } from "@codemirror/lint";
import { Annotation, EditorState, Prec, type Extension } from "@codemirror/state";
import { Decoration, drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers, MatchDecorator, ViewPlugin, type DecorationSet, type ViewUpdate } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { sqlMode } from "./sqlMode";

/** A place in the text and what is wrong there. Line and column count from 1, columns in characters. */
export interface TextFault {
  line: number;
  column: number;
  message: string;
}

const LOOK = EditorView.theme({
  "&": { height: "100%", color: "var(--color-text)", backgroundColor: "var(--color-panel)", fontSize: "12.5px" },
  "&.cm-focused": { outline: "2px solid var(--color-focus)", outlineOffset: "-2px" },
  ".cm-scroller": { fontFamily: "var(--font-mono)", fontFeatureSettings: '"zero", "calt" 0', lineHeight: "1.6" },
  ".cm-content": { caretColor: "var(--color-text)", padding: "8px 0" },
  ".cm-cursor": { borderLeftColor: "var(--color-text)", borderLeftWidth: "2px" },
  ".cm-gutters": { color: "var(--color-text-third)", backgroundColor: "var(--color-panel)", borderRight: "1px solid var(--color-line)" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "var(--color-hover)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "var(--color-selected)" },
  ".cm-expression-root, .cm-expression-root span": { color: "var(--color-accent)", fontWeight: "560" },
  ".cm-expression-word, .cm-expression-word span": { color: "var(--color-value-word)" },
  ".cm-expression-number, .cm-expression-number span": { color: "var(--color-value-number)" },
  ".cm-lintRange-error": { backgroundImage: "none", textDecoration: "underline wavy var(--color-finding-severe)", textUnderlineOffset: "3px", textDecorationSkipInk: "none" },
  ".cm-tooltip": { color: "var(--color-text)", backgroundColor: "var(--color-raised)", border: "1px solid var(--color-line-strong)", borderRadius: "5px" },
  ".cm-tooltip-autocomplete ul li": { padding: "2px 8px", fontFamily: "var(--font-mono)" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { color: "var(--color-text)", backgroundColor: "var(--color-selected)" },
  ".cm-completionDetail": { color: "var(--color-text-third)", fontStyle: "normal" },
  ".cm-diagnostic-error": { borderLeftColor: "var(--color-finding-severe)" },
});

const COLOURS = HighlightStyle.define([
  { tag: tags.comment, color: "var(--color-text-third)", fontStyle: "italic" },
  { tag: [tags.propertyName, tags.definition(tags.propertyName), tags.variableName], color: "var(--color-text)" },
  { tag: tags.keyword, color: "var(--color-accent)", fontWeight: "560" },
  { tag: tags.string, color: "var(--color-value-string)" },
  { tag: [tags.number, tags.atom, tags.bool], color: "var(--color-value-number)" },
  { tag: [tags.bracket, tags.heading, tags.labelName], color: "var(--color-accent)", fontWeight: "620" },
]);

/** What expressions read, their own strings, and their numbers; good enough to see the shape of a line. */
const EXPRESSION = new MatchDecorator({
  regexp: /\b(?:data|state|meta|event)\b(?:\.[A-Za-z_]\w*|\[\d+\])*|'[^'\n]*'|(?<![\w.])\d+(?:\.\d+)?\b/g,
  decoration: (match, view, at) => {
    const line = view.state.doc.lineAt(at);
    const before = line.text.slice(0, at - line.from);
    // only in the value of a line, and in no comment
    if (!before.includes("=") || before.trimStart().startsWith("#")) return null;
    const kind = match[0].startsWith("'") ? "word" : /^\d/.test(match[0]) ? "number" : "root";
    return Decoration.mark({ class: `cm-expression-${kind}` });
  },
});

const expressions = ViewPlugin.fromClass(
  class {
    decorations: DecorationSet;
    constructor(view: EditorView) {
      this.decorations = EXPRESSION.createDeco(view);
    }
    update(update: ViewUpdate) {
      this.decorations = EXPRESSION.updateDeco(update, this.decorations);
    }
  },
  { decorations: (plugin) => plugin.decorations },
);

/** Marks a change that comes from outside: it is not told back. */
const fromOutside = Annotation.define<boolean>();

/** A word that completion offers. */
export interface Word {
  label: string;
  /** What it is, in a word or two. */
  detail: string;
  kind: "table" | "column" | "function" | "keyword";
}

/** What is written: a model, or SQL with the words that complete it and what Ctrl Enter does. */
export type Written = { language: "model" } | { language: "sql"; words: () => readonly Word[]; onrun: () => void };

/** Offers the words that begin like, or hold, what is being typed. */
function completion(words: () => readonly Word[]): (context: CompletionContext) => CompletionResult | null {
  const types = { table: "class", column: "property", function: "function", keyword: "keyword" } as const;
  return (context) => {
    const word = context.matchBefore(/[\w$]+/);
    if (word === null && !context.explicit) return null;
    const options = words().map(({ label, detail, kind }) => ({ label, detail, type: types[kind], boost: kind === "keyword" ? -1 : 0 }));
    return { from: word?.from ?? context.pos, options, validFor: /^[\w$]*$/ };
  };
}

function extensionsOf(written: Written): Extension[] {
  if (written.language === "model") return [StreamLanguage.define(toml), expressions];
  const run = () => {
    written.onrun();
    return true;
  };
  return [
    StreamLanguage.define(sqlMode),
    autocompletion({ override: [completion(written.words)], icons: false }),
    Prec.highest(keymap.of([{ key: "Mod-Enter", run }])),
  ];
}

export interface CodeEditor {
  /** Puts a text where the cursor stands. */
  insert(text: string): void;
  setText(text: string): void;
  setFault(fault: TextFault | null): void;
  goTo(line: number, column: number): void;
  focus(): void;
  destroy(): void;
}

/** Puts an editor into `host`. Tab leaves it, as it leaves any field. */
export function createEditor(host: HTMLElement, label: string, text: string, onchange: (text: string) => void, written: Written): CodeEditor {
  const root = host.shadowRoot ?? host.attachShadow({ mode: "open" });
  const view = new EditorView({
    root,
    parent: root,
    state: EditorState.create({
      doc: text,
      extensions: [
        lineNumbers(),
        lintGutter(),
        history(),
        drawSelection(),
        highlightActiveLine(),
        keymap.of([...defaultKeymap, ...historyKeymap]),
        syntaxHighlighting(COLOURS),
        extensionsOf(written),
        LOOK,
        EditorView.contentAttributes.of({ "aria-label": label, "data-testid": "code", spellcheck: "false" }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged && !update.transactions.some((one) => one.annotation(fromOutside))) onchange(update.state.doc.toString());
        }),
      ],
    }),
  });
  const offset = (line: number, column: number) => {
    const found = view.state.doc.line(Math.max(1, Math.min(line, view.state.doc.lines)));
    // core counts characters, the editor counts UTF-16 units
    const before = Array.from(found.text).slice(0, column - 1).join("").length;
    return found.from + Math.min(before, found.length);
  };
  return {
    insert(inserted) {
      view.dispatch(view.state.replaceSelection(inserted), { scrollIntoView: true });
      view.focus();
    },
    setText(next) {
      if (next === view.state.doc.toString()) return;
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: next }, annotations: fromOutside.of(true) });
    },
    setFault(fault) {
      if (fault === null) {
        view.dispatch(setDiagnostics(view.state, []));
        return;
      }
      const from = offset(fault.line, fault.column);
      const line = view.state.doc.lineAt(from);
      const word = /^[\w.]+/.exec(line.text.slice(from - line.from))?.[0].length ?? 1;
      view.dispatch(setDiagnostics(view.state, [{ from, to: Math.min(from + word, line.to), severity: "error", message: fault.message }]));
    },
    goTo(line, column) {
      const at = offset(line, column);
      view.dispatch({ selection: { anchor: at }, scrollIntoView: true });
      view.focus();
    },
    focus: () => view.focus(),
    destroy: () => view.destroy(),
  };
}
