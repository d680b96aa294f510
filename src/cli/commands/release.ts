import { appendFile, rename, writeFile } from 'node:fs/promises';
import type { Command } from '@commander-js/extra-typings';
import type { ReleaseSummary } from '../../release/index.ts';
import { CONTEXT, NAMESPACE } from '../cluster.ts';
import { createOutput, type Output } from '../output.ts';
import { BASE } from '../pinned-image.ts';
import { CA_FILE, INSECURE_REGISTRY } from '../registry.ts';
import { runRelease } from '../release/run.ts';
import { SIGN } from '../signing.ts';

export function addRelease(program: Command): void {
  program
    .command('release')
    .summary('from training to a promoted release')
    .description(
      'Trains where inlay.yaml says how (training.run), checks, builds, sends the golden cases to the started image, signs, pushes, and releases on Kubernetes: a canary that is judged, promoted or backed out. What is as it was is not done again. Run it again to go on after a failure.',
    )
    .argument('[dir]', "the project's folder", '.')
    .option('--env <name>', 'an environment of deploy: in inlay.yaml')
    .option('--until <step>', 'stop after it: train, check, build, golden, sign, push or deploy')
    .option('--dry-run', 'tell what would be done; nothing is trained, and nothing leaves this machine')
    .option('--no-train', 'take the model as it lies there')
    .option('--retrain', 'train even where nothing that training reads has changed')
    .option(...SIGN)
    .option(
      '--engine <name>',
      'for the golden cases: docker, podman, nerdctl, runc or process (default: the first that works)',
    )
    .option('--bake <duration>', 'how long the new stable is watched, instead of canary.bake of inlay.yaml: 10m')
    .option('--direct', 'no canary: stable takes the image at once, pod by pod')
    .option('--allow-breaking', 'release a contract that breaks clients of what runs')
    .option('--force-conflicts', 'take over fields that other tools manage')
    .option('--platform <list>', 'platforms, separated by commas: linux/amd64, linux/arm64 (default: this machine)')
    .option('--compression <kind>', 'of the layers below the model: zstd, or gzip for runtimes without zstd', 'zstd')
    .option(...BASE)
    .option('--skip <list>', 'errors of check to accept, recorded in the image: golden, weights, random, memory, size')
    .option('--database <url>', 'write what runs into this ledger at the end (default: INLAY_DATABASE)')
    .option(
      '--summary <file>',
      'write the summary as Markdown; with GITHUB_STEP_SUMMARY it is on the job’s page by itself',
    )
    .option(...CONTEXT)
    .option(...NAMESPACE)
    .option(...INSECURE_REGISTRY)
    .option(...CA_FILE)
    .option('--json', 'print the summary as one JSON document')
    .action(async (dir, options) => {
      const output = createOutput(options.json === true);
      const { summary, error } = await runRelease(dir, options, output);
      await writeMarkdown(summary, options.summary, output);
      output.result(describe(summary), summary);
      if (error !== undefined) throw error;
    });
}

async function writeMarkdown(summary: ReleaseSummary, file: string | undefined, output: Output): Promise<void> {
  const { summaryMarkdown } = await import('../../release/index.ts');
  const page = summaryMarkdown(summary);
  const job = process.env.GITHUB_STEP_SUMMARY;
  try {
    if (file !== undefined) {
      await writeFile(`${file}.part`, page);
      await rename(`${file}.part`, file);
    }
    if (job) await appendFile(job, page);
  } catch (error) {
    // What was released is released: a page that cannot be written does not change that.
    output.progress(`warning: the summary cannot be written: ${(error as Error).message}`);
  }
}

/** The last words; the steps have been told while they went. */
function describe(summary: ReleaseSummary): string {
  const { service, outcome, image, against, namespace, environment, undo, steps } = summary;
  const place = [environment, namespace].filter((part) => part !== undefined).join('/');
  const name = `${service}${image ? ` ${image.version}` : ''}`;
  const done = steps.filter(({ status }) => status === 'done' || status === 'kept').map((step) => step.name);
  const words = {
    released: `Released ${name} to ${place}${against ? `, in the place of ${against.version}` : ''}.`,
    unchanged: `${name} is what runs in ${place}: nothing to release.`,
    stopped: `${name} went as far as asked: ${done.join(', ')}.`,
    planned: 'Nothing was released: a dry run.',
    paused: `The canary of ${name} in ${place} waits for a decision: inlay promote ${service}, or inlay abort ${service}.`,
    failed: `Not released. Done: ${done.join(', ') || 'nothing'}. Not reached: ${
      steps
        .filter(({ status }) => status === 'not reached')
        .map((step) => step.name)
        .join(', ') || 'nothing'
    }.`,
  }[outcome];
  return [
    words,
    ...(image && outcome !== 'failed' ? [`${image.reference}@${image.digest}`] : []),
    ...(undo ? [`Undo: ${undo}`] : []),
  ].join('\n');
}
