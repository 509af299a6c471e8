/**
 * What launcher and panel lend each other. They are two files of one build: the launcher draws the button and the empty frame, the panel
 * fills the frame. Members are written `name: (…) => …`, so that no build shortens their names (`build/names.mjs`).
 */
import type { Settings } from './settings';

/** What the page's own scripts may hear. Never the text of a message. */
export interface Events {
  ready: void;
  /** A message of the other side came; who wrote it, not what. */
  message: { side: string; at: number };
  unread: number;
}
export type Tell = <K extends keyof Events>(event: K, detail: Events[K]) => void;

export interface Lent {
  settings: Settings;
  /** The dialog, empty when the panel is shown first. */
  frame: HTMLElement;
  /** Adds a style sheet to the launcher's. */
  addStyle: (css: string) => void;
  closeFrame: () => void;
  tell: Tell;
}

export interface StartedPanel {
  /** The frame was opened or closed. */
  frameOpened: (open: boolean) => void;
}
export type StartPanel = (lent: Lent) => StartedPanel;

/** Where the panel's file leaves itself; whoever loaded it takes it away in the same breath. */
const OFFERED = Symbol.for('kefu.panel');

export function offerPanel(start: StartPanel): void {
  Reflect.set(window, OFFERED, start);
}

export function takePanel(): StartPanel | null {
  const start = Reflect.get(window, OFFERED) as StartPanel | undefined;
  Reflect.deleteProperty(window, OFFERED);
  return start ?? null;
}
