/** Limits how often something is done that may be asked for at any rate: at once, and then at most once in `ms`. */
export class Throttle {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private waiting = false;

  constructor(
    private readonly ms: number,
    private readonly run: () => void,
  ) {}

  request(): void {
    this.waiting = this.timer !== undefined;
    if (this.waiting) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      if (this.waiting) this.request();
    }, this.ms);
    this.run();
  }

  /** It was done without a request: what waits needs nothing more. */
  done(): void {
    this.waiting = false;
  }

  dispose(): void {
    clearTimeout(this.timer);
  }
}
