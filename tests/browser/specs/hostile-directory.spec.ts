/** A server with false claims about people: other lists, older ones, old signatures, a robot or a company that is not the one pinned. */
import type { SiteReply } from '../../../ui/src/proto';
import { freePort, Kefu } from '../support/kefu';
import { alarm, frames, here, nothingSent, S } from '../support/signs';
import { expect, test, type Stage } from '../support/test';
import type { Visitor } from '../support/visitor';

const DAY = 86_400_000;

test.use({ proxied: true });

/** The server's answer to a visitor, without the proxy. */
async function siteOf(kefu: Kefu): Promise<SiteReply> {
  return (await fetch(`http://127.0.0.1:${kefu.port}/api/v1/site/web`)).json() as Promise<SiteReply>;
}

/** From now on visitors get other values for some fields of a site's settings. */
function say(stage: Stage, other: Partial<SiteReply>): void {
  stage.proxy.json.push({ path: /^\/api\/v1\/site\//, change: (body) => ({ ...body, ...other }) });
}

/** Another company whose ids are all the same. */
async function stranger(): Promise<Kefu> {
  const kefu = new Kefu(await freePort());
  await kefu.init('云杉银行');
  await kefu.cli('team', 'add', 'svc', '--name', '客服');
  await kefu.cli('site', 'add', 'web', '--team', 'svc', '--name', '官网', '--origin', 'https://example.com');
  await kefu.cli('robot', 'on', 'web');
  await kefu.serve();
  return kefu;
}

/** The same company, whose keys signed something else than what this server shows. */
async function fork(stage: Stage): Promise<Kefu> {
  await stage.kefu.stop();
  const other = await stage.kefu.copy();
  await stage.kefu.serve();
  await other.cli('team', 'add', 'ghosts', '--name', '另一份名单');
  await other.serve();
  return other;
}

/** A visitor whose browser has seen the directory, with a conversation. */
async function knows(stage: Stage): Promise<Visitor> {
  const visitor = await stage.visitor();
  await visitor.visit(stage.shop.origin);
  await visitor.send('你好');
  await visitor.sees('你好');
  await expect(visitor.log.locator('.k-state-queued')).toHaveCount(0);
  return visitor;
}

test('two lists by the same keys: an alarm at the next page load, and in a page that is open', async ({ stage }) => {
  const other = await fork(stage);
  try {
    await stage.kefu.cli('team', 'add', 'loans', '--name', '贷款组');
    const [loads, stays] = [await knows(stage), await knows(stage)];
    const { directory } = await siteOf(other);
    const from = here(stage.proxy);
    say(stage, { directory });
    await loads.reload();
    await alarm(loads, 'error.directory');

    // the open page is sent one more entry, which does not follow the last that it knows
    await other.cli('team', 'add', 'more', '--name', '更多');
    const reply: unknown = await (await fetch(`http://127.0.0.1:${other.port}/api/v1/directory?after=-1`)).json();
    const { entries } = reply as { entries: unknown[] };
    stage.proxy.json.push({
      path: /^\/api\/v1\/directory\?/,
      change: (body) => ({ ...body, entries: entries.slice(-1) }),
    });
    for (const line of stage.proxy.lines) line.say({ t: 'directory', seq: entries.length - 1 });
    await alarm(stays, 'error.directory');
    nothingSent(stage.proxy, 'visitor', from);
  } finally {
    await other.dispose();
  }
});

test('an older list than the one seen before: an alarm', async ({ stage }) => {
  const { directory } = await siteOf(stage.kefu);
  await stage.kefu.cli('team', 'add', 'loans', '--name', '贷款组');
  const visitor = await knows(stage);
  const from = here(stage.proxy);
  say(stage, { directory });
  // a page that finds less than it knew asks once what is new: another tab may have been faster
  stage.proxy.json.push({ path: /^\/api\/v1\/directory\?/, change: (body) => ({ ...body, entries: [] }) });
  await visitor.reload();
  await alarm(visitor, 'error.directory_fork');
  nothingSent(stage.proxy, 'visitor', from);
});

test('the newest signature is kept back until the one before is over: nothing is sent; with the newest it goes on', async ({
  stage,
}) => {
  await stage.kefu.cli('directory', 'refresh', '--days', '30');
  const { directory } = await siteOf(stage.kefu);
  await stage.kefu.cli('directory', 'refresh', '--days', '90');
  const later = async (): Promise<Visitor> => {
    const visitor = await stage.visitor();
    await visitor.page.clock.install({ time: Date.now() + 31 * DAY });
    await visitor.visit(stage.shop.origin);
    return visitor;
  };
  const honest = await later();
  await expect(honest.field).toBeVisible();
  const from = here(stage.proxy);
  // by a true clock of the server the visitor's own would be called wrong
  say(stage, { directory, now: Date.now() + 31 * DAY });
  await alarm(await later(), 'error.snapshot_expired');
  nothingSent(stage.proxy, 'visitor', from);
});

test('the robot of another company: refused with a word; people read, no robot is let in', async ({ stage }) => {
  await stage.kefu.cli('robot', 'on', 'web');
  const other = await stranger();
  try {
    const { bot } = await siteOf(other);
    expect(bot).toBeDefined();
    say(stage, { bot });
    const li = await stage.agent('li', '李娜');
    const visitor = await stage.visitor();
    await visitor.visit(stage.shop.origin);
    await expect(visitor.panel.getByText(S.robotRefused)).toBeVisible();
    await visitor.send('机器人不要看');
    await li.open('机器人不要看');
    await li.sees('机器人不要看');
    const opened = frames(stage.proxy, 'visitor', 'open');
    expect(opened.map(({ ann }) => Buffer.from(ann as string, 'base64url')[140])).toEqual([0]);
  } finally {
    await other.dispose();
  }
});

test('another company with the same names: not the one pinned in the page', async ({ stage }) => {
  const other = await stranger();
  try {
    const theirs = await siteOf(other);
    for (const { org, directory } of [theirs, { ...theirs, org: (await siteOf(stage.kefu)).org }]) {
      stage.proxy.honest();
      say(stage, { org, directory });
      const visitor = await stage.visitor();
      const from = here(stage.proxy);
      await visitor.visit(stage.shop.origin);
      await alarm(visitor, 'error.pin');
      nothingSent(stage.proxy, 'visitor', from);
    }
  } finally {
    await other.dispose();
  }
});
