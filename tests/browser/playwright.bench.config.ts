/** Figures, not tests: nothing here fails for being slow. */
import { defineConfig } from '@playwright/test';
import base from './playwright.config';

export default defineConfig({ ...base, testDir: 'bench', testMatch: '*.bench.ts', workers: 1, reporter: [['list']] });
