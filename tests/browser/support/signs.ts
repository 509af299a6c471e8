/** How a lie of the server shows: the marks and words that a person sees, and what left their browser. */
import { expect, type Locator } from '@playwright/test';
import { Envelope } from '../../../ui/src/proto';
import { isText, type Hostile, type Role, type Text } from './hostile';
import type { Visitor } from './visitor';

export const S = {
  missing: /可能缺少|缺少|missing/i,
  order: /次序|顺序|先后|order/i,
  notValid: /未通过校验|无效|not valid|did not pass/i,
  takenBack: /撤回了|recalled a|was recalled/i,
  removed: /服务器(已|将其)?(移除|删除|删去)|(由|被)服务器(移除|删除|删去)|removed by the server/i,
  gone: /会话.*(不在|不见|不再|找不到|丢失|没有)|服务器.*(没有|不再|找不到).*会话|conversation.*(gone|no longer|not there|lost)|no longer.*conversation/i,
  rewound: /备份|回退|倒退|退回|丢失|更早|backup|restored|went back|gone back|lost/i,
  robotRefused: /机器人.*已拒绝|robot.*refused/i,
  fresh: /^(开始新的会话|Start a new conversation)$/,
  /** In the console. */
  otherPast: /会话记录与此前不同|differently than before/i,
};

/** Nothing can be written: there is no field, or none that takes anything. */
export async function mute(panel: Locator): Promise<void> {
  await expect(panel.locator('textarea:enabled, input:enabled')).toHaveCount(0);
}

/** The alarm: it is shown as one, with its code, and nothing can be written any more. */
export async function alarm(
  visitor: Visitor,
  code: 'error.history' | 'error.directory' | 'error.directory_fork' | 'error.snapshot_expired' | 'error.pin',
): Promise<void> {
  await expect(visitor.panel.getByRole('alert').filter({ hasText: code }).first()).toBeVisible();
  await mute(visitor.panel);
}

/** A position in the frames of browsers, to look at those after it. */
export const here = (proxy: Hostile): number => proxy.heard.length;

/** The envelopes that left a side's browsers since `from`. */
export function envelopes(proxy: Hostile, role: Role, from = 0): Envelope[] {
  return proxy.heard.slice(from).flatMap(({ role: who, said }) => {
    const env = who === role && !isText(said) ? Envelope.parse(said) : null;
    return env ? [env] : [];
  });
}

/** The text frames of one type. */
export function frames(proxy: Hostile, role: Role, t: string, from = 0): Text[] {
  return proxy.heard
    .slice(from)
    .flatMap(({ role: who, said }) => (who === role && isText(said) && said.t === t ? [said] : []));
}

/** Neither a message nor a new epoch nor a new conversation left this side. */
export function nothingSent(proxy: Hostile, role: Role, from: number): void {
  expect(envelopes(proxy, role, from).map(({ kind, epoch }) => ({ kind, epoch }))).toEqual([]);
  expect(frames(proxy, role, 'open', from)).toEqual([]);
}
