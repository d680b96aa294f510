import { join } from 'node:path';
import { countRequests, startDockerRegistry } from '../../e2e/registries.ts';
import { writeWeightsProject } from '../../test/weights-project.ts';
import { ROOT } from '../serve/root.ts';
import { build, HOME, INLAY, measure } from './command.ts';

const FILES = 8;
const FILE_BYTES = 32 * 2 ** 20;
/** Below this push does not ask, it sends: the answer would cost as much. */
const ASKED_BYTES = 32 * 1024;

/**
 * A push of 8 × 32 MB, killed (SIGKILL) at a random point, then run again, each time to a repository of its own. What the
 * registry had finished must not be sent again, and whenever the tag is there, so must be all that it leads to.
 */
export async function pushKilled(dir: string, rounds: number): Promise<string[]> {
  const project = join(dir, 'killed');
  await writeWeightsProject(project, { name: 'killed', files: FILES, fileBytes: FILE_BYTES });
  const { image } = await build(project);
  const real = await startDockerRegistry();
  const counter = await countRequests(real);
  try {
    const push = (round: number) => [INLAY, 'push', image.reference, `${counter.host}/killed/r${round}:1`];
    const wholeMs = (await measure(push(-1))).ms;
    const seen = { killed: 0, tagged: 0, holes: 0, again: 0, kept: 0 };
    for (let round = 0; round < rounds; round++) {
      counter.seen.length = 0;
      const child = Bun.spawn(push(round), {
        cwd: ROOT,
        env: { ...process.env, INLAY_HOME: HOME },
        stdin: 'ignore',
        stdout: 'ignore',
        stderr: 'ignore',
      });
      await Promise.race([Bun.sleep(Math.random() * wholeMs), child.exited]);
      child.kill('SIGKILL');
      await child.exited;
      if (child.signalCode === 'SIGKILL') seen.killed++;
      const base = `http://${real.host}/v2/killed/r${round}`;
      const tagged = await missingBehindTag(base);
      if (tagged !== undefined) seen.tagged++;
      if ((tagged ?? 0) > 0) seen.holes++;
      const there = new Set<string>();
      for (const { digest, sizeBytes } of image.platforms[0]?.layers ?? [])
        if (sizeBytes >= ASKED_BYTES && (await has(base, digest))) there.add(digest);
      seen.kept += there.size;
      counter.seen.length = 0;
      await measure(push(round));
      for (const { method, path, bodyBytes } of counter.seen)
        if (method === 'PUT' && bodyBytes > 0 && there.has(decodeURIComponent(/digest=([^&]+)/.exec(path)?.[1] ?? '')))
          seen.again++;
      if ((await missingBehindTag(base)) !== 0) seen.holes++;
    }
    return [
      `${FILES} × 32 MB, killed at random points       ${seen.killed} of ${rounds} runs killed, with ${seen.kept} layers there by then; ${seen.again} of them sent again (to reach: 0)`,
      `  tags with missing parts              ${seen.holes} (to reach: 0); ${seen.tagged} runs had set the tag before`,
    ];
  } finally {
    await counter.stop();
    await real.stop();
  }
}

const has = async (base: string, digest: string) =>
  (await fetch(`${base}/blobs/${digest}`, { method: 'HEAD' })).status === 200;

/** How much of what the tag leads to is missing; undefined where there is no tag. */
async function missingBehindTag(base: string): Promise<number | undefined> {
  const accept = 'application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json';
  const get = async (identifier: string) => fetch(`${base}/manifests/${identifier}`, { headers: { accept } });
  const index = await get('1');
  if (index.status !== 200) return undefined;
  let missing = 0;
  for (const { digest } of ((await index.json()) as { manifests: { digest: string }[] }).manifests) {
    const answer = await get(digest);
    if (answer.status !== 200) {
      missing++;
      continue;
    }
    const { config, layers } = (await answer.json()) as { config: { digest: string }; layers: { digest: string }[] };
    for (const blob of [config, ...layers]) if (!(await has(base, blob.digest))) missing++;
  }
  return missing;
}
