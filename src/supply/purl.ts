import type { BasePackage, NpmPackage } from '../image/index.ts';

// Package URLs (purl-spec): what scanners look a package up by. The colon stays as it is.
const encode = (text: string) => encodeURIComponent(text).replaceAll('%3A', ':');

/** `pkg:npm/%40oven/bun-linux-x64@1.4.5` */
export function npmPurl({ name, version }: NpmPackage): string {
  return `pkg:npm/${name.split('/').map(encode).join('/')}@${encode(version)}`;
}

/** `pkg:deb/debian/libc6@2.36-9%2Bdeb12u13?arch=amd64&distro=debian-12` */
export function debPurl(
  { name, version, architecture }: { readonly name: string; readonly version: string; readonly architecture: string },
  os: { readonly id: string; readonly versionId: string },
): string {
  return `pkg:deb/${os.id}/${encode(name)}@${encode(version)}?arch=${architecture}&distro=${os.id}-${os.versionId}`;
}

/** A package that was found in an image: `pkg:deb/…`, `pkg:apk/alpine/musl@1.2.5-r0?arch=x86_64&distro=alpine-3.20`, `pkg:pypi/scikit-learn@1.7.2` */
export function packagePurl(
  { type, name, version, architecture }: BasePackage,
  os: { readonly id: string; readonly versionId: string },
): string {
  // purl-spec, type pypi: names in lower case, with hyphens.
  if (type === 'pypi') return `pkg:pypi/${encode(name.toLowerCase().replace(/[-_.]+/g, '-'))}@${encode(version)}`;
  // RPM's epoch is a qualifier, Debian's a part of the version.
  const [, epoch, rest] = (type === 'rpm' && /^(\d+):(.*)$/.exec(version)) || [undefined, undefined, version];
  const qualifiers = [
    ...(architecture === undefined ? [] : [`arch=${architecture}`]),
    `distro=${os.versionId === '' ? os.id : `${os.id}-${os.versionId}`}`,
    ...(epoch === undefined ? [] : [`epoch=${epoch}`]),
  ];
  return `pkg:${type}/${os.id}/${encode(name)}@${encode(rest)}?${qualifiers.join('&')}`;
}

/** `pkg:oci/iris@sha256:…?arch=amd64` */
export function ociPurl(name: string, digest: string, architecture: string | undefined): string {
  return `pkg:oci/${encode(name)}@${digest}${architecture === undefined ? '' : `?arch=${architecture}`}`;
}

/** npm's integrity, `sha512-` and base64, as hex. */
export function integrityHex(integrity: string): string {
  return Buffer.from(integrity.replace(/^sha512-/, ''), 'base64').toString('hex');
}
