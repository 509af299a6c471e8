/** Components that are rendered again only when what they are given has changed, or a signal that they read. */
import { createElement, type Component, type ComponentChild, type FunctionComponent } from 'preact';

export function memo<P extends object>(
  render: (props: P) => ComponentChild,
  same: (a: P, b: P) => boolean,
): FunctionComponent<P> {
  return function (this: Component<P>, props: P) {
    this.shouldComponentUpdate = (next) => !same(this.props as P, next as P);
    return createElement(render as FunctionComponent<P>, props);
  } as FunctionComponent<P>;
}

export function sameItems(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((x, i) => x === b[i]);
}
