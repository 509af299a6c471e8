/** Texts of the launcher, the small file that loads the panel, and those that both show. They have no signal behind them. */
import { fill, type Lang, type Texts, type Vars } from './core';

/** Shown by the launcher and by the panel. */
export const both = {
  zh: { closeChat: '收起在线客服', title: '在线客服', connecting: '正在连接…' },
  en: { closeChat: 'Close chat', title: 'Chat with us', connecting: 'Connecting…' },
} as const;

const zh = {
  ...both.zh,
  openChat: '打开在线客服',
  unread: '{n} 条未读消息',
  notLoaded: '在线客服加载失败，请检查网络后重试。',
  forbidden: '此网页的安全策略不允许加载在线客服。',
  retry: '重试',
} as const;

type Key = keyof typeof zh;

const en: Record<Key, string> = {
  ...both.en,
  openChat: 'Open chat',
  unread: '{n} unread message|{n} unread messages',
  notLoaded: 'The chat could not be loaded. Check your connection and try again.',
  forbidden: 'The security policy of this page does not let the chat load.',
  retry: 'Try again',
};

export const launcher: Texts<Key> = { zh, en };

export const launcherText =
  (lang: Lang) =>
  (key: Key, vars?: Vars): string =>
    fill((lang === 'en' ? en : zh)[key], vars);
