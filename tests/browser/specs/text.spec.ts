/** Text is text: nothing that people write becomes markup, script, a dialog or a link that runs. */
import { expect, test } from '../support/test';
import { W } from '../support/visitor';

const BAD = [
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(2)>',
  '<svg/onload=alert(3)>',
  '"><iframe srcdoc="<script>alert(4)</script>">',
  'javascript:alert(5)',
  'data:text/html,<script>alert(6)</script>',
  '{{constructor.constructor("alert(7)")()}}',
];
const RTL = 'invoice\u202Efdp.exe';
/** Fits everywhere, the fields of the command line included. */
const NAME = '<img src=x onerror=alert(8)>';

test.use({ form: 'name,question', greeting: '<b onclick=alert(9)>hi</b><img src=x onerror=alert(10)>' });

test('markup in every field is shown as it was typed, on both sides', async ({ stage }) => {
  await stage.kefu.cli('site', 'change', 'web', '--name', '<svg onload=alert(11)>');
  stage.shop.title = '<script>alert(12)</script>';
  const agent = await stage.agent('li', NAME);
  const visitor = await stage.visitor();
  await visitor.visit(`${stage.shop.origin}/?q=%3Cscript%3Ealert(13)%3C/script%3E#<img src=x onerror=alert(14)>`);
  await expect(visitor.panel.getByText('<b onclick=alert(9)>hi</b>')).toBeVisible();
  const answers = visitor.panel.getByRole('textbox');
  await answers.first().fill('<script>alert(15)</script>');
  await answers.last().fill('<svg/onload=alert(16)>');
  await visitor.panel.getByRole('button', { name: W.start }).click();
  for (const text of [...BAD, RTL]) await visitor.send(text);
  await visitor.sees(RTL);

  await agent.items.first().click();
  for (const text of [...BAD, RTL]) await agent.sees(text);
  for (const text of BAD) await agent.send(`${text} back`);
  for (const text of BAD) await visitor.sees(`${text} back`);
  await agent.note('<script>alert(17)</script> note');
  await agent.sees('<script>alert(17)</script> note');
  const about = agent.page.getByRole('complementary');
  await expect(about.getByText('<script>alert(15)</script>').first()).toBeVisible();
  await expect(about.getByText('<script>alert(12)</script>')).toBeVisible();
  await expect(visitor.panel.getByRole('heading', { level: 1 })).toHaveText(NAME);

  for (const side of [visitor, agent]) {
    const made = await side.page.evaluate(() => {
      const root = document.querySelector('kefu-widget')?.shadowRoot ?? document;
      const strange = [
        ...root.querySelectorAll('script, iframe, img, b, object, embed, [onerror], [onload], [onclick], [srcdoc]'),
      ];
      const links = [...root.querySelectorAll('a')].map((a) => a.protocol);
      return {
        // The console's own page has its own script.
        strange: strange.filter((e) => !(e instanceof HTMLScriptElement && e.src)).map((e) => e.outerHTML),
        links: links.filter((protocol) => protocol !== 'http:' && protocol !== 'https:'),
      };
    });
    expect(made).toEqual({ strange: [], links: [] });
    // What runs backwards stays in its own line: nothing after it is turned around.
    const isolated = await side.said(RTL).evaluate((e) => getComputedStyle(e).unicodeBidi);
    expect(['isolate', 'plaintext', 'isolate-override']).toContain(isolated);
  }
  stage.complaints.none();
});

test('Enter of an input method chooses a word and does not send', async ({ stage }) => {
  const agent = await stage.agent('li', '李娜');
  const visitor = await stage.visitor();
  await visitor.visit(stage.shop.origin);
  await visitor.panel.getByRole('button', { name: W.start }).click();
  await visitor.send('先说一句');
  await agent.open('先说一句');
  for (const [side, field, second] of [
    [visitor, visitor.field, '访客的第二行'],
    [agent, agent.reply, '坐席的第二行'],
  ] as const) {
    await field.focus();
    const session = await side.page.context().newCDPSession(side.page);
    await session.send('Input.imeSetComposition', { text: 'nihao', selectionStart: 5, selectionEnd: 5 });
    // What browsers send for the Enter that ends a composition.
    await session.send('Input.dispatchKeyEvent', {
      type: 'rawKeyDown',
      windowsVirtualKeyCode: 229,
      key: 'Process',
      code: 'Enter',
    });
    await field.evaluate((e) =>
      e.dispatchEvent(
        new KeyboardEvent('keydown', {
          key: 'Enter',
          code: 'Enter',
          isComposing: true,
          bubbles: true,
          cancelable: true,
          composed: true,
        }),
      ),
    );
    await expect(field).toHaveValue('nihao');
    await session.send('Input.insertText', { text: '你好' });
    await expect(field).toHaveValue('你好');
    await expect(side.log.locator('.k-right').getByText('你好', { exact: true })).toHaveCount(0);
    await field.press('Shift+Enter');
    await field.pressSequentially(second);
    await expect(field).toHaveValue(`你好\n${second}`);
    await field.press('Enter');
    await expect(field).toHaveValue('');
    for (const reader of [visitor, agent]) await expect(reader.log.getByText(second)).toHaveCount(1);
  }
});

test('two visitors at once see nothing of each other', async ({ stage }) => {
  const agent = await stage.agent('li', '李娜');
  const [one, two] = [await stage.visitor(), await stage.visitor()];
  for (const [visitor, text] of [
    [one, '我是甲'],
    [two, '我是乙'],
  ] as const) {
    await visitor.visit(stage.shop.origin);
    await visitor.panel.getByRole('button', { name: W.start }).click();
    await visitor.send(text);
  }
  await expect(agent.items).toHaveCount(2);
  await agent.open('我是甲');
  await agent.send('答甲');
  await agent.open('我是乙');
  await agent.send('答乙');
  await one.sees('答甲');
  await two.sees('答乙');
  await one.send('甲谢谢');
  await two.send('乙谢谢');
  await expect(agent.item('甲谢谢')).toBeVisible();
  await agent.sees('乙谢谢');
  for (const text of ['我是乙', '答乙', '乙谢谢']) await expect(one.said(text)).toHaveCount(0);
  for (const text of ['我是甲', '答甲', '甲谢谢']) await expect(two.said(text)).toHaveCount(0);
});
