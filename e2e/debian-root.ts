// Images that no inlay made: root file systems of Debian packages, put into images by umoci and into registries by skopeo.
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { must } from './inlay.ts';

/** What a C++ program needs of Debian. */
export const CC = ['base-files', 'libc6', 'libgcc-s1', 'libstdc++6', 'ca-certificates'];

/** Unpacks Debian packages of this machine's sources into a folder, with merged /usr and dpkg's list of them. */
export async function debianRoot(dir: string, packages: readonly string[]): Promise<string> {
  const debs = join(dir, 'debs');
  const root = join(dir, 'root');
  for (const folder of [debs, join(root, 'var/lib/dpkg'), join(root, 'tmp')]) mkdirSync(folder, { recursive: true });
  for (const folder of ['bin', 'sbin', 'lib', 'lib64']) {
    mkdirSync(join(root, 'usr', folder), { recursive: true });
    await must(['ln', '-sfn', `usr/${folder}`, join(root, folder)]);
  }
  await must(['apt-get', 'download', '-qq', '-o', 'APT::Sandbox::User=root', ...packages], { cwd: debs });
  const stanzas: string[] = [];
  for (const deb of readdirSync(debs).sort()) {
    const path = join(debs, deb);
    // dpkg-deb -x would put a folder in the place of a link.
    await must([
      'sh',
      '-c',
      'dpkg-deb --fsys-tarfile "$1" | tar -x --keep-directory-symlink -C "$2"',
      'sh',
      path,
      root,
    ]);
    stanzas.push(
      (await must(['dpkg-deb', '--field', path])).replace(/^(Package: .*)$/m, '$1\nStatus: install ok installed'),
    );
  }
  writeFileSync(join(root, 'var/lib/dpkg/status'), stanzas.map((stanza) => `${stanza.trimEnd()}\n`).join('\n'));
  return root;
}

/**
 * Makes an image of a root file system and pushes it.
 * @param config arguments of umoci config @param beside runs a program where the registry can be reached
 */
export async function pushRoot(
  dir: string,
  root: string,
  reference: string,
  config: readonly string[] = [],
  beside: (command: readonly string[]) => Promise<string> = must,
): Promise<void> {
  const layout = join(dir, 'umoci');
  await must(['umoci', 'init', '--layout', layout]);
  await must(['umoci', 'new', '--image', `${layout}:image`]);
  await must(['umoci', 'insert', '--image', `${layout}:image`, root, '/']);
  await must(['umoci', 'config', '--image', `${layout}:image`, '--os', 'linux', '--architecture', 'amd64', ...config]);
  await beside([
    'skopeo',
    'copy',
    '--quiet',
    '--dest-tls-verify=false',
    `oci:${layout}:image`,
    `docker://${reference}`,
  ]);
}
