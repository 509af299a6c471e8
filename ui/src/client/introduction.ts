/**
 * What a site's page says of its visitor: who they are by the word of its backend (protocol §8), and attributes. Both go to the members of
 * the conversation, sealed like messages: in its first one, and before the next one when something changed.
 */
import { hex, text, unb64u } from '../crypto/bytes';
import { attributesOf, type Body } from '../crypto/envelope';
import { BoxKind, boxKid, kidOf } from '../crypto/hash';
import { MAX_TOKEN } from '../crypto/identity-keys';
import { stringify } from '../json';
import type { AboutVisitor, VouchFor } from '../model';
import type { Store } from '../storage/store';
import type { Keys } from './opening';

/** A message does not wait longer for the page's backend, ms. */
const PATIENCE_MS = 8_000;
/** A token that is older is not sent, ms; whom it is about still counts. */
const FRESH_MS = 60_000;

interface Host {
  readonly store: Store;
  readonly storagePrefix: string;
  readonly site: string;
  /** Fingerprint of the company. */
  readonly fp: Uint8Array;
  keys(): Promise<Keys>;
  now(): number;
}

/** What a conversation was told. */
interface Told {
  sub?: string;
  attributes?: string;
}

interface Vouched {
  token: string;
  sub: string;
  /** When it came, ms. */
  at: number;
}

export interface News {
  fields: Pick<Extract<Body, { t: 'form' }>, 'identity' | 'attributes'>;
  /** The conversation has it now. */
  told(conv: string): void;
  /** Somebody else wrote with this browser's keys before. */
  otherPerson: boolean;
}

/** Whom a token is about, by its own word; null if it is none. */
export function subjectOf(token: unknown): string | null {
  try {
    if (typeof token !== 'string' || token.length > MAX_TOKEN) return null;
    const { sub } = JSON.parse(text(unb64u(token.split('.')[1]!))) as { sub?: unknown };
    return typeof sub === 'string' && sub ? sub : null;
  } catch {
    return null;
  }
}

export class Introduction {
  private user: VouchFor | string | null = null;
  private attributes: string | undefined;
  /** Whom the backend vouched for since this page was loaded. */
  private vouched: Vouched | null = null;
  /** When a backend failed last, ms: one message does not wait for it twice. */
  private failed = -Infinity;

  constructor(private readonly host: Host) {}

  /** Somebody vouches for the visitor. */
  get hasUser(): boolean {
    return this.user !== null;
  }

  setUser(user: VouchFor | string | null): void {
    this.user = user;
    this.vouched = null;
    this.failed = -Infinity;
  }

  /** Replaces what was said before. */
  setAttributes(attributes: unknown): void {
    this.attributes = stringify(attributesOf(attributes) ?? {});
  }

  /**
   * For the conversation `conv`, or for one that begins; null if there is none. Never rejects: a message is not lost because a backend fails.
   * `written`: the visitor writes just now, and may be somebody else than before; else a backend is asked only for a conversation that knows nobody.
   */
  async news(conv: string | null, written: boolean): Promise<News | null> {
    const { user, attributes } = this;
    if (!user && attributes === undefined) return null;
    const { store, storagePrefix } = this.host;
    const read = <T>(name: string): Promise<T | undefined> => store.get<T>(name).catch(() => undefined);
    const told: Told = (conv && (await read<Told>(`${storagePrefix}told/${conv}`))) || {};
    const person = await read<string>(`${storagePrefix}person`);
    const ask = user && this.host.now() - this.failed > FRESH_MS && (written || told.sub === undefined);
    const vouched = ask ? await this.vouch(user, told.sub).catch((e: unknown) => this.fail(e)) : null;
    const fields: News['fields'] = {};
    if (vouched && vouched.sub !== told.sub) fields.identity = vouched.token;
    if (attributes !== undefined && attributes !== told.attributes && (attributes !== '{}' || told.attributes))
      fields.attributes = JSON.parse(attributes) as Record<string, string>;
    const otherPerson = !!vouched && person !== undefined && person !== vouched.sub;
    if (!Object.keys(fields).length && !otherPerson) return null;
    return {
      fields,
      otherPerson,
      told: (id) => {
        const now: Told = { sub: vouched?.sub ?? told.sub, attributes: attributes ?? told.attributes };
        const also = vouched ? ([[`${storagePrefix}person`, vouched.sub]] as const) : [];
        store.set(`${storagePrefix}told/${id}`, now, also).catch(() => undefined);
      },
    };
  }

  private fail(e: unknown): null {
    this.failed = this.host.now();
    console.error('kefu: setUser:', e);
    return null;
  }

  /** `known`: whom the conversation knows; it needs no token then. */
  private async vouch(user: VouchFor | string, known: string | undefined): Promise<Vouched> {
    const { vouched } = this;
    if (vouched && (vouched.sub === known || this.host.now() - vouched.at < FRESH_MS)) return vouched;
    const token = typeof user === 'string' ? user : await inTime(this.ask(user));
    const sub = subjectOf(token);
    if (sub === null) throw new Error('this is no token of a customer (docs/widget.md shows how to make one)');
    return (this.vouched = { token: token as string, sub, at: this.host.now() });
  }

  private async ask(user: VouchFor): Promise<unknown> {
    return user(await this.about());
  }

  /** What a backend must put into a token for this browser. */
  async about(): Promise<AboutVisitor> {
    const { fp, site } = this.host;
    const { ed, x } = await this.host.keys();
    return { ed_kid: hex(kidOf(ed.pk)), x_kid: hex(boxKid(BoxKind.visitor, x.pk)), aud: `k1-${hex(fp)}/${site}` };
  }
}

function inTime<T>(p: Promise<T>): Promise<T> {
  return new Promise((done, fail) => {
    const timer = setTimeout(() => fail(new Error(`no token came within ${PATIENCE_MS / 1_000} s`)), PATIENCE_MS);
    p.then(done, fail).finally(() => clearTimeout(timer));
  });
}
