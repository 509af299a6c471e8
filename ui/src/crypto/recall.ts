/** Recalls (kinds 5 and 6): a sender removes a message or a note. Only the sender's signature makes one. */
import { Kind, type Envelope } from '../proto';
import type { SigningKey } from './backend';
import { cat, u32, unhex } from './bytes';
import { header, type HeaderFields } from './envelope';
import { envelopeHash } from './hash';

/** What a recall names of an envelope. */
export interface RecallTarget {
  msg: string;
  inst: number;
  ctr: number;
  hash: Uint8Array;
  note: boolean;
}

export function targetOf(env: Envelope): RecallTarget {
  return { msg: env.msg, inst: env.inst, ctr: env.ctr, hash: envelopeHash(env.bytes), note: env.kind === Kind.note };
}

export async function signRecall(f: HeaderFields, target: RecallTarget, signer: SigningKey): Promise<Uint8Array> {
  const head = header(target.note ? Kind.noteRecall : Kind.recall, signer.pk, f);
  const unsigned = cat(head, unhex(target.msg), u32(target.inst), u32(target.ctr), target.hash);
  return cat(unsigned, await signer.sign('sig', unsigned));
}
