import { afterAll, beforeAll, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DockerfileParser, type Label, type PropertyInstruction } from 'dockerfile-ast';
import { dockerfileOf, ejectImage, type ImageConfig, MEDIA_TYPE, OciLayout } from '../../src/image/index.ts';
import { writeLayer } from '../../src/image/layer/layer.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'inlay-eject-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

const PLATFORM = { os: 'linux', architecture: 'arm64' };
const CONFIG: ImageConfig = {
  ...PLATFORM,
  config: {
    User: '65532:65532',
    ExposedPorts: { '8000/tcp': {} },
    Env: ['PORT=8000', 'ODD=a "b" \\ $HOME = c'],
    Entrypoint: ['/opt/bun', '--a "b"'],
    WorkingDir: '/model',
    Labels: { 'inlay.inputs': '[{"name":"x","shape":[-1,4]}]', 'inlay.money': '$5 \\n' },
    StopSignal: 'SIGTERM',
  },
  rootfs: { type: 'layers', diff_ids: [] },
};

test("a parser of others reads the Dockerfile as the image's config", () => {
  const parsed = DockerfileParser.parse(dockerfileOf(PLATFORM, ['1-base.tar', '2-model.tar.gz'], CONFIG));
  expect(parsed.getInstructions().map((line) => line.getKeyword())).toEqual(
    'FROM ADD ADD ENV ENV LABEL LABEL EXPOSE WORKDIR USER STOPSIGNAL ENTRYPOINT'.split(' '),
  );
  const [from] = parsed.getFROMs();
  expect([from?.getImage(), from?.getPlatformFlag()?.getValue()]).toEqual(['scratch', 'linux/arm64']);
  const properties = parsed
    .getInstructions()
    .filter((line) => ['ENV', 'LABEL'].includes(line.getKeyword()))
    .flatMap((line) => (line as PropertyInstruction | Label).getProperties())
    .map((property) => [property.getName(), property.getValue()]);
  expect(properties.slice(0, 1)).toEqual([['PORT', '8000']]);
  // The parser leaves Docker's own escapes of $ and \ as they are.
  const plain = properties.map(([name, value]) => [name?.replaceAll('"', ''), value?.replace(/\\(["\\$])/g, '$1')]);
  expect(plain).toEqual([
    ['PORT', '8000'],
    ['ODD', 'a "b" \\ $HOME = c'],
    ['inlay.inputs', '[{"name":"x","shape":[-1,4]}]'],
    ['inlay.money', '$5 \\n'],
  ]);
  expect(parsed.getENTRYPOINTs()[0]?.getJSONStrings().length).toBe(2);
});

test('the context has the layers as tars that ADD unpacks', async () => {
  const layout = await OciLayout.open(join(dir, 'oci'));
  const layers = [];
  for (const compression of ['zstd', 'gzip', 'none'] as const) {
    const entry = { path: compression, type: 'file', mode: 0o644 } as const;
    layers.push(await writeLayer(layout, [entry], { compression, mtimeS: 0 }));
  }
  const diffIds = layers.map(({ diffId }) => diffId);
  const manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.manifest,
    config: await layout.putJson({ ...CONFIG, rootfs: { type: 'layers', diff_ids: diffIds } }, MEDIA_TYPE.config),
    layers: layers.map(({ descriptor }) => descriptor),
  };
  await layout.tag('some:1', await layout.putJson(manifest, MEDIA_TYPE.manifest));
  const context = join(dir, 'context');
  const files = await ejectImage(layout, 'some:1', PLATFORM, context);
  expect(files).toEqual(['Dockerfile', '1-layer.tar', '2-layer.tar.gz', '3-layer.tar']);
  expect(readdirSync(context).sort()).toEqual([...files].sort());
  const found = files.slice(1).map((name) => {
    const bytes = new Uint8Array(readFileSync(join(context, name)));
    const plain = name.endsWith('.gz') ? Bun.gunzipSync(bytes) : bytes;
    return `sha256:${createHash('sha256').update(plain).digest('hex')}`;
  });
  expect(found).toEqual(diffIds);
  // Nobody's files are overwritten.
  await expect(ejectImage(layout, 'some:1', PLATFORM, context)).rejects.toMatchObject({ code: 'USAGE' });
});

test('a context that cannot be written whole leaves the folder empty, for the next try', async () => {
  const layout = await OciLayout.open(join(dir, 'broken'));
  const entry = { path: 'a', type: 'file', mode: 0o644 } as const;
  const layer = await writeLayer(layout, [entry], { compression: 'none', mtimeS: 0 });
  const gone = { ...layer.descriptor, digest: `sha256:${'0'.repeat(64)}` };
  const config = await layout.putJson({ ...CONFIG, rootfs: { type: 'layers', diff_ids: [] } }, MEDIA_TYPE.config);
  const manifest = { schemaVersion: 2, mediaType: MEDIA_TYPE.manifest, config, layers: [layer.descriptor, gone] };
  await layout.tag('iris:1', await layout.putJson(manifest, MEDIA_TYPE.manifest));
  const context = join(dir, 'broken-context');
  await expect(ejectImage(layout, 'iris:1', PLATFORM, context)).rejects.toMatchObject({ code: 'IMAGE_INVALID' });
  expect(readdirSync(context)).toEqual([]);
});
