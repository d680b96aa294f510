// Programs of Go modules, at the versions that e2e/DIR/go.mod pins. Run as a program it builds them all.
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { must, ROOT } from './inlay.ts';

/** The crane program. */
export function crane(): Promise<string> {
  return goProgram('go', 'github.com/google/go-containerregistry', 'cmd/crane');
}

/** The cosign program; its first build takes minutes. A module of its own, as it would move crane's dependencies. */
export function cosign(): Promise<string> {
  return goProgram('cosign', 'github.com/sigstore/cosign/v3', 'cmd/cosign');
}

/** The kube-score program. */
export function kubeScore(): Promise<string> {
  return goProgram('kube-score', 'github.com/zegl/kube-score', 'cmd/kube-score');
}

/** The folder of the Gateway API's CRDs, standard channel. */
export async function gatewayCrds(): Promise<string> {
  const module = 'sigs.k8s.io/gateway-api';
  await must(['go', 'mod', 'download', '-C', join(ROOT, 'e2e', 'gateway-api'), module]);
  const dir = await must(['go', 'list', '-C', join(ROOT, 'e2e', 'gateway-api'), '-m', '-f', '{{.Dir}}', module]);
  return join(dir.trim(), 'config', 'crd', 'standard');
}

/** A program of a Go module that e2e/DIR/go.mod pins, built once into a cache outside the tree. */
async function goProgram(dir: string, module: string, path: string): Promise<string> {
  const cache = join(homedir(), '.cache', 'inlay-e2e-go');
  const pins = await Bun.file(join(ROOT, 'e2e', dir, 'go.mod')).text();
  const version = pins
    .split('\n')
    .map((line) => line.trim().split(' '))
    .find(([name]) => name === module)?.[1];
  const program = join(cache, `${path.split('/').at(-1)}-${version}`);
  if (existsSync(program)) return program;
  mkdirSync(cache, { recursive: true });
  const unfinished = `${program}.${process.pid}`;
  await must(['go', 'build', '-C', join(ROOT, 'e2e', dir), '-ldflags=-s -w', '-o', unfinished, `${module}/${path}`]);
  renameSync(unfinished, program);
  return program;
}

if (import.meta.main) for (const build of [crane, kubeScore, cosign]) await build();
