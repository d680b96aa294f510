// The files of examples/ci against the schemas that GitHub, GitLab and the API server have of them.
import { expect, test } from 'bun:test';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { cluster } from './cluster.ts';
import { must, ROOT, run } from './inlay.ts';

const CI = join(ROOT, 'examples', 'ci');
/** Has GitHub's and GitLab's schemas in it: https://pypi.org/project/check-jsonschema. */
const CHECKER = 'check-jsonschema==0.39.0';

async function checker(): Promise<string> {
  const venv = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'inlay-check-jsonschema');
  const stamp = join(venv, CHECKER);
  if (!existsSync(stamp)) {
    await must(['python3', '-m', 'venv', '--clear', venv]);
    await must([join(venv, 'bin', 'pip'), 'install', '-q', '--disable-pip-version-check', CHECKER]);
    writeFileSync(stamp, '');
  }
  return join(venv, 'bin', 'check-jsonschema');
}

for (const [file, schema] of [
  ['github-actions.yml', 'vendor.github-workflows'],
  ['gitlab-ci.yml', 'vendor.gitlab-ci'],
] as const)
  test(`${file} is what ${schema} asks for`, async () => {
    const extra = schema === 'vendor.gitlab-ci' ? ['--data-transform', 'gitlab-ci'] : [];
    const { code, stdout } = await run([await checker(), '--builtin-schema', schema, ...extra, join(CI, file)]);
    expect([code, stdout.trim()]).toEqual([0, 'ok -- validation done']);
  }, 120_000);

test('the API server takes cronjob.yaml', async () => {
  const text = readFileSync(join(CI, 'cronjob.yaml'), 'utf8').replace('namespace: ml\n', 'namespace: default\n');
  const answer = await cluster().kubectl(
    ['apply', '--server-side', '--dry-run=server', '--validate=strict', '-f', '-'],
    text,
  );
  expect(answer).toContain('serverside-applied (server dry run)');
});

test('the commands that the files have are commands', async () => {
  const { createProgram } = await import('../src/cli/program.ts');
  const commands = new Map(createProgram().commands.map((command) => [command.name(), command]));
  const lines = ['github-actions.yml', 'gitlab-ci.yml'].flatMap((file) =>
    readFileSync(join(CI, file), 'utf8')
      .split('\n')
      .filter((line) => /(run: |- )inlay /.test(line)),
  );
  const [cronJob] = parseAllDocuments(readFileSync(join(CI, 'cronjob.yaml'), 'utf8'));
  const args: unknown = cronJob?.toJS().spec.jobTemplate.spec.template.spec.containers[0].args;
  lines.push(`- inlay ${(args as string[]).join(' ')}`);
  expect(lines.length).toBe(5);
  for (const line of lines) {
    const [name = '', ...words] = line.replace(/^.*?inlay /, '').split(' ');
    const known = commands.get(name)?.options.flatMap(({ long, short }) => [long, short]) ?? [];
    for (const word of words.filter((one) => one.startsWith('--'))) expect(known).toContain(word);
  }
});
