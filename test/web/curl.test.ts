import { expect, test } from 'bun:test';
import { curlOf, quoteShell } from '../../src/web/playground/model/curl.ts';
import { jsonBody } from '../../src/web/playground/model/outgoing.ts';

test('a shell reads each word back as it was', async () => {
  for (const word of ['plain', 'two words', "it's", '$HOME `id` "x" \\ !', "'", '', 'http://h/a?b=c&d', 'ünïcode\n']) {
    const child = Bun.spawn(['sh', '-c', `printf %s ${quoteShell(word)}`], { stdout: 'pipe' });
    expect(await new Response(child.stdout).text()).toBe(word);
  }
});

test('a long body is read from a file', () => {
  expect(curlOf('http://h/predict', jsonBody('{"data":[["it\'s"]]}'))).toEqual({
    line: `curl -sS http://h/predict -H 'content-type: application/json' -d '{"data":[["it'\\''s"]]}'`,
    fromFile: false,
  });
  const long = curlOf('http://h/predict', jsonBody(`{"data":[[${'1,'.repeat(2000)}1]]}`));
  expect([long.fromFile, long.line.endsWith('--data-binary @body.json')]).toEqual([true, true]);
});

test('a file is sent as it is, with its type; text that begins with @ is text', () => {
  const file = { contentType: 'image/png', content: new Blob(['x']), fileName: "it's 7.png" };
  expect(curlOf('http://h/predict', file).line).toBe(
    `curl -sS http://h/predict -H 'content-type: image/png' --data-binary '@it'\\''s 7.png'`,
  );
  const text = curlOf('http://h/predict', { contentType: 'text/plain', content: '@home' });
  expect(text.line).toBe(`curl -sS http://h/predict -H 'content-type: text/plain' --data-raw @home`);
});
