/** The two pictures of the README, on the page of `make run`. Only on demand: `npm run pictures`. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '../support/test';
import { W } from '../support/visitor';

const IMAGES = join(import.meta.dirname, '..', '..', '..', 'docs', 'images');
const LIMIT = 256 * 1024;
const LOOK = { colorScheme: 'light', reducedMotion: 'reduce', deviceScaleFactor: 1.5 } as const;
const ROBOT = { timeout: 30_000 };

test.skip(!process.env.KEFU_PICTURES, 'makes docs/images; npm run pictures');
test.use({
  form: 'name',
  greeting: '您好，这里是云杉银行。请问有什么可以帮您？',
  config: { KEFU_SERVER__DEMO: 'true' },
});

const FORGOT = '登录密码忘了怎么办';
const KNOWLEDGE: [question: string, answer: string][] = [
  [
    FORGOT,
    '别着急，可以**自助重置**：\n\n1. 在登录页点[忘记密码](https://bank.example/reset)\n2. 刷脸，或输入短信验证码\n3. 设置新密码，**马上生效**',
  ],
  ['换了手机号收不到验证码怎么办', '请先改绑手机号：在“设置 → 安全”里刷脸验证，几分钟即可完成。'],
  ['手机号可以在网点改吗', '可以，带身份证到任一网点，当场办好。'],
  ['境外消费有手续费吗', '没有，境外消费免手续费。'],
];

test('pictures', async ({ stage }) => {
  for (const [question, answer] of KNOWLEDGE) await stage.kefu.cli('knowledge', 'add', question, answer);
  await stage.kefu.cli('site', 'change', 'web', '--name', '云杉银行');
  await stage.kefu.cli('robot', 'on', 'web', '--name', '小杉');
  const agent = await stage.agent('li', '李娜', ['svc'], 'agent', { ...LOOK, viewport: { width: 1280, height: 800 } });
  const visit = async (name: string) => {
    const visitor = await stage.visitor({ ...LOOK, viewport: { width: 1180, height: 760 } });
    await visitor.visit(`${stage.kefu.origin}/demo/`);
    await visitor.panel.getByRole('textbox').first().fill(name);
    await visitor.panel.getByRole('button', { name: W.start }).click();
    return visitor;
  };
  const person = /^(转人工|Talk to a person)$/;
  for (const [name, text] of [
    ['王小雨', '我想提高转账限额'],
    ['周琳', '周六网点开门吗？'],
  ] as const) {
    const other = await visit(name);
    await other.panel.getByRole('button', { name: person }).click();
    await other.send(text);
    await expect(agent.item(name)).toBeVisible();
  }
  await agent.open('周琳');
  await agent.send('开门的，周六 9:00–17:00。');

  const visitor = await visit('陈思远');
  await visitor.send(FORGOT);
  await expect(visitor.log.getByText('马上生效')).toBeVisible(ROBOT);
  await visitor.page.mouse.move(5, 5);
  await visitor.page.screenshot({ path: join(IMAGES, 'widget.png') });

  await visitor.panel.getByRole('button', { name: person }).click();
  await agent.open('陈思远');
  await agent.note('身份已核对');
  await agent.send('陈先生您好，我是李娜，我来帮您。');
  await visitor.sees('陈先生您好，我是李娜，我来帮您。');
  await visitor.send('谢谢！我换了手机号，收不到验证码，手机号可以在网点改吗？');
  await expect(agent.page.getByRole('region', { name: '知识库推荐' }).getByRole('button')).not.toHaveCount(0);
  await agent.wasRead();
  await agent.page.mouse.move(640, 5);
  await agent.page.screenshot({ path: join(IMAGES, 'console.png') });
  for (const name of ['widget.png', 'console.png']) expect(statSync(join(IMAGES, name)).size).toBeLessThan(LIMIT);
});
