// The commands of README.md and docs/ that need the network or a registry, in order with the others of their page; e2e/full has those beside a cluster.
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { DocsWorld, pagesHere } from './docs-world.ts';

let world: DocsWorld;
beforeAll(async () => {
  world = await DocsWorld.start();
});
afterAll(() => world?.stop());

test.each(pagesHere)('the commands of %s run', async (_, page) => {
  expect(await world.here(page)).toBeUndefined();
});
