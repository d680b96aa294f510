import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { findCredential } from '../../src/registry/auth/credentials.ts';
import { listTags } from '../../src/registry/index.ts';
import { FakeRegistry, type RegistryTraits } from './fake-registry.ts';
import { ref, World } from './world.ts';

let world: World;
let fake: FakeRegistry | undefined;
beforeEach(() => {
  world = new World();
});
afterEach(async () => {
  await fake?.stop();
  fake = undefined;
  await world.remove();
});

const write = (path: string, value: unknown) => {
  const full = join(world.dir, path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, typeof value === 'string' ? value : JSON.stringify(value));
  return full;
};
const login = (user: string, password: string) => ({ auth: btoa(`${user}:${password}`) });
const password = (username: string, secret: string) => ({ kind: 'password', username, password: secret }) as const;
const find = (registry: string, repository: string, env: Record<string, string> = {}, useEnvironment = true) =>
  findCredential(registry, repository, { env, homeDir: world.dir, useEnvironment });

/** A credential helper that answers for one server. */
function helper(name: string, script: string): string {
  const bin = join(world.dir, 'bin');
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, `docker-credential-${name}`), `#!/bin/sh\n${script}\n`);
  chmodSync(join(bin, `docker-credential-${name}`), 0o755);
  return `${bin}:/usr/bin:/bin`;
}

describe('where logins come from', () => {
  test("Docker's file, by host, by address, and for Docker Hub by its old address", async () => {
    write('.docker/config.json', {
      auths: {
        'a.example': login('a', 'pw-a'),
        'https://b.example/v1/': login('b', 'pw:b'),
        'https://index.docker.io/v1/': login('hub', 'pw-hub'),
        'empty.example': {},
      },
    });
    expect(await find('a.example', 'x')).toEqual(password('a', 'pw-a'));
    expect(await find('b.example', 'x')).toEqual(password('b', 'pw:b'));
    expect(await find('docker.io', 'library/x')).toEqual(password('hub', 'pw-hub'));
    expect(await find('empty.example', 'x')).toBeUndefined();
    expect(await find('c.example', 'x')).toBeUndefined();
  });

  test("Podman's file, the longest match counts", async () => {
    write('.config/containers/auth.json', {
      auths: {
        'r.example': login('host', 'pw-1'),
        'r.example/ml': login('team', 'pw-2'),
        'r.example/ml/iris': login('iris', 'pw-3'),
      },
    });
    expect(await find('r.example', 'web/x')).toEqual(password('host', 'pw-1'));
    expect(await find('r.example', 'ml/wine')).toEqual(password('team', 'pw-2'));
    expect(await find('r.example', 'ml/iris')).toEqual(password('iris', 'pw-3'));
  });

  test('a file that was named comes before the usual places, the environment before files', async () => {
    write('.docker/config.json', { auths: { 'r.example': login('docker', 'pw-d') } });
    write('.config/containers/auth.json', { auths: { 'r.example': login('podman', 'pw-p') } });
    write('run/containers/auth.json', { auths: { 'r.example': login('runtime', 'pw-r') } });
    write('cfg/config.json', { auths: { 'r.example': login('config', 'pw-c') } });
    const named = write('named.json', { auths: { 'r.example': login('named', 'pw-n') } });
    const env: Record<string, string> = {};
    const who = async () => {
      const credential = await find('r.example', 'x', env);
      return credential?.kind === 'password' ? credential.username : undefined;
    };
    expect(await who()).toBe('podman');
    env.XDG_RUNTIME_DIR = join(world.dir, 'run');
    expect(await who()).toBe('runtime');
    env.DOCKER_CONFIG = join(world.dir, 'cfg');
    expect(await who()).toBe('config');
    env.REGISTRY_AUTH_FILE = named;
    expect(await who()).toBe('named');
    env.INLAY_REGISTRY_USERNAME = 'env';
    env.INLAY_REGISTRY_PASSWORD = 'pw-e';
    expect(await who()).toBe('env');
    env.INLAY_REGISTRY_HOST = 'other.example';
    expect(await who()).toBe('named');
  });

  test('a login from the environment stays away from a registry that it is not meant for', async () => {
    const env = { INLAY_REGISTRY_USERNAME: 'env', INLAY_REGISTRY_PASSWORD: 'pw-e' };
    expect(await find('source.example', 'x', env, false)).toBeUndefined();
    expect(await find('source.example', 'x', { ...env, INLAY_REGISTRY_HOST: 'source.example' }, false)).toBeDefined();
  });

  test('a helper gets the server on stdin; its own comes before the store, the store before the file', async () => {
    const PATH = helper(
      'one',
      'read -r s; [ "$1" = get ] || exit 9; case $s in r.example) echo \'{"ServerURL":"x","Username":"one","Secret":"pw-one"}\';; *) echo "credentials not found in native keychain"; exit 1;; esac',
    );
    helper('all', 'read -r s; echo "{\\"Username\\":\\"<token>\\",\\"Secret\\":\\"for-$s\\"}"');
    write('.docker/config.json', {
      credHelpers: { 'r.example': 'one' },
      auths: { 'r.example': login('file', 'pw-f'), 's.example': login('file', 'pw-f') },
    });
    expect(await find('r.example', 'x', { PATH })).toEqual(password('one', 'pw-one'));
    expect(await find('s.example', 'x', { PATH })).toEqual(password('file', 'pw-f'));
    write('.docker/config.json', { credsStore: 'all' });
    expect(await find('docker.io', 'library/x', { PATH })).toEqual({
      kind: 'identity',
      token: 'for-https://index.docker.io/v1/',
    });
  });

  test.each([
    ['it is not there', '', 'missing', 'not in PATH'],
    ['it fails', 'echo S3CRET-OUTPUT; exit 3', 'bad', 'exit code 3'],
    ['it does not speak JSON', 'echo S3CRET-OUTPUT', 'bad', 'JSON'],
    ['it is no name', '', '../evil', 'no name'],
  ])('a helper that cannot be used is told, without what it printed: %s', async (_, script, name, why) => {
    const PATH = helper('bad', script);
    write('.docker/config.json', { credsStore: name });
    const error = await find('r.example', 'x', { PATH }).catch((e) => e);
    expect(error.code).toBe('CREDENTIALS_INVALID');
    expect(error.message).toContain(why);
    expect(JSON.stringify([error.message, error.hint, String(error.cause)])).not.toContain('S3CRET');
  });

  test('a damaged login file is told by its name, without what is in it', async () => {
    const path = write('.docker/config.json', '{"auths": {"r.example": {"auth": "S3CRET');
    const error = await find('r.example', 'x').catch((e) => e);
    expect(error.code).toBe('CREDENTIALS_INVALID');
    expect(error.message).toContain(path);
    expect(JSON.stringify([error.message, error.hint, String(error.cause)])).not.toContain('S3CRET');
  });
});

describe('logging in', () => {
  const tags = async (traits: RegistryTraits, env: Record<string, string> = {}) => {
    fake = await FakeRegistry.start(traits);
    fake.repo('ml/iris').tags.set('1', 'sha256:x');
    return listTags({ registry: world.registry({ env }), reference: ref(`${fake.host}/ml/iris`) });
  };
  const env = { INLAY_REGISTRY_USERNAME: 'us:er', INLAY_REGISTRY_PASSWORD: 'pä:ss word' };

  test('nothing is sent before the registry has asked', async () => {
    await tags({}, env);
    expect(fake?.seen.every((r) => r.headers.authorization === undefined)).toBe(true);
  });

  test('with Basic', async () => {
    const plain = { INLAY_REGISTRY_USERNAME: 'user', INLAY_REGISTRY_PASSWORD: 'password' };
    expect(await tags({ auth: 'basic' }, plain)).toEqual(['1']);
  });

  test('with a token, for the scope that the work needs', async () => {
    const plain = { INLAY_REGISTRY_USERNAME: 'user', INLAY_REGISTRY_PASSWORD: 'password' };
    expect(await tags({ auth: 'bearer' }, plain)).toEqual(['1']);
    const asked = new URL(fake?.seen.find((r) => r.path.startsWith('/token'))?.path ?? '', 'http://x').searchParams;
    expect(asked.get('service')).toBe('fake');
    expect(asked.getAll('scope')).toEqual(['repository:ml/iris:pull', 'repository:any:pull,push']);
  });

  test('with a refresh token, by POST', async () => {
    fake = await FakeRegistry.start({ auth: 'bearer', refreshToken: 'r3fresh-token' });
    fake.repo('ml/iris').tags.set('1', 'sha256:x');
    write('.docker/config.json', { auths: { [fake.host]: { ...login('user', ''), identitytoken: 'r3fresh-token' } } });
    expect(await listTags({ registry: world.registry(), reference: ref(`${fake.host}/ml/iris`) })).toEqual(['1']);
    expect(fake.seen.find((r) => r.path === '/token')?.method).toBe('POST');
  });

  test('with a ready token', async () => {
    fake = await FakeRegistry.start({ auth: 'bearer' });
    write('.docker/config.json', { auths: { [fake.host]: { registrytoken: 'ready-made-token' } } });
    const error = await listTags({ registry: world.registry(), reference: ref(`${fake.host}/ml/iris`) }).catch(
      (e) => e,
    );
    expect(fake.seen.at(-1)?.headers.authorization).toBe('Bearer ready-made-token');
    expect(error.code).toBe('REGISTRY_UNAUTHORIZED');
  });

  test.each(['basic', 'bearer'] as const)(
    'a wrong password with %s is told without it, in one or two tries',
    async (auth) => {
      const error = await tags({ auth }, env).catch((e) => e);
      expect(error.code).toBe('REGISTRY_UNAUTHORIZED');
      expect(error.message).toContain('/ml/iris');
      expect(error.hint).toContain('docker login');
      const told = JSON.stringify([error.message, error.hint, String(error.cause), error.stack]);
      for (const secret of ['pä:ss word', btoa('us:er:p'), Buffer.from('us:er:pä:ss word').toString('base64')])
        expect(told).not.toContain(secret);
      expect(fake?.seen.length).toBeLessThanOrEqual(3);
    },
  );

  test('no login is sent to a token server without HTTPS that is not on this machine', async () => {
    fake = await FakeRegistry.start({ auth: 'bearer', realm: 'ftp://evil.example/token' });
    const error = await listTags({ registry: world.registry({ env }), reference: ref(`${fake.host}/x/y`) }).catch(
      (e) => e,
    );
    expect(error.code).toBe('REGISTRY_FAILED');
    expect(error.message).toContain('evil.example');
  });

  test('a token server that is ill is tried again', async () => {
    fake = await FakeRegistry.start({ auth: 'bearer' });
    fake.repo('ml/iris').tags.set('1', 'sha256:x');
    fake.fail({ kind: 'status', status: 503, path: /token/, times: 2 });
    const plain = { INLAY_REGISTRY_USERNAME: 'user', INLAY_REGISTRY_PASSWORD: 'password' };
    expect(
      await listTags({ registry: world.registry({ env: plain }), reference: ref(`${fake.host}/ml/iris`) }),
    ).toEqual(['1']);
  });
});
