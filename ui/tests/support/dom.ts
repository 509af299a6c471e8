/** As much of a document as Preact needs, and a count of what is done to it. */

let done = 0;
/** Nodes made, put somewhere or taken away, and attributes set since the last call. */
export function changes(): number {
  const n = done;
  done = 0;
  return n;
}

export class FakeNode {
  parentNode: FakeNode | null = null;
  readonly childNodes: FakeNode[] = [];
  readonly attributes: Record<string, string> = {};
  readonly style = { cssText: '', setProperty: (): void => undefined };
  scrollTop = 0;
  scrollHeight = 0;
  clientHeight = 0;
  private text: string;

  constructor(
    readonly nodeType: 1 | 3,
    readonly localName: string,
    text = '',
  ) {
    this.text = text;
    done++;
  }
  get data(): string {
    return this.text;
  }
  set data(text: string) {
    this.text = text;
    done++;
  }
  get firstChild(): FakeNode | null {
    return this.childNodes[0] ?? null;
  }
  get firstElementChild(): FakeNode | null {
    return this.children[0] ?? null;
  }
  get children(): FakeNode[] {
    return this.childNodes.filter((n) => n.nodeType === 1);
  }
  get tagName(): string {
    return this.localName.toUpperCase();
  }
  get isConnected(): boolean {
    return this.parentNode?.isConnected ?? this.localName === 'body';
  }
  get nextSibling(): FakeNode | null {
    const all = this.parentNode?.childNodes ?? [];
    return all[all.indexOf(this) + 1] ?? null;
  }
  get textContent(): string {
    return this.text + this.childNodes.map((n) => n.textContent).join('');
  }
  insertBefore(child: FakeNode, before: FakeNode | null): FakeNode {
    child.parentNode?.removeChild(child);
    const at = before ? this.childNodes.indexOf(before) : this.childNodes.length;
    this.childNodes.splice(at, 0, child);
    child.parentNode = this;
    done++;
    return child;
  }
  appendChild(child: FakeNode): FakeNode {
    return this.insertBefore(child, null);
  }
  removeChild(child: FakeNode): void {
    this.childNodes.splice(this.childNodes.indexOf(child), 1);
    child.parentNode = null;
    done++;
  }
  setAttribute(name: string, value: string): void {
    this.attributes[name] = String(value);
    done++;
  }
  removeAttribute(name: string): void {
    delete this.attributes[name];
  }
  readonly listeners: Record<string, unknown> = {};
  addEventListener(name: string, fn: unknown): void {
    this.listeners[name] = fn;
  }
  removeEventListener(name: string): void {
    delete this.listeners[name];
  }
  focus(): void {}
  getBoundingClientRect(): { top: number; bottom: number } {
    return { top: 0, bottom: 0 };
  }
  /** Elements of a class, at any depth. */
  all(of: string): FakeNode[] {
    return this.childNodes.flatMap((n) => [
      ...((n.attributes.class ?? '').split(' ').includes(of) ? [n] : []),
      ...n.all(of),
    ]);
  }
}

/** Puts it in place of the browser's. Returns the body. */
export function fakeDocument(stub: (name: string, value: unknown) => void): FakeNode {
  const body = new FakeNode(1, 'body');
  stub('document', {
    documentElement: body,
    visibilityState: 'visible',
    createElementNS: (_: string, name: string) => new FakeNode(1, name),
    createTextNode: (text: string) => new FakeNode(3, '', text),
    addEventListener: () => undefined,
    removeEventListener: () => undefined,
  });
  stub(
    'ResizeObserver',
    class {
      observe(): void {}
      disconnect(): void {}
    },
  );
  stub(
    'IntersectionObserver',
    class {
      observe(): void {}
      disconnect(): void {}
    },
  );
  return body;
}
