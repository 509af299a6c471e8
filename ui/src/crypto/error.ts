/** Why something that came from outside was not believed. */

/** `reason` is stable, for tests and for the engine's decisions; it is no text for people. */
export class Rejected extends Error {
  constructor(
    readonly reason: string,
    detail = '',
  ) {
    super(detail ? `${reason}: ${detail}` : reason);
    this.name = 'Rejected';
  }
}

export function reject(reason: string, detail?: string): never {
  throw new Rejected(reason, detail);
}
