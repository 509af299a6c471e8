/** An agent changes what they just wrote, and quotes what was written; the visitor sees both. */
import { accessible, bringAxe } from '../support/axe';
import { C, type Agent } from '../support/agent';
import { canary, search } from '../support/canary';
import { expect, picture, test, type Stage } from '../support/test';
import type { Visitor } from '../support/visitor';

const E = {
  edit: /^(修改|Edit)$/,
  edited: /^(已修改|Edited)$/,
  quote: /^(引用|Quote)$/,
  recall: /^(撤回|Recall)$/,
  cancel: /^(取消|Cancel)$/,
};

async function talk(stage: Stage, name: string): Promise<{ li: Agent; visitor: Visitor }> {
  const code = await stage.kefu.invite('li', name, ['svc']);
  const li = await stage.browserOfAgent();
  await bringAxe(li.page.context());
  await li.enrol(code);
  const visitor = await stage.visitor();
  await bringAxe(visitor.page.context());
  await visitor.visit(stage.shop.origin);
  await visitor.send('多少钱？');
  await li.open('多少钱？');
  return { li, visitor };
}

/** The line of a message, with what can be done to it. */
const line = (who: Agent | Visitor, text: string) => who.log.locator('.k-bubble-row').filter({ hasText: text });

test('a text is changed within two minutes; the earlier one can be read; a recall takes both', async ({ stage }) => {
  const { li, visitor } = await talk(stage, '李娜');
  const [first, second] = [canary('first'), canary('second')];
  await li.send(first);
  await visitor.sees(first);
  await li.reply.fill('写到一半');
  await line(li, first).getByRole('button', { name: E.edit }).click();
  await expect(li.reply).toHaveValue(first);
  await picture(li.page, 'edit-writing');
  await accessible(li.page, 'edit-writing', 'html', true);
  await li.reply.press('Escape');
  await expect(li.reply).toHaveValue('写到一半');
  await li.reply.fill('');
  await li.reply.press('ArrowUp');
  await expect(li.reply).toHaveValue(first);
  await li.send(second);
  for (const who of [li, visitor]) {
    await who.sees(second);
    await expect(who.said(first)).toBeHidden();
    await line(who, second).getByText(E.edited).click();
    await expect(who.said(first)).toBeVisible();
  }
  await expect(li.item(second)).toBeVisible();
  await picture(visitor.page, 'edited-widget');
  await accessible(visitor.page, 'edited-widget', 'html', true);
  await visitor.reload();
  await visitor.sees(second);
  await expect(visitor.log.locator('.k-gap')).toHaveCount(0);
  await visitor.send('好的');
  await li.sees('好的');
  await line(li, second).getByRole('button', { name: E.recall }).click();
  for (const who of [li, visitor]) await expect(who.log.getByText(/撤回了一条消息/)).toHaveCount(1);
  for (const who of [li, visitor]) await expect(who.log).not.toContainText('second');
  await li.page.reload();
  await li.atDesk();
  await li.open('好的');
  await expect(li.log).not.toContainText('second');
  expect(search({ first, second }, [stage.kefu.dir], [stage.kefu.log])).toEqual([]);
});

test('a message is quoted; pressing the quote goes to it', async ({ stage }) => {
  const { li, visitor } = await talk(stage, '李娜');
  for (let n = 0; n < 12; n++) await li.send(`第 ${n} 条\n两行\n三行`);
  await line(li, '多少钱？').getByRole('button', { name: E.quote }).click();
  await expect(li.page.getByText('回复：')).toBeVisible();
  await li.send('五元');
  const quote = (who: Agent | Visitor) => line(who, '五元').getByRole('button', { name: '多少钱？' });
  await expect(quote(visitor)).toBeVisible();
  await picture(li.page, 'quote-console');
  await picture(visitor.page, 'quote-widget');
  await accessible(li.page, 'quote-console', 'html', true);
  for (const who of [li, visitor]) {
    await expect(who.log.getByText('多少钱？').first()).not.toBeInViewport();
    await quote(who).click();
    await expect(who.log.getByText('多少钱？').first()).toBeInViewport();
  }
  await line(li, '五元').getByRole('button', { name: E.edit }).click();
  await li.send('六元');
  await expect(line(visitor, '六元').getByRole('button', { name: '多少钱？' })).toBeVisible();
});

test.describe('in English', () => {
  test.use({ lang: 'en', greeting: '' });

  test('a change and a quote in the words of the page', async ({ stage }) => {
    const { li, visitor } = await talk(stage, 'Li Na');
    await li.send('five');
    await visitor.sees('five');
    await line(li, 'five').getByRole('button', { name: E.edit }).click();
    await expect(li.page.getByText('Editing:')).toBeVisible();
    await li.page.getByRole('button', { name: E.cancel }).click();
    await expect(li.reply).toHaveValue('');
    await li.reply.press('ArrowUp');
    await li.send('six');
    await expect(line(visitor, 'six').getByText('Edited', { exact: true })).toBeVisible();
    await expect(li.reply).toHaveValue('');
    await expect(li.page.getByRole('tab', { name: C.reply })).toBeVisible();
  });
});
