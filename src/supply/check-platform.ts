import { createHash } from 'node:crypto';
import { z } from 'zod';
import { InlayError } from '../error/index.ts';
import {
  type Attachments,
  configSchema,
  type Descriptor,
  describeImage,
  manifestSchema,
  platformName,
} from '../image/index.ts';
import type { VerifyingKey } from './key.ts';
import { CYCLONEDX, SLSA_PREDICATE } from './media-types.ts';
import { readDocument } from './read-document.ts';
import { isSignature, readSignatures, type Signatures } from './signatures.ts';
import { isAbout } from './statement.ts';

/** What was found of one platform of a signed image. */
export interface CheckedPlatform {
  readonly platform: string;
  readonly digest: string;
  /** `manifest`: the key signed it too; `index`: it is named by an index that the key signed. */
  readonly signedBy: 'manifest' | 'index';
  /** The model's digest, as label, annotation and signed provenance say alike; undefined for an image that is not inlay's. */
  readonly model?: string;
  readonly provenance: 'signed' | 'none';
  /** `signed`: the signed provenance names its digest. */
  readonly sbom: 'signed' | 'unsigned' | 'none';
}

const MODEL = 'inlay.model.digest';

/** The parts of SLSA provenance that inlay writes and holds an image against. */
const predicateSchema = z.object({
  buildDefinition: z.object({
    resolvedDependencies: z.array(
      z.looseObject({ name: z.string().optional(), digest: z.record(z.string(), z.string()).optional() }),
    ),
  }),
  runDetails: z.object({
    byproducts: z.array(z.looseObject({ digest: z.record(z.string(), z.string()) })).default([]),
  }),
});
type Predicate = z.infer<typeof predicateSchema>;

/** @param ofRoot the signatures of what the reference names @throws CONTRACT_INVALID, INTEGRITY_MISMATCH */
export async function checkPlatform(
  attachments: Attachments,
  descriptor: Descriptor,
  ofRoot: Signatures,
  key: VerifyingKey,
): Promise<CheckedPlatform> {
  const { digest } = descriptor;
  const own = digest === attachments.root.digest ? ofRoot : await readSignatures(attachments, digest, key);
  const bytes = await attachments.manifest(digest);
  if (!bytes || sha256(bytes) !== digest)
    throw new InlayError('INTEGRITY_MISMATCH', `the manifest ${digest} is missing, or has other bytes`, {
      hint: 'Build, pull or push the image again.',
    });
  const manifest = readDocument(manifestSchema, bytes, digest);
  const config = readDocument(configSchema, await attachments.blob(manifest.config), manifest.config.digest);
  const model = describeImage(manifest, config).contract?.model.digest;
  // One statement may be about the index and all its platforms.
  const provenance = [...own.valid, ...ofRoot.valid].flatMap(({ statement }) =>
    statement?.predicateType === SLSA_PREDICATE && isAbout(statement, digest)
      ? (predicateSchema.safeParse(statement.predicate).data ?? [])
      : [],
  );
  if (model !== undefined) {
    agree('its annotation', model, manifest.annotations?.[MODEL]);
    for (const one of provenance) agree('its signed provenance', model, modelOf(one));
  }
  return {
    platform: platformName({ os: config.os, architecture: config.architecture }),
    digest,
    signedBy: own.valid.some(isSignature) ? 'manifest' : 'index',
    ...(model === undefined ? {} : { model }),
    provenance: provenance.length > 0 ? 'signed' : 'none',
    sbom: await sbomOf(attachments, digest, provenance),
  };
}

function agree(where: string, label: string, other: string | undefined): void {
  if (other === undefined || other === label) return;
  throw new InlayError('CONTRACT_INVALID', `the image's label says that its model is ${label}, and ${where} ${other}`, {
    hint: 'Signed it is, but it contradicts itself. Build it again from its sources.',
  });
}

function modelOf({ buildDefinition }: Predicate): string | undefined {
  const hex = buildDefinition.resolvedDependencies.find(({ name }) => name === 'model')?.digest?.sha256;
  return hex === undefined ? undefined : `sha256:${hex}`;
}

async function sbomOf(
  attachments: Attachments,
  digest: string,
  provenance: readonly Predicate[],
): Promise<CheckedPlatform['sbom']> {
  const named = new Set(provenance.flatMap(({ runDetails }) => runDetails.byproducts.map((one) => one.digest.sha256)));
  let found: CheckedPlatform['sbom'] = 'none';
  for (const referrer of await attachments.referrers(digest)) {
    if (referrer.artifactType !== CYCLONEDX) continue;
    const bytes = await attachments.manifest(referrer.digest);
    const layer = bytes && readDocument(manifestSchema, bytes, referrer.digest).layers[0];
    if (layer && named.has(layer.digest.replace('sha256:', ''))) return 'signed';
    found = 'unsigned';
  }
  return found;
}

function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
