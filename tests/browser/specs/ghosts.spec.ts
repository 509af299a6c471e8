/** Opening a conversation and asking something in it are one step to everyone but the visitor: agents see the question or nothing. */
import type { BrowserContext } from '@playwright/test';
import { expect, test, type Stage } from '../support/test';
import { Visitor, W } from '../support/visitor';

/** Milliseconds after Enter at which the page is gone. */
const LEAVES = [0, 0, 20, 40, 60, 80, 100, 130, 160, 200, 240, 300, 400, 500, 700];

test.use({ form: 'name', config: { KEFU_DESK__CAPACITY: '100', KEFU_LIMITS__CONVERSATIONS_PER_HOUR: '1000' } });

interface Left {
  context: BrowserContext;
  text: string;
}

/** Visitors who fill in the form, write, and are gone at once. */
async function leave(stage: Stage): Promise<Left[]> {
  const all: Left[] = [];
  for (const [n, ms] of LEAVES.entries()) {
    const context = await stage.context({ viewport: { width: 900, height: 800 } });
    const visitor = new Visitor(await context.newPage());
    await visitor.visit(stage.shop.origin);
    await visitor.panel.getByRole('textbox').first().fill(`Guest ${n}`);
    await visitor.panel.getByRole('button', { name: W.start }).click();
    const text = `question ${String(n).padStart(2, '0')}`;
    await visitor.send(text);
    await visitor.page.waitForTimeout(ms);
    await visitor.page.close();
    all.push({ context, text });
  }
  return all;
}

async function waiting(stage: Stage): Promise<{ opened: number; waiting: number; owned: number }> {
  const stats = await stage.kefu.cli<{
    metrics: { conversations_opened: number };
    desk: { waiting: number; owned: number };
  }>('stats');
  return { opened: stats.metrics.conversations_opened, waiting: stats.desk.waiting, owned: stats.desk.owned };
}

for (const killed of [false, true]) {
  test(`pages gone 0 to 700 ms after Enter${killed ? ', and the server killed after them' : ''}: a question or nothing, and after the return it is there once`, async ({
    stage,
  }) => {
    test.setTimeout(300_000);
    const agent = await stage.agent('li', '李娜');
    const left = await leave(stage);
    if (killed) {
      await stage.kefu.kill();
      await stage.kefu.serve();
      await agent.page.reload();
      await agent.atDesk();
    }
    // what is there has its question, and it is all there is
    const last = await stage.visitor();
    await last.visit(stage.shop.origin);
    await last.panel.getByRole('button', { name: W.start }).click();
    await last.send('I stayed');
    await expect(agent.item('I stayed')).toHaveCount(1);
    const there = (await agent.items.allTextContents()).filter((line) => !line.includes('I stayed'));
    for (const line of there) expect(line).toMatch(/question \d\d/);
    const now = await waiting(stage);
    expect(now.waiting + now.owned).toBe(there.length + 1);

    let kept = 0;
    for (const { context, text } of left) {
      const again = new Visitor(await context.newPage());
      await again.visit(stage.shop.origin);
      // either the form again, or the conversation with the question in it
      const start = again.panel.getByRole('button', { name: W.start });
      await expect(again.said(text).or(start)).toBeVisible();
      if (await start.isVisible()) continue;
      kept++;
      await again.sees(text);
      await expect(again.log.getByText(W.queued)).toHaveCount(0);
      await expect(agent.item(text)).toHaveCount(1);
      await context.close();
    }
    console.log(
      `${left.length} left: ${there.length} had asked, ${kept} after their return, ${left.length - kept} were gone before anything was kept`,
    );
    await expect(agent.items).toHaveCount(kept + 1);
    const end = await waiting(stage);
    expect(end.waiting + end.owned).toBe(kept + 1);
  });
}
