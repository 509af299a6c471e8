/** Installed Chromium, two workers; every test starts a server of its own, so nothing is shared but the executable. */
import { defineConfig } from '@playwright/test';

export const CHROMIUM = process.env.KEFU_CHROMIUM ?? '/usr/bin/chromium';

/** No sandbox: the tests may run as root in a container. The names are origins that are not a secure context. */
export const CHROMIUM_ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--host-resolver-rules=MAP *.test 127.0.0.1',
];

export default defineConfig({
  testDir: 'specs',
  outputDir: '../artifacts/failures',
  workers: 2,
  fullyParallel: true,
  forbidOnly: true,
  // a machine that stalls is no reason to refuse a change; what passed at the second try is named at the end all the same
  retries: Number(process.env.KEFU_RETRIES ?? 0),
  timeout: 90_000,
  expect: { timeout: 15_000 },
  reporter: [['list'], ['./support/reasons.ts']],
  use: {
    actionTimeout: 15_000,
    navigationTimeout: 20_000,
    // what it answers, routes of a test would not see; the tests of the installed app have it
    serviceWorkers: 'block',
    launchOptions: { executablePath: CHROMIUM, args: CHROMIUM_ARGS },
    screenshot: 'only-on-failure',
  },
});
