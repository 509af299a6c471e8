/** Pictures of pages and their states, for people to look at: `make gallery`. The tests that take pictures of what they pass through are run, too. */
import { defineConfig } from '@playwright/test';
import base from './playwright.config';

const PICTURED = [
  'looks',
  'console-looks',
  'composer',
  'edits',
  'first-look',
  'handover',
  'history',
  'launcher',
  'notices',
  'refusals',
  'replies',
  'robot',
  'sorting',
];
const specs = PICTURED.map((name) => `specs/${name}.spec.ts`);

export default defineConfig({
  ...base,
  testDir: '.',
  // KEFU_GALLERY=console: only the states of the console, minutes instead of a quarter of an hour
  testMatch: process.env.KEFU_GALLERY
    ? `gallery/${process.env.KEFU_GALLERY}*.gallery.ts`
    : ['gallery/*.gallery.ts', ...specs],
  retries: 1,
  reporter: [['list']],
});
