/** A visitor ends the conversation while the connection comes back: it ends, after what they wrote before. */
import { isText, type Line, type Text } from '../support/hostile';
import { expect, test } from '../support/test';
import { W } from '../support/visitor';

test.use({ proxied: true });

// what the server has not said yet: that it knows this browser, or that this is all of the conversation
for (const late of ['welcome', 'synced']) {
  test(`ended before the ${late} of a server that was away`, async ({ stage }) => {
    const visitor = await stage.visitor();
    await visitor.visit(stage.shop.origin);
    await visitor.send('one');
    await visitor.sees('one');
    await expect(visitor.log.getByText(W.queued)).toHaveCount(0);
    await stage.kefu.kill();
    await expect(visitor.panel.getByText(W.offline)).toBeVisible();
    await visitor.send('two');
    await expect(visitor.log.getByText(W.queued)).toBeVisible();

    const held: { line: Line; said: Text }[] = [];
    stage.proxy.down.push((said, line) => {
      if (!isText(said) || said.t !== late) return said;
      held.push({ line, said });
      return null;
    });
    await stage.kefu.serve();
    await expect.poll(() => held.length, { timeout: 40_000 }).toBe(1);
    await expect(visitor.panel.getByText(W.offline)).toBeHidden();
    await visitor.panel.getByRole('button', { name: /^(结束会话|End conversation)$/ }).click();
    await visitor.panel.getByRole('button', { name: /^(结束|End)$/ }).click();
    await expect(visitor.panel.getByText(/正在结束会话|Ending the conversation/)).toBeVisible();
    stage.proxy.honest();
    for (const { line, said } of held) line.say(said);

    await expect(visitor.log.getByText(W.queued)).toHaveCount(0);
    await visitor.sees('two');
    await expect(visitor.panel.getByText(W.closed)).toBeVisible();
    await expect(visitor.log.getByText(/^(会话已继续|The conversation goes on)$/)).toHaveCount(0);
  });
}
