/** For `npm run hostile`: what is too long for every run of the tests. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: { include: ['tests/hostile/*.all.ts'], environment: 'node', testTimeout: 3_600_000 },
});
