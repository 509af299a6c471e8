/**
 * What is said for each error: what happened, what to do. The widget carries only those a visitor can meet; the rest is in
 * console.ts.
 */
import type { ErrorKey } from '../model';
import { clocks } from '../link/clock';
import { lang, type Texts, type Vars } from './core';

/** Errors of a person who signs in; a visitor never meets them. */
export type AgentErrorKey =
  | 'error.no_key'
  | 'error.bot_member'
  | 'error.login'
  | 'error.server_key'
  | 'error.invite_format'
  | 'error.invite_org'
  | 'error.invite_used'
  | 'error.invite_expired'
  | 'error.password_short'
  | 'error.not_owner'
  | 'error.disabled'
  | 'error.unconfirmed'
  | 'error.forbidden'
  | 'error.not_found'
  | 'error.conflict'
  | 'error.closed'
  | 'error.too_late';
export type VisitorErrorKey = Exclude<ErrorKey, AgentErrorKey>;

const zh: Record<VisitorErrorKey, string> = {
  'error.network': '连接不上服务器。请检查网络，恢复后会自动重连。',
  'error.server': '服务器的应答有误，请稍后重试。',
  'error.busy': '连接过多，稍后会自动重连。',
  'error.protocol': '页面版本与服务器不符，请刷新页面，或联系网站管理员。',
  'error.unsupported': '页面版本与服务器不符，请刷新页面，或联系网站管理员。',
  'error.unauthorised': '服务器不认识此浏览器的密钥，请刷新页面重新开始。',
  'error.insecure': '此站点要求加密连接。请用 https:// 打开本页。',
  'error.no_crypto': '此浏览器无法加密，请更新浏览器或换一个。',
  'error.site_unknown': '此站点未开通在线客服，请联系网站管理员。',
  'error.origin': '本页不能使用在线客服：网址不在允许名单中。请联系网站管理员。',
  'error.csp': '本页的安全策略不允许连接服务器，修改方法见浏览器控制台。请联系网站管理员。',
  'error.socket': '实时连接被此网络拦截，或从此网络来的连接过多，稍后会自动重连。也可换一个网络。',
  'error.pin': '服务器的身份与本页登记的不一致。为保护您，没有发送任何内容。请改用其他方式联系，并告知对方此提示。',
  'error.directory': '客服人员名单的签名未通过校验。为保护您，没有发送任何内容。请改用其他方式联系。',
  'error.directory_fork': '服务器出示了互相矛盾的人员名单，可能有人冒充客服。请改用其他方式联系，并告知对方此提示。',
  'error.history':
    '服务器出示的会话记录与此前不同，可能有人改动。为保护您，没有发送任何内容。请改用其他方式联系，并告知对方此提示。',
  'error.conversation_gone': '服务器上已找不到此会话。此前的内容仍在本页，但不能继续发送。',
  'error.conversation_lost': '服务器恢复了备份，此会话的密钥记录已丢失，不能继续发送。',
  'error.clock': '此设备的时间不对：本机为 {mine}，服务器为 {server}。请校准本机时间，然后刷新页面。',
  'error.snapshot_expired': '客服人员名单的签名已过期，须由该公司的管理员更新。请稍后再试，或改用其他方式联系。',
  'error.rate_limited': '发送太快，稍后会自动重试。',
  'error.too_large': '内容太长，请缩短或分几条发送。',
  'error.file_large': '文件太大，此站点不接收，没有发出。',
  'error.file_refused': '服务器不接收此文件，没有发出。',
  'error.file_lost': '待发送的文件已不在此浏览器中，请重新选择。',
  'error.file_unread': '无法读取此文件，它可能已被移动或修改。请重新选择。',
  'error.file_space': '此浏览器没有足够空间暂存此文件，没有发出。',
  'error.file_gone': '文件已撤回或过期，无法下载。',
  'error.file_false': '文件内容与发送时不符，已丢弃，请勿相信。',
  'error.full': '此会话的内容已达上限，不能再发送。请开始新的会话。',
  'error.storage': '服务器无法保存，内容没有发出。请稍后重试。',
  'error.refused': '服务器拒绝了此操作，请刷新页面后重试。',
};

const en: Record<VisitorErrorKey, string> = {
  'error.network': 'No connection to the server. Check your network; it reconnects by itself.',
  'error.server': 'The server gave a wrong answer. Try again in a moment.',
  'error.busy': 'Too many connections; it tries again by itself.',
  'error.protocol': 'This page and the server differ in version. Reload the page, or tell its administrator.',
  'error.unsupported': 'This page and the server differ in version. Reload the page, or tell its administrator.',
  'error.unauthorised': 'The server does not know the key of this browser. Reload the page to start again.',
  'error.insecure': 'This site insists on an encrypted connection. Open the page with https://.',
  'error.no_crypto': 'This browser cannot encrypt. Update it or use another.',
  'error.site_unknown': 'Chat is not set up for this site. Please tell its administrator.',
  'error.origin': 'This page may not use the chat: its address is not on the list. Please tell its administrator.',
  'error.csp':
    'The security policy of this page does not let the chat connect; the browser console says what to add. Please tell its administrator.',
  'error.socket':
    'This network blocks live connections, or has too many; it tries again by itself. Another network may help.',
  'error.pin':
    'The server is not the one registered in this page. To protect you, nothing was sent. Please use another way to reach us, and mention this notice.',
  'error.directory':
    'The signed list of our team does not verify. To protect you, nothing was sent. Please use another way to reach us.',
  'error.directory_fork':
    'The server showed contradicting lists of our team; someone may be posing as us. Please use another way to reach us, and mention this notice.',
  'error.history':
    'The server shows this conversation differently than before; somebody may have changed it. To protect you, nothing was sent. Please use another way to reach us, and mention this notice.',
  'error.conversation_gone':
    'The server no longer has this conversation. What you see stays on this page, but nothing more can be sent in it.',
  'error.conversation_lost':
    'The server was restored from a backup that lacks the keys of this conversation. Nothing more can be sent in it.',
  'error.clock': 'This device’s clock is wrong: it shows {mine}, the server {server}. Set it and reload the page.',
  'error.snapshot_expired':
    'The signature on the list of our team has expired; the company has to renew it. Try later, or use another way to reach us.',
  'error.rate_limited': 'Too fast; it is tried again by itself.',
  'error.too_large': 'Too long: shorten it, or send it in parts.',
  'error.file_large': 'The file is larger than this site accepts; it was not sent.',
  'error.file_refused': 'The server does not accept this file; it was not sent.',
  'error.file_lost': 'The file is no longer kept in this browser. Please choose it again.',
  'error.file_unread': 'The file cannot be read; it may have been moved or changed. Please choose it again.',
  'error.file_space': 'This browser has no room to keep the file until it is sent; it was not sent.',
  'error.file_gone': 'The file was recalled or has expired.',
  'error.file_false': 'The file is not what was sent. It was thrown away; do not trust it.',
  'error.full': 'This conversation holds as much as one may. Please start a new one.',
  'error.storage': 'The server could not save it; nothing was sent. Try again in a moment.',
  'error.refused': 'The server refused. Reload the page and try again.',
};

let differed = clocks.value;

/** Both clocks as people read them, as they differed last; texts of other errors have no use for them. */
export function clockVars(): Vars | undefined {
  differed = clocks.value ?? differed;
  const say = (ms: number): string =>
    new Date(ms).toLocaleString(lang.value, { dateStyle: 'medium', timeStyle: 'short' });
  return differed ? { mine: say(differed.mine), server: say(differed.server) } : undefined;
}

export const visitorErrors: Texts<VisitorErrorKey> = { zh, en };
