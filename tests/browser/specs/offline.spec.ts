/** The browser reports that the network is gone: shown within seconds, and nobody is shown as available meanwhile. */
import { C } from '../support/agent';
import { expect, picture, test } from '../support/test';
import { W } from '../support/visitor';

for (const lang of ['zh-CN', 'en-GB']) {
  test.describe(lang, () => {
    test.use({ lang });
    test('visitor and agent are told within seconds, and what was written arrives', async ({ stage }) => {
      const agent = await stage.agent('li', '李娜');
      await agent.status('online');
      const visitor = await stage.visitor();
      await visitor.visit(stage.shop.origin);
      await visitor.send('one');
      await agent.open('one');
      await agent.send('two');
      await visitor.sees('two');
      const serving = visitor.panel.getByText(/正在为您服务|Here for you/);
      await expect(serving).toBeVisible();

      await visitor.page.context().setOffline(true);
      await expect(visitor.panel.getByText(W.offline)).toBeVisible({ timeout: 5_000 });
      await expect(serving).toHaveCount(0);
      await visitor.send('three');
      await picture(visitor.page, `offline-${lang}`);
      await visitor.page.context().setOffline(false);
      await expect(visitor.panel.getByText(W.offline)).toBeHidden();
      await agent.sees('three');
      await expect(serving).toBeVisible();

      await agent.page.context().setOffline(true);
      await expect(agent.page.getByText(C.offline)).toBeVisible({ timeout: 5_000 });
      await agent.page.context().setOffline(false);
      await expect(agent.page.getByText(C.offline)).toBeHidden();
    });
  });
}
