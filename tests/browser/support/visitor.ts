/** What a visitor sees and does, in the words of the page; zh and en. */
import { expect, type FrameLocator, type Locator, type Page } from '@playwright/test';

/** Names of things in the widget. */
export const W = {
  open: /^(打开在线客服|Open chat)/,
  close: /^(收起在线客服|Close chat)$/,
  panel: /^(在线客服|Chat with us)$/,
  field: /^(请输入您的问题…|请留言…|Write your question…|Leave a message…)$/,
  log: /^(消息记录|Messages)$/,
  send: /^(发送|Send)$/,
  start: /^(开始对话|去留言|Start chatting|Leave a message)$/,
  offline: /网络已断开|You are offline/,
  connected: /已恢复连接|Connected again/,
  next: /您是下一位|You are next/,
  away: /现在没有客服在线|Nobody is here now/,
  closed: /本次会话已结束|This conversation is closed/,
  again: /^(继续提问|Write again)$/,
  read: /^(已读|Read)$/,
  queued: /^(等待发送|Waiting to be sent)$/,
};

export class Visitor {
  readonly panel: Locator;
  readonly log: Locator;
  readonly field: Locator;
  readonly launcher: Locator;

  /** `within`: the frame of the page in which the widget is. */
  constructor(
    readonly page: Page,
    within: Page | FrameLocator = page,
  ) {
    const host = within.locator('kefu-widget');
    this.launcher = host.getByRole('button', { name: W.open });
    this.panel = host.getByRole('dialog', { name: W.panel });
    this.log = this.panel.getByRole('log', { name: W.log });
    this.field = this.panel.getByRole('textbox', { name: W.field });
  }

  /** Goes to a page of the shop and opens the chat. */
  async visit(url: string): Promise<void> {
    await this.page.goto(url);
    await this.openWidget();
  }

  async openWidget(): Promise<void> {
    await this.launcher.click();
    await expect(this.panel).toBeVisible();
  }

  async reload(): Promise<void> {
    await this.page.reload();
    await this.openWidget();
  }

  async send(text: string): Promise<void> {
    await this.field.fill(text);
    await this.field.press('Enter');
  }

  /** The bubbles with exactly this text. */
  said(text: string): Locator {
    return this.log.getByText(text, { exact: true });
  }

  /** Exactly one bubble has this text. */
  async sees(text: string): Promise<void> {
    await expect(this.said(text)).toHaveCount(1);
    await expect(this.said(text)).toBeVisible();
  }

  /** The last own message was read by the other side. */
  async wasRead(): Promise<void> {
    await expect(this.log.locator('.k-right').last().getByText(W.read)).toBeVisible();
  }
}
