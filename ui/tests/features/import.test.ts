import { beforeEach, expect, it } from "vitest";
import { session } from "$lib/app/session.svelte";
import { importer } from "$lib/features/import/importer.svelte";
import { useTransport } from "$lib/host/client";
import { createMock } from "$lib/host/mock/transport";

/** What the window asked the host for. */
let asked: [string, object][];

beforeEach(() => {
  const mock = createMock({ extra: 0 });
  asked = [];
  useTransport({
    call(command, args, onProgress) {
      asked.push([command, args]);
      return mock.call(command, args, onProgress);
    },
  });
  importer.setPaths("/data/orders.csv");
  importer.target = "new";
  importer.newStore = "/data/new.annals";
});

const commands = () => asked.map(([command]) => command).filter((command) => /^(store_create|store_open|import_start)$/.test(command));

it("dry_run_into_a_new_store_makes_and_opens_none", async () => {
  importer.dryRun = true;
  await importer.run();
  expect(importer.report?.dry_run).toBe(true);
  expect(commands()).toEqual(["import_start"]);
  expect(importer.target).toBe("new");
});

it("import_into_a_new_store_makes_it_itself_and_is_then_looked_at", async () => {
  importer.dryRun = false;
  await importer.run();
  expect(commands()).toEqual(["import_start", "store_open"]);
  expect(asked.find(([command]) => command === "import_start")?.[1]).toMatchObject({ into_new: "/data/new.annals" });
  expect([session.open, importer.target]).toEqual([true, "current"]);
});
