/** The field and the thread at a desk: drafts over a reload, emoji, colleagues named in notes, keys, words found, events folded. */
import { accessible, bringAxe } from '../support/axe';
import { C, PASSWORD, type Agent } from '../support/agent';
import { canary, search } from '../support/canary';
import { expect, picture, test, type Stage } from '../support/test';
import type { Visitor } from '../support/visitor';

const K = {
  emoji: /^(表情|Emoji)$/,
  find: /^(在会话中查找|Find in conversation)$/,
  older: /^(更早的一条|Earlier one)$/,
  ctrl: /^(改用 Ctrl\+Enter 发送|Send with Ctrl\+Enter)$/,
  mentions: /^(提醒同事|Notify a colleague)$/,
  logout: /^(退出登录|Sign out)$/,
};

async function talk(stage: Stage, name: string, asked: string): Promise<{ li: Agent; visitor: Visitor }> {
  const code = await stage.kefu.invite('li', name, ['svc']);
  const li = await stage.browserOfAgent();
  await bringAxe(li.page.context());
  await li.enrol(code);
  const visitor = await stage.visitor();
  await visitor.visit(stage.shop.origin);
  await visitor.send(asked);
  await li.open(asked);
  return { li, visitor };
}

/** Everything that the page keeps in IndexedDB, as text. */
const kept = (agent: Agent) =>
  agent.page.evaluate(async () => {
    const open = indexedDB.open('kefu-console');
    const db = await new Promise<IDBDatabase>((done) => (open.onsuccess = () => done(open.result)));
    const all = db.transaction('kv').objectStore('kv');
    const [names, values] = [all.getAllKeys(), all.getAll()];
    await new Promise<void>((done) => (values.onsuccess = () => done()));
    db.close();
    const text = JSON.stringify(values.result, (_, v: unknown) =>
      v instanceof Uint8Array ? new TextDecoder().decode(v) : v,
    );
    return { drafts: names.result.map(String).filter((n) => n.includes('/draft/')), text };
  });

test('what was being written is there after a reload, sealed, and gone after signing out', async ({ stage }) => {
  const { li } = await talk(stage, '李娜', '你好');
  const words = canary('draft');
  await li.reply.fill(words);
  await li.page.getByRole('tab', { name: C.note }).click();
  await li.page.getByRole('textbox', { name: C.note }).fill(`note ${words}`);
  await expect.poll(async () => (await kept(li)).drafts.length).toBe(2);
  expect((await kept(li)).text).not.toContain(words);
  await li.page.reload();
  await li.atDesk();
  await expect(li.reply).toHaveValue(words);
  await li.reply.press('Enter');
  await li.sees(words);
  await expect.poll(async () => (await kept(li)).drafts).toHaveLength(1);
  expect(search({ words }, [stage.kefu.dir], [stage.kefu.log])).toEqual([]);
  await li.page.getByRole('button', { name: C.menu }).click();
  await li.page.getByRole('menuitem', { name: K.logout }).click();
  await expect(li.page.getByRole('button', { name: C.signIn })).toBeVisible();
  await expect.poll(async () => (await kept(li)).drafts).toEqual([]);
  await li.login('li', PASSWORD);
  await li.open(/访客/);
  await li.page.getByRole('tab', { name: C.note }).click();
  await expect(li.page.getByRole('textbox', { name: C.note })).toHaveValue('');
});

test('emoji go where the cursor is; Ctrl+Enter sends if one likes', async ({ stage }) => {
  const { li, visitor } = await talk(stage, '李娜', '你好');
  await li.reply.fill('谢谢您');
  await li.reply.press('ArrowLeft');
  await li.page.getByRole('button', { name: K.emoji }).click();
  const emoji = li.page.getByRole('dialog', { name: K.emoji });
  await expect(emoji.getByRole('button').first()).toBeFocused();
  await picture(li.page, 'emoji');
  await accessible(li.page, 'emoji', 'html', true);
  await li.page.keyboard.press('ArrowRight');
  await li.page.keyboard.press('ArrowLeft');
  await li.page.keyboard.press('Enter');
  await expect(emoji).toHaveCount(0);
  await expect(li.reply).toHaveValue('谢谢😀您');
  await expect(li.reply).toBeFocused();
  await li.page.getByRole('button', { name: K.emoji }).click();
  await li.page.keyboard.press('Escape');
  await expect(emoji).toHaveCount(0);
  await li.page.getByRole('button', { name: C.menu }).click();
  await li.page.getByRole('menuitem', { name: K.ctrl }).click();
  await li.reply.press('End');
  await li.reply.press('Enter');
  await li.reply.pressSequentially('再见');
  await expect(li.reply).toHaveValue('谢谢😀您\n再见');
  await li.page.reload();
  await li.atDesk();
  await expect(li.reply).toHaveAttribute('placeholder', /Ctrl\+Enter/);
  await expect(li.reply).toHaveValue('谢谢😀您\n再见');
  await li.reply.press('Control+Enter');
  await expect(visitor.log).toContainText('谢谢😀您');
  await expect(li.reply).toHaveValue('');
});

test('a colleague who is named in a note hears of it', async ({ stage }) => {
  const { li } = await talk(stage, '李娜', '你好');
  const wang = await stage.agent('wang', '王强');
  const words = canary('named');
  await li.page.getByRole('tab', { name: C.note }).click();
  const note = li.page.getByRole('textbox', { name: C.note });
  await note.pressSequentially('请 @王');
  await expect(li.page.getByRole('listbox', { name: K.mentions }).getByRole('option')).toHaveCount(1);
  await picture(li.page, 'mention');
  await accessible(li.page, 'mention', 'html', true);
  await note.press('Enter');
  await expect(note).toHaveValue('请 @王强 ');
  await note.pressSequentially(words);
  await note.press('Enter');
  await expect(li.log).toContainText(words);
  await expect(wang.page.getByText('李娜在备注中提到了您')).toBeVisible();
  expect(search({ words }, [stage.kefu.dir], [stage.kefu.log])).toEqual([]);
});

test('many events in a row are one line, which unfolds', async ({ stage }) => {
  const { li } = await talk(stage, '李娜', '你好');
  const wang = await stage.agent('wang', '王强');
  await li.transfer('王强');
  await wang.item('你好').click();
  await wang.transfer('李娜');
  await expect(li.log).toContainText('王强把会话转接给李娜');
  await li.transfer('王强');
  await expect(li.log).toContainText('条会话动态');
  const fold = li.log.locator('.c-fold');
  await expect(fold.getByText('李娜 接受了会话')).toBeHidden();
  await picture(li.page, 'folded');
  await fold.getByText('展开').click();
  await expect(fold.getByText('李娜 接受了会话')).toBeVisible();
  await accessible(li.page, 'unfolded', 'html', true);
});

test.describe('in English', () => {
  test.use({ lang: 'en', greeting: '' });

  test('words are found, by the keyboard alone; what comes meanwhile is counted', async ({ stage }) => {
    const { li, visitor } = await talk(stage, 'Li Na', 'the first question');
    for (let n = 0; n < 15; n++) await li.send(`line ${n}\nline\nline`);
    await expect(li.log).toContainText('line 14');
    await li.page.keyboard.press('Control+Shift+F');
    const field = li.page.getByRole('textbox', { name: K.find });
    await expect(field).toBeFocused();
    await field.fill('QUESTION');
    await expect(li.page.getByText('1 of 1')).toBeVisible();
    await expect(li.log.getByText('the first question')).toBeInViewport();
    await picture(li.page, 'find-en');
    await accessible(li.page, 'find-en', 'html', true);
    // the reader is elsewhere: what comes is counted
    await visitor.send('one more');
    await visitor.send('and another');
    const below = li.page.getByRole('button', { name: /^New messages \d+$/ });
    await expect(below).toHaveText(/2/);
    await field.fill('line 1');
    await expect(li.page.getByText('1 of 6')).toBeVisible();
    await field.press('Enter');
    await expect(li.page.getByText('2 of 6')).toBeVisible();
    await field.press('Shift+Enter');
    await expect(li.page.getByText('1 of 6')).toBeVisible();
    await field.fill('nowhere');
    await expect(li.page.getByText('Nothing found')).toBeVisible();
    await field.press('Escape');
    await expect(li.reply).toBeFocused();
    await li.page.keyboard.press('Control+Shift+F');
    await expect(field).toHaveValue('');
  });
});
