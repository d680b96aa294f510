// Writes the ledger until it is killed: one change after the other, each told when it is written. Argument: the address of the database.
import { openLedger } from '../../src/inventory/index.ts';
import { factsOf, row } from './rows.ts';

const ledger = await openLedger(process.argv[2] as string);
const writer = await ledger.cluster('uid', 'prod');
const from = Number(process.argv[3]);
for (let i = from; ; i++) {
  const index = `sha256:${i.toString(16).padStart(64, '0')}`;
  // Two servers change together: nobody may ever see one of them.
  const rows = ['a', 'b'].map((name) =>
    row({
      workload: { kind: 'Deployment', name },
      service: name,
      image: { reference: `registry.example.com/ml/iris:${i}`, digest: index, index },
      since: null,
    }),
  );
  await writer.write({
    at: 1_000_000 + i,
    rows,
    gone: [],
    whole: false,
    journals: [],
    images: rows.map(factsOf).slice(0, 1),
  });
  process.stdout.write(`${i}\n`);
}
