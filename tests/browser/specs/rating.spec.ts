/** How a conversation went: asked after the close, on the server as a number, in words for the team alone. */
import { accessible, bringAxe } from '../support/axe';
import { canary, search } from '../support/canary';
import { expect, picture, test } from '../support/test';
import { H, History } from '../support/history';
import { W } from '../support/visitor';

const R = {
  ask: /^(这次服务怎么样？|How was it\?)$/,
  four: /^(4: 满意|4: Good)$/,
  words: /想说的话|In your words/,
  send: /^(提交评价|Send)$/,
  mine: /^(您的评价：★★★★☆|Your rating: ★★★★☆)$/,
  theirs: /(的评价：★★★★☆|rated: ★★★★☆)$/,
};

for (const lang of ['zh-CN', 'en-GB']) {
  test.describe(lang, () => {
    test.use({ lang });
    test('after the close a visitor gives stars and words, by keys alone; the agent sees both, and it stays closed', async ({
      stage,
    }) => {
      const words = canary('rating');
      const agent = await stage.agent('li', '李娜');
      const visitor = await stage.visitor();
      await bringAxe(visitor.page.context());
      await visitor.visit(stage.shop.origin);
      await visitor.send('hello');
      await agent.open('hello');
      await agent.send('您好');
      await visitor.sees('您好');
      await expect(visitor.panel.getByRole('group', { name: R.ask })).toHaveCount(0);
      await agent.closeConversation();
      await expect(visitor.panel.getByText(W.closed)).toBeVisible();

      const ask = visitor.panel.getByRole('group', { name: R.ask });
      await expect(ask).toBeVisible();
      await ask.getByRole('radio').first().focus();
      for (let n = 0; n < 3; n++) await visitor.page.keyboard.press('ArrowRight');
      await expect(ask.getByRole('radio', { name: R.four })).toBeChecked();
      await visitor.panel.getByLabel(R.words).fill(words);
      await picture(visitor.page, `rating-${lang}`);
      await accessible(visitor.page, 'rating', 'kefu-widget');
      await visitor.panel.getByRole('button', { name: R.send }).click();

      await expect(visitor.log.getByText(R.mine)).toBeVisible();
      await expect(ask).toHaveCount(0);
      await visitor.sees(words);
      await expect(visitor.panel.getByText(W.closed)).toBeVisible();
      await agent.sees(words);
      await expect(agent.log.getByText(R.theirs)).toBeVisible();
      // the history finds it by its stars
      const history = new History(agent.page);
      await history.open();
      await agent.page.getByText(H.filters).click();
      await history.choose(/^(访客评价|Rating)$/, '★☆☆☆☆');
      await expect(history.rows).toHaveCount(0);
      await history.choose(/^(访客评价|Rating)$/, '★★★★☆');
      await expect(history.rows).toHaveCount(1);
      await expect(history.rows.first()).toContainText('★★★★☆');
      await visitor.reload();
      await expect(visitor.log.getByText(R.mine)).toBeVisible();
      await expect(ask).toHaveCount(0);
      expect(search({ words }, [stage.kefu.dir], [stage.kefu.log])).toEqual([]);
    });
  });
}

test('a site that does not want it asks nobody', async ({ stage }) => {
  await stage.kefu.cli('site', 'change', 'web', '--rating', 'no');
  const agent = await stage.agent('li', '李娜');
  const visitor = await stage.visitor();
  await visitor.visit(stage.shop.origin);
  await visitor.send('hello');
  await agent.open('hello');
  await agent.send('您好');
  await visitor.sees('您好');
  await agent.closeConversation();
  await expect(visitor.panel.getByText(W.closed)).toBeVisible();
  await expect(visitor.panel.getByRole('group', { name: R.ask })).toHaveCount(0);
});
