/** The two pictures of the README. Only on demand: `npm run pictures`. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '../support/test';
import { W } from '../support/visitor';

const IMAGES = join(import.meta.dirname, '..', '..', '..', 'docs', 'images');
const LIMIT = 200 * 1024;
const LOOK = { colorScheme: 'light', reducedMotion: 'reduce', deviceScaleFactor: 1.5 } as const;

test.skip(!process.env.KEFU_PICTURES, 'makes docs/images; npm run pictures');
test.use({ form: 'name', greeting: '您好，这里是云杉银行。请问有什么可以帮您？' });

test('pictures', async ({ stage }) => {
  const agent = await stage.agent('li', '李娜', ['svc'], 'agent', { ...LOOK, viewport: { width: 1280, height: 760 } });
  stage.shop.title = '云杉银行 · 网上营业厅';
  stage.shop.body = BODY;
  stage.shop.style = STYLE;
  const people = [
    { name: '陈思远', says: ['你好，我的信用卡被锁了'], is: '您好，请稍等，我来查一下。' },
    { name: '王小雨', says: ['我想提高转账限额'], is: '' },
    { name: '周琳', says: ['请问周末能办理开户吗？'], is: '可以的，周六 9:00–17:00。' },
  ];
  const visitors = [];
  for (const one of people) {
    const visitor = await stage.visitor({ ...LOOK, viewport: { width: 1100, height: 740 } });
    await visitor.visit(`${stage.shop.origin}/card`);
    await visitor.panel.getByRole('textbox').first().fill(one.name);
    await visitor.panel.getByRole('button', { name: W.start }).click();
    for (const text of one.says) await visitor.send(text);
    await expect(agent.item(one.name)).toBeVisible();
    if (one.is) {
      await agent.open(one.name);
      await agent.send(one.is);
      await visitor.sees(one.is);
    }
    visitors.push(visitor);
  }
  const main = visitors[0]!;
  await agent.open('陈思远');
  await agent.note('已核对身份，可以解锁');
  await agent.send('已为您解锁，现在可以正常使用了。');
  await main.sees('已为您解锁，现在可以正常使用了。');
  await main.send('太好了，谢谢！');
  await agent.sees('太好了，谢谢！');
  await main.wasRead();
  await main.page.mouse.move(5, 5);
  await main.page.screenshot({ path: join(IMAGES, 'widget.png') });
  await agent.page.screenshot({ path: join(IMAGES, 'console.png') });
  for (const name of ['widget.png', 'console.png']) expect(statSync(join(IMAGES, name)).size).toBeLessThan(LIMIT);
});

const BODY = `<header><b>云杉银行</b><nav>账户　信用卡　贷款　理财</nav></header>
<section><h1>稳稳地，<br>照看您的每一笔钱</h1><p>挂失、换卡、调整限额，不必去网点。<br>有疑问，直接问我们的人。</p></section>
<ul><li><b>信用卡</b><br>额度与账单</li><li><b>转账</b><br>实时到账</li><li><b>网点</b><br>周六照常</li></ul>`;
const STYLE = `body{margin:0;font:16px/1.7 "Noto Sans CJK SC",sans-serif;color:#1d2a26;background:#f6f8f6}
header{display:flex;gap:48px;padding:18px 48px;background:#fff;border-bottom:1px solid #e3e9e5;color:#14503f}
section{padding:56px 48px 24px}h1{font-size:40px;line-height:1.3;margin:0 0 16px;color:#14503f}
ul{display:flex;gap:16px;padding:16px 48px;margin:0;list-style:none}li{width:150px;padding:18px 20px;background:#fff;border:1px solid #e3e9e5;border-radius:12px}`;
