// A process of its own, so that what an attack costs its attacker is not counted as the server's slowness.
import { attack } from './attackers.ts';
import { attacks } from './attacks.ts';

const [name = '', port = '', scale = '1'] = process.argv.slice(2);
const chosen = attacks(Number(scale)).find((one) => one.name === name);
if (!chosen) throw new Error(`no attack ${name}`);
console.log(JSON.stringify(await attack(Number(port), chosen)));
process.exit(0);
