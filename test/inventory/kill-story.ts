import { expect } from 'bun:test';
import { openLedger } from '../../src/inventory/index.ts';

/** Kills a writer again and again, at another moment each time: what it told is there, and both servers say the same. */
export async function killStory(url: string, times: number): Promise<void> {
  let next = 0;
  for (let round = 0; round < times; round++) {
    const child = Bun.spawn(
      [process.execPath, '--no-env-file', `${import.meta.dir}/ledger-writer.ts`, url, String(next)],
      { stdout: 'pipe', stderr: 'inherit' },
    );
    const reader = child.stdout.getReader();
    const decoder = new TextDecoder();
    let text = '';
    // The first written line, then a little more.
    while (!text.includes('\n')) {
      const { value, done } = await reader.read();
      if (done) break;
      text += decoder.decode(value, { stream: true });
    }
    await Bun.sleep((round * 7) % 23);
    child.kill('SIGKILL');
    for (let read = await reader.read(); !read.done; read = await reader.read())
      text += decoder.decode(read.value, { stream: true });
    await child.exited;
    const told = Number(text.slice(0, text.lastIndexOf('\n')).split('\n').at(-1));
    await using ledger = await openLedger(url);
    // One question, so one moment: a database may end the last commit of a writer that is gone a little later.
    const running = (await ledger.inventoryAt(Date.now())).servers.map(({ image }) => image.reference);
    expect(running.length).toBe(2);
    expect(running[0]).toBe(running[1] as string);
    const a = await ledger.timeline('prod', 'ml', 'a', 0, Date.now());
    const newest = Number(a.intervals[0]?.reference.split(':').at(-1));
    expect(newest).toBeGreaterThanOrEqual(told);
    // The newest runs, all others have ended.
    expect(a.intervals.filter(({ observedTo }) => observedTo === null).length).toBe(1);
    next = newest + 1;
  }
}
