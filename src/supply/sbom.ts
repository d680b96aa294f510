// By parts: all of the library with its validators takes 50 ms to load.
import * as Enums from '@cyclonedx/cyclonedx-library/Enums';
import * as Models from '@cyclonedx/cyclonedx-library/Models';
import * as Serialize from '@cyclonedx/cyclonedx-library/Serialize';
import * as SPDX from '@cyclonedx/cyclonedx-library/SPDX';
import * as Spec from '@cyclonedx/cyclonedx-library/Spec';
import type { Contract } from '../contract/index.ts';
import type { Materials, NpmPackage } from '../image/index.ts';
import { modelCard } from './model-card.ts';
import { debPurl, integrityHex, npmPurl, ociPurl } from './purl.ts';

const { Component, HashDictionary } = Models;
const { ComponentType, HashAlgorithm } = Enums;
const MODEL_REF = 'model';

/**
 * The software bill of materials of one platform's image, CycloneDX 1.6 as JSON: everything that its layers are made of. No clock
 * and no random serial number: the same image gives the same bytes.
 */
export function sbomOf(contract: Contract, materials: Materials, inlayVersion: string): Uint8Array {
  const { manifest, os } = materials;
  const image = new Component(ComponentType.Container, contract.name, {
    bomRef: 'image',
    version: contract.version,
    purl: ociPurl(contract.name, manifest.digest, manifest.platform?.architecture),
    hashes: sha256(manifest.digest),
  });
  const base = new Component(ComponentType.OperatingSystem, os.id, { bomRef: 'os', version: os.versionId });
  const server = new Component(ComponentType.Application, 'inlay-server', {
    bomRef: 'server',
    version: materials.serverVersion,
    licenses: licences('Apache-2.0'),
  });
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
  const bundled = materials.server.map((one) => npmComponent(one));
  const model = modelComponents(contract);
  const transform = transformComponents(contract, materials.transform ?? [], bundled);
  for (const deb of debs) base.dependencies.add(deb.bomRef);
  for (const one of bundled) server.dependencies.add(one.bomRef);
  for (const one of [base, server, ...runtime, ...transform.slice(0, 1), ...model]) image.dependencies.add(one.bomRef);
  const tool = new Component(ComponentType.Application, 'inlay', { version: inlayVersion });
  const bom = new Models.Bom({
    version: 1,
    metadata: new Models.Metadata({
      component: image,
      tools: new Models.Tools({ components: new Models.ComponentRepository([tool]) }),
    }),
    components: new Models.ComponentRepository([base, ...debs, ...runtime, server, ...bundled, ...transform, ...model]),
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

/** The ONNX file, and the files that hold its weights. */
function modelComponents(contract: Contract) {
  const { model } = contract;
  const file = new Component(ComponentType.MachineLearningModel, contract.name, {
    bomRef: MODEL_REF,
    version: contract.version,
    hashes: sha256(model.digest),
    ...(contract.owner === undefined ? {} : { author: contract.owner }),
  });
  const weights = model.externalData.map(
    (one) => new Component(ComponentType.Data, one.file, { bomRef: `model/${one.file}`, hashes: sha256(one.digest) }),
  );
  for (const one of weights) file.dependencies.add(one.bomRef);
  return [file, ...weights];
}

/** The bundled transform with its npm packages. @param known components of the server: both may hold the same version */
function transformComponents(
  { transform }: Contract,
  packages: readonly NpmPackage[],
  known: readonly Models.Component[],
) {
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

function withModelCard(json: string, contract: Contract): string {
  const bom = JSON.parse(json) as { components: { 'bom-ref'?: string }[] };
  const components = bom.components.map((component) =>
    component['bom-ref'] === MODEL_REF ? { ...component, modelCard: modelCard(contract) } : component,
  );
  return JSON.stringify({ ...bom, components });
}
