/** What an agent sees and does in the console, in the words of the page; zh and en. */
import { expect, type Locator, type Page } from '@playwright/test';

/** Names of things in the console. */
export const C = {
  signIn: /^(登录|Sign in)$/,
  firstTime: /^(首次登录|First time)$/,
  code: /^(邀请码|Invite code)/,
  newPassword: /^(设置密码|Choose a password)/,
  createKeys: /^(生成密钥并登录|Make keys and sign in)$/,
  user: /^(账号|User id)/,
  password: /^(密码|Password)/,
  status: /^(我的状态|My status)/,
  goOnline: /^(上线|Go online)$/,
  list: /^(会话列表|Conversations)$/,
  log: /^(消息记录|Messages)$/,
  reply: /^(回复|Reply)$/,
  note: /^(备注|Note)$/,
  offers: /^(等待您接受的会话|Conversations offered to you)$/,
  accept: /^(接受|Accept)$/,
  decline: /^(拒绝|Decline)$/,
  take: /^(领取|Take)$/,
  transfer: /^(转接|Transfer)$/,
  reason: /^(原因（可选）|Reason \(optional\))$/,
  openIt: /^(打开|Open)$/,
  transferTitle: /^(转接会话|Transfer conversation)$/,
  close: /^(结束会话|Close conversation)$/,
  reopen: /^(重新打开|Reopen)$/,
  menu: /^(菜单|Menu)$/,
  offline: /连接已断开|The connection is lost/,
  connected: /已恢复连接|Connected again/,
  read: /^(已读|Read)$/,
  wrongLogin: /账号或密码不对|Wrong user id or password/,
};
type TabName = 'mine' | 'queue' | 'all';
const TABS: Record<TabName, RegExp> = { mine: /^(我的|Mine)/, queue: /^(排队|Queue)/, all: /^(全部|All)/ };
type State = 'online' | 'busy' | 'offline';
const STATES: Record<State, RegExp> = { online: /^(在线|Online)$/, busy: /^(忙碌|Busy)$/, offline: /^(离线|Offline)$/ };

/** Long and with spaces: what the pages ask for. */
export const PASSWORD = 'correct horse battery';
/** Argon2id over 64 MiB, in WebAssembly, on a busy machine. */
const SIGN_IN_MS = 60_000;

export class Agent {
  readonly list: Locator;
  readonly log: Locator;
  readonly items: Locator;
  readonly reply: Locator;
  readonly offers: Locator;

  constructor(
    readonly page: Page,
    readonly console: string,
  ) {
    this.list = page.getByRole('navigation', { name: C.list });
    this.items = this.list.getByRole('tabpanel').locator('.c-item');
    this.log = page.getByRole('main').getByRole('log', { name: C.log });
    this.reply = page.getByRole('textbox', { name: C.reply });
    this.offers = page.getByRole('region', { name: C.offers }).getByRole('article');
  }

  async goto(): Promise<void> {
    await this.page.goto(this.console);
  }

  /** The first sign-in with an invite code. Ends at the desk, online. */
  async enrol(code: string, password = PASSWORD): Promise<void> {
    await this.firstSignIn(code, password);
    await this.goOnline();
  }

  /** The same, and nothing more: nobody is online before they choose to be. */
  async firstSignIn(code: string, password = PASSWORD): Promise<void> {
    await this.goto();
    await this.page.getByRole('tab', { name: C.firstTime }).click();
    await this.page.getByRole('textbox', { name: C.code }).fill(code);
    await this.page.getByLabel(C.newPassword).fill(password);
    await this.page.getByRole('button', { name: C.createKeys }).click();
    await this.atDesk();
  }

  /** Fills the sign-in form and sends it; does not wait for the outcome. */
  async tryLogin(user: string, password: string): Promise<void> {
    const name = this.page.getByRole('textbox', { name: C.user });
    await name.fill(user);
    await this.page.getByRole('textbox', { name: C.password }).fill(password);
    await this.page.getByRole('button', { name: C.signIn }).click();
  }

  async login(user: string, password = PASSWORD): Promise<void> {
    await this.goto();
    await this.tryLogin(user, password);
    await this.atDesk();
  }

  async atDesk(): Promise<void> {
    await expect(this.list).toBeVisible({ timeout: SIGN_IN_MS });
  }

  /** What the page itself offers to those who are offline. */
  async goOnline(): Promise<void> {
    await this.page.getByRole('button', { name: C.goOnline }).first().click();
    await expect(this.page.getByRole('button', { name: C.status })).toContainText(/在线|Online/);
  }

  async status(state: State): Promise<void> {
    const button = this.page.getByRole('button', { name: C.status });
    await button.click();
    await this.page.getByRole('menuitemradio', { name: STATES[state] }).click();
    await expect(button).toContainText(new RegExp(STATES[state].source.slice(1, -1)));
  }

  async tab(name: TabName): Promise<void> {
    await this.list.getByRole('tab', { name: TABS[name] }).click();
  }

  item(text: string | RegExp): Locator {
    return this.items.filter({ hasText: text });
  }

  /** Opens the conversation whose line has this text. */
  async open(text: string | RegExp): Promise<void> {
    await this.item(text).click();
    await expect(this.log).toBeVisible();
  }

  async send(text: string): Promise<void> {
    await this.reply.fill(text);
    await this.reply.press('Enter');
  }

  async note(text: string): Promise<void> {
    await this.page.getByRole('tab', { name: C.note }).click();
    const field = this.page.getByRole('textbox', { name: C.note });
    await field.fill(text);
    await field.press('Enter');
    await this.page.getByRole('tab', { name: C.reply }).click();
  }

  async transfer(to: string | RegExp, reason = ''): Promise<void> {
    await this.page.getByRole('main').getByRole('button', { name: C.transfer }).click();
    const dialog = this.page.getByRole('dialog', { name: C.transferTitle });
    await dialog.locator('label').filter({ hasText: to }).click();
    if (reason) await dialog.getByRole('textbox', { name: C.reason }).fill(reason);
    await dialog.getByRole('button', { name: C.transfer }).click();
    await expect(dialog).toBeHidden();
  }

  async closeConversation(): Promise<void> {
    await this.page.getByRole('main').getByRole('button', { name: C.close }).click();
    const dialog = this.page.getByRole('dialog');
    await dialog.getByRole('button', { name: C.close }).click();
    await expect(dialog).toBeHidden();
  }

  said(text: string): Locator {
    return this.log.getByText(text, { exact: true });
  }

  async sees(text: string): Promise<void> {
    await expect(this.said(text)).toHaveCount(1);
    await expect(this.said(text)).toBeVisible();
  }

  async wasRead(): Promise<void> {
    await expect(this.log.locator('.k-right').last().getByText(C.read)).toBeVisible();
  }
}
