/** How agents are called back: sounds, notices of the system, quiet, and one tab that does it for all. */
import type { Page } from '@playwright/test';
import { C, type Agent } from '../support/agent';
import { accessible, bringAxe } from '../support/axe';
import { canary } from '../support/canary';
import { expect, picture, test } from '../support/test';

interface Seen {
  rings: number;
  /** When the last was heard in any tab. */
  rang: number;
  notices: { title: string; body: string }[];
  look(at: boolean): void;
}
declare const __seen: Seen;

/** Puts recorders in place of what a browser without a screen and loudspeakers has. Every tab is looked at until it is told otherwise. */
async function record(agent: Agent): Promise<void> {
  await agent.page.context().addInitScript(() => {
    // frames without an origin have nothing to keep, and no notices
    if (origin === 'null') return;
    const seen = {
      rings: 0,
      notices: [] as { title: string; body: string }[],
      look: (_: boolean) => undefined as void,
    };
    let looks = true;
    document.hasFocus = () => looks;
    seen.look = (at) => {
      looks = at;
      dispatchEvent(new Event(at ? 'focus' : 'blur'));
    };
    Object.defineProperty(seen, 'rang', { get: () => Number(localStorage.getItem('rang')) });
    class Fake {
      static permission: NotificationPermission = localStorage.getItem('leave') === 'yes' ? 'granted' : 'default';
      static asked = 0;
      static async requestPermission(): Promise<NotificationPermission> {
        localStorage.setItem('leave', 'yes');
        return (Fake.permission = 'granted');
      }
      onclick: (() => void) | null = null;
      constructor(title: string, { body }: { body: string }) {
        seen.notices.push({ title, body });
      }
      close() {}
    }
    const start = AudioContext.prototype.createGain;
    AudioContext.prototype.createGain = function (this: AudioContext) {
      seen.rings++;
      localStorage.setItem('rang', String(Date.now()));
      return start.call(this);
    };
    Object.assign(globalThis, { __seen: seen, Notification: Fake });
  });
}

/** Gains of one chime. */
const NOTES = 2;
const rings = async (pages: Page[]) =>
  (await Promise.all(pages.map((page) => page.evaluate(() => __seen.rings)))).reduce((a, b) => a + b, 0) / NOTES;
const notices = async (pages: Page[]) =>
  (await Promise.all(pages.map((page) => page.evaluate(() => __seen.notices)))).flat();
/** What comes within two seconds of a sound makes none. */
const quietFor = (pages: Page[]) =>
  expect.poll(() => pages[0]!.evaluate(() => Date.now() - __seen.rang)).toBeGreaterThan(2_000);
const look = (page: Page, at: boolean) => page.evaluate((on) => __seen.look(on), at);

for (const lang of ['zh-CN', 'en']) {
  const zh = lang === 'zh-CN';
  test.describe(lang, () => {
    test.use({ lang });

    test('five tabs ring once, by the keyboard alone, and quiet is quiet', async ({ stage }) => {
      test.slow();
      const code = await stage.kefu.invite('li', '李娜', ['svc']);
      const agent = await stage.browserOfAgent();
      await bringAxe(agent.page.context());
      await record(agent);
      await agent.enrol(code);
      const { page } = agent;

      // the settings, without a mouse
      const menu = page.getByRole('button', { name: C.menu });
      await menu.focus();
      await menu.press('Enter');
      await page.getByRole('menuitem', { name: zh ? '提醒设置…' : 'Sounds and notices…' }).press('Enter');
      const dialog = page.getByRole('dialog', { name: zh ? '提醒设置' : 'Notices' });
      await expect(dialog).toBeVisible();
      expect((await notices([page])).length).toBe(0);
      const sound = dialog.getByRole('checkbox', { name: zh ? /有新消息或新会话时/ : /Play a sound/ });
      await sound.press('Space');
      await expect(sound).toBeChecked();
      const allow = dialog.getByRole('button', { name: zh ? '允许桌面通知' : 'Allow desktop notices' });
      await allow.press('Enter');
      await expect(dialog.getByRole('checkbox', { name: zh ? /不在看工作台时/ : /while you look/ })).toBeChecked();
      await expect(dialog.getByRole('checkbox', { name: zh ? /显示访客姓名/ : /Show names/ })).not.toBeChecked();
      await picture(page, `notices-${lang}`);
      await accessible(page, 'the settings of notices', 'html');
      await page.emulateMedia({ colorScheme: 'dark' });
      await picture(page, `notices-${lang}-dark`);
      await accessible(page, 'the settings of notices, dark', 'html');
      await page.emulateMedia({ colorScheme: 'light' });
      await page.setViewportSize({ width: 390, height: 760 });
      await picture(page, `notices-${lang}-phone`);
      await page.setViewportSize({ width: 1280, height: 800 });
      await page.keyboard.press('Escape');
      await expect(dialog).toBeHidden();

      const pages = [page];
      for (let n = 0; n < 4; n++) {
        const tab = await page.context().newPage();
        await tab.goto(agent.console);
        await expect(tab.getByRole('navigation', { name: C.list })).toBeVisible();
        pages.push(tab);
      }
      for (const tab of pages) await look(tab, false);
      const visitor = await stage.visitor();
      await visitor.visit(stage.shop.origin);
      const secret = canary('notice');
      await visitor.send(`first ${secret}`);
      for (const tab of pages) await expect(tab).toHaveTitle(/^\(1\)/);
      await expect.poll(() => rings(pages)).toBe(1);
      await expect.poll(async () => (await notices(pages)).length).toBeGreaterThan(0);
      const shown = await notices(pages);
      expect(shown.every(({ title, body }) => !`${title}${body}`.includes(secret))).toBe(true);

      // while one of the tabs is looked at, the system shows nothing; the sound comes all the same
      await look(pages[3]!, true);
      await quietFor(pages);
      await visitor.send('second');
      for (const tab of pages) await expect(tab).toHaveTitle(/^\(2\)/);
      await expect.poll(() => rings(pages)).toBe(2);
      expect(await notices(pages)).toEqual(shown);
      await look(pages[3]!, false);

      // the tab that rang is closed: another one rings
      const counts = await Promise.all(pages.map((tab) => tab.evaluate(() => __seen.rings)));
      const leader = counts.indexOf(Math.max(...counts));
      await pages[leader]!.close();
      const left = pages.filter((_, n) => n !== leader);
      await quietFor(left);
      await visitor.send('third');
      for (const tab of left) await expect(tab).toHaveTitle(/^\(3\)/);
      await expect.poll(() => rings(left)).toBe(1);

      // quiet, chosen in one tab, holds in all
      await left[1]!.getByRole('button', { name: C.menu }).click();
      await left[1]!.getByRole('menuitem', { name: zh ? '开启免打扰' : 'Do not disturb' }).click();
      const status = left[2]!.getByRole('button', { name: C.status });
      await expect(status).toContainText(zh ? '免打扰' : 'Do not disturb');
      const before = await notices(left);
      await quietFor(left);
      await visitor.send('fourth');
      for (const tab of left) await expect(tab).toHaveTitle(/^\(4\)/);
      expect([await rings(left), await notices(left)]).toEqual([1, before]);
    });
  });
}

test('names and words are shown only where somebody has chosen so', async ({ stage }) => {
  const code = await stage.kefu.invite('li', '李娜', ['svc']);
  const agent = await stage.browserOfAgent();
  await agent.page.context().addInitScript(() => {
    if (origin === 'null') return;
    localStorage.setItem('leave', 'yes');
    for (const key of ['desktop', 'content']) localStorage.setItem(`kefu.console.${key}`, 'on');
  });
  await record(agent);
  await agent.enrol(code);
  const visitor = await stage.visitor();
  await visitor.visit(stage.shop.origin);
  await visitor.send('你好');
  await expect(agent.item('你好')).toBeVisible();
  await look(agent.page, false);
  await visitor.send('还在吗？');
  await expect.poll(async () => (await notices([agent.page])).map(({ body }) => body)).toContain('还在吗？');
});
