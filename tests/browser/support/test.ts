/** The stage of every test: a fresh company with one team and one site, a customer's page, and browsers on it. */
import { test as base, expect, type BrowserContext, type BrowserContextOptions, type Page } from '@playwright/test';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Agent } from './agent';
import { Hostile } from './hostile';
import { freePort, Kefu } from './kefu';
import { Shop } from './shop';
import { Visitor } from './visitor';

export { expect };
export const ARTIFACTS = join(import.meta.dirname, '..', '..', 'artifacts');

/** Whether a page is Firefox's, where WebDriver can do less. */
export const firefox = (page: Page): boolean => page.context().browser()!.browserType().name() === 'firefox';

/** What pages did that no page may do. */
export class Complaints {
  readonly errors: string[] = [];
  readonly dialogs: string[] = [];
  readonly violations: string[] = [];

  watch(page: Page): void {
    if (process.env.KEFU_FRAMES) tellFrames(page);
    page.on('pageerror', (e) => {
      // Firefox calls an error what pages with a strict policy are refused when it looks for an icon, and Playwright when it hides the caret
      // for a picture; and a socket that a server in a restart does not take, which Chromium reports in the console.
      const said = e.stack ?? e.message;
      if (!/^Content-Security-Policy: .*(favicon\.ico|inline style)|^Firefox can’t establish a connection/.test(said))
        this.errors.push(said);
    });
    page.on('dialog', (dialog) => {
      this.dialogs.push(dialog.message());
      void dialog.dismiss();
    });
    page.on('console', (message) => {
      if (/Content Security Policy|TrustedHTML|TrustedScript/i.test(message.text()))
        this.violations.push(message.text());
    });
  }

  /** Fails if anything was seen, and forgets it. */
  none(): void {
    expect({ errors: this.errors, dialogs: this.dialogs, violations: this.violations }).toEqual({
      errors: [],
      dialogs: [],
      violations: [],
    });
  }
}

/** For debugging: the frames of the sockets. */
function tellFrames(page: Page): void {
  const say = (way: string) => (f: { payload: string | Buffer }) =>
    console.log(
      Date.now() % 100_000,
      page.url().slice(-12),
      way,
      typeof f.payload === 'string'
        ? f.payload.slice(0, 200)
        : `${f.payload.length} bytes ${f.payload.subarray(0, 104).toString('hex')}`,
    );
  page.on('websocket', (ws) => {
    ws.on('framesent', say('>'));
    ws.on('framereceived', say('<'));
    ws.on('close', () => console.log(page.url(), 'socket closed'));
  });
}

export class Stage {
  readonly complaints = new Complaints();
  private readonly contexts: BrowserContext[] = [];

  constructor(
    readonly kefu: Kefu,
    readonly shop: Shop,
    private readonly front: Hostile | null,
    private readonly newContext: (o: BrowserContextOptions) => Promise<BrowserContext>,
    private readonly lang: string,
  ) {}

  /** The proxy between every page and the server. Only with the option `proxied`. */
  get proxy(): Hostile {
    if (!this.front) throw new Error('this test has no proxy');
    return this.front;
  }

  async context(options: BrowserContextOptions = {}): Promise<BrowserContext> {
    const context = await this.newContext({ locale: this.lang, ...options });
    this.contexts.push(context);
    context.on('page', (page) => this.complaints.watch(page));
    return context;
  }

  /** A visitor in their own browser; not at the page yet. */
  async visitor(options: BrowserContextOptions = {}): Promise<Visitor> {
    const context = await this.context({ viewport: { width: 900, height: 800 }, ...options });
    return new Visitor(await context.newPage());
  }

  /** A browser for an agent; not at the console yet. */
  async browserOfAgent(options: BrowserContextOptions = {}): Promise<Agent> {
    const context = await this.context({ viewport: { width: 1280, height: 800 }, ...options });
    return new Agent(await context.newPage(), `${this.kefu.origin}/console/`);
  }

  /** Invites a person and signs them in for the first time. */
  async agent(
    id: string,
    name: string,
    teams: string[] = ['svc'],
    role = 'agent',
    options: BrowserContextOptions = {},
  ): Promise<Agent> {
    const code = await this.kefu.invite(id, name, teams, role);
    const agent = await this.browserOfAgent(options);
    await agent.enrol(code);
    return agent;
  }

  async dispose(): Promise<void> {
    for (const context of this.contexts) await context.close();
    await this.shop.close();
    await this.front?.close();
    await this.kefu.dispose();
  }
}

interface Options {
  lang: string;
  /** Names that pages use for the server and the shop. */
  kefuHost: string;
  shopHost: string;
  /** Every page reaches the server through a proxy that can lie; its address is the public one. */
  proxied: boolean;
  /** The site's form, as `kefu site add --form` takes it. */
  form: string;
  greeting: string;
  /** Configuration by environment variable, `KEFU_DESK__CAPACITY` and the like. */
  config: Record<string, string>;
}

/** The company of every test. */
export async function found(kefu: Kefu, shop: Shop, form: string, greeting: string): Promise<void> {
  await kefu.init('云杉银行');
  await kefu.cli('team', 'add', 'svc', '--name', '客服');
  const site = ['--team', 'svc', '--name', '官网', '--origin', shop.origin, '--form', form, '--greeting', greeting];
  await kefu.cli('site', 'add', 'web', ...site);
}

export const test = base.extend<Options & { stage: Stage }>({
  lang: ['zh-CN', { option: true }],
  kefuHost: ['127.0.0.1', { option: true }],
  shopHost: ['127.0.0.1', { option: true }],
  proxied: [false, { option: true }],
  form: ['', { option: true }],
  greeting: ['您好，请问有什么可以帮您？', { option: true }],
  config: [{}, { option: true }],

  stage: async ({ browser, lang, kefuHost, shopHost, proxied, form, greeting, config }, use, info) => {
    const port = await freePort();
    const front = proxied ? await Hostile.open(port) : null;
    const kefu = new Kefu(port, kefuHost, front?.port);
    const shop = await Shop.open(shopHost);
    const stage = new Stage(kefu, shop, front, (o) => browser.newContext(o), lang);
    try {
      await found(kefu, shop, form, greeting);
      kefu.config = config;
      await kefu.serve();
      await shop.paste(kefu);
      await use(stage);
      stage.complaints.none();
    } finally {
      if (info.status !== info.expectedStatus)
        await info.attach('server.log', { body: kefu.logText(), contentType: 'text/plain' });
      await stage.dispose();
    }
  },
});

/** A picture of a state, for people to look at. */
export async function picture(page: Page, name: string): Promise<void> {
  mkdirSync(join(ARTIFACTS, 'states'), { recursive: true });
  // What was just made is painted.
  await page.evaluate(
    () => new Promise<void>((done) => requestAnimationFrame(() => requestAnimationFrame(() => done()))),
  );
  await page.screenshot({ path: join(ARTIFACTS, 'states', `${name}.png`) });
}
