/** Errors that only people of the company meet, and plainer words for them where the visitor's would be wrong. */
import type { Texts } from './core';
import type { AgentErrorKey, VisitorErrorKey } from './errors';

type Reworded = Extract<
  VisitorErrorKey,
  | 'error.pin'
  | 'error.directory'
  | 'error.directory_fork'
  | 'error.clock'
  | 'error.snapshot_expired'
  | 'error.unauthorised'
  | 'error.full'
>;

const zh: Record<AgentErrorKey | Reworded, string> = {
  'error.no_key': '您没有此会话的密钥。请让技能组里的同事或管理员把密钥交给您。',
  'error.bot_member': '机器人还在会话中，它离开后才能回复。请稍候。',
  'error.login': '账号或密码不对。请检查大小写；忘记密码请联系管理员。',
  'error.server_key': '登录的服务器不属于贵公司。没有发送密码，请联系管理员。',
  'error.invite_format': '邀请码有误，请完整粘贴。',
  'error.invite_org': '邀请码属于另一家公司。请核对工作台的网址。',
  'error.invite_used': '邀请码已被使用或撤销。请向管理员要一个新的。',
  'error.invite_expired': '邀请码已过期。请向管理员要一个新的。',
  'error.password_short': '密码至少要 10 个字符。',
  'error.not_owner': '只有会话的负责人可以这样做。',
  'error.disabled': '账号已停用，请联系管理员。',
  'error.unconfirmed': '您的邀请码在管理员确认之前已到期，账号正在等待确认。请联系管理员在工作台中确认，之后再登录。',
  'error.forbidden': '没有权限这样做。',
  'error.not_found': '服务器上没有找到，可能已被删除。',
  'error.conflict': '已有人先一步处理，请看最新状态。',
  'error.closed': '会话已结束。',
  'error.too_late': '已超过两分钟，不能撤回。',
  'error.pin': '服务器的公司密钥变了。请停止使用，并立即通知管理员。',
  'error.directory': '人员名单的签名未通过校验。请停止使用，并立即通知管理员。',
  'error.directory_fork': '服务器对不同的人出示了不同的人员名单，可能有人冒充。请停止使用，并立即通知管理员。',
  'error.clock':
    '本机时间为 {mine}，服务器时间为 {server}，两者不一致。请校准不准的一方；在此之前，管理员的工作台不签署任何内容。',
  'error.snapshot_expired': '人员名单的签名已过期，访客无法发起会话。请一位管理员登录工作台。',
  'error.unauthorised': '登录已失效，请重新登录。',
  'error.full': '此会话的内容已达上限，不能再发送。请结束会话；访客可以开始新的会话。',
};

const en: Record<AgentErrorKey | Reworded, string> = {
  'error.no_key': 'You have no key to this conversation. A colleague of its team or an admin has to hand it to you.',
  'error.bot_member': 'The robot is still in this conversation; you can reply when it has left. One moment.',
  'error.login': 'Wrong user id or password. Check upper and lower case; if it is forgotten, ask your admin.',
  'error.server_key': 'This server is not the one of your company. No password was sent; tell your admin.',
  'error.invite_format': 'The code is mistyped. Paste the whole of it.',
  'error.invite_org': 'The code belongs to another company. Check the address of this console.',
  'error.invite_used': 'The code was used or withdrawn. Ask your admin for a new one.',
  'error.invite_expired': 'The code has expired. Ask your admin for a new one.',
  'error.password_short': 'The password needs at least 10 characters.',
  'error.not_owner': 'Only the owner of the conversation can do this.',
  'error.disabled': 'This account is switched off. Ask your admin.',
  'error.unconfirmed':
    'Your account is waiting for confirmation: your invite ended before an admin confirmed you. Ask an admin to confirm you in their console, then sign in again.',
  'error.forbidden': 'You may not do this.',
  'error.not_found': 'The server does not have it; it may have been deleted.',
  'error.conflict': 'Somebody was faster. See the latest state.',
  'error.closed': 'This conversation is closed.',
  'error.too_late': 'Two minutes have passed; it cannot be recalled.',
  'error.pin': 'The company key of the server has changed. Stop, and tell your admin at once.',
  'error.directory': 'The signed list of people does not verify. Stop, and tell your admin at once.',
  'error.directory_fork':
    'The server showed different people different lists; somebody may be posing as another. Stop, and tell your admin at once.',
  'error.clock':
    'This computer’s clock shows {mine}, the server’s {server}. Set whichever is wrong; until then an admin’s console signs nothing.',
  'error.snapshot_expired':
    'The signature on the list of people has expired; visitors cannot start. An admin has to sign in here.',
  'error.unauthorised': 'Your session has ended. Sign in again.',
  'error.full': 'This conversation holds as much as one may. Close it; the visitor can start a new one.',
};

export const agentErrors: Texts<AgentErrorKey | Reworded> = { zh, en };
