import { parseStanzas } from './apt.ts';

/** A package that an image holds, by the words of its packaging system (purl-spec's types). */
export interface BasePackage {
  readonly type: 'deb' | 'apk' | 'rpm' | 'pypi';
  readonly name: string;
  readonly version: string;
  readonly architecture?: string | undefined;
}

/** The installed packages of dpkg's status file, or of one of distroless's in status.d, which have no Status field. */
export function parseDpkgStatus(text: string): BasePackage[] {
  return parseStanzas(text).flatMap(({ Package, Version, Architecture, Status }) =>
    Package && Version && (Status === undefined || /\binstalled$/.test(Status))
      ? [
          {
            type: 'deb' as const,
            name: Package,
            version: Version,
            ...(Architecture ? { architecture: Architecture } : {}),
          },
        ]
      : [],
  );
}

/** apk's database of installed packages (apk-tools, "installed"): P name, V version, A architecture. */
export function parseApkInstalled(text: string): BasePackage[] {
  return text.split(/\n{2,}/).flatMap((stanza) => {
    const field = (key: string) => new RegExp(`^${key}:(.*)$`, 'm').exec(stanza)?.[1];
    const [name, version, architecture] = [field('P'), field('V'), field('A')];
    return name && version ? [{ type: 'apk' as const, name, version, ...(architecture ? { architecture } : {}) }] : [];
  });
}

/** The head of a Python package's METADATA or PKG-INFO (core metadata specification). */
export function parsePythonMetadata(text: string): BasePackage | undefined {
  const [head = ''] = text.replaceAll('\r\n', '\n').split('\n\n');
  const { Name, Version } = parseStanzas(head)[0] ?? {};
  return Name && Version ? { type: 'pypi', name: Name.trim(), version: Version.trim() } : undefined;
}

/** What /etc/os-release says (os-release(5)); `linux` where there is none. */
export function parseOsRelease(text: string | undefined): { id: string; versionId: string; prettyName: string } {
  const values = Object.fromEntries(
    (text ?? '').split('\n').flatMap((line) => {
      const [, name, value] = /^([A-Z_]+)=(.*)$/.exec(line.trim()) ?? [];
      return name === undefined || value === undefined ? [] : [[name, value.replace(/^(["'])(.*)\1$/, '$2')]];
    }),
  ) as Record<string, string>;
  const id = values.ID || 'linux';
  const versionId = values.VERSION_ID ?? '';
  return { id, versionId, prettyName: `${id} ${versionId}`.trim() };
}
