import type { Preflight, SessionOptions } from '../../cluster/index.ts';
import type { AnyProject } from '../../contract/index.ts';
import { InlayError } from '../../error/index.ts';
import type { StepOutcome } from '../../release/index.ts';
import { actor, withCluster } from '../cluster.ts';
import type { Output } from '../output.ts';
import { describePreflight, journalOf, lookFirst, refuse } from '../preflight.ts';
import { withRegistry } from '../registry.ts';
import { contractForRelease, releaseImage } from '../release-image.ts';
import { releaseView } from '../release-view.ts';
import { type Asked, type Facts, needed, noteOf } from './facts.ts';
import type { ReleaseFlags } from './flags.ts';

/** The service in its cluster; finds out what is stable there before anything is begun. @throws those of the cluster */
export async function lookAtService({ config, own }: Asked, facts: Facts, flags: ReleaseFlags): Promise<void> {
  const { stableRelease } = await import('../../cluster/index.ts');
  await onService(flags, config.name, own.namespace, async (who) => {
    facts.namespace = who.namespace;
    const stable = stableRelease(await journalOf(who));
    facts.against = stable && noteOf(stable);
  });
}

/** Releases the pushed image and waits for its verdict. @throws as deploy */
export async function deployStep(
  asked: Asked,
  facts: Facts,
  flags: ReleaseFlags,
  output: Output,
): Promise<StepOutcome> {
  const { deploy, statusOf } = await import('../../cluster/index.ts');
  const { image } = needed(facts.built);
  return withRegistry(flags, async (registry, signal) => {
    const released = await releaseImage(registry, `${image.reference}@${image.digest}`, signal);
    return onService(flags, asked.config.name, asked.own.namespace, async (who) => {
      try {
        const look = { ...who, image: released, own: asked.own, registry, signal, ...lookFlags(asked, flags) };
        const { unchanged } = await deploy({
          ...who,
          ...actor(),
          image: released,
          deploy: asked.own,
          environment: flags.env,
          direct: flags.direct === true,
          forceConflicts: flags.forceConflicts === true,
          onEvent: await releaseView(output),
          resolve: (reference) => releaseImage(registry, reference, signal),
          preflight: async (journal) => refuse(await lookFirst({ ...look, journal }), output),
        });
        facts.unchanged = unchanged;
        const version = released.contract.version;
        if (unchanged) return { status: 'kept', detail: `${version} is stable already` };
        return {
          status: 'done',
          detail: facts.against ? `canary beside ${facts.against.version}, promoted` : 'a first release',
        };
      } finally {
        // What stands is told, however it ended; what cannot be read says nothing about that.
        const status = await statusOf(who).catch(() => undefined);
        if (status) facts.status = status;
      }
    });
  });
}

/** What the step would do: the preflight of the image as it was built here. @throws RELEASE_REFUSED */
export async function deployDryRun(
  asked: Asked,
  facts: Facts,
  flags: ReleaseFlags,
  output: Output,
): Promise<StepOutcome> {
  const { parseReference, formatReference } = await import('../../registry/index.ts');
  const { image, project, platforms } = needed(facts.built);
  const { platformName } = await import('../../image/index.ts');
  return withRegistry(flags, (registry, signal) =>
    onService(flags, asked.config.name, asked.own.namespace, async (who) => {
      const found: Preflight = await lookFirst({
        ...who,
        image: {
          reference: formatReference({ ...parseReference(image.reference), digest: image.digest }),
          digest: image.digest,
          platforms: platforms.map(platformName),
          contract: contractForRelease(onnxContract(project)),
        },
        // It is signed when it is pushed.
        own: { ...asked.own, verify: false },
        journal: await journalOf(who),
        registry,
        signal,
        ...lookFlags(asked, flags),
      });
      refuse(found, output);
      return { status: 'planned', detail: `${describePreflight(found)[0]}, ${found.changes.length} objects` };
    }),
  );
}

function onnxContract(project: AnyProject) {
  if (project.format === 'onnx') return project.contract;
  throw new InlayError(
    'RELEASE_REFUSED',
    `${project.config.name} is an opaque model: inlay does not know how its server tells that it is ready`,
    {
      hint: 'Release up to the registry: --until push. Write the manifests of a server of your own by hand.',
    },
  );
}

function lookFlags({ dir }: Asked, flags: ReleaseFlags) {
  const { allowBreaking, forceConflicts, env: environment } = flags;
  return { dir, environment, allowBreaking: allowBreaking === true, forceConflicts: forceConflicts === true };
}

type Who = Pick<SessionOptions, 'kube' | 'namespace' | 'service'>;

function onService<T>(
  flags: ReleaseFlags,
  service: string,
  configured: string | undefined,
  work: (who: Who) => Promise<T>,
): Promise<T> {
  return withCluster({ ...flags, namespace: flags.namespace ?? configured }, (kube, namespace) =>
    work({ kube, namespace, service }),
  );
}
