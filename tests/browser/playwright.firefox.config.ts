/** Installed Firefox, as Debian ships it, driven by WebDriver BiDi: the main flows and the hard pages. */
import { defineConfig } from '@playwright/test';
import { join } from 'node:path';
import base from './playwright.config';

export default defineConfig({
  ...base,
  testMatch: ['pages.spec.ts', 'files.spec.ts', 'talk.spec.ts', 'account.spec.ts', 'robot.spec.ts'],
  // Everything is slower in it, the more so beside other work.
  timeout: 180_000,
  expect: { timeout: 30_000 },
  use: {
    ...base.use,
    browserName: 'firefox',
    channel: 'moz-firefox',
    launchOptions: { executablePath: join(import.meta.dirname, 'support', 'firefox.mjs') },
  },
});
