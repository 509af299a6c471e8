/** Answers suggested to an agent from imported knowledge: found in their browser, inserted into their reply, sent only by them. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { accessible, bringAxe } from '../support/axe';
import { C } from '../support/agent';
import { canary, search } from '../support/canary';
import type { Kefu } from '../support/kefu';
import { expect, picture, test } from '../support/test';

const REGION = /^(知识库推荐|Suggested answers)$/;
const PHONE = { width: 390, height: 760 };

async function teach(kefu: Kefu, rows: string[]): Promise<void> {
  const file = join(kefu.dir, '..', 'faq.csv');
  writeFileSync(file, ['question,answer,similar,site,until', ...rows].join('\n'));
  await kefu.cli('knowledge', 'import', file);
}

const FAQ = [
  '怎么退货,签收后**七天内**可以退货，在[我的订单](https://shop.example/orders)申请。,我要退货|不想要了怎么退,web,',
  '退货运费谁出,质量问题由我们承担；其他原因由买家承担。,,web,',
  '怎么开发票,下单时选择电子发票。,,,',
  '怎么退货到门店,门店退货已停止。,,web,2020-01-01',
  '怎么退货给别家,那是别的站点。,,app,',
];

test('an agent gets suggestions for what the visitor wrote, takes one by its key, and nothing is sent before he sends it', async ({
  stage,
}) => {
  test.slow();
  await teach(stage.kefu, FAQ);
  const code = await stage.kefu.invite('li', '李娜', ['svc']);
  const agent = await stage.browserOfAgent();
  await bringAxe(agent.page.context());
  await agent.enrol(code);
  const asked: string[] = [];
  agent.page.on('request', (r) =>
    asked.push(`${r.method()} ${new URL(r.url()).pathname}${new URL(r.url()).search} ${r.postData() ?? ''}`),
  );
  const visitor = await stage.visitor();
  await visitor.visit(stage.shop.origin);
  const secret = canary('asked');
  await visitor.send(`你好，怎么退货，退货运费谁出呢 ${secret}`);
  await agent.open(/运费谁出呢/);
  const region = agent.page.getByRole('region', { name: REGION });
  const buttons = region.getByRole('button');
  await expect(buttons).toHaveCount(2);
  await expect(buttons.first()).toContainText('退货运费谁出');
  await expect(region.getByRole('status')).toContainText('推荐了 2 条');
  await expect(region).not.toContainText('门店');
  await expect(region).not.toContainText('**');
  await picture(agent.page, 'assist-console');
  await accessible(agent.page, 'assist-console', 'html');
  await agent.page.setViewportSize(PHONE);
  await picture(agent.page, 'assist-phone');
  await accessible(agent.page, 'assist-phone', 'html');
  await agent.page.setViewportSize({ width: 1280, height: 800 });
  await agent.page.emulateMedia({ colorScheme: 'dark' });
  await picture(agent.page, 'assist-dark');
  await accessible(agent.page, 'assist-dark', 'html');
  await agent.page.emulateMedia({ colorScheme: 'light' });

  await agent.page.keyboard.press('Alt+Digit2');
  const answer = '签收后七天内可以退货，在我的订单 https://shop.example/orders 申请。';
  await expect(agent.reply).toHaveValue(answer);
  await expect(agent.reply).toBeFocused();
  await expect(visitor.said(answer)).toHaveCount(0);
  await agent.reply.press('Enter');
  await visitor.sees(answer);
  await expect(buttons).toHaveCount(0);

  // the knowledge was fetched, and no request had a word of the visitor
  expect(asked.filter((line) => line.includes('/knowledge/'))).toEqual(['GET /api/v1/knowledge/web ']);
  expect(asked.filter((line) => /退货|%E9%80%80/.test(line) || line.includes(secret))).toEqual([]);
  expect(search({ secret }, [stage.kefu.dir], [stage.kefu.log])).toEqual([]);

  await visitor.send('怎么开发票？');
  await expect(buttons).toHaveCount(1);
  // without a connection what was fetched still serves
  await stage.kefu.kill();
  await expect(agent.page.getByText(C.offline)).toBeVisible();
  await buttons.first().click();
  await expect(agent.reply).toHaveValue('下单时选择电子发票。');
  await agent.page.getByRole('button', { name: C.menu }).click();
  await agent.page.getByRole('menuitem', { name: '关闭知识库推荐' }).click();
  await expect(region).toHaveCount(0);
});

test.describe('in English', () => {
  test.use({ lang: 'en', greeting: '' });

  test('what is too much to be searched in a browser is said, not passed over', async ({ stage }) => {
    const entries = Array.from({ length: 200 }, (_, n) => ({
      id: `e${n}`,
      question: `How do I return item ${n}?`,
      answer: '长'.repeat(8_000),
    }));
    // as an import would leave it, without its vectors, which nobody asks for here
    mkdirSync(join(stage.kefu.dir, 'knowledge'), { recursive: true });
    writeFileSync(join(stage.kefu.dir, 'knowledge', 'knowledge.json'), JSON.stringify({ version: 1, entries }));
    const agent = await stage.agent('li', 'Li Na');
    const visitor = await stage.visitor();
    await visitor.visit(stage.shop.origin);
    await visitor.send('How do I return an item?');
    await agent.open('How do I return an item?');
    const region = agent.page.getByRole('region', { name: REGION });
    await expect(region.getByRole('status')).toContainText('too large to be searched');
    await expect(region.getByRole('button')).toHaveCount(0);
    await picture(agent.page, 'assist-too-large-en');
  });
});
