/** The last lines of a run: why each test failed, in a few lines, also of those that passed when they were tried again. What comes before may be cut where it is kept. */
import { stripVTControlCharacters } from 'node:util';
import type { Reporter, TestCase, TestResult } from '@playwright/test/reporter';

const LINES = 12;

export default class Reasons implements Reporter {
  private readonly failed: string[] = [];

  onTestEnd(test: TestCase, { status, errors }: TestResult): void {
    if (status === test.expectedStatus || status === 'skipped') return;
    for (const { message = '', location } of errors) {
      const lines = stripVTControlCharacters(message).split('\n');
      const at = location ? `${location.file.split('/').at(-1)}:${location.line}` : '';
      this.failed.push([`${test.title} (${at})`, ...lines.filter((l) => l.trim()).slice(0, LINES)].join('\n    '));
    }
  }

  onEnd(): void {
    if (this.failed.length) console.log(`\nWhy:\n\n${this.failed.join('\n\n')}`);
  }
}
