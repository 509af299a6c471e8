/** The stage with two servers of one company over a real Redis, each behind a door of its own. */
import { Agent } from './agent';
import { Door } from './door';
import { freePort, Kefu } from './kefu';
import { Redis } from './redis';
import { Shop } from './shop';
import { found, Stage, test as base } from './test';

export { expect } from './test';

export class Cluster {
  constructor(
    /** Where the company was founded. */
    readonly first: Kefu,
    readonly second: Kefu,
    /** The public address: leads to the first. */
    readonly visitors: Door,
    /** The address of consoles: leads to the second. */
    readonly agents: Door,
    readonly stage: Stage,
  ) {}

  /** Invites a person, and signs them in for the first time at a console of this address. */
  async agent(id: string, name: string, door = this.agents): Promise<Agent> {
    const code = await this.first.invite(id, name, ['svc']);
    const context = await this.stage.context({ viewport: { width: 1280, height: 800 } });
    const agent = new Agent(await context.newPage(), `${door.origin}/console/`);
    await agent.enrol(code);
    return agent;
  }
}

export const test = base.extend<{ cluster: Cluster }>({
  cluster: async ({ browser, lang, shopHost, form, greeting, config }, use, info) => {
    const ends: (() => Promise<void>)[] = [];
    const later = <T>(made: T, end: (made: T) => Promise<void>): T => {
      ends.unshift(() => end(made));
      return made;
    };
    const logs: Kefu[] = [];
    try {
      const redis = later(await Redis.start(), (r) => r.dispose());
      const port = await freePort();
      const visitors = later(await Door.to(port), (d) => d.close());
      const first = new Kefu(port, '127.0.0.1', visitors.port);
      first.config = { ...config, KEFU_STORAGE__URL: redis.url };
      const shop = await Shop.open(shopHost);
      // ends the first server, too
      const stage = later(new Stage(first, shop, null, (o) => browser.newContext(o), lang), (s) => s.dispose());
      await found(first, shop, form, greeting);
      const second = later(await first.join(), (k) => k.dispose());
      logs.push(first, second);
      const agents = later(await Door.to(second.port), (d) => d.close());
      await first.serve();
      await second.serve();
      await shop.paste(first);
      await use(new Cluster(first, second, visitors, agents, stage));
      stage.complaints.none();
    } finally {
      if (info.status !== info.expectedStatus)
        for (const kefu of logs)
          await info.attach(`server ${kefu.port}.log`, { body: kefu.logText(), contentType: 'text/plain' });
      for (const end of ends) await end();
    }
  },
});
