// npm run bench:inventory: how long the inventory of a large cluster takes, and what of it. Prints the figures of docs/bench.md.
const flag = (name: string, otherwise: number) => {
  const at = process.argv.indexOf(`--${name}`);
  return at === -1 ? otherwise : Number(process.argv[at + 1]);
};
const deployments = flag('deployments', 10_000);
const images = flag('images', 2000);
const child = Bun.spawn(
  [process.execPath, '--no-env-file', `${import.meta.dir}/cluster-server.ts`, String(deployments), String(images)],
  { stdout: 'pipe', stderr: 'inherit' },
);
try {
  const { value } = await child.stdout.getReader().read();
  const { api } = JSON.parse(new TextDecoder().decode(value)) as { api: string };
  const scanning = Bun.spawn([process.execPath, '--no-env-file', `${import.meta.dir}/scan-child.ts`, api], {
    stdout: 'pipe',
    stderr: 'inherit',
  });
  const found = JSON.parse(await new Response(scanning.stdout).text()) as Record<string, number> & {
    asked: Record<string, number>;
  };
  const line = (what: string, value: string, goal: string) =>
    console.log(`${what.padEnd(58)}${value.padStart(12)}   ${goal}`);
  console.log(
    `${deployments} deployments x 3 pods, ${images} images: ${found.servers} rows, ${found.known} with their model`,
  );
  line('first scan', `${found.scanS?.toFixed(1)} s`, 'at most 20 s');
  line('of it on the CPU', `${found.scanCpuS?.toFixed(1)} s`, '');
  line('memory at its peak', `${found.scanMb?.toFixed(0)} MB`, 'at most 400 MB');
  line('images looked up', String(found.lookups), `each once: ${images}`);
  line(
    'requests to the registry',
    String(['manifests', 'blobs', 'referrers'].reduce((sum, kind) => sum + (found.asked[kind] ?? 0), 0)),
    '',
  );
  line('scan again, images known from disk', `${found.againS?.toFixed(1)} s`, '');
  line('hub: all rows there', `${found.hubS?.toFixed(1)} s`, '');
  line('hub: a change is visible after (worst of 10)', `${found.changeMs?.toFixed(0)} ms`, 'at most 2000 ms');
  line('hub: pods listed, scans and hub together', `${found.lists} times`, '3: no list after the first');
  line('memory at its peak, scans and hub together', `${found.hubMb?.toFixed(0)} MB`, '');
} finally {
  child.kill();
}
