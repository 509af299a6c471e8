// How long strangers' worst messages keep a page's main thread, in headless Chromium: `node tests/browser/bench.mjs [agent|visitor]`;
// `KIND=dots`, one kind of message; `KIND=flood`, only very many.
// The page is the real one with the real client; only the server is made up and lives in the page, so its work is in the figures, too.
import { chromium } from 'playwright';
import { serveFlood } from '../../ui/build/flood.mjs';

const ARGS = ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'];
const sides = process.argv[2] ? [process.argv[2]] : ['agent', 'visitor'];
/** Until it has an end; a page that is frozen for longer counts as frozen. */
const PATIENCE_MS = 120_000;

const site = await serveFlood();
const browser = await chromium.launch({ executablePath: process.env.KEFU_CHROMIUM ?? '/usr/bin/chromium', args: ARGS });

async function open(side, before = []) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  page.setDefaultTimeout(PATIENCE_MS);
  page.on('pageerror', (e) => console.error('page:', e.message));
  await page.goto(`${site.url}?side=${side}`);
  await page.evaluate(async (texts) => {
    const f = await window.flood;
    await f.before(texts);
    window.long = [];
    new PerformanceObserver((list) => list.getEntries().forEach((e) => window.long.push(e.duration))).observe({
      type: 'longtask',
    });
  }, before);
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('Performance.enable');
  const read = async () =>
    Object.fromEntries((await cdp.send('Performance.getMetrics')).metrics.map((m) => [m.name, m.value]));
  return { page, read };
}

/** What `act` takes of the main thread, ms; the longest single task; DOM nodes afterwards. */
async function measured({ page, read }, act) {
  await page.evaluate(() => void (window.long.length = 0));
  const [a, at] = [await read(), Date.now()];
  await act();
  // the frame that shows it
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 100))));
  const [b, longest] = [await read(), await page.evaluate(() => Math.max(0, ...window.long))];
  const ms = (name) => Math.round((b[name] - a[name]) * 1000);
  const dom = await page.evaluate(
    () => (document.querySelector('kefu-widget')?.shadowRoot ?? document).querySelectorAll('*').length,
  );
  return {
    wall: Date.now() - at,
    task: ms('TaskDuration'),
    script: ms('ScriptDuration'),
    layout: ms('LayoutDuration') + ms('RecalcStyleDuration'),
    longest: Math.round(longest),
    elements: dom,
  };
}
const line = (what, m) =>
  console.log(
    `${what.padEnd(52)} task ${String(m.task).padStart(6)}  script ${String(m.script).padStart(6)}  layout ${String(m.layout).padStart(6)}  longest ${String(m.longest).padStart(6)}  elements ${String(m.elements).padStart(6)}`,
  );

/** The text shows in the field; how long that took from the key, ms. */
async function key({ page }) {
  return page.evaluate(async () => {
    const field = (document.querySelector('kefu-widget')?.shadowRoot ?? document).querySelector('textarea');
    field.focus();
    const at = performance.now();
    document.execCommand('insertText', false, 'a');
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)));
    return Math.round(performance.now() - at);
  });
}

for (const side of sides) {
  console.log(
    `--- ${side === 'agent' ? 'console, flooded by a visitor' : 'widget, flooded by an agent'} (ms of the main thread)`,
  );
  const one = await open(side);
  const worst = await one.page.evaluate(async () => (await window.flood).worst);
  await one.page.close();
  const kinds = process.env.KIND ? worst.filter((w) => w.includes(process.env.KIND)) : worst;
  for (const [n, what] of [
    [1, 'one'],
    [20, 'twenty'],
  ]) {
    for (const kind of kinds) {
      const p = await open(side);
      await p.page.evaluate(async () => (await window.flood).open());
      await p.page.evaluate(
        async ([k, m]) => {
          const f = await window.flood;
          await f.ready(Array(m).fill(f.nasty(k)));
        },
        [kind, n],
      );
      try {
        line(`${what}: ${kind}`, await measured(p, () => p.page.evaluate(async () => (await window.flood).deliver())));
        if (n === 20) {
          // one more message re-renders the thread
          await p.page.evaluate(async () => (await window.flood).ready(['short']));
          line(
            `  then a short one`,
            await measured(p, () => p.page.evaluate(async () => (await window.flood).deliver())),
          );
          console.log(`  a key shows after ${await key(p)} ms`);
        }
      } catch (e) {
        console.log(
          `${what}: ${kind}`.padEnd(52),
          `frozen for more than ${PATIENCE_MS / 1000} s`,
          e.message.split('\n')[0],
        );
      }
      await p.page.close();
    }
  }
  if (!process.env.KIND || process.env.KIND === 'flood')
    for (const [before, burst] of [
      [0, 500],
      [10_000, 0],
      [10_000, 500],
    ]) {
      const p = await open(
        side,
        Array.from({ length: before }, (_, i) => `message ${i}`),
      );
      line(
        `${before} in the log: open`,
        await measured(p, () => p.page.evaluate(async () => (await window.flood).open())),
      );
      if (burst) {
        await p.page.evaluate(
          async (n) => (await window.flood).ready(Array.from({ length: n }, (_, i) => `burst ${i}`)),
          burst,
        );
        line(
          `${before} in the log: ${burst} in a burst`,
          await measured(p, () => p.page.evaluate(async () => (await window.flood).deliver())),
        );
      }
      console.log(`  a key shows after ${await key(p)} ms`);
      await p.page.close();
    }
}
await browser.close();
site.close();
