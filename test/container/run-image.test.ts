import { afterAll, beforeAll, expect, test } from 'bun:test';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onRootFs } from '../../src/container/held-root-fs.ts';
import { chooseEngine, runcSpec, runImage, waitReady } from '../../src/container/index.ts';
import { isInlayError } from '../../src/error/index.ts';
import { MEDIA_TYPE, OciLayout, type Platform } from '../../src/image/index.ts';
import { writeLayer } from '../../src/image/layer/layer.ts';
import { oldRootFileSystems, removeRootFileSystems } from '../../src/prune/index.ts';

const platform: Platform = { os: 'linux', architecture: 'amd64' };
const linux = process.platform === 'linux';
let dir: string;
let layout: OciLayout;

/** An image whose program is a shell script on the shell of this machine: enough to start and stop a process. */
async function tag(reference: string, script: string, more: Record<string, unknown> = {}): Promise<void> {
  const layer = await writeLayer(
    layout,
    [{ path: 'app/run', type: 'file', mode: 0o755, content: new TextEncoder().encode(script) }],
    { compression: 'none', mtimeS: 0 },
  );
  const config = await layout.putJson(
    {
      architecture: 'amd64',
      os: 'linux',
      config: {
        Entrypoint: ['/app/run'],
        Env: ['PATH=/bin', 'MODEL=/app/run', 'OTHER=/nowhere'],
        User: '65532:65532',
        ...more,
      },
      rootfs: { type: 'layers', diff_ids: [layer.diffId] },
    },
    MEDIA_TYPE.config,
  );
  await layout.tag(
    reference,
    await layout.putJson(
      { schemaVersion: 2, mediaType: MEDIA_TYPE.manifest, config, layers: [layer.descriptor] },
      MEDIA_TYPE.manifest,
    ),
  );
}

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'inlay-run-'));
  layout = await OciLayout.open(join(dir, 'oci'));
  const server =
    'Bun.serve({ hostname: process.env.HOST, port: process.env.PORT, fetch: () => new Response(JSON.stringify(process.env)) }); process.on("SIGTERM", () => process.exit(7)); console.log("up");';
  await tag('server:1', `#!/bin/sh\nexec ${process.execPath} -e '${server}'\n`);
  await tag('broken:1', '#!/bin/sh\necho it cannot start >&2\nexit 5\n');
  await tag('deaf:1', "#!/bin/sh\ntrap '' TERM\nwhile :; do sleep 0.1; done\n");
});
afterAll(() => rmSync(dir, { recursive: true }));

const run = (reference: string, more: object = {}) =>
  runImage({
    layout,
    reference,
    platform,
    port: 0,
    engine: 'process',
    stateDir: join(dir, 'state'),
    processEnv: process.env,
    ...more,
  });
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    (error) => (isInlayError(error) ? error.code : String(error)),
  );

test.skipIf(!linux)(
  'an image runs as a process with its own environment, its paths in its files, and its exit code',
  async () => {
    const running = await run('server:1', { env: { EXTRA: '1' } });
    await waitReady(running, { timeoutMs: 10_000 });
    const env = (await (await fetch(running.url)).json()) as Record<string, string>;
    expect(env).toMatchObject({ EXTRA: '1', HOST: '127.0.0.1', OTHER: '/nowhere' });
    expect(env.MODEL).toMatch(/\/rootfs\/.*\/app\/run$/);
    expect(env.HOME).toBeUndefined();
    expect(running.notes.join(' ')).toContain('limits are not enforced');
    expect(await running.stop()).toBe(7);
  },
  20_000,
);

test.skipIf(!linux)('an image that ends before it is ready is told with its last words', async () => {
  const running = await run('broken:1');
  let told: unknown;
  await waitReady(running, { timeoutMs: 10_000 }).catch((error) => {
    told = error;
  });
  expect(isInlayError(told) && told.code).toBe('CONTAINER_FAILED');
  expect((told as Error).message).toContain('exit code 5');
  expect((told as Error).message).toContain('it cannot start');
});

test.skipIf(!linux)('an image that does not answer in time is told; one that does not stop is killed', async () => {
  const running = await run('deaf:1');
  expect(await codeOf(waitReady(running, { timeoutMs: 300 }))).toBe('NOT_READY');
  expect(await running.stop({ graceMs: 200 })).not.toBe(0);
});

const rootFs = () => join(dir, 'held', 'rootfs');
const unused = () => oldRootFileSystems(rootFs(), { now: Date.now() + 1000, graceMs: 0 });

test.skipIf(!linux)(
  'what an image runs from is not pruned, and what was pruned is unpacked again',
  async () => {
    const stateDir = join(dir, 'held');
    const running = await run('server:1', { stateDir });
    expect(readdirSync(rootFs())).toHaveLength(1);
    expect(await unused()).toEqual([]);
    await running.stop();
    const [found, ...more] = await unused();
    expect(more).toEqual([]);
    expect(await removeRootFileSystems(found ? [found] : [])).toBeGreaterThan(0);
    expect(readdirSync(rootFs())).toEqual([]);
    const again = await run('server:1', { stateDir });
    await waitReady(again, { timeoutMs: 10_000 });
    expect(await again.stop()).toBe(7);
  },
  20_000,
);

test.skipIf(!linux)('a run that cannot start lets go of what it would have run from', async () => {
  await tag('empty:1', '', { Entrypoint: ['/app/none'] });
  const stateDir = join(dir, 'unstarted');
  expect(await codeOf(run('empty:1', { stateDir }))).toBe('IMAGE_INVALID');
  expect(await oldRootFileSystems(join(stateDir, 'rootfs'), { now: Date.now() + 1000, graceMs: 0 })).toHaveLength(1);
});

test.skipIf(!linux)(
  'a program whose inlay was killed still holds what it runs from',
  async () => {
    await tag('lasting:1', '#!/bin/sh\necho pid $$\nexec sleep 600\n');
    const stateDir = join(dir, 'killed');
    const door = (room: string) => JSON.stringify(join(import.meta.dir, '../../src', room, 'index.ts'));
    const program = `
    const { runImage } = await import(${door('container')});
    const { OciLayout } = await import(${door('image')});
    await runImage({
      layout: await OciLayout.open(${JSON.stringify(layout.dir)}), reference: 'lasting:1', platform: ${JSON.stringify(platform)},
      port: 0, engine: 'process', stateDir: ${JSON.stringify(stateDir)}, processEnv: process.env, onOutput: (line) => console.log(line),
    });`;
    const inlay = Bun.spawn([process.execPath, '-e', program], { stdout: 'pipe', stderr: 'inherit' });
    let told = '';
    for await (const chunk of inlay.stdout) {
      told += new TextDecoder().decode(chunk);
      if (told.includes('\n')) break;
    }
    const pid = Number(/^pid (\d+)\n/.exec(told)?.[1]);
    inlay.kill('SIGKILL');
    await inlay.exited;
    const found = () => oldRootFileSystems(join(stateDir, 'rootfs'), { now: Date.now() + 1000, graceMs: 0 });
    expect(await found()).toEqual([]);
    process.kill(pid, 'SIGKILL');
    // Its end is nobody's to wait for.
    while ((await found()).length === 0) await Bun.sleep(20);
  },
  20_000,
);

test.skipIf(!linux)(
  'runs beside sweeps without a grace find all of their files each time',
  async () => {
    const stateDir = join(dir, 'raced');
    const start = { layout, stateDir, image: await layout.resolve('broken:1', platform) };
    const ended = async () => {};
    const child = Bun.spawn(['true'], { stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' });
    let swept = 0;
    let done = false;
    const sweeps = (async () => {
      while (!done) {
        const found = await oldRootFileSystems(join(stateDir, 'rootfs'), { now: Date.now() + 1000, graceMs: 0 });
        if ((await removeRootFileSystems(found)) > 0) swept++;
        await Bun.sleep(0);
      }
    })();
    const runs = async () => {
      // Sweeps get a turn sooner or later.
      for (let round = 0; round < 100 || swept < 5; round++) {
        const running = await onRootFs(start, false, async (rootfs) => {
          await Bun.sleep(0);
          expect(readFileSync(join(rootfs, 'app/run'), 'utf8')).toContain('it cannot start');
          return { child, notes: [], terminate: ended, kill: ended, clean: ended };
        });
        await running.clean();
        await Bun.sleep(0);
      }
    };
    await Promise.all([runs(), runs()]);
    done = true;
    await sweeps;
    expect(swept).toBeGreaterThanOrEqual(5);
  },
  60_000,
);

test('a port in use is told before anything starts', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => taken.once('listening', resolve));
  const { port } = taken.address() as { port: number };
  expect(await codeOf(run('server:1', { port, engine: linux ? 'process' : undefined }))).toBe(
    linux ? 'PORT_IN_USE' : 'ENGINE_UNAVAILABLE',
  );
  taken.close();
});

test('an image that is not there', async () => {
  expect(await codeOf(run('none:1'))).toBe('IMAGE_NOT_FOUND');
});

test('engines are taken in order; what does not answer is passed over', async () => {
  const bin = mkdtempSync(join(dir, 'bin-'));
  const put = (name: string, script: string) => {
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(bin, name), 0o755);
  };
  const env = { PATH: `${bin}:/usr/bin:/bin` };
  const only = { PATH: bin };
  const user = { platform: 'linux', uid: 1000 };
  expect(await chooseEngine(undefined, only, user)).toBe('process');
  put('docker', 'echo cannot connect to the daemon >&2; exit 1');
  put('podman', 'exit 0');
  expect(await chooseEngine(undefined, env, user)).toBe('podman');
  expect(await codeOf(chooseEngine('docker', env, user))).toBe('ENGINE_UNAVAILABLE');
  expect(await codeOf(chooseEngine('runc', only, user))).toBe('ENGINE_UNAVAILABLE');
  expect(await codeOf(chooseEngine(undefined, { PATH: '/nowhere' }, { platform: 'darwin', uid: 501 }))).toBe(
    'ENGINE_UNAVAILABLE',
  );
});

/** A docker that notes what it is told, and keeps what it is given to load. */
function docker() {
  const bin = mkdtempSync(join(dir, 'docker-'));
  const words = join(bin, 'words');
  writeFileSync(
    join(bin, 'docker'),
    `#!/bin/sh\necho "$@" >> ${words}\n[ "$1" = load ] && cat > ${join(bin, 'archive.tar')}\nexit 0\n`,
  );
  chmodSync(join(bin, 'docker'), 0o755);
  return { bin, words };
}

test('another’s server gets what servers usually have, and its own port is published', async () => {
  const labels = {
    'org.opencontainers.image.title': 'a',
    'org.opencontainers.image.version': '1',
    'inlay.version': '0.1.0',
    'inlay.task': 'other',
    'inlay.model.digest': 'sha256:x',
    'inlay.inputs': '[]',
    'inlay.outputs': '[]',
    'inlay.os': 'debian 12',
    'inlay.libraries': '{}',
    'inlay.format': 'opaque',
  };
  const start = async (more: Record<string, unknown>, options: object = {}) => {
    const { bin, words } = docker();
    await tag('foreign:1', '#!/bin/sh\n', { Labels: labels, ...more });
    const running = await run('foreign:1', {
      engine: 'docker',
      processEnv: { PATH: `${bin}:/usr/bin:/bin` },
      ...options,
    });
    await running.exited;
    return (
      readFileSync(words, 'utf8')
        .split('\n')
        .find((line) => line.startsWith('run ')) ?? ''
    );
  };
  const tensorflow = await start({ ExposedPorts: { '8500/tcp': {}, '8501/tcp': {} } });
  expect(tensorflow).toMatch(/--publish 127\.0\.0\.1:\d+:8501 --security-opt no-new-privileges inlay\.local/);
  expect(await start({ ExposedPorts: { '8080/tcp': {}, '8082/tcp': {} } })).toContain(':8080 ');
  expect(await start({ Env: ['PORT=9000'], ExposedPorts: { '8080/tcp': {} } })).toContain(':9000 ');
  expect(await start({})).toContain(':8000 ');
  expect(await start({ Env: ['PORT=9000'] }, { containerPort: 7000 })).toContain(':7000 ');
});

test('docker is handed a loadable archive and runs it without rights', async () => {
  const { bin, words } = docker();
  const running = await run('server:1', {
    engine: 'docker',
    processEnv: { PATH: `${bin}:/usr/bin:/bin` },
    limits: { cpus: 0.5, memoryBytes: 1000 },
    env: { A: 'b c' },
  });
  expect(await running.exited).toBe(0);
  const told = readFileSync(words, 'utf8');
  expect(told).toContain(
    '--read-only --tmpfs /tmp:size=64m,mode=1777 --cap-drop ALL --security-opt no-new-privileges --cpus 0.5 --memory 1000 --env A=b c',
  );
  const listed = Bun.spawnSync(['tar', 'tf', join(bin, 'archive.tar')])
    .stdout.toString()
    .trim()
    .split('\n');
  expect(listed.slice(0, 2)).toEqual(['oci-layout', 'index.json']);
  expect(listed).toHaveLength(5);
});

test('the runc configuration has no rights, a read-only root and the limits', () => {
  const spec = runcSpec({
    rootfs: '/r',
    args: ['/a'],
    env: { A: '1' },
    cwd: '/',
    uid: 65532,
    gid: 65532,
    capabilities: [],
    limits: { cpus: 0.5, memoryBytes: 314572800 },
    cgroupsPath: '/x',
  });
  expect(spec).toMatchObject({
    process: {
      user: { uid: 65532, gid: 65532 },
      env: ['A=1'],
      noNewPrivileges: true,
      capabilities: { bounding: [], effective: [], permitted: [] },
    },
    root: { path: '/r', readonly: true },
    linux: { resources: { memory: { limit: 314572800 }, cpu: { quota: 50000, period: 100000 } } },
  });
});
