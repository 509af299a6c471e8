/** Conversations of the past: the list with its filters, one to read beside it, and the search in what was said. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { C, type Agent } from '../support/agent';
import { accessible, bringAxe } from '../support/axe';
import { H, History } from '../support/history';
import { expect, picture, test, type Stage } from '../support/test';
import { W, type Visitor } from '../support/visitor';

const WORDS = {
  'zh-CN': {
    first: '请问运费怎么算',
    second: '我要退货，单号SF1234567',
    third: '发票什么时候开',
    answer: '满百包邮，不满收运费十元',
    word: '运费',
  },
  en: {
    first: 'how much is shipping',
    second: 'I want to return SF1234567',
    third: 'where is my invoice',
    answer: 'shipping is free from 100',
    word: 'ship',
  },
};

/** Three visitors; the first one was answered, and their conversation is closed. */
async function past(stage: Stage, li: Agent, w: (typeof WORDS)['en']): Promise<Visitor[]> {
  const visitors = [];
  for (const [name, text] of [
    ['陈一', w.first],
    ['陈二', w.second],
    ['陈三', w.third],
  ] as const) {
    const visitor = await stage.visitor();
    await visitor.visit(stage.shop.origin);
    await visitor.panel.getByRole('textbox').first().fill(name);
    await visitor.panel.getByRole('button', { name: W.start }).click();
    await visitor.send(text);
    await visitor.sees(text);
    visitors.push(visitor);
  }
  await expect(li.items).toHaveCount(3);
  await li.open('陈一');
  await li.send(w.answer);
  await visitors[0]!.sees(w.answer);
  await li.closeConversation();
  return visitors;
}

for (const lang of ['zh-CN', 'en'] as const) {
  const w = WORDS[lang];
  test.describe(`history, ${lang}`, () => {
    test.use({ lang, form: 'name:required', config: { KEFU_DESK__CAPACITY: '5' } });

    test('lists all conversations of the team, filtered, and shows one to read', async ({ stage }) => {
      const li = await stage.agent('li', '李娜');
      await bringAxe(li.page.context());
      await past(stage, li, w);
      const wu = await stage.agent('wu', '吴敏');
      const history = new History(wu.page);
      await history.open();
      await expect(wu.page).toHaveURL(/#\/history$/);
      await expect(history.rows).toHaveCount(3);
      for (const name of ['陈一', '陈二', '陈三']) await expect(history.row(name)).toBeVisible();

      await history.list.getByText(H.filters).click();
      await history.choose(H.state, /已结束|Closed/);
      await expect(history.rows).toHaveCount(1);
      await expect(history.row('陈一')).toContainText(w.answer.slice(0, 4));
      await history.choose(H.agent, '吴敏');
      await expect(history.rows).toHaveCount(0);
      await history.choose(H.agent, '李娜');
      await expect(history.rows).toHaveCount(1);
      const tomorrow = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
      await history.list.getByLabel(H.from).fill(tomorrow);
      await expect(history.rows).toHaveCount(0);
      await history.list.getByLabel(H.from).fill('');
      await expect(history.rows).toHaveCount(1);

      await history.row('陈一').click();
      await expect(history.log.getByText(w.first)).toBeVisible();
      await expect(history.log.getByText(w.answer)).toBeVisible();
      await expect(wu.page.getByText(H.readOnly)).toBeVisible();
      await expect(wu.page.getByRole('textbox', { name: C.reply })).toHaveCount(0);
      await picture(wu.page, `history-${lang}`);
      // the place is kept over a reload; Back closes the conversation
      await wu.page.reload();
      await expect(history.log.getByText(w.answer)).toBeVisible();
      await expect(history.rows).toHaveCount(1);
      await wu.page.goBack();
      await expect(history.log).toHaveCount(0);
      await history.list.getByRole('button', { name: H.clear }).click();
      await expect(history.rows).toHaveCount(3);

      // what is not one's own says so
      await wu.page.goto(`${wu.console}#/history?c=${'ab'.repeat(16)}`);
      await expect(wu.page.getByText(H.gone)).toBeVisible();
      await history.list.getByRole('button', { name: H.back }).click();
      await expect(wu.list).toBeVisible();
    });

    test('finds what was said, and no longer what was taken back', async ({ stage }) => {
      const li = await stage.agent('li', '李娜');
      const visitors = await past(stage, li, w);
      const history = new History(li.page);
      await history.open();
      await expect(history.field).toBeDisabled();
      await picture(li.page, `search-ask-${lang}`);
      await history.build();
      await history.find(w.word);
      await expect(history.hits).toHaveCount(2);
      await expect(history.hits.first().locator('mark')).toHaveText(w.word);
      await expect(history.hits.first()).toContainText('陈一');
      await picture(li.page, `search-${lang}`);
      // by keyboard: to the results, into the conversation, at the message
      await history.hits.first().focus();
      await li.page.keyboard.press('ArrowDown');
      await expect(history.hits.nth(1)).toBeFocused();
      await li.page.keyboard.press('Enter');
      const line = history.log.locator('[data-line]').filter({ hasText: w.first });
      await expect(line).toBeFocused();
      await expect(line).toBeInViewport();

      await history.find('"SF1234567"');
      await expect(history.hits).toHaveCount(1);
      await history.find('4567');
      await expect(history.hits).toHaveCount(1);
      await history.find(`${w.word} SF1234567`);
      await expect(history.list.getByText(H.none)).toBeVisible();

      // taken back: it leaves the index by itself
      await history.find('SF1234567');
      await expect(history.hits).toHaveCount(1);
      await visitors[1]!.panel.getByRole('button', { name: /^(撤回|Recall|Take back)$/ }).click();
      await expect(history.list.getByText(H.none)).toBeVisible();
      // new words come into it
      await visitors[2]!.send('SF1234567');
      await expect(history.hits).toHaveCount(1);

      // after a reload it is there at once, also for who comes from the desk
      await li.page.goto(li.console);
      await li.atDesk();
      await history.open();
      await expect(history.list.getByText(H.done)).toBeVisible();
      await history.find(w.word);
      await expect(history.hits).toHaveCount(2);

      // nothing of it stays after a sign-out
      const databases = () => li.page.evaluate(async () => (await indexedDB.databases()).map((d) => d.name));
      expect((await databases()).join()).toContain('kefu-search');
      await history.list.getByRole('button', { name: H.back }).click();
      await li.page.getByRole('button', { name: C.menu }).click();
      await li.page.getByRole('menuitem', { name: /^(退出登录|Sign out)$/ }).click();
      await expect(li.page.getByRole('button', { name: C.signIn })).toBeVisible();
      await expect.poll(async () => (await databases()).join()).not.toContain('kefu-search');
    });
  });
}

test.describe('an export', () => {
  test.use({ form: 'name:required', config: { KEFU_DESK__CAPACITY: '5' } });
  test('holds what was sealed and signed, and is caught when it is changed', async ({ stage }) => {
    const li = await stage.agent('li', '李娜');
    const visitors = await past(stage, li, WORDS['zh-CN']);
    await li.open('陈二');
    await li.note('<b>脾气不好</b>');
    await li.send('<script>alert(1)</script> 收到');
    await visitors[1]!.sees('<script>alert(1)</script> 收到');
    await visitors[1]!.send('写错了');
    await visitors[1]!.sees('写错了');
    // its own button, which comes when the server has it
    const own = visitors[1]!.log.locator('.k-right').last();
    await own.getByRole('button', { name: /^撤回$/ }).click();
    await expect(li.log.getByText('写错了')).toHaveCount(0);

    const history = new History(li.page);
    await history.open();
    await history.row('陈二').click();
    const save = async (what: string): Promise<string> => {
      await li.page.getByRole('main').getByRole('button', { name: H.exportAs }).click();
      const file = li.page.waitForEvent('download');
      await li.page.getByRole('menuitem', { name: what, exact: true }).click();
      const path = join(mkdtempSync(join(tmpdir(), 'kefu-export-')), (await file).suggestedFilename());
      await (await file).saveAs(path);
      return path;
    };
    const json = await save('JSON，包含备注');
    expect(json).toMatch(/kefu-\d{4}-\d\d-\d\d-[0-9a-f]{8}\.json$/);
    const verified = await stage.kefu.cli('export', 'verify', json);
    expect(verified).toMatchObject({ pinned: true, messages: 3, notes: 1, locked: 0, taken_back: 1, faults: [] });

    // whatever is changed in it is found
    const good = readFileSync(json, 'utf8');
    const bad = join(dirname(json), 'bad.json');
    const changes: [RegExp | string, string][] = [
      [/收到/, '没收到'],
      [/("user": "li",\s*"name": )"李娜"/, '$1"王班长"'],
      ['"user": "li"', '"user": "wu"'],
      [/("at": \d{9})\d{4}(,\s*"msg")/, '$10000$2'],
      [/"status": "taken_back"/, '"status": "good"'],
      // a byte of the last record; the one before it goes
      [/("records": \[[^\]]*"[\w-]{80})(\w)/, '$1-'],
      [/,\s*"[\w-]+"(,\s*"[\w-]+"\s*\],\s*"directory")/, '$1'],
      [/("key": ")./, '$1-'],
    ];
    for (const [from, to] of changes) {
      const changed = good.replace(from, to);
      expect(changed, String(from)).not.toBe(good);
      writeFileSync(bad, changed);
      await expect(stage.kefu.cli('export', 'verify', bad), String(from)).rejects.toThrow();
    }
    const other = `k1-${'0'.repeat(32)}`;
    await expect(stage.kefu.cli('export', 'verify', json, '--org', other)).rejects.toThrow(/another company/);

    const html = readFileSync(await save('HTML（可直接查看和打印）'), 'utf8');
    expect(html).not.toMatch(/<script|脾气不好|写错了/);
    expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt; 收到');
    const page = await (await stage.context()).newPage();
    await page.setContent(html);
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('陈二 · 云杉银行');
    await expect(page.getByText('全部有效')).toBeVisible();
    await picture(page, 'export-html');
    expect(readFileSync(await save('HTML，包含备注'), 'utf8')).toContain('&lt;b&gt;脾气不好&lt;/b&gt;');
  });
});

test.describe('the page of the history', () => {
  test.use({ form: 'name:required' });
  test('is clean for screen readers, light, dark and on a phone', async ({ stage }) => {
    const code = await stage.kefu.invite('li', '李娜', ['svc']);
    const li = await stage.browserOfAgent();
    await bringAxe(li.page.context());
    await li.enrol(code);
    await past(stage, li, WORDS['zh-CN']);
    const history = new History(li.page);
    await history.open();
    await history.build();
    // colours that change slowly are measured half way
    await li.page.emulateMedia({ reducedMotion: 'reduce' });
    await history.list.getByText(H.filters).click();
    await accessible(li.page, 'the list', 'html', true);
    await history.find('运费');
    await history.hits.first().click();
    await expect(history.log).toBeVisible();
    await accessible(li.page, 'a result', 'html', true);
    await li.page.emulateMedia({ colorScheme: 'dark' });
    await picture(li.page, 'search-dark');
    await accessible(li.page, 'dark', 'html', true);
    await li.page.setViewportSize({ width: 390, height: 844 });
    await accessible(li.page, 'a conversation on a phone', 'html', true);
    await picture(li.page, 'history-phone-thread');
    await li.page
      .getByRole('main')
      .getByRole('button', { name: /^(返回|Back)$/ })
      .click();
    await expect(history.list).toBeVisible();
    await accessible(li.page, 'a list on a phone', 'html', true);
    await picture(li.page, 'history-phone-list');
  });
});
