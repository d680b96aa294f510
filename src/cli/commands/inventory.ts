import type { Command } from '@commander-js/extra-typings';
import { InlayError } from '../../error/index.ts';
import type { Inventory, Question } from '../../inventory/index.ts';
import { namespaceOf } from '../cluster.ts';
import { databaseOf } from '../database.ts';
import { observe } from '../observe.ts';
import { createOutput, EXIT } from '../output.ts';
import { CA_FILE, INSECURE_REGISTRY } from '../registry.ts';

const collect = (value: string, before: string[]): string[] => [...before, value];

export function addInventory(program: Command): void {
  program
    .command('inventory')
    .summary('what runs where since when')
    .description(
      'One row for each model server that runs, with what its image says: model, version, input, libraries, owner, since when, and what is not as it should be. Servers that inlay did not build are rows too.',
    )
    .option(
      '--context <name>',
      "a context of the kubeconfig; repeatable (default: the kubeconfig's own)",
      collect,
      [] as string[],
    )
    .option('--all-contexts', 'every context of the kubeconfig; those of one cluster count once')
    .option('-n, --namespace <name>', 'only this namespace (default: all)')
    .option('--all', 'every workload, not only what looks like a model server')
    .option('--model <name>', "a model: its name, NAME:VERSION, or its digest's beginning")
    .option('--library <query>', "what has this library: 'onnxruntime<1.30', 'libssl3>=3.0.14,<3.0.16'")
    .option('--older-than <age>', 'what was rolled out longer ago: 180d')
    .option('--owner <name>', 'what this owner answers for')
    .option('--unowned', 'what nobody answers for')
    .option('--unsigned', 'what has no signature attached')
    .option('--drift', 'what is not as it should be')
    .option('--at <time>', 'what ran then, from the ledger: 2026-06-01, 2026-06-01T14:00:00Z, 30d')
    .option('--record', 'write what is seen into the ledger, where no hub does')
    .option(
      '--database <url>',
      'the ledger: a file, or postgres://HOST/NAME with the password in PGPASSWORD (default: INLAY_DATABASE, else ledger.db in INLAY_HOME)',
    )
    .option(
      '--layer-limit <bytes>',
      'of images that do not tell their packages, read layers up to so many bytes; 0 for none',
      '2000000000',
    )
    .option('--wide', 'all columns')
    .option('--csv', 'print CSV')
    .option('--json', 'print one JSON document')
    .option('--exit-code', 'exit 1 when a server fits')
    .option(...INSECURE_REGISTRY)
    .option(...CA_FILE)
    .action(async (options) => {
      const { answers, parseAge, parseLibraryQuery, parsePastTime } = await import('../../inventory/index.ts');
      const output = createOutput(options.json === true);
      if (options.at !== undefined && options.record)
        throw new InlayError('USAGE', '--record writes what runs now, --at asks for the past', {
          hint: 'One of them at a time.',
        });
      if (options.csv && options.json)
        throw new InlayError('USAGE', '--csv and --json are two forms of one answer', { hint: 'Choose one.' });
      const now = Date.now();
      const question: Question = {
        namespace: namespaceOf(options.namespace),
        model: options.model,
        library: options.library === undefined ? undefined : parseLibraryQuery(options.library),
        before: options.olderThan === undefined ? undefined : now - parseAge(options.olderThan),
        owner: options.owner,
        unowned: options.unowned,
        unsigned: options.unsigned,
        drift: options.drift ? 'any' : undefined,
      };
      const database = databaseOf(options.database);
      const inventory =
        options.at === undefined
          ? await observe(
              { ...options, layerBytes: bytesOf(options.layerLimit), progress: (text) => output.progress(text) },
              database,
            )
          : await remembered(database, parsePastTime(options.at, now), options.context);
      const servers = inventory.servers.filter((row) => answers(row, question));
      const answer = { ...inventory, servers };
      if (options.csv) {
        const { csvFormatRows } = await import('d3-dsv');
        const { CSV } = await import('../inventory-view.ts');
        const rows = servers.map((row) => CSV.map(([, cell]) => String(cell(row) ?? '')));
        output.result(csvFormatRows([CSV.map(([name]) => name), ...rows]), answer);
      } else {
        const { describeInventory } = await import('../inventory-view.ts');
        output.result(describeInventory(answer.servers, options.wide === true), answer);
      }
      for (const { about, code, message, hint } of answer.warnings)
        output.progress(`warning ${code}: ${about}: ${message}${hint ? `\n  ${hint}` : ''}`);
      if (options.exitCode && servers.length > 0) process.exitCode = EXIT.no;
    });
}

async function remembered(database: string, time: number, contexts: readonly string[]): Promise<Inventory> {
  const { openLedger } = await import('../../inventory/index.ts');
  await using ledger = await openLedger(database);
  const inventory = await ledger.inventoryAt(time);
  const wanted = inventory.servers.filter(({ context }) => contexts.length === 0 || contexts.includes(context));
  const warnings = inventory.warnings.filter(({ about }) => contexts.length === 0 || contexts.includes(about));
  return { ...inventory, servers: wanted, warnings };
}

function bytesOf(text: string): number {
  const bytes = Number(text);
  if (Number.isFinite(bytes) && bytes >= 0) return bytes;
  throw new InlayError('USAGE', `--layer-limit ${text} is no number of bytes`, { hint: 'For example 500000000.' });
}
