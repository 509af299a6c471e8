/** History grants (kind 3): keys of past epochs for a new reader. */
import { type Envelope, Kind } from '../proto';
import type { Backend, BoxKey, EpochKey, SigningKey } from './backend';
import { cat, equal, hex, u16, u32, utf8 } from './bytes';
import { reject } from './error';
import { boxKid, commitment, kidOf } from './hash';

/** Most keys in one grant. */
export const MAX_GRANT = 400;

const info = (kind: number, kid: Uint8Array): Uint8Array => cat(utf8('kefu/1 grant\0'), new Uint8Array([kind]), kid);
const aad = (bytes: Uint8Array, epoch: number): Uint8Array => cat(bytes.subarray(0, 36), u32(epoch));

export async function grant(
  backend: Backend,
  conv: Uint8Array,
  keys: readonly { epoch: number; ek: Uint8Array }[],
  to: { kind: number; pk: Uint8Array },
  signer: SigningKey,
): Promise<Uint8Array> {
  if (!keys.length || keys.length > MAX_GRANT) reject('count');
  const head = cat(utf8('K1'), new Uint8Array([Kind.grant, 1]), conv, kidOf(signer.pk), u16(keys.length));
  const kid = boxKid(to.kind, to.pk);
  const boxes: Uint8Array[] = [];
  for (const { epoch, ek } of keys) {
    const sealed = await backend.seal(to.pk, info(to.kind, kid), aad(head, epoch), ek);
    boxes.push(u32(epoch), new Uint8Array([to.kind]), kid, sealed.enc, sealed.ct);
  }
  const unsigned = cat(head, ...boxes);
  return cat(unsigned, await signer.sign('grant', unsigned));
}

/** The keys that are for `mine`, each checked against the commitment of its epoch's announcement. */
export async function acceptGrant(
  backend: Backend,
  env: Envelope,
  conv: Uint8Array,
  creator: Uint8Array,
  mine: ReadonlyMap<string, BoxKey>,
  commitmentOf: (epoch: number) => Uint8Array | null,
): Promise<{ epoch: number; key: EpochKey; ek: Uint8Array }[]> {
  if (env.kind !== Kind.grant) reject('kind');
  if (!equal(env.bytes.subarray(4, 20), conv)) reject('conversation');
  if (env.sender !== hex(kidOf(creator))) reject('creator');
  if (!(await backend.verify('grant', creator, env.signed, env.signature))) reject('signature');
  const out = [];
  for (const box of env.grants) {
    const key = mine.get(hex(box.kid));
    if (!key) continue;
    const ek = await key.open(box, info(box.kind, box.kid), aad(env.bytes, box.epoch));
    const want = commitmentOf(box.epoch);
    if (!want || !equal(want, commitment(conv, box.epoch, ek))) reject('commitment', `epoch ${box.epoch}`);
    out.push({ epoch: box.epoch, key: await backend.epochKey(ek), ek });
  }
  return out;
}
