// Pushes and pulls one blob of zeros and prints the peak of its own memory.
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MEDIA_TYPE, OciLayout } from '../../src/image/index.ts';
import { parseReference, pullImage, pushImage, Registry } from '../../src/registry/index.ts';

const [host = '', size = '', dir = '', proxy = '', ca = ''] = process.argv.slice(2);
const megabytes = () => process.memoryUsage().rss / 1e6;
const file = join(dir, 'zeros');
writeFileSync(file, '');
truncateSync(file, Number(size));
const layout = await OciLayout.open(join(dir, 'big'));
const layer = await layout.putStream(Bun.file(file).stream(), MEDIA_TYPE.layer);
const config = await layout.putJson({}, MEDIA_TYPE.config);
const manifest = { schemaVersion: 2, mediaType: MEDIA_TYPE.manifest, config, layers: [layer] };
await layout.tag('big:1', await layout.putJson(manifest, MEDIA_TYPE.manifest));

Bun.gc(true);
const baseMB = megabytes();
let peakMB = baseMB;
setInterval(() => {
  peakMB = Math.max(peakMB, megabytes());
}, 10).unref();
await using registry = new Registry({ env: proxy ? { HTTPS_PROXY: proxy } : {}, homeDir: dir, ...(ca ? { ca } : {}) });
const reference = parseReference(`${host}/ml/big:1`);
await pushImage({ registry, layout, source: 'big:1', to: reference });
const second = await OciLayout.open(join(dir, 'again'));
const { receivedBytes } = await pullImage({ registry, layout: second, from: reference, name: 'big:1' });
if (receivedBytes < Number(size)) throw new Error(`only ${receivedBytes} bytes came back`);
process.stdout.write(JSON.stringify({ baseMB, peakMB }));
