import { INLAY_VERSION } from '../../contract/index.ts';
import { IMAGE_ANNOTATION, PREFIX } from '../names.ts';
import type { ServicePlan } from '../service.ts';
import { HTTP_PORT } from './ports.ts';

type Annotations = Readonly<Record<string, string>>;

/** On every object: what inlay.yaml adds, and the owner as it was written. */
export function commonAnnotations(plan: ServicePlan): Annotations {
  const { owner } = plan.image.contract;
  return { ...plan.deploy.annotations, ...(owner === undefined ? {} : { [`${PREFIX}/owner`]: owner }) };
}

/** What runs: enough for an inventory to tell a pod's model, input and task without its image. */
function contractFacts({ image }: ServicePlan): Annotations {
  const { contract } = image;
  return {
    [IMAGE_ANNOTATION]: image.reference,
    [`${PREFIX}/model`]: `${contract.name}:${contract.version}`,
    [`${PREFIX}/model-digest`]: contract.model.digest,
    [`${PREFIX}/task`]: contract.task,
    ...tensors('inputs', contract.inputs),
    ...tensors('outputs', contract.outputs),
    [`${PREFIX}/prediction`]: contract.prediction,
  };
}

/** All annotations of an object together may take 256 KiB. */
const MOST_CHARACTERS = 32_768;

/** As JSON; left out for a model with thousands of them, whose image tells them. */
function tensors(what: 'inputs' | 'outputs', specs: readonly object[]): Annotations {
  const text = JSON.stringify(specs);
  return text.length > MOST_CHARACTERS ? {} : { [`${PREFIX}/${what}`]: text };
}

/**
 * On pods. Nothing here is of the inlay that writes it: another inlay would restart every pod. The `prometheus.io` keys are what
 * annotation-based discovery looks for.
 */
export function podAnnotations(plan: ServicePlan): Annotations {
  return {
    ...commonAnnotations(plan),
    ...contractFacts(plan),
    'prometheus.io/scrape': 'true',
    'prometheus.io/port': String(HTTP_PORT),
    'prometheus.io/path': '/metrics',
  };
}

/** What linters ask for that would be wrong here; docs/manifests.md has the reason of each. */
const EXEMPTIONS: Annotations = {
  'polaris.fairwinds.com/deploymentMissingReplicas-exempt': 'true',
  'polaris.fairwinds.com/missingNetworkPolicy-exempt': 'true',
  'polaris.fairwinds.com/pullPolicyNotAlways-exempt': 'true',
  'kube-score/ignore': 'container-image-pull-policy',
};

export function deploymentAnnotations(plan: ServicePlan): Annotations {
  return {
    ...commonAnnotations(plan),
    ...contractFacts(plan),
    [`${PREFIX}/written-by`]: `inlay ${INLAY_VERSION}`,
    ...EXEMPTIONS,
  };
}
