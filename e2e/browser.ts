import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { ROOT } from './inlay.ts';

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export interface Browser {
  readonly context: BrowserContext;
  /** Requests that went elsewhere than 127.0.0.1, errors on the console, exceptions: of all pages so far. */
  readonly complaints: string[];
  readonly open: (url: string, more?: { width?: number; height?: number; dark?: boolean }) => Promise<Page>;
  readonly close: () => Promise<void>;
}

/**
 * Debian's Chromium with a profile of its own.
 * @param within the command line that runs a program where the pages are to be reached, as another network namespace
 */
export async function startBrowser(within?: (command: string[]) => string[]): Promise<Browser> {
  const profile = mkdtempSync(join(tmpdir(), 'inlay-chromium-'));
  let executablePath = '/usr/bin/chromium';
  if (within) {
    const script = `#!/bin/sh\nexec ${within([executablePath]).join(' ')} "$@"\n`;
    executablePath = join(profile, 'chromium');
    writeFileSync(executablePath, script, { mode: 0o755 });
  }
  const context = await chromium.launchPersistentContext(profile, {
    executablePath,
    args: FLAGS,
    acceptDownloads: true,
  });
  const complaints: string[] = [];
  context.on('request', (request) => {
    const { hostname, protocol } = new URL(request.url());
    if (hostname !== '127.0.0.1' && protocol !== 'blob:') complaints.push(`request to ${request.url()}`);
  });
  context.on('console', (message) => {
    if (message.type() === 'error') complaints.push(`console: ${message.text()}`);
  });
  return {
    context,
    complaints,
    open: async (url, { width = 1120, height = 860, dark = false } = {}) => {
      const page = await context.newPage();
      page.on('pageerror', (error) => complaints.push(`exception: ${error.message}`));
      await page.setViewportSize({ width, height });
      await page.emulateMedia({ colorScheme: dark ? 'dark' : 'light', reducedMotion: 'reduce' });
      await page.goto(url);
      return page;
    },
    close: async () => {
      await context.close();
      rmSync(profile, { recursive: true, force: true });
    },
  };
}

/** `inlay serve` on a free port. */
export async function serveProject(dir: string): Promise<{ url: string; stop: () => Promise<void> }> {
  const child = Bun.spawn([join(ROOT, 'bin', 'inlay'), 'serve', dir, '--port', '0'], {
    cwd: ROOT,
    env: { ...process.env, DRAIN_S: '0' },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'ignore',
  });
  let text = '';
  for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const url = / at (http:\S+)/.exec(text)?.[1];
    if (url)
      return {
        url,
        stop: async () => {
          child.kill('SIGTERM');
          await child.exited;
        },
      };
  }
  throw new Error(`inlay serve ${dir} ended: ${text}`);
}
