// Every example from its train.py, in an environment of its own, to predictions of its image under runc.
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { must, ROOT, startImage } from './inlay.ts';

const HOME = process.env.INLAY_E2E_HOME ?? join(homedir(), '.cache', 'inlay-e2e');
/** Environments for training, one for each text of requirements, kept between runs. */
const ENVIRONMENTS = join(homedir(), '.cache', 'inlay-e2e-python');
const INLAY = join(ROOT, 'bin', 'inlay');

interface Golden {
  readonly tolerance: number;
  readonly cases: readonly {
    readonly inputs: Readonly<Record<string, readonly unknown[]>>;
    readonly outputs: Readonly<Record<string, readonly unknown[]>>;
  }[];
}

/** Each example, the output that /predict answers with, and a request of its README with the label it is answered by. */
const EXAMPLES = [
  { name: 'iris', output: 'output_probability', label: [{ data: [[5.1, 3.5, 1.4, 0.2]] }, 'setosa'] },
  { name: 'digits', output: undefined, label: undefined },
  { name: 'spam', output: 'output_probability', label: [{ data: [['Free cruise, text WIN']] }, 'spam'] },
  { name: 'fares', output: 'variable', label: undefined },
  { name: 'half', output: 'probabilities', label: undefined },
] as const;

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'inlay-e2e-examples-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test('no example is left out', () => {
  const all = readdirSync(join(ROOT, 'examples'));
  expect(all.filter((name) => existsSync(join(ROOT, 'examples', name, 'inlay.yaml'))).sort()).toEqual(
    EXAMPLES.map(({ name }) => name as string).sort(),
  );
});

test.each(EXAMPLES.map((example) => [example.name, example] as const))(
  '%s is trained, built, and answers under runc as training did',
  async (name, { output, label }) => {
    const project = join(dir, 'examples', name);
    cpSync(join(ROOT, 'examples', name), project, { recursive: true });
    // requirements.txt names it by its way from here.
    cpSync(join(ROOT, 'python'), join(dir, 'python'), { recursive: true });
    for (const made of ['models', 'golden.json', 'metrics.json', 'inlay.lock'])
      rmSync(join(project, made), { recursive: true, force: true });
    await must([await python(project), 'train.py'], { cwd: project, env: { PYTHONDONTWRITEBYTECODE: '1' } });
    // Training is repeatable: what the repository has is what it wrote.
    for (const model of readdirSync(join(project, 'models')))
      expect([model, digest(join(project, 'models', model))]).toEqual([
        model,
        digest(join(ROOT, 'examples', name, 'models', model)),
      ]);

    const env = { INLAY_HOME: HOME };
    const report = JSON.parse(await must([INLAY, 'check', project, '--json'], { env })) as { findings: unknown[] };
    expect(report.findings).toEqual([]);
    const built = JSON.parse(await must([INLAY, 'build', project, '--json'], { env })) as { reference: string };
    const { url, child } = await startImage([built.reference, '--engine', 'runc', '--port', '0'], env);
    try {
      if (output !== undefined) {
        const golden = JSON.parse(readFileSync(join(project, 'golden.json'), 'utf8')) as Golden;
        const [first] = golden.cases;
        const answered = (await post(`${url}/predict`, { inputs: first?.inputs })) as { prediction: unknown };
        const wanted = (first?.outputs[output] ?? []).flat(2) as number[];
        const got = ([answered.prediction] as unknown[]).flat(3) as number[];
        expect(got).toHaveLength(wanted.length);
        const off = got.map(
          (value, i) => Math.abs(value - (wanted[i] as number)) / Math.max(1, Math.abs(wanted[i] as number)),
        );
        expect(Math.max(...off)).toBeLessThanOrEqual(golden.tolerance);
      } else {
        const body = readFileSync(join(project, 'samples/7.png'));
        const response = await fetch(`${url}/predict`, {
          method: 'POST',
          body,
          headers: { 'content-type': 'image/png' },
        });
        expect(await response.json()).toMatchObject({ label: '7' });
      }
      if (label !== undefined) expect(await post(`${url}/predict/label`, label[0])).toEqual({ prediction: label[1] });
      expect((await fetch(`${url}/predict/test`)).status).toBe(200);
    } finally {
      child.kill();
      await child.exited;
    }
  },
  600_000,
);

function digest(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

async function post(url: string, body: unknown): Promise<unknown> {
  const response = await fetch(url, { method: 'POST', body: JSON.stringify(body) });
  expect(response.status).toBe(200);
  return response.json();
}

/** The python of an environment with a project's requirements, made once for a text of these and of inlay_golden. */
async function python(project: string): Promise<string> {
  const requirements = readFileSync(join(project, 'requirements.txt'), 'utf8');
  const own = readdirSync(join(ROOT, 'python/inlay_golden'))
    .filter((file) => file.endsWith('.py'))
    .sort();
  const hash = createHash('sha256').update(requirements);
  for (const file of own) hash.update(readFileSync(join(ROOT, 'python/inlay_golden', file)));
  const venv = join(ENVIRONMENTS, hash.digest('hex').slice(0, 16));
  const program = join(venv, 'bin', 'python');
  const stamp = join(venv, '.complete');
  if (existsSync(stamp)) return program;
  rmSync(venv, { recursive: true, force: true });
  mkdirSync(ENVIRONMENTS, { recursive: true });
  await must(['python3', '-m', 'venv', venv]);
  await must([program, '-m', 'pip', 'install', '-q', '--disable-pip-version-check', '-r', 'requirements.txt'], {
    cwd: project,
  });
  writeFileSync(stamp, '');
  return program;
}
