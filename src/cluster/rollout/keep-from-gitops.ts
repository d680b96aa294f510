import type { ApiObject } from '../kube/index.ts';

/**
 * What inlay applies itself is not to be reverted or pruned by a GitOps tool that has an older state in Git: Flux leaves alone what says
 * so; Argo CD neither prunes it nor counts it against an application that does not have it. (What Argo CD does have in Git it
 * reverts all the same with selfHeal: then the release is Git's, `inlay deploy --write`.)
 */
const ANNOTATIONS = {
  'kustomize.toolkit.fluxcd.io/reconcile': 'disabled',
  'argocd.argoproj.io/compare-options': 'IgnoreExtraneous',
  'argocd.argoproj.io/sync-options': 'Prune=false',
} as const;

/** The object with these annotations; what a person wrote of the same name stays. */
export function keepFromGitOps<T extends ApiObject>(object: T): T {
  const { metadata } = object as { metadata: { annotations?: Readonly<Record<string, string>> } };
  return { ...object, metadata: { ...object.metadata, annotations: { ...ANNOTATIONS, ...metadata.annotations } } };
}
