// The open loop as a process of its own, on the load's core: URL, file of the body, requests a second, seconds.
import { readFile } from 'node:fs/promises';
import { openLoop } from './load.ts';

const [url = '', file = '', rate = '', seconds = ''] = process.argv.slice(2);
console.log(JSON.stringify(await openLoop(url, await readFile(file, 'utf8'), Number(rate), Number(seconds))));
process.exit(0);
