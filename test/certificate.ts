import { join } from 'node:path';

/** Makes a certificate that nobody has signed but itself. @param dir where its files are put */
export async function certificate(dir: string, name: string): Promise<{ key: string; cert: string }> {
  const [key, cert] = [join(dir, 'key.pem'), join(dir, 'cert.pem')];
  const args = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const made = Bun.spawnSync(
    ['openssl', ...args, '-keyout', key, '-out', cert, '-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`],
    { stderr: 'pipe' },
  );
  if (made.exitCode !== 0) throw new Error(`openssl ended with ${made.exitCode}: ${made.stderr}`);
  return { key: await Bun.file(key).text(), cert: await Bun.file(cert).text() };
}
