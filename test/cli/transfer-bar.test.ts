import { afterEach, beforeEach, expect, test } from 'bun:test';
import { join } from 'node:path';
import { transferBar } from '../../src/cli/transfer-bar.ts';
import { OciLayout } from '../../src/image/index.ts';
import { FakeRegistry } from '../registry/fake-registry.ts';
import { model, World } from '../registry/world.ts';

test.each([
  [0, 100e6, 0, `${'pushed  '.padEnd(32)}   0 %  0 B of 100.0 MB`],
  [25e6, 100e6, 2000, `pushed  ${'██████'.padEnd(24)}  25 %  25.0 MB of 100.0 MB  12.5 MB/s  6 s left`],
  [99.9e6, 100e6, 600_000, `pushed  ${'█'.repeat(24)}  99 %  99.9 MB of 100.0 MB  166.5 kB/s  1 s left`],
  [1e9, 100e9, 100_000, `pushed  ${'▎'.padEnd(24)}   1 %  1.00 GB of 100.00 GB  10.0 MB/s  2.8 h left`],
])('%d of %d bytes after %d ms', (done, total, elapsed, line) => {
  expect(transferBar('pushed', done, total, elapsed)).toBe(line);
});

let world: World;
let fake: FakeRegistry;
beforeEach(async () => {
  world = new World();
  fake = await FakeRegistry.start();
});
afterEach(async () => {
  await fake.stop();
  await world.remove();
});

// util-linux's script gives a command a terminal.
test.skipIf(process.platform !== 'linux' || Bun.which('script') === null)(
  'on a terminal a push shows a bar, and leaves none of it on the lines that stay',
  async () => {
    const name = `${fake.host}/ml/iris:1`;
    await world.image(await OciLayout.open(join(world.dir, 'home', 'oci')), name, model(40_000_000));
    const inlay = [process.execPath, '--no-env-file', join(import.meta.dir, '../../src/cli/main.ts'), 'push', name];
    const child = Bun.spawn(['script', '--quiet', '--return', '--command', inlay.join(' '), '/dev/null'], {
      env: { ...process.env, HOME: world.dir, INLAY_HOME: join(world.dir, 'home'), TERM: 'xterm' },
      stdin: 'ignore',
      stdout: 'pipe',
    });
    const shown = await new Response(child.stdout).text();
    expect(await child.exited).toBe(0);
    // What a terminal shows in the end: of each line what stands after it was cleared last.
    const stays = shown.split('\n').map((line) => line.split('\r\x1b[K').at(-1)?.trimEnd() ?? '');
    expect(stays.some((line) => line.includes(' %  '))).toBe(false);
    expect(stays.some((line) => line.startsWith(`${name}@sha256:`))).toBe(true);
  },
);
