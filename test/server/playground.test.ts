import { afterAll, beforeAll, expect, test } from 'bun:test';
import { playgroundPage } from '../../src/web/index.ts';
import { serveReference } from './serving.ts';

let served: Awaited<ReturnType<typeof serveReference>>;
beforeAll(async () => {
  served = await serveReference();
});
afterAll(async () => {
  await served.server.close();
  await served.engine.close();
});

test('the page at / and its files come from the server, under a strict policy', async () => {
  const response = await fetch(`${served.url}/`);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-security-policy')).toStartWith("default-src 'self';");
  const page = await response.text();
  expect(page).not.toMatch(/https?:\/\/|<style|style=|<script(?! src| type="application\/json")|javascript:| on\w+=/);
  const assets = [...page.matchAll(/(?:src|href)="(playground\/[^"]+)"/g)].map((match) => match[1] as string);
  expect(assets.toSorted()).toEqual(['playground/app.js', 'playground/icon.svg', 'playground/style.css']);
  for (const asset of assets) {
    const answer = await fetch(`${served.url}/${asset}`);
    expect([asset, answer.status, (await answer.arrayBuffer()).byteLength > 100]).toEqual([asset, 200, true]);
  }
});

test('the script is small', async () => {
  const script = await (await fetch(`${served.url}/playground/app.js`)).text();
  expect(script.length).toBeLessThan(30_000);
  expect(script).not.toMatch(/https?:\/\//);
});

test('what a contract holds cannot leave the element that it stands in', () => {
  const evil = '</script><script>alert(1)</script><!--<script>';
  const { contract } = { contract: served.engine.spec.contract };
  const page = playgroundPage({
    ...contract,
    name: '"><img src=x>',
    version: '</title><b>',
    labels: { keys: ['0'], names: [evil] },
  });
  expect(page.match(/<script/g)?.length).toBe(2);
  expect(page.match(/<\/script>/g)?.length).toBe(2);
  expect(page).not.toMatch(/<img|<b>|<!--/);
  const json = /<script type="application\/json" id="model">(.*)<\/script>/.exec(page)?.[1] ?? '';
  expect(JSON.parse(json)).toMatchObject({ name: '"><img src=x>', labels: [evil] });
});
