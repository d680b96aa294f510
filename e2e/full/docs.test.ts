// The commands of README.md and docs/ that need a cluster, in order with the others of their page.
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { DocsWorld, pagesThere } from '../docs-world.ts';

let world: DocsWorld;
beforeAll(async () => {
  world = await DocsWorld.start();
});
afterAll(() => world?.stop());

test.each(pagesThere)('the commands of %s run beside a cluster', async (_, page) => {
  expect(await world.there(page)).toBeUndefined();
});
