/** Secrets that a program of inlay's own needs, by their names. */
export interface OwnSecrets {
  /** Of type kubernetes.io/dockerconfigjson: its logins at registries. */
  readonly registrySecret?: string | undefined;
  /** Its key `config` is a kubeconfig, where there are other clusters than its own. */
  readonly kubeconfigSecret?: string | undefined;
  /** Nodes pull its image with these. */
  readonly imagePullSecrets: readonly string[];
}

/** What they are in its pod: files, and the variables that lead to them. */
export function secretsOfPod({ registrySecret, kubeconfigSecret, imagePullSecrets }: OwnSecrets) {
  const files = [
    { name: 'registry', secretName: registrySecret, key: '.dockerconfigjson', path: 'config.json' },
    { name: 'clusters', secretName: kubeconfigSecret, key: 'config', path: 'config' },
  ].flatMap(({ secretName, ...file }) => (secretName === undefined ? [] : [{ ...file, secretName }]));
  return {
    env: [
      ...(registrySecret === undefined ? [] : [{ name: 'DOCKER_CONFIG', value: placeOf('registry') }]),
      ...(kubeconfigSecret === undefined ? [] : [{ name: 'KUBECONFIG', value: `${placeOf('clusters')}/config` }]),
    ],
    volumeMounts: files.map(({ name }) => ({ name, mountPath: placeOf(name), readOnly: true })),
    volumes: files.map(({ name, secretName, key, path }) => ({ name, secret: { secretName, items: [{ key, path }] } })),
    pod: imagePullSecrets.length > 0 ? { imagePullSecrets: imagePullSecrets.map((name) => ({ name })) } : {},
  };
}

function placeOf(name: string): string {
  return `/etc/inlay-${name}`;
}
