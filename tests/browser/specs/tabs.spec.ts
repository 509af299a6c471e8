/** Tabs of one browser are one visitor in one conversation, whichever of them began it, and whichever leaves it. */
import type { BrowserContext } from '@playwright/test';
import { expect, test, type Stage } from '../support/test';
import { Visitor, W } from '../support/visitor';

/** How often two tabs open at the same time; make rounds: 100. */
const ROUNDS = Number(process.env.KEFU_ROUNDS ?? 5);

test.use({ config: { KEFU_LIMITS__CONVERSATIONS_PER_HOUR: '100000', KEFU_LIMITS__VISITOR_BURST: '1000' } });

async function tabs(stage: Stage, count: number): Promise<{ context: BrowserContext; all: Visitor[] }> {
  const context = await stage.context({ viewport: { width: 900, height: 800 } });
  const all = [];
  for (let n = 0; n < count; n++) all.push(new Visitor(await context.newPage()));
  for (const tab of all) await tab.page.goto(stage.shop.origin);
  return { context, all };
}

/** Conversations with at least one message, since the server's start. */
async function opened(stage: Stage): Promise<number> {
  const stats = await stage.kefu.cli<{ metrics: { conversations_opened: number } }>('stats');
  return stats.metrics.conversations_opened;
}

async function allSee(all: Visitor[], texts: string[]): Promise<void> {
  for (const tab of all) for (const text of texts) await tab.sees(text);
}

for (const gap of [300, 3000]) {
  test(`the second tab writes ${gap} ms after the first, and both are in one conversation`, async ({ stage }) => {
    const { all } = await tabs(stage, 2);
    const [a, b] = all as [Visitor, Visitor];
    for (const tab of all) await tab.openWidget();
    await a.send('A says');
    await b.page.waitForTimeout(gap);
    await b.send('B says');
    await allSee(all, ['A says', 'B says']);
    expect(await opened(stage)).toBe(1);
    for (const tab of all) await tab.reload();
    await allSee(all, ['A says', 'B says']);
  });
}

test(`at the same time, ${ROUNDS} rounds: one conversation each, nothing lost, nothing twice`, async ({ stage }) => {
  test.setTimeout(60_000 + ROUNDS * 30_000);
  for (let round = 1; round <= ROUNDS; round++) {
    const { context, all } = await tabs(stage, round % 3 === 0 ? 3 : 2);
    for (const tab of all) await tab.openWidget();
    const texts = all.map((_, n) => `round ${round} tab ${n}`);
    await Promise.all(all.map((tab, n) => tab.field.fill(texts[n]!)));
    await Promise.all(all.map((tab) => tab.field.press('Enter')));
    await allSee(all, texts);
    for (const tab of all) await expect(tab.log.getByText(W.queued)).toHaveCount(0);
    await all[0]!.reload();
    await allSee(all, texts);
    expect(await opened(stage), `round ${round}`).toBe(round);
    if (ROUNDS > 10)
      console.log(`round ${round}: one conversation, ${texts.length} messages once in each of ${all.length} tabs`);
    await context.close();
  }
});

test('the panel of the second tab is opened only afterwards', async ({ stage }) => {
  const { all } = await tabs(stage, 3);
  const [a, b, c] = all as [Visitor, Visitor, Visitor];
  await a.openWidget();
  await a.send('A says');
  await a.sees('A says');
  const agent = await stage.agent('li', '李娜');
  await agent.open('A says');
  await agent.send('hello');
  await b.openWidget();
  await allSee([a, b], ['A says', 'hello']);
  await b.send('B says');
  await agent.sees('B says');
  await c.openWidget();
  await allSee(all, ['A says', 'hello', 'B says']);
  await expect(agent.items).toHaveCount(1);
});

test('a page in another language: one conversation, each in its own language, also after one starts over', async ({
  stage,
}) => {
  const { context, all } = await tabs(stage, 1);
  const zh = all[0]!;
  stage.shop.snippet = stage.shop.snippet.replace('data-site=', 'data-lang="en" data-site=');
  const en = new Visitor(await context.newPage());
  await en.page.goto(stage.shop.origin);
  for (const tab of [zh, en]) await tab.openWidget();
  for (const round of [1, 2]) {
    await expect(zh.field).toHaveAttribute('placeholder', '请留言…');
    await expect(en.field).toHaveAttribute('placeholder', 'Leave a message…');
    await zh.send(`第${round}个问题`);
    await allSee([zh, en], [`第${round}个问题`]);
    await en.send(`question ${round}`);
    await allSee([zh, en], [`第${round}个问题`, `question ${round}`]);
    expect(await opened(stage)).toBe(round);
    await en.panel.getByRole('button', { name: 'End conversation' }).click();
    await en.panel.getByRole('button', { name: 'End', exact: true }).click();
    await expect(zh.panel.getByText('本次会话已结束。')).toBeVisible();
    await expect(en.panel.getByText('This conversation is closed.')).toBeVisible();
    await en.panel.getByRole('button', { name: 'Start a new conversation' }).click();
  }
});

test('both offline when they write, then online', async ({ stage }) => {
  const { context, all } = await tabs(stage, 2);
  for (const tab of all) await tab.openWidget();
  await context.setOffline(true);
  await Promise.all(all.map((tab, n) => tab.send(`offline ${n}`)));
  await expect(all[0]!.log.getByText(W.queued)).toHaveCount(1);
  await expect(all[1]!.log.getByText(W.queued)).toHaveCount(1);
  await context.setOffline(false);
  await allSee(all, ['offline 0', 'offline 1']);
  expect(await opened(stage)).toBe(1);
});

test('closed in one tab, started over in one tab: the other goes with it', async ({ stage }) => {
  const agent = await stage.agent('li', '李娜');
  const { all } = await tabs(stage, 2);
  const [a, b] = all as [Visitor, Visitor];
  for (const tab of all) await tab.openWidget();
  await a.send('first question');
  await allSee(all, ['first question']);
  await agent.open('first question');
  await agent.closeConversation();
  for (const tab of all) await expect(tab.panel.getByText(W.closed)).toBeVisible();
  await b.panel.getByRole('button', { name: /^(开始新的会话|Start a new conversation)$/ }).click();
  for (const tab of all) await expect(tab.said('first question')).toHaveCount(0);
  await Promise.all([a.send('second, A'), b.send('second, B')]);
  await allSee(all, ['second, A', 'second, B']);
  expect(await opened(stage)).toBe(2);
});

test('a browser that keeps nothing has nothing to share: each tab is a visitor of its own, and says that nothing is kept', async ({
  stage,
}) => {
  const context = await stage.context();
  await context.addInitScript(() => {
    Object.defineProperty(window, 'indexedDB', {
      get: () => {
        throw new DOMException('blocked', 'SecurityError');
      },
    });
  });
  const all = [new Visitor(await context.newPage()), new Visitor(await context.newPage())];
  for (const [n, tab] of all.entries()) {
    await tab.visit(stage.shop.origin);
    await expect(tab.panel.getByText('此浏览器不保存数据')).toBeVisible();
    await tab.send(`tab ${n}`);
    await tab.sees(`tab ${n}`);
  }
  await expect(all[0]!.said('tab 1')).toHaveCount(0);
  await expect.poll(() => opened(stage)).toBe(2);
});

test.describe('with a form', () => {
  test.use({ form: 'name' });
  test('answered in one tab, while the other was filling it in', async ({ stage }) => {
    const agent = await stage.agent('li', '李娜');
    const { all } = await tabs(stage, 2);
    const [a, b] = all as [Visitor, Visitor];
    for (const tab of all) await tab.openWidget();
    await b.panel.getByRole('textbox').first().fill('half a na');
    await a.panel.getByRole('textbox').first().fill('王小明');
    await a.panel.getByRole('button', { name: W.start }).click();
    await a.send('A says');
    await allSee(all, ['A says']);
    await b.send('B says');
    await allSee(all, ['B says']);
    await agent.open('B says');
    await expect(agent.items).toHaveCount(1);
    await expect(agent.item('王小明')).toHaveCount(1);
  });
});
