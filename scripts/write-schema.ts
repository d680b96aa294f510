// Writes schema/inlay.schema.json from the schema that inlay.yaml is checked against.
import { configJsonSchema } from '../src/contract/index.ts';

await Bun.write(
  new URL('../schema/inlay.schema.json', import.meta.url),
  `${JSON.stringify(configJsonSchema(), null, 2)}\n`,
);
