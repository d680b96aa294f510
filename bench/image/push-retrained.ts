import { join } from 'node:path';
import { besidesReferrers } from '../../e2e/besides-referrers.ts';
import { type Counted, countRequests, startCraneRegistry, startDockerRegistry } from '../../e2e/registries.ts';
import { build } from './command.ts';
import { writeIris } from './iris-project.ts';

/** The second version of a model to a registry that has the first. */
export async function pushRetrained(dir: string): Promise<string[]> {
  const lines: string[] = [];
  for (const [name, start] of [
    ['docker-registry', startDockerRegistry],
    ['crane registry', startCraneRegistry],
  ] as const) {
    const real = await start();
    const counter = await countRequests(real);
    try {
      const project = join(dir, `push-${name.replace(' ', '-')}`);
      writeIris(project, '1', `${counter.host}/ml/iris`);
      await build(project, ['--push']);
      counter.seen.length = 0;
      writeIris(project, '2', `${counter.host}/ml/iris`);
      const { image, ms } = await build(project, ['--push']);
      const sent = counter.seen.filter(({ method }) => method !== 'GET');
      const own = await besidesReferrers(sent, `${counter.host}/ml/iris`, image.push?.referrers ?? []);
      const sum = (requests: readonly Counted[]) => requests.reduce((total, { bodyBytes }) => total + bodyBytes, 0);
      const attached = `what is attached ${sent.length - own.length} and ${sum(sent) - sum(own)} bytes`;
      const model = image.platforms[0]?.layers.find(({ kind }) => kind === 'model')?.sizeBytes ?? 0;
      lines.push(
        `retrained, to ${name.padEnd(17)}        ${own.length} requests besides GET (to reach: 8); ${sum(own)} bytes, ${sum(own) - model} more than the model layer (to reach: 20000); ${attached}; ${ms.toFixed(0)} ms with the build`,
      );
    } finally {
      await counter.stop();
      await real.stop();
    }
  }
  return lines;
}
