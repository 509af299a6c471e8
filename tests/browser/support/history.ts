/** What a person sees and does in the console's history, in the words of the page; zh and en. */
import { expect, type Locator, type Page } from '@playwright/test';
import { C } from './agent';

/** Names of things there. */
export const H = {
  entry: /^(历史会话与搜索|History and search)$/,
  page: /^(历史会话|History)$/,
  back: /^(返回工作台|Back to the desk)$/,
  search: /^(搜索消息内容|Search in messages)$/,
  filters: /^(筛选|Filters)/,
  team: /^(技能组|Team)$/,
  state: /^(状态|State)$/,
  agent: /^(坐席|Agent)$/,
  from: /^(开始日期|From)$/,
  clear: /^(清除筛选|Clear filters)$/,
  results: /^(搜索结果|Search results)$/,
  readOnly: /^(只读|Read only)$/,
  start: /^(建立索引|Build the index)$/,
  pause: /^(暂停|Pause)$/,
  resume: /^(继续|Continue)$/,
  done: /可搜索全部|can be searched/,
  none: /没有找到|Nothing found/,
  gone: /无法显示此会话|cannot be shown/,
  openInDesk: /^(在工作台中打开|Open at the desk)$/,
  exportAs: /^(导出|Export)$/,
};

export class History {
  readonly list: Locator;
  readonly rows: Locator;
  readonly field: Locator;
  readonly hits: Locator;
  readonly log: Locator;

  constructor(readonly page: Page) {
    this.list = page.getByRole('navigation', { name: H.page });
    this.rows = this.list.locator('.c-items .c-item');
    this.field = this.list.getByRole('searchbox', { name: H.search });
    this.hits = this.list.getByRole('region', { name: H.results }).getByRole('button', { name: /./ });
    this.log = page.getByRole('main').getByRole('log', { name: C.log });
  }

  /** From the desk, by its menu. */
  async open(): Promise<void> {
    await this.page.getByRole('button', { name: C.menu }).click();
    await this.page.getByRole('menuitem', { name: H.entry }).click();
    await expect(this.list).toBeVisible();
  }

  row(text: string | RegExp): Locator {
    return this.rows.filter({ hasText: text });
  }

  async choose(field: RegExp, label: string | RegExp): Promise<void> {
    const select = this.list.getByLabel(field);
    const value = await select.locator('option').filter({ hasText: label }).getAttribute('value');
    await select.selectOption(value!);
  }

  /** Builds the index and waits until all of it is read. */
  async build(): Promise<void> {
    await this.list.getByRole('button', { name: H.start }).click();
    await expect(this.list.getByText(H.done)).toBeVisible();
  }

  async find(text: string): Promise<void> {
    await this.field.fill(text);
  }
}
