// The search of the console on a page of its own, with texts that are made up: for `tests/browser/search-bench.mjs`.
import { createServer } from 'node:http';
import { build } from 'vite';

const root = new URL('..', import.meta.url).pathname;
const ENTRY = 'search-bench';

/** What the page offers: the index in a Worker, as the console has it, without a server to read from. */
const WORKER = `
import { SearchIndex } from '${root}src/search/index.ts';
import { SealedStore } from '${root}src/search/sealed-store.ts';
let store, index;
const ops = {
  async open() {
    store = await SealedStore.open('bench', 'li', () => undefined);
    index = await SearchIndex.open(store);
    return index.size;
  },
  async add(convs) {
    for (const { conv, docs } of convs) {
      index.update(conv, { team: 'svc', site: 'shop', created: docs[0].at, name: '', have: docs.length, locked: 0 }, docs);
      if (index.due) await index.commit();
    }
    return index.size;
  },
  async commit() { await index.commit(); return index.bytes; },
  async recall(conv, docs) {
    index.update(conv, index.convs.get(conv), docs);
    await index.commit();
  },
  async search(typed, filter) {
    const at = performance.now();
    const { hits, more } = await index.search(typed, filter, ['svc'], 50);
    return { ms: performance.now() - at, hits: hits.length, more };
  },
  bytes: () => index.bytes,
};
self.onmessage = async ({ data: { id, op, args } }) => {
  try { self.postMessage({ id, result: await ops[op](...args) }); }
  catch (e) { self.postMessage({ id, error: String(e?.stack ?? e) }); }
};`;

const PAGE = `
const worker = new Worker('/worker.js', { type: 'module' });
let next = 0;
const waiting = new Map();
worker.onmessage = ({ data }) => {
  const { done, fail } = waiting.get(data.id);
  waiting.delete(data.id);
  data.error === undefined ? done(data.result) : fail(new Error(data.error));
};
worker.onerror = (e) => console.error(e.message);
window.search = (op, ...args) => new Promise((done, fail) => {
  waiting.set(next, { done, fail });
  worker.postMessage({ id: next++, op, args });
});`;

export async function serveSearch() {
  const virtual = {
    name: 'entry',
    resolveId: (id) => (id === ENTRY ? `\0${ENTRY}.ts` : null),
    load: (id) => (id === `\0${ENTRY}.ts` ? WORKER : null),
  };
  const built = await build({
    root,
    configFile: false,
    logLevel: 'warn',
    plugins: [virtual],
    build: { write: false, target: 'es2022', rolldownOptions: { input: ENTRY, output: { format: 'es' } } },
  });
  const { code } = built.output.find((o) => o.type === 'chunk');
  const server = createServer((request, response) => {
    const script = request.url === '/worker.js' ? code : request.url === '/page.js' ? PAGE : null;
    response.setHeader('Content-Type', script === null ? 'text/html; charset=utf-8' : 'text/javascript; charset=utf-8');
    response.end(script ?? '<!doctype html><title>search</title><script type="module" src="/page.js"></script>');
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  return { url: `http://127.0.0.1:${server.address().port}/`, close: () => server.close() };
}
