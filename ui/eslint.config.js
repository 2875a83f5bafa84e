import globals from "globals";
import svelte from "eslint-plugin-svelte";
import ts from "typescript-eslint";
import svelteConfig from "./svelte.config.js";

/** Only `lib/host` speaks to the desktop host. */
const tauri = {
  group: ["@tauri-apps/*"],
  message: "Only lib/host may import @tauri-apps; call a function of $lib/host/client.",
};
const never = (tiers, message) => ({
  group: tiers.flatMap((tier) => [`$lib/${tier}/*`, `**/${tier}/*`]),
  message,
});
const imports = (...patterns) => ({
  "no-restricted-imports": ["error", { patterns: [tauri, ...patterns] }],
});

export default ts.config(
  { ignores: ["dist", "src/lib/bindings", "node_modules"] },
  ...ts.configs.strict,
  ...svelte.configs.recommended,
  {
    languageOptions: { globals: { ...globals.browser } },
    rules: {
      ...imports(),
      "@typescript-eslint/no-explicit-any": "error",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      "@typescript-eslint/consistent-type-imports": "error",
      "no-restricted-syntax": [
        "error",
        { selector: "SvelteMustacheTag[kind='raw']", message: "No raw HTML: payloads are hostile." },
        {
          selector: "SvelteAttribute[key.name='style']",
          message: "The content security policy drops style attributes; use the style: directive.",
        },
      ],
      "svelte/no-at-html-tags": "error",
      "svelte/no-navigation-without-resolve": "off",
      "svelte/prefer-svelte-reactivity": "off",
    },
  },
  {
    files: ["**/*.svelte", "**/*.svelte.ts"],
    languageOptions: {
      parserOptions: { parser: ts.parser, svelteConfig, extraFileExtensions: [".svelte"] },
    },
  },
  {
    files: ["src/lib/model/**"],
    rules: imports(never(["host", "app", "design", "features", "views"], "model is pure.")),
  },
  {
    files: ["src/lib/design/**"],
    rules: imports(never(["host", "app", "features", "views"], "design knows no domain.")),
  },
  {
    files: ["src/lib/app/**"],
    rules: imports(never(["design", "features", "views"], "app is below design and features.")),
  },
  {
    files: ["src/lib/features/**"],
    rules: imports(
      never(["views"], "features do not know views."),
      {
        // a feature is a folder: files beside it are its own, files of another folder are not
        group: ["$lib/features/*", "../*/*"],
        message: "No feature imports another; compose them in a view.",
      },
    ),
  },
  { files: ["src/lib/host/**"], rules: { "no-restricted-imports": "off" } },
  { files: ["*.js", "*.ts", "tests/**"], languageOptions: { globals: globals.node } },
);
