/** The parts of a conversation, each alone. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Participant, Persistence, Transport } from '../src/client/context';
import { Deliveries } from '../src/client/deliveries';
import { OutgoingStore, type Outgoing } from '../src/client/outgoing';
import { Predecessor } from '../src/client/predecessor';
import { Receipts } from '../src/client/receipts';
import { SendPause } from '../src/client/send-pause';
import { Throttle } from '../src/client/throttle';
import { Waiters } from '../src/client/waiters';
import { signRecall } from '../src/crypto/recall';
import { nativeBackend } from '../src/crypto/native';
import { ClientError } from '../src/model';
import { Code, Envelope, type ClientFrame, type Conv, type ErrorFrame } from '../src/proto';
import { memoryStore } from '../src/storage/store';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const error = (code: number, over: Partial<ErrorFrame> = {}): ErrorFrame =>
  ({ t: 'error', code, name: '', text: '', ...over }) as ErrorFrame;

describe('waiters', () => {
  it('are released when it holds at a look, and give up in time', async () => {
    const waiters = new Waiters();
    let open = false;
    const done = waiters.until(() => open, 1_000);
    waiters.look();
    open = true;
    waiters.look();
    await done;
    const never = waiters.until(() => false, 1_000);
    const failed = expect(never).rejects.toMatchObject({ key: 'error.network' });
    await vi.advanceTimersByTimeAsync(1_000);
    await failed;
  });
});

describe('a throttle', () => {
  it('does it at once, then at most once in its time, and the last request counts', () => {
    let times = 0;
    const throttle = new Throttle(50, () => times++);
    for (let i = 0; i < 10; i++) throttle.request();
    expect(times).toBe(1);
    vi.advanceTimersByTime(50);
    expect(times).toBe(2);
    throttle.request();
    throttle.done();
    vi.advanceTimersByTime(500);
    expect([times, vi.getTimerCount()]).toEqual([2, 0]);
  });
});

describe('receipts', () => {
  const make = (online = true) => {
    const said: ClientFrame[] = [];
    const context = { role: 'visitor', frame: (f: ClientFrame) => online && !!said.push(f) } as unknown as Participant &
      Transport;
    return { said, receipts: new Receipts(context, 'c') };
  };

  it('are told together, and never go back', () => {
    const { said, receipts } = make();
    receipts.update({ visitor: { delivered: 3, read: 2 } } as Conv);
    receipts.have = 5;
    receipts.tell();
    receipts.have = 6;
    receipts.markRead();
    vi.advanceTimersByTime(250);
    expect(said).toEqual([{ t: 'seen', conv: 'c', delivered: 6, read: 6 }]);
    receipts.update({ visitor: { delivered: 1, read: 1 } } as Conv);
    receipts.tell();
    vi.advanceTimersByTime(250);
    expect([said.length, receipts.read]).toEqual([1, 6]);
  });

  it('that were not sent are told again', () => {
    const { said, receipts } = make(false);
    receipts.have = 1;
    receipts.tell();
    vi.advanceTimersByTime(250);
    expect(said).toEqual([]);
  });
});

describe('what waits to be sent', () => {
  const make = () => {
    const store = memoryStore();
    const context = { store, storagePrefix: '', counterRun: 1 } as unknown as Persistence;
    return { store, outgoing: new OutgoingStore(context, 'c') };
  };
  const waiting = { msg: 'm', at: 1, error: null, env: { bytes: new Uint8Array(1) } } as unknown as Outgoing;

  it('is kept, and leaves no copy when it was taken back before or while it was written', async () => {
    const { store, outgoing } = make();
    await outgoing.keep(waiting, () => true);
    expect(await outgoing.list()).toHaveLength(1);
    await outgoing.keep(waiting, () => false);
    expect(await outgoing.list()).toEqual([]);
    let waits = true;
    const { set } = store;
    store.set = async (...entry) => {
      await set(...entry);
      waits = false;
    };
    await outgoing.keep(waiting, () => waits);
    expect(await outgoing.list()).toEqual([]);
  });
});

describe('a pause', () => {
  it('takes as long as the server asks, grows if it does not say, and is told only if it is long', () => {
    let [resumed, changed] = [0, 0];
    const pause = new SendPause(
      () => Date.now(),
      () => resumed++,
      () => changed++,
    );
    pause.startAsAsked(error(Code.rate_limited));
    expect([pause.left, pause.wait, changed]).toEqual([1_000, null, 0]);
    pause.startAsAsked(error(Code.rate_limited));
    expect(pause.left).toBe(2_000);
    expect(pause.wait).not.toBeNull();
    vi.advanceTimersByTime(2_000);
    expect([resumed, pause.left]).toEqual([1, 0]);
    pause.accepted();
    pause.tell(null);
    pause.startAsAsked(error(Code.rate_limited));
    expect([pause.left, pause.wait, changed]).toEqual([1_000, null, 2]);
    pause.end();
    expect([pause.left <= 0, resumed]).toEqual([true, 2]);
  });
});

describe('a delivery', () => {
  const envelope = async (): Promise<Envelope> => {
    const fields = { conv: new Uint8Array(16), epoch: 0, msg: new Uint8Array(16).fill(7), inst: 1, ctr: 0 };
    const target = { msg: '07'.repeat(16), inst: 1, ctr: 0, hash: new Uint8Array(16), note: false };
    const key = await nativeBackend().newSigningKey();
    return Envelope.parse(await signRecall({ ...fields, prev: new Uint8Array(16) }, target as never, key))!;
  };

  it('is sent again at once after a conflict, and ends with its record or with the error', async () => {
    const env = await envelope();
    let sent = 0;
    const deliveries = new Deliveries({ envelope: () => !!++sent } as unknown as Transport);
    const first = deliveries.send(env.bytes);
    expect(deliveries.refused(error(Code.conflict, { msg: env.msg }))).toBe(true);
    expect(sent).toBe(2);
    deliveries.record(env);
    await first;
    expect(deliveries.refused(error(Code.conflict, { msg: env.msg }))).toBe(false);
    const second = deliveries.send(env.bytes);
    const failed = expect(second).rejects.toBeInstanceOf(ClientError);
    deliveries.refused(error(Code.forbidden, { msg: env.msg }));
    await failed;
  });
});

describe('the conversation that the next one names', () => {
  it('is kept until it was named', async () => {
    const store = memoryStore();
    new Predecessor(store, 'after').set('a', true);
    const later = new Predecessor(store, 'after');
    expect([await later.load(), later.id]).toEqual([true, 'a']);
    later.clear();
    const last = new Predecessor(store, 'after');
    expect([await last.load(), last.id, later.id]).toEqual([false, undefined, undefined]);
  });
});
