import { join } from 'node:path';
import { countRequests, startCraneRegistry, startDockerRegistry } from '../../e2e/registries.ts';
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
      const writes = counter.seen.filter(({ method }) => method !== 'GET');
      const bytes = counter.seen.reduce((sum, request) => sum + request.bodyBytes, 0);
      const model = image.platforms[0]?.layers.find(({ kind }) => kind === 'model')?.sizeBytes ?? 0;
      lines.push(
        `retrained, to ${name.padEnd(17)}        ${counter.seen.length} requests, ${writes.length} besides GET (to reach: 8); ${bytes} bytes, ${bytes - model} more than the model layer (to reach: 20000); ${ms.toFixed(0)} ms with the build`,
      );
    } finally {
      await counter.stop();
      await real.stop();
    }
  }
  return lines;
}
