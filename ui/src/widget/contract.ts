/**
 * What launcher and panel lend each other. They are files of one build: the launcher draws the button and the empty frame, the panel
 * fills the frame, and a third file has what the panel seldom needs. Members are written `name: (…) => …`, so that no build shortens their names (`build/names.mjs`).
 */
import type { VouchFor } from '../model';
import type { Settings } from './settings';

/** What the page's own scripts may hear. Never the text of a message. */
export interface Events {
  ready: void;
  /** A message of the other side came; who wrote it, not what. */
  message: { side: string; at: number };
  unread: number;
}
export type Tell = <K extends keyof Events>(event: K, detail: Events[K]) => void;

/** What a page said about its visitor; the panel is told when it is there. */
export interface Asked {
  user: VouchFor | string | null;
  attributes: Record<string, string | number | boolean>;
}

export interface Lent {
  settings: Settings;
  /** The dialog, empty when the panel is shown first. */
  frame: HTMLElement;
  /** Adds a style sheet to the launcher's. */
  addStyle: (css: string) => void;
  closeFrame: () => void;
  /** The panel's third file, by its name beside the launcher; rejects if it cannot be loaded now. */
  fetchMore: (file: string, integrity: string) => Promise<MakeMore>;
  tell: Tell;
}

export interface StartedPanel {
  /** The frame was opened or closed. */
  frameOpened: (open: boolean) => void;
  asked: <K extends keyof Asked>(what: K, value: Asked[K]) => void;
  /** Forgets this site's visitors, and begins anew. */
  reset: () => Promise<void>;
}
export type StartPanel = (lent: Lent) => StartedPanel;

/** Of the third file: given what the panel lends it, it makes what the panel asked for. */
export type MakeMore = (panel: object) => object;

/** Where the files leave themselves; whoever loaded one takes it away in the same breath. The build writes the second (build/parts.mjs). */
const PANEL = Symbol.for('kefu.panel');
const MORE = Symbol.for('kefu.more');

export function offerPanel(start: StartPanel): void {
  Reflect.set(window, PANEL, start);
}

function take(name: symbol): unknown {
  const offered: unknown = Reflect.get(window, name);
  Reflect.deleteProperty(window, name);
  return offered ?? null;
}

export const takePanel = (): StartPanel | null => take(PANEL) as StartPanel | null;
export const takeMore = (): MakeMore | null => take(MORE) as MakeMore | null;
