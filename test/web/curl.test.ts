import { expect, test } from 'bun:test';
import { curlOf, quoteShell } from '../../src/web/playground/model/curl.ts';

test('a shell reads each word back as it was', async () => {
  for (const word of ['plain', 'two words', "it's", '$HOME `id` "x" \\ !', "'", '', 'http://h/a?b=c&d', 'ünïcode\n']) {
    const child = Bun.spawn(['sh', '-c', `printf %s ${quoteShell(word)}`], { stdout: 'pipe' });
    expect(await new Response(child.stdout).text()).toBe(word);
  }
});

test('a long body is read from a file', () => {
  expect(curlOf('http://h/predict', '{"data":[["it\'s"]]}')).toEqual({
    line: `curl -sS http://h/predict -H 'content-type: application/json' -d '{"data":[["it'\\''s"]]}'`,
    fromFile: false,
  });
  const long = curlOf('http://h/predict', `{"data":[[${'1,'.repeat(2000)}1]]}`);
  expect([long.fromFile, long.line.endsWith('--data-binary @body.json')]).toEqual([true, true]);
});
