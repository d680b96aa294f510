import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OciLayout } from '../../src/image/index.ts';
import { isStill, takeLock, tryLock, whileLocked } from '../../src/image/oci/file-lock.ts';

const DOOR = join(import.meta.dir, '../../src/image/index.ts');
const EACH = 40;

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'inlay-layout-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** A process of its own that names images, and attaches one to nothing, in a layout that may not be there yet. */
async function nameImages(layoutDir: string, who: string): Promise<number> {
  const program = `
    const { OciLayout } = await import(${JSON.stringify(DOOR)});
    const layout = await OciLayout.open(${JSON.stringify(layoutDir)});
    for (let i = 0; i < ${EACH}; i++) {
      const descriptor = await layout.putJson({ schemaVersion: 2, who: ${JSON.stringify(who)}, i }, 'application/json');
      if (i % 2 === 0) await layout.tag(${JSON.stringify(who)} + ':' + i, descriptor);
      else await layout.list(descriptor);
    }`;
  return Bun.spawn([process.execPath, '-e', program], { stderr: 'inherit' }).exited;
}

test('processes that name images in one layout at once lose none of each other', async () => {
  const layoutDir = join(dir, 'shared');
  const programs = ['a', 'b', 'c', 'd'];
  expect(await Promise.all(programs.map((who) => nameImages(layoutDir, who)))).toEqual([0, 0, 0, 0]);

  const layout = await OciLayout.open(layoutDir);
  const named = (await layout.references()).map(({ reference }) => reference).sort();
  const wanted = programs.flatMap((who) => Array.from({ length: EACH / 2 }, (_, i) => `${who}:${2 * i}`)).sort();
  expect(named).toEqual(wanted);
  expect((await layout.index()).manifests).toHaveLength(programs.length * EACH);
});

test('tasks of one process wait for each other too', async () => {
  const layout = await OciLayout.open(join(dir, 'tasks'));
  const descriptor = await layout.putJson({ schemaVersion: 2 }, 'application/json');
  await Promise.all(Array.from({ length: EACH }, (_, i) => layout.tag(`a:${i}`, descriptor)));
  expect(await layout.references()).toHaveLength(EACH);
});

test('a lock that its holder does not give back is told, and one whose holder was killed is free', async () => {
  const path = join((await OciLayout.open(join(dir, 'held'))).dir, 'oci-layout');
  const lock = join(import.meta.dir, '../../src/image/oci/file-lock.ts');
  const program = `
    const { whileLocked } = await import(${JSON.stringify(lock)});
    await whileLocked(${JSON.stringify(path)}, async () => { console.log('held'); await new Promise((done) => setTimeout(done, 600_000)); });`;
  const holder = Bun.spawn([process.execPath, '-e', program], { stdout: 'pipe', stderr: 'inherit' });
  for await (const _ of holder.stdout) break;

  await expect(whileLocked(path, async () => 'mine', 50)).rejects.toMatchObject({ code: 'STORE_BUSY' });
  holder.kill('SIGKILL');
  expect(await whileLocked(path, async () => 'mine')).toBe('mine');
});

test('many hold a lock together, and nobody alone meanwhile; an open file tells whether its path still leads to it', async () => {
  const { dir: path } = await OciLayout.open(join(dir, 'shared'));
  const [one, other, alone] = [await open(path), await open(path), await open(path)];
  expect([tryLock(one, 'shared'), tryLock(other, 'shared'), tryLock(alone)]).toEqual([true, true, false]);
  await one.close();
  expect(tryLock(alone)).toBe(false);
  await other.close();
  expect(tryLock(alone)).toBe(true);
  const late = await open(path);
  await expect(takeLock(late, path, 'shared', 20)).rejects.toMatchObject({ code: 'STORE_BUSY' });
  const waiting = takeLock(late, path, 'shared');
  await rename(path, `${path}.away`);
  await alone.close();
  await waiting;
  expect([await isStill(path, late), await isStill(`${path}.away`, late)]).toEqual([false, true]);
  await late.close();
});
