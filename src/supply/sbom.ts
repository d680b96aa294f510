// By parts: all of the library with its validators takes 50 ms to load.
import * as Enums from '@cyclonedx/cyclonedx-library/Enums';
import * as Models from '@cyclonedx/cyclonedx-library/Models';
import * as Serialize from '@cyclonedx/cyclonedx-library/Serialize';
import * as SPDX from '@cyclonedx/cyclonedx-library/SPDX';
import * as Spec from '@cyclonedx/cyclonedx-library/Spec';
import { type AnyContract, isOpaque } from '../contract/index.ts';
import type { Materials, NpmPackage } from '../image/index.ts';
import { modelCard } from './model-card.ts';
import { debPurl, integrityHex, npmPurl, ociPurl, packagePurl } from './purl.ts';

const { Component, HashDictionary } = Models;
const { ComponentType, HashAlgorithm } = Enums;
const MODEL_REF = 'model';

/**
 * The software bill of materials of one platform's image, CycloneDX 1.6 as JSON: everything that its layers are made of. No clock
 * and no random serial number: the same image gives the same bytes.
 */
export function sbomOf(contract: AnyContract, materials: Materials, inlayVersion: string): Uint8Array {
  const { manifest, os } = materials;
  const image = new Component(ComponentType.Container, contract.name, {
    bomRef: 'image',
    version: contract.version,
    purl: ociPurl(contract.name, manifest.digest, manifest.platform?.architecture),
    hashes: sha256(manifest.digest),
  });
  const base = new Component(ComponentType.OperatingSystem, os.id, { bomRef: 'os', version: os.versionId });
  const server = serverComponents(materials);
  const debs = materials.base.map((pin) => {
    const purl = debPurl(pin, os);
    return new Component(ComponentType.Library, pin.name, {
      bomRef: purl,
      purl,
      version: pin.version,
      hashes: sha256(pin.sha256),
      properties: new Models.PropertyRepository([new Models.Property('inlay:architecture', pin.architecture)]),
    });
  });
  const runtime = materials.runtime.map((one) =>
    npmComponent(one, new HashDictionary([[HashAlgorithm['SHA-512'], integrityHex(one.integrity)]])),
  );
  const found = baseImageComponents(materials);
  const model = modelComponents(contract);
  const transform = transformComponents(contract, materials.transform ?? [], server);
  for (const one of [...debs, ...found.system]) base.dependencies.add(one.bomRef);
  for (const one of [
    ...found.image,
    base,
    ...found.python,
    ...server.slice(0, 1),
    ...runtime,
    ...transform.slice(0, 1),
    ...model,
  ])
    image.dependencies.add(one.bomRef);
  const tool = new Component(ComponentType.Application, 'inlay', { version: inlayVersion });
  const bom = new Models.Bom({
    version: 1,
    metadata: new Models.Metadata({
      component: image,
      tools: new Models.Tools({ components: new Models.ComponentRepository([tool]) }),
    }),
    components: new Models.ComponentRepository([
      ...[base, ...found.image, ...debs, ...found.system, ...found.python],
      ...[...runtime, ...server, ...transform, ...model],
    ]),
  });
  const serializer = new Serialize.JsonSerializer(new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6));
  return new TextEncoder().encode(withModelCard(serializer.serialize(bom, { sortLists: true }), contract));
}

function npmComponent(one: NpmPackage, hashes = new HashDictionary()) {
  const [group, name] = one.name.startsWith('@') ? one.name.split('/') : [undefined, one.name];
  const purl = npmPurl(one);
  return new Component(ComponentType.Library, name ?? one.name, {
    ...(group === undefined ? {} : { group }),
    bomRef: purl,
    purl,
    version: one.version,
    hashes,
    licenses: licences(one.licence),
  });
}

/** inlay's server, and the packages that are bundled into it; none where the base is the server. */
function serverComponents({ serverVersion, server }: Materials) {
  if (serverVersion === undefined) return [];
  const licenses = licences('Apache-2.0');
  const own = new Component(ComponentType.Application, 'inlay-server', {
    bomRef: 'server',
    version: serverVersion,
    licenses,
  });
  const bundled = server.map((one) => npmComponent(one));
  for (const one of bundled) own.dependencies.add(one.bomRef);
  return [own, ...bundled];
}

/** The image that is the base, and the packages that its own lists name: versions, not digests, are all that these tell. */
function baseImageComponents({ baseImage, os, manifest }: Materials) {
  if (baseImage === undefined) return { image: [], system: [], python: [] };
  const { reference, digest, packages } = baseImage;
  const name = reference.replace(/@.*$/, '').replace(/:[^/:]*$/, '');
  const image = new Component(ComponentType.Container, name, {
    bomRef: 'base-image',
    purl: ociPurl(name.slice(name.lastIndexOf('/') + 1), digest, manifest.platform?.architecture),
    hashes: sha256(digest),
  });
  const component = (one: (typeof packages)[number]) => {
    const purl = packagePurl(one, os);
    return new Component(ComponentType.Library, one.name, { bomRef: purl, purl, version: one.version });
  };
  const of = (python: boolean) => packages.filter(({ type }) => (type === 'pypi') === python).map(component);
  return { image: [image], system: of(false), python: of(true) };
}

/** The ONNX file, and the files that hold its weights; an opaque model as a whole. */
function modelComponents(contract: AnyContract) {
  const { model } = contract;
  const file = new Component(ComponentType.MachineLearningModel, contract.name, {
    bomRef: MODEL_REF,
    version: contract.version,
    hashes: sha256(model.digest),
    ...(contract.owner === undefined ? {} : { author: contract.owner }),
  });
  const weights = (isOpaque(contract) ? [] : contract.model.externalData).map(
    (one) => new Component(ComponentType.Data, one.file, { bomRef: `model/${one.file}`, hashes: sha256(one.digest) }),
  );
  for (const one of weights) file.dependencies.add(one.bomRef);
  return [file, ...weights];
}

/** The bundled transform with its npm packages. @param known components of the server: both may hold the same version */
function transformComponents(
  contract: AnyContract,
  packages: readonly NpmPackage[],
  known: readonly Models.Component[],
) {
  const transform = isOpaque(contract) ? undefined : contract.transform;
  if (!transform) return [];
  const file = new Component(ComponentType.Application, transform.file, {
    bomRef: 'transform',
    hashes: sha256(transform.digest),
    description: `takes ${transform.accepts.join(', ')}`,
  });
  const own: Models.Component[] = [];
  for (const one of packages) {
    const component = npmComponent(one);
    const shared = known.find(({ bomRef }) => bomRef.value === component.bomRef.value);
    file.dependencies.add((shared ?? component).bomRef);
    if (!shared) own.push(component);
  }
  return [file, ...own];
}

function licences(expression: string | undefined) {
  const repository = new Models.LicenseRepository();
  if (expression === undefined) return repository;
  // An SPDX expression has operators; a single id is a licence of its own; packages also write words, which are only a name.
  repository.add(
    / (AND|OR|WITH) /.test(expression)
      ? new Models.LicenseExpression(expression)
      : SPDX.isSupportedSpdxId(expression)
        ? new Models.SpdxLicense(expression)
        : new Models.NamedLicense(expression),
  );
  return repository;
}

function sha256(digest: string) {
  return new HashDictionary([[HashAlgorithm['SHA-256'], digest.replace('sha256:', '')]]);
}

function withModelCard(json: string, contract: AnyContract): string {
  const bom = JSON.parse(json) as { components: { 'bom-ref'?: string }[] };
  const components = bom.components.map((component) =>
    component['bom-ref'] === MODEL_REF ? { ...component, modelCard: modelCard(contract) } : component,
  );
  return JSON.stringify({ ...bom, components });
}
