/** The server dies in the middle of everything and comes back: nothing is lost, nothing is there twice. */
import { expect, test } from '../support/test';
import { W } from '../support/visitor';
import { C } from '../support/agent';

for (const how of ['kill', 'stop'] as const) {
  test(`${how === 'kill' ? 'SIGKILL' : 'graceful restart'} while both sides write: everything arrives exactly once`, async ({
    stage,
  }) => {
    const agent = await stage.agent('li', '李娜');
    const visitor = await stage.visitor();
    await visitor.visit(stage.shop.origin);
    await visitor.send('第一条');
    await agent.open('第一条');
    await agent.sees('第一条');

    // In flight when the server goes: sent, and not waited for.
    const inFlight = ['v-flight-1', 'v-flight-2', 'v-flight-3'];
    for (const text of inFlight) await visitor.send(text);
    await agent.send('a-flight-1');
    const before = Date.now();
    const code = await stage.kefu[how]();
    if (how === 'stop') {
      expect(code).toBe(0);
      // Idle connections of browsers do not hold it up.
      expect(Date.now() - before).toBeLessThan(4_000);
    }

    await expect(visitor.panel.getByText(W.offline)).toBeVisible();
    await expect(agent.page.getByText(C.offline)).toBeVisible();
    await visitor.send('v-queued');
    await agent.send('a-queued');
    await expect(visitor.log.getByText(W.queued).last()).toBeVisible();
    await visitor.field.fill('half a sentence');

    await stage.kefu.serve();
    await expect(visitor.panel.getByText(W.offline)).toBeHidden({ timeout: 40_000 });
    await expect(agent.page.getByText(C.offline)).toBeHidden({ timeout: 40_000 });
    const all = ['第一条', ...inFlight, 'a-flight-1', 'v-queued', 'a-queued'];
    for (const side of [visitor, agent]) for (const text of all) await side.sees(text);
    await expect(visitor.field).toHaveValue('half a sentence');
    await expect(visitor.log.getByText(W.queued)).toHaveCount(0);

    // And what a fresh page gets from the server is the same.
    await visitor.reload();
    await agent.page.reload();
    await agent.open('访客');
    for (const side of [visitor, agent]) for (const text of all) await side.sees(text);
  });
}

test('written while the server is away, the page reloaded, the server back: it arrives once', async ({ stage }) => {
  const agent = await stage.agent('li', '李娜');
  const visitor = await stage.visitor();
  await visitor.visit(stage.shop.origin);
  await visitor.send('hello');
  await agent.open('hello');
  await agent.send('one moment');
  await visitor.sees('one moment');
  await stage.kefu.kill();
  await expect(visitor.panel.getByText(W.offline)).toBeVisible();
  await visitor.send('kept over a reload');
  await visitor.sees('kept over a reload');
  // The widget's file comes from the browser's cache, or not at all: the server is needed to reload the page.
  await stage.kefu.serve();
  await visitor.reload();
  await agent.sees('kept over a reload');
  await visitor.sees('kept over a reload');
});
