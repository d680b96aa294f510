/**
 * A DaemonSet that has every node pull an image and keep it: while a pod of it runs, the kubelet does not collect the image. The
 * pod sleeps in the image's own Bun, as there is no shell.
 * @param image with its digest @returns YAML
 */
export async function prepullDaemonSet(image: string): Promise<string> {
  const { stringify } = await import('yaml');
  const labels = { 'app.kubernetes.io/name': 'inlay-prepull', 'app.kubernetes.io/managed-by': 'inlay' };
  return stringify({
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name: 'inlay-prepull', labels },
    spec: {
      selector: { matchLabels: { 'app.kubernetes.io/name': 'inlay-prepull' } },
      updateStrategy: { rollingUpdate: { maxUnavailable: '25%' } },
      template: {
        metadata: { labels },
        spec: {
          automountServiceAccountToken: false,
          terminationGracePeriodSeconds: 0,
          tolerations: [{ operator: 'Exists' }],
          containers: [
            {
              name: 'sleep',
              image,
              command: ['/opt/inlay/bin/bun', '--no-env-file', '-e', 'setInterval(() => {}, 2 ** 30)'],
              resources: { requests: { cpu: '1m', memory: '32Mi' }, limits: { memory: '64Mi' } },
              securityContext: {
                runAsNonRoot: true,
                readOnlyRootFilesystem: true,
                allowPrivilegeEscalation: false,
                capabilities: { drop: ['ALL'] },
                seccompProfile: { type: 'RuntimeDefault' },
              },
            },
          ],
        },
      },
    },
  });
}
