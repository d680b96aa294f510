// npm run bench:prune: how long the plan of a large fleet takes, with nothing known and with what a plan before has seen. Prints the figures of
// docs/bench.md. --repositories 200, --tags 500 (each).
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const flag = (name: string, otherwise: number) => {
  const at = process.argv.indexOf(`--${name}`);
  return at === -1 ? otherwise : Number(process.argv[at + 1]);
};
const repositories = flag('repositories', 200);
const tags = flag('tags', 500);
const bun = (script: string, ...args: string[]) =>
  Bun.spawn([process.execPath, '--no-env-file', `${import.meta.dir}/${script}`, ...args], {
    stdout: 'pipe',
    stderr: 'inherit',
  });
const dir = await mkdtemp(join(tmpdir(), 'inlay-bench-prune-'));
const server = bun('registry-server.ts', String(repositories), String(tags));

interface Found {
  readonly tookS: number;
  readonly cpuS: number;
  readonly peakMb: number;
  readonly keeps: number;
  readonly drops: number;
  readonly freeBytes: number;
  readonly gaps: readonly unknown[];
}

try {
  const { value } = await server.stdout.getReader().read();
  const { api, host } = JSON.parse(new TextDecoder().decode(value)) as { api: string; host: string };
  const plan = async () => {
    const child = bun('plan-child.ts', api, host, String(repositories), dir);
    const found = JSON.parse(await new Response(child.stdout).text()) as Found;
    if (found.gaps.length > 0) throw new Error(JSON.stringify(found.gaps.slice(0, 3)));
    return found;
  };
  const requests = async () =>
    Object.values((await (await fetch(`http://${host}/counts`)).json()) as Record<string, number>).reduce(
      (sum, count) => sum + count,
      0,
    );
  const line = (what: string, value: string, goal: string) =>
    console.log(`${what.padEnd(44)}${value.padStart(12)}   ${goal}`);
  const cold = await plan();
  const askedCold = await requests();
  const warm = await plan();
  console.log(
    `${repositories * tags} tags in ${repositories} repositories: ${cold.keeps} images stay, ${cold.drops} go, ${(cold.freeBytes / 1e9).toFixed(1)} GB`,
  );
  line('plan, nothing known', `${cold.tookS.toFixed(1)} s`, 'at most 120 s');
  line('of it on the CPU', `${cold.cpuS.toFixed(1)} s`, '');
  line('requests to the registry', String(askedCold), '');
  line('memory at its peak', `${cold.peakMb.toFixed(0)} MB`, 'at most 500 MB');
  line('plan, manifests known', `${warm.tookS.toFixed(1)} s`, 'at most 30 s');
  line('of it on the CPU', `${warm.cpuS.toFixed(1)} s`, '');
  line('requests to the registry', String((await requests()) - askedCold), '');
  line('memory at its peak', `${warm.peakMb.toFixed(0)} MB`, 'at most 500 MB');
} finally {
  server.kill();
  await rm(dir, { recursive: true, force: true });
}
