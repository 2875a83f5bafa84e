import { afterEach, expect, it } from "vitest";
import { importer } from "$lib/features/import/importer.svelte";
import type { FilePreview } from "$lib/bindings/FilePreview";

const table = (file: string, ...columns: string[]) =>
  ({ file, mapping: {}, columns: columns.map((name) => ({ name, samples: [file] })), problems: [], error: null }) as unknown as FilePreview;

afterEach(() => {
  importer.previews = [];
  importer.selected = 0;
});

it("tables_with_other_columns_than_the_one_looked_at_are_named", () => {
  importer.previews = [table("a.csv", "id", "type"), table("b.csv", "id", "type"), table("c.csv", "case", "activity"), { ...table("d.jsonl"), mapping: null }];
  expect(importer.unlikeTables.map((file) => file.file)).toEqual(["c.csv"]);
  importer.selected = 2;
  expect(importer.unlikeTables.map((file) => file.file)).toEqual(["a.csv", "b.csv"]);
});
