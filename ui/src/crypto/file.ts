/**
 * A file, sealed (e2ee 3.2, "Attachment"): zeros up to its PADMÉ length, then chunks, each by itself under the file's own key. The number of
 * a chunk and whether it is the last are its nonce; conversation and message are its additional data. So a chunk opens in its place only.
 * Whoever seals or opens holds one part (16 chunks) at a time.
 */
import type { Backend } from './backend';
import { cat, equal, u32, utf8 } from './bytes';
import { reject } from './error';
import { Sha256 } from './sha2';

export const CHUNK = 65_536;
const TAG = 16;
const CHUNKS_OF_A_PART = 16;
/** Plaintext of a part. */
export const PLAIN_PART = CHUNKS_OF_A_PART * CHUNK;
/** A part as it is uploaded; the last one may be shorter. */
export const PART = CHUNKS_OF_A_PART * (CHUNK + TAG);
/** Largest plaintext, in bytes. */
export const MAX_FILE = 4 * 2 ** 30;

/** Lengths reveal their order of magnitude and a few bits of it: at most 12 % are added (PADMÉ; Nikitin et al. 2019). */
export function padme(length: number): number {
  if (length < 2) return length;
  const e = Math.floor(Math.log2(length));
  const step = 2 ** (e - Math.floor(Math.log2(e)) - 1);
  return Math.ceil(length / step) * step;
}

const chunksOf = (size: number): number => Math.max(1, Math.ceil(padme(size) / CHUNK));

/** Of all sealed chunks. */
export const sealedSize = (size: number): number => padme(size) + TAG * chunksOf(size);

/** How many parts that is. */
export const partsOf = (size: number): number => Math.ceil(chunksOf(size) / CHUNKS_OF_A_PART);

/** Which file it is. */
export interface FilePlace {
  conv: Uint8Array;
  /** Id of the message that names it. */
  msg: Uint8Array;
  /** Of the plaintext, in bytes. */
  size: number;
}

/** Where JavaScript computes the ciphers a chunk takes a tenth of a second: the page gets its turn between two of them. */
export type Ciphers = Pick<Backend, 'aes' | 'name'> & { turn?: () => Promise<void> };

async function paused({ name, turn }: Ciphers): Promise<void> {
  if (name === 'pure') await turn?.();
}

const aadOf = ({ conv, msg }: FilePlace): Uint8Array => cat(utf8('kefu/1 file'), conv, msg);
const nonce = (i: number, last: boolean): Uint8Array => cat(new Uint8Array(7), u32(i), new Uint8Array([last ? 1 : 0]));

/** Seals from the first byte to the last. */
export class FileSealer {
  private readonly hash = new Sha256();
  private chunk = 0;

  constructor(
    private readonly backend: Ciphers,
    private readonly key: Uint8Array,
    private readonly place: FilePlace,
  ) {}

  /** The next part. `plain`: its share of the file, `PLAIN_PART` bytes but for the last ones. */
  async part(plain: Uint8Array): Promise<Uint8Array> {
    const { size } = this.place;
    const total = chunksOf(size);
    const until = Math.min(total, this.chunk + CHUNKS_OF_A_PART);
    const at = this.chunk * CHUNK;
    if (plain.length !== Math.max(0, Math.min(size - at, PLAIN_PART))) reject('size');
    const padded = new Uint8Array(Math.min(padme(size), until * CHUNK) - at);
    padded.set(plain);
    const sealing: Promise<Uint8Array>[] = [];
    for (let i = this.chunk; i < until; i++) {
      const clear = padded.subarray((i - this.chunk) * CHUNK, (i - this.chunk + 1) * CHUNK);
      await paused(this.backend);
      sealing.push(this.backend.aes('encrypt', this.key, nonce(i, i === total - 1), aadOf(this.place), clear));
    }
    // a browser's ciphers work in a thread of their own meanwhile
    this.hash.update(plain);
    const out = await Promise.all(sealing);
    padded.fill(0);
    this.chunk = until;
    return cat(...out);
  }

  /** SHA-256 of the plaintext. */
  digest(): Uint8Array {
    return this.hash.digest();
  }
}

/** Opens from the first byte to the last; nothing of it may be used before `end`. */
export class FileOpener {
  private readonly hash = new Sha256();
  private chunk = 0;

  constructor(
    private readonly backend: Ciphers,
    private readonly key: Uint8Array,
    private readonly place: FilePlace,
  ) {}

  /** How many bytes are opened, as they were sealed: where the next part begins. */
  get at(): number {
    return Math.min(this.chunk * (CHUNK + TAG), sealedSize(this.place.size));
  }

  /** The plaintext of the next part. Rejects with `file` what is not that part. */
  async part(sealed: Uint8Array): Promise<Uint8Array> {
    const { size } = this.place;
    const total = chunksOf(size);
    const until = Math.min(total, this.chunk + CHUNKS_OF_A_PART);
    if (sealed.length === 0 || sealed.length !== Math.min(sealedSize(size) - this.at, PART)) reject('file', 'length');
    const at = this.chunk * CHUNK;
    const out = new Uint8Array(Math.max(0, Math.min(size - at, PLAIN_PART)));
    for (let i = this.chunk; i < until; i++) {
      const from = (i - this.chunk) * (CHUNK + TAG);
      await paused(this.backend);
      const clear = await this.backend
        .aes(
          'decrypt',
          this.key,
          nonce(i, i === total - 1),
          aadOf(this.place),
          sealed.subarray(from, from + CHUNK + TAG),
        )
        .catch(() => reject('file', `chunk ${i}`));
      const left = out.length - (i - this.chunk) * CHUNK;
      const own = Math.max(0, Math.min(left, clear.length));
      if (clear.subarray(own).some((x) => x !== 0)) reject('file', 'padding');
      if (own) out.set(clear.subarray(0, own), (i - this.chunk) * CHUNK);
    }
    this.chunk = until;
    this.hash.update(out);
    return out;
  }

  /** All of it is here, and its SHA-256 is this one. */
  end(sha: Uint8Array): void {
    if (this.chunk !== chunksOf(this.place.size)) reject('file', 'truncated');
    if (!equal(this.hash.digest(), sha)) reject('file', 'hash');
  }
}
