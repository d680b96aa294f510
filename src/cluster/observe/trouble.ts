import { type Deployment, isReady, type KubeEvent, type Pod } from './objects.ts';

/** Why a pod does not serve, for whoever has to mend it. */
export interface Trouble {
  /** The pod, or the Deployment that cannot make one. */
  readonly object: string;
  readonly cause:
    | 'IMAGE_PULL'
    | 'ARCHITECTURE'
    | 'OUT_OF_MEMORY'
    | 'CRASH'
    | 'UNSCHEDULABLE'
    | 'QUOTA'
    | 'REFUSED'
    | 'CONFIGURATION'
    | 'EVICTED'
    | 'NODE_LOST'
    | 'NOT_READY';
  readonly message: string;
  readonly hint: string;
  /** How long it may last before it is taken for final, ms: a registry comes back, a bad image does not. */
  readonly patienceMs: number;
}

/** Events of what a node tries again by itself. */
const WAITS: ReadonlySet<string> = new Set(['FailedMount', 'FailedCreatePodSandBox', 'NetworkNotReady']);
const NOT_THERE = /not found|manifest unknown|unauthorized|denied|forbidden|no match for platform|invalid reference/i;

/**
 * What keeps pods from serving, the likely cause first. Pods that only take their time are no trouble.
 * @param events of the pods, newest last
 */
export function troubleOf(
  pods: readonly Pod[],
  deployment: Deployment | undefined,
  events: readonly KubeEvent[],
): Trouble[] {
  const complete = deployment !== undefined && deployment.status.availableReplicas >= deployment.spec.replicas;
  const found = pods.flatMap((pod) => {
    // What restarted once and serves again is no trouble; one that a node put out lies there after another took its place.
    const over = isReady(pod) || pod.metadata.deletionTimestamp !== undefined || (complete && isOver(pod));
    return over ? [] : podTrouble(pod, events);
  });
  const creation = deployment?.status.conditions.find(
    ({ type, status }) => type === 'ReplicaFailure' && status === 'True',
  );
  if (creation && deployment) found.push(creationTrouble(deployment.metadata.name, creation.message));
  return found;
}

function isOver({ status }: Pod): boolean {
  return status.phase === 'Failed' || status.phase === 'Succeeded';
}

function podTrouble(pod: Pod, events: readonly KubeEvent[]): Trouble[] {
  const object = `Pod ${pod.metadata.name}`;
  const trouble = (cause: Trouble['cause'], message: string, hint: string, patienceMs: number): Trouble[] => [
    { object, cause, message, hint, patienceMs },
  ];
  if (pod.status.reason === 'Evicted')
    return trouble(
      'EVICTED',
      `the node put it out: ${pod.status.message}`,
      'Ask for what it needs (server: memory), or look at the node.',
      30_000,
    );
  const unscheduled = pod.status.conditions.find(({ type, status }) => type === 'PodScheduled' && status === 'False');
  if (unscheduled?.reason === 'Unschedulable')
    return trouble(
      'UNSCHEDULABLE',
      `no node takes it: ${unscheduled.message}`,
      'Make room, ask for less (server: cpu, memory), or wait for the cluster to grow.',
      90_000,
    );
  for (const { state, lastState, restartCount } of pod.status.containerStatuses) {
    const { waiting } = state;
    const ended = state.terminated ?? lastState.terminated;
    if (
      waiting?.reason === 'ErrImagePull' ||
      waiting?.reason === 'ImagePullBackOff' ||
      waiting?.reason === 'InvalidImageName'
    ) {
      // The back-off's own message says nothing; the event of the last try does.
      const told =
        lastMessage(pod, events, (event) => event.reason === 'Failed' && /pull/i.test(event.message)) ??
        waiting.message;
      if (/no match for platform/i.test(told))
        return trouble(
          'ARCHITECTURE',
          told,
          'Build for the nodes: inlay build --platform linux/amd64,linux/arm64.',
          5000,
        );
      return trouble(
        'IMAGE_PULL',
        `its image cannot be pulled: ${told}`,
        'Check that the image is pushed, that nodes reach the registry, and imagePullSecrets.',
        NOT_THERE.test(told) ? 10_000 : 60_000,
      );
    }
    if (
      waiting?.reason === 'CreateContainerConfigError' ||
      waiting?.reason === 'CreateContainerError' ||
      waiting?.reason === 'RunContainerError'
    )
      return trouble(
        'CONFIGURATION',
        `its container cannot be made: ${waiting.message}`,
        'kubectl describe pod tells more.',
        20_000,
      );
    if (ended?.reason === 'OOMKilled' && (restartCount > 0 || state.terminated))
      return trouble(
        'OUT_OF_MEMORY',
        `it took more memory than its limit and was ended (${restartCount} restarts)`,
        'Raise server: memory in inlay.yaml; inlay check tells what the model takes.',
        10_000,
      );
    const restarted = lastMessage(
      pod,
      events,
      ({ reason, message }) => reason === 'Killing' && /failed (startup|liveness) probe/.test(message),
    );
    if (restarted)
      return trouble(
        'NOT_READY',
        `it does not answer its probes in time and is restarted (${restartCount} restarts): ${lastMessage(pod, events, isUnhealthy) ?? restarted}`,
        'inlay logs --previous shows what it did. server: cpu may be too little for this model.',
        3000,
      );
    if (/exec format error/i.test(ended?.message ?? waiting?.message ?? ''))
      return trouble(
        'ARCHITECTURE',
        'its program is for another architecture than the node',
        'Build for the nodes: inlay build --platform.',
        5000,
      );
    if (ended && ended.exitCode !== 0 && (restartCount > 0 || state.terminated))
      return trouble(
        'CRASH',
        `it ended with exit code ${ended.exitCode} (${restartCount} restarts)${ended.message ? `: ${ended.message.trim()}` : ''}`,
        'inlay logs shows what it said; inlay run starts the same image here.',
        // The second start tells that the first was no accident.
        restartCount > 0 ? 3000 : 20_000,
      );
  }
  const ready = pod.status.conditions.find(({ type }) => type === 'Ready');
  if (pod.status.phase === 'Running' && ready?.status === 'False') {
    const { containerStatuses } = pod.status;
    if (containerStatuses.length > 0 && containerStatuses.every((container) => container.ready))
      return trouble(
        'NODE_LOST',
        `its node ${pod.spec.nodeName ?? ''} does not answer`,
        'Look at the node: kubectl describe node. Its pods are made elsewhere after five minutes.',
        Number.POSITIVE_INFINITY,
      );
    const probe = lastMessage(pod, events, isUnhealthy);
    const started = containerStatuses.every((container) => container.started === true);
    if (probe)
      return trouble(
        'NOT_READY',
        `it runs and is not ready: ${probe}`,
        'inlay logs shows what it waits for.',
        // Loading a model may take long; what has been loaded and does not answer is ill.
        started ? 60_000 : Number.POSITIVE_INFINITY,
      );
  }
  const held = lastMessage(pod, events, ({ reason }) => WAITS.has(reason));
  if (pod.status.phase === 'Pending' && held)
    return trouble(
      'CONFIGURATION',
      `its node cannot start it: ${held}`,
      'Look at the node, its network and volumes: kubectl describe pod.',
      Number.POSITIVE_INFINITY,
    );
  return [];
}

function creationTrouble(name: string, message: string): Trouble {
  const object = `Deployment ${name}`;
  if (/exceeded quota/.test(message))
    return {
      object,
      cause: 'QUOTA',
      message: `a pod more exceeds the namespace's quota: ${message}`,
      hint: 'Ask for a larger ResourceQuota, or for fewer or smaller replicas.',
      patienceMs: 15_000,
    };
  return {
    object,
    cause: 'REFUSED',
    message: `its pods are refused: ${message}`,
    hint: 'An admission policy says what it wants.',
    patienceMs: 15_000,
  };
}

function isUnhealthy({ reason }: KubeEvent): boolean {
  return reason === 'Unhealthy';
}

function lastMessage(
  pod: Pod,
  events: readonly KubeEvent[],
  wanted: (event: KubeEvent) => boolean,
): string | undefined {
  return events.findLast((event) => event.involvedObject.name === pod.metadata.name && wanted(event))?.message;
}
