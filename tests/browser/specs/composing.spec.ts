/** Two agents at work while the network of one is cut, and then while the server is killed: what they compose stays, and arrives once. */
import { C } from '../support/agent';
import { expect, test } from '../support/test';
import { W } from '../support/visitor';

const TEXTS = {
  'zh-CN': {
    ann: '请问发票在哪里下载？',
    bo: '运费是多少？',
    draft: '稍等，我帮您',
    rest: '查一下',
    more: '在订单详情里',
    other: '全场包邮',
    note: '老客户，优先',
    killed: '好的，已经发到您的邮箱',
    later: '收到了，谢谢',
  },
  en: {
    ann: 'Where do I find my invoice?',
    bo: 'What does shipping cost?',
    draft: 'One moment, I am ',
    rest: 'looking it up',
    more: 'It is on the page of the order',
    other: 'Shipping is free',
    note: 'A regular customer',
    killed: 'It was sent to your address',
    later: 'Got it, thank you',
  },
} as const;

for (const lang of ['zh-CN', 'en'] as const) {
  test.describe(`in ${lang}`, () => {
    // one conversation each
    test.use({ lang, config: { KEFU_DESK__CAPACITY: '1' } });
    test('what is being written survives a cut network and a killed server', async ({ stage }) => {
      test.setTimeout(180_000);
      const T = TEXTS[lang];
      const li = await stage.agent('li', '李娜');
      const ann = await stage.visitor();
      await ann.visit(stage.shop.origin);
      await ann.send(T.ann);
      await li.open(T.ann);
      const wang = await stage.agent('wang', '王强');
      const bo = await stage.visitor();
      await bo.visit(stage.shop.origin);
      await bo.send(T.bo);
      await wang.open(T.bo);

      // the network of one is cut in the middle of a sentence
      await li.reply.pressSequentially(T.draft);
      await li.page.context().setOffline(true);
      await expect(li.page.getByText(C.offline)).toBeVisible();
      await expect(li.reply).toHaveValue(T.draft);
      await li.reply.pressSequentially(T.rest);
      await li.reply.press('Enter');
      await expect(li.log.locator('.k-queued')).toHaveCount(1);
      await li.reply.pressSequentially(T.more);
      // the others notice nothing
      await wang.send(T.other);
      await bo.sees(T.other);
      await ann.send('?');
      await li.page.context().setOffline(false);
      await expect(li.page.getByText(C.offline)).toBeHidden({ timeout: 40_000 });
      await ann.sees(T.draft + T.rest);
      await li.sees('?');
      await expect(li.log.locator('.k-queued')).toHaveCount(0);
      await expect(li.reply).toHaveValue(T.more);
      await expect(li.reply).toBeFocused();

      // the server is killed while both write, one of them a note
      await wang.page.getByRole('tab', { name: C.note }).click();
      const note = wang.page.getByRole('textbox', { name: C.note });
      await note.fill(T.note);
      await stage.kefu.kill();
      for (const agent of [li, wang]) await expect(agent.page.getByText(C.offline)).toBeVisible();
      await expect(li.reply).toHaveValue(T.more);
      await li.reply.press('Enter');
      await li.send(T.killed);
      await note.press('Enter');
      await expect(li.log.locator('.k-queued')).toHaveCount(2);
      await expect(ann.panel.getByText(W.offline)).toBeVisible();
      await ann.send(T.later);
      await stage.kefu.serve();
      for (const agent of [li, wang]) await expect(agent.page.getByText(C.offline)).toBeHidden({ timeout: 40_000 });
      const all = [T.ann, T.draft + T.rest, '?', T.more, T.killed, T.later];
      for (const text of all) {
        await li.sees(text);
        await ann.sees(text);
      }
      await wang.sees(T.note);
      await expect(bo.said(T.note)).toHaveCount(0);

      // a fresh page shows the same, once
      await li.page.reload();
      await li.atDesk();
      await li.items.first().click();
      for (const text of all) await li.sees(text);
      await expect(li.log.locator('.k-queued')).toHaveCount(0);
    });
  });
}
