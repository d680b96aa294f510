import { afterAll, beforeAll, expect, test } from 'bun:test';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readPublicKey, readSigningKey } from '../../src/supply/index.ts';
import { COSIGN, cosignKey, cosignPublic, newKey, PASSWORD } from './world.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'inlay-key-'));
});
afterAll(() => rmSync(dir, { recursive: true }));
const file = (name: string, text: string | Buffer) => {
  writeFileSync(join(dir, name), text);
  return join(dir, name);
};

test("cosign's key opens with its password, and is the one beside it", async () => {
  expect((await cosignKey()).fingerprint).toBe((await cosignPublic()).fingerprint);
});

test.each([undefined, '', 'wrong'])(
  'with the password %p it does not, and the password is not told',
  async (password) => {
    const error = await readSigningKey(join(COSIGN, 'cosign.key'), password).catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'KEY_INVALID' });
    if (password) expect(JSON.stringify(error) + String(error)).not.toContain(password);
  },
);

test('a damaged key, and one that asks for all memory, are refused', async () => {
  const pem = readFileSync(join(COSIGN, 'cosign.key'), 'utf8');
  const body = JSON.parse(Buffer.from(pem.split('\n').slice(1, -2).join(''), 'base64').toString());
  const wrap = (json: unknown) =>
    `-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n${Buffer.from(JSON.stringify(json)).toString('base64')}\n-----END ENCRYPTED SIGSTORE PRIVATE KEY-----\n`;
  const read = (name: string, json: unknown) => readSigningKey(file(name, wrap(json)), PASSWORD);
  expect((await read('same.key', body)).fingerprint).toBe((await cosignPublic()).fingerprint);
  body.kdf.params.N = 2 ** 30;
  await expect(read('huge.key', body)).rejects.toMatchObject({ code: 'KEY_INVALID' });
  await expect(read('other.key', {})).rejects.toMatchObject({ code: 'KEY_INVALID' });
});

test('PKCS#8 is taken, with or without a password', async () => {
  const { key, pub, privateKey } = newKey(dir, 'p8');
  const { fingerprint } = await readPublicKey(pub);
  expect((await readSigningKey(key, undefined)).fingerprint).toBe(fingerprint);
  const cipher = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' } as const;
  const encrypted = file('p8-encrypted.key', privateKey.export(cipher));
  expect((await readSigningKey(encrypted, 'secret')).fingerprint).toBe(fingerprint);
  await expect(readSigningKey(encrypted, 'no')).rejects.toMatchObject({ code: 'KEY_INVALID' });
});

test('other files are no keys', async () => {
  const refused = { code: 'KEY_INVALID' };
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const rsaPath = file('rsa.pub', rsa.publicKey.export({ type: 'spki', format: 'pem' }));
  await expect(readPublicKey(rsaPath)).rejects.toMatchObject(refused);
  const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey;
  await expect(readPublicKey(file('384.pub', p384.export({ type: 'spki', format: 'pem' })))).rejects.toMatchObject(
    refused,
  );
  await expect(readPublicKey(join(COSIGN, 'cosign.key'))).rejects.toMatchObject(refused);
  await expect(readPublicKey(join(dir, 'none.pub'))).rejects.toMatchObject(refused);
  await expect(readPublicKey(file('empty.pub', ''))).rejects.toMatchObject(refused);
  await expect(readSigningKey(join(COSIGN, 'cosign.pub'), PASSWORD)).rejects.toMatchObject(refused);
});
