/** What this agent may do with a conversation now. The server decides; this only hides what it would refuse. */
import type { AgentClient, ConvItem } from '../model';

export type Owner = { kind: 'agent'; user: string; me: boolean } | { kind: 'queue' | 'robot' | 'none' };

export interface Rights {
  owner: Owner;
  offered: boolean;
  canReply: boolean;
  /** From the queue or the robot; supervisors and admins also from another agent. */
  canTake: boolean;
  canTransfer: boolean;
  canClose: boolean;
  canReopen: boolean;
  /** It was missed: it can be taken, put back into the queue, or dismissed. */
  missed: boolean;
}

export function rightsOf(client: AgentClient, item: ConvItem): Rights {
  const me = client.me.value;
  const { owner: raw, state } = item.conv;
  const open = state === 'open';
  const leads = me?.role === 'supervisor' || me?.role === 'admin';
  const user = raw.startsWith('agent:') ? raw.slice('agent:'.length) : null;
  const owner: Owner = user
    ? { kind: 'agent', user, me: user === me?.user }
    : { kind: raw === 'queue' || raw === 'robot' ? raw : 'none' };
  const mine = owner.kind === 'agent' && owner.me;
  return {
    owner,
    offered: client.offers.value.some((offer) => offer.conv === item.id),
    canReply: open && mine,
    canTake:
      open && (owner.kind === 'queue' || owner.kind === 'robot' || (owner.kind === 'agent' && !owner.me && leads)),
    canTransfer: open && (mine || leads),
    canClose: open && (mine || leads),
    canReopen: !open,
    missed: !open && item.conv.missed !== undefined,
  };
}
