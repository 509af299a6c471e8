/** The robot of a site as its visitors meet it: whether one may be let in, and the day key to seal to. */
import type { Backend } from '../crypto/backend';
import { verifyDayKey, type DayKey } from '../crypto/daykey';
import type { Directory } from '../crypto/directory';
import { Rejected } from '../crypto/error';
import type { DayKeyJson } from '../proto';
import { signal } from '../signals';

/** A key that ends so soon is fetched again, ms. */
const MARGIN_MS = 10 * 60_000;

interface RobotDeps {
  backend: Backend;
  site: string;
  directory(): Directory;
  now(): number;
  /** The day key that the server offers now. */
  fetch(): Promise<DayKeyJson | undefined>;
}

export class Robot {
  /** A certified robot is there with a key that holds. */
  readonly available = signal(false);
  /** The server offered a key that no robot of the company signed. */
  readonly refused = signal(false);

  constructor(
    private readonly d: RobotDeps,
    private offered: DayKeyJson | undefined,
  ) {}

  /** The public day key, verified against the directory of now; null without a robot. Never rejects: people answer then. */
  async key(fresh = false): Promise<Uint8Array | null> {
    let key = fresh ? null : await this.verify();
    // one that joins the site is seen by the next page; one that left is not asked for by all pages at once
    if (this.offered && this.d.directory().botOf(this.d.site) && (!key || key.until - this.d.now() < MARGIN_MS)) {
      try {
        this.offered = await this.d.fetch();
      } catch {
        // the old one may do
      }
      key = await this.verify();
    }
    this.available.value = !!key;
    return key && key.x;
  }

  private async verify(): Promise<DayKey | null> {
    if (!this.offered) return null;
    try {
      return await verifyDayKey(this.d.backend, this.d.directory(), this.d.site, this.offered, this.d.now());
    } catch (e) {
      this.refused.value ||= !(e instanceof Rejected && e.reason.startsWith('bot_'));
      return null;
    }
  }
}
